"""Blues: twelve bars, shuffled, with a boogie underneath."""

from ..arrange import beat_drums, close, figure, fill, improvise, strike
from ..drums import closed_hat, crash, high_tom, kick, low_tom, ride, snare
from ..instruments import clean_guitar, finger_bass, harmonica, lead_guitar, organ, piano, steel_guitar
from ..score import Part, Score, Section
from ..song import Song, credited_to

BLUES_RHYTHMS = ("x-xx--x-", "..xxx-x-", "x---....", ".xx-xx--", "xxx-x---", "..x-x---")
SHUFFLE_KITS = {
    "shuffle": {kick: "X...x... X..xx...", snare: "....X.......X...", ride: "X.o.X.oo X.o.X.oo"},
    "rock": {kick: "X.......X.x.....", snare: "....X.......X..o", closed_hat: "x.o.x.o.x.o.x.o."},
    "slow": {kick: "X.........x.x...", snare: "....x.......X...", closed_hat: "x.o.x.o.x.o.x.o."},
}
BLUES_BASSES = {"shuffle": "R.R.3.3.5.5.6.5.", "rock": "R.R.5.5.6.6.5.5.", "slow": "R---..5-R---7-5-"}
TWELVE_BARS = "C7 C7 C7 C7 | F7 F7 C7 C7 | G7 F7 C7 G7"
QUICK_CHANGE = "C7 F7 C7 C7 | F7 F7 C7 A7 | D7 G7 C7 G7"
MINOR_TWELVE = "Am7 Am7 Am7 Am7 | Dm7 Dm7 Am7 Am7 | F7 E7 Am7 E7"


def songs() -> list[Song]:
    """The collection's pieces in this style."""
    song = credited_to(
        "blues", ("Delta Mile Trio", "Ruby Lane"), ("Twelve to the Bar", "Smoke on the Porch"), 1958, 100
    )
    intro = "C7 G7"
    return [
        song("Gravel Road Shuffle", 4, 112, "I A", {"I": intro, "A": TWELVE_BARS}, harmonica, organ, "shuffle"),
        song("Late Rent", -3, 92, "I A", {"I": intro, "A": QUICK_CHANGE}, lead_guitar, piano, "slow"),
        song(
            "Porchlight Boogie",
            0,
            126,
            "I A B",
            {"I": intro, "A": TWELVE_BARS, "B": "F7 F7 C7 C7"},
            harmonica,
            piano,
            "rock",
        ),
        song("Blue Before Noon", 2, 104, "I A", {"I": "Am7 E7", "A": MINOR_TWELVE}, clean_guitar, organ, "shuffle"),
    ]


def play(song: Song) -> Score:
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
