"""Blues: twelve bars, shuffled. Folk: plucked strings and an old tune, hardly a drum."""

from ..arrange import beat_drums, close, figure, fill, hold, improvise, sing, strike
from ..drums import closed_hat, crash, high_tom, kick, low_tom, open_hat, ride, shaker, snare, stomp
from ..instruments import banjo, finger_bass, organ, steel_guitar, upright_bass
from ..score import Part, Score, Section, Song

BLUES_RHYTHMS = ("x-xx--x-", "..xxx-x-", "x---....", ".xx-xx--", "xxx-x---", "..x-x---")
SHUFFLE_KITS = {
    "shuffle": {kick: "X...x... X..xx...", snare: "....X.......X...", ride: "X.o.X.oo X.o.X.oo"},
    "rock": {kick: "X.......X.x.....", snare: "....X.......X..o", closed_hat: "x.o.x.o.x.o.x.o."},
    "slow": {kick: "X.........x.x...", snare: "....x.......X...", closed_hat: "x.o.x.o.x.o.x.o."},
}
BLUES_BASSES = {"shuffle": "R.R.3.3.5.5.6.5.", "rock": "R.R.5.5.6.6.5.5.", "slow": "R---..5-R---7-5-"}


def blues(song: Song) -> Score:
    """Shuffled drums, a boogie bass, chords on organ, piano or guitar; a reed or guitar answers itself above."""
    score = Score(song, swing=0.66, room_seconds=0.22, looseness=0.007)
    bass = Part("bass", finger_bass, 0.55, send=0.03)
    backing = Part("harmony", song.backing, 0.36, pan=-0.35, send=0.12, gate=0.8)
    rhythm_guitar = Part("harmony", steel_guitar, 0.22, pan=0.45, send=0.1, gate=0.4)
    lead = Part("lead", song.lead, 0.42, pan=0.1, send=0.22)
    for section in score.sections:
        kit = SHUFFLE_KITS[song.groove]
        beat_drums(score, section, kit if section.name != "I" else {closed_hat: "x...x...x...x..."}, level=0.6)
        figure(score, section, bass, BLUES_BASSES[song.groove].replace(".", "-"), lowest=33)
        figure(score, section, backing, "c-....c-....c---" if section.name != "B" else "..c-..c-..c-..c-", lowest=56)
        if section.name != "I":
            _boogie(score, section, rhythm_guitar)
            improvise(score, section, lead, "blues", 60, 82, BLUES_RHYTHMS)
            fill(score, section, (snare, high_tom, low_tom), 0.5)
    close(score, {bass: 36, backing: 62, lead: 67}, final="R357", cymbal=crash)
    return score


def _boogie(score: Score, section: Section, guitar: Part) -> None:
    """The two-note guitar riff that rocks between fifth and sixth, an eighth each."""
    for chord in section.chords:
        root = chord.degree("R", 45)
        for eighth in range(round(2 * chord.length)):
            upper = root + (9 if eighth % 4 >= 2 else 7)
            strike(score, guitar, chord.beat + eighth / 2, 0.5, (root, upper))


FOLK_PICKINGS = {  # by groove: beats a bar, guitar's grid, percussion
    "waltz": (3, "R.5.t.8.t.5.", {shaker: "o.....,...,."}),
    "travis": (4, "R.8.5.t.R.8.5.t.", {stomp: "x.......o.......", shaker: "..,...,...,...,."}),
    "reel": (4, "R.s.5.s.R.s.5.s.", {stomp: "X...x...X...x...", shaker: "o,o,o,o,o,o,o,o,"}),
}


def folk(song: Song) -> Score:
    """A picked guitar and a double bass under a traditional tune; a banjo or a drone joins the second time round."""
    beats_per_bar, picking, percussion = FOLK_PICKINGS[song.groove]
    score = Score(song, beats_per_bar, room_seconds=0.25, looseness=0.008)
    guitar = Part("harmony", song.backing, 0.5, pan=-0.3, send=0.15, gate=1.5)
    bass = Part("bass", upright_bass, 0.45, send=0.06)
    lead = Part("lead", song.lead, 0.4, pan=0.15, send=0.3)
    second = Part("harmony", banjo if beats_per_bar == 4 else organ, 0.2 if beats_per_bar == 4 else 0.07, 0.5, 0.2)
    for section in score.sections:
        figure(score, section, guitar, picking, lowest=45)
        if section.name == "I":
            continue
        figure(score, section, bass, "R-----5-----" if beats_per_bar == 3 else "R---5---", lowest=31)
        sing(score, section, lead, song.tunes[section.name])
        if section.name == "B":
            beat_drums(score, section, percussion, level=0.5)
            if beats_per_bar == 4:
                figure(score, section, second, "8t5f8t5f8t5f8t5f", lowest=55)
            else:
                hold(score, section, second, 62)
    close(score, {guitar: 52, bass: 36, lead: 69}, cymbal=shaker if beats_per_bar == 3 else open_hat)
    return score
