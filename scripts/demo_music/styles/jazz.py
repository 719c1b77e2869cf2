"""Jazz: a small band over changes, walking and swinging."""

from ..arrange import beat_drums, chord_at, close, figure, improvise, sing
from ..drums import brush, closed_hat, kick, ride, rim, snare
from ..instruments import flute, nylon_guitar, piano, saxophone, trumpet, upright_bass, vibraphone
from ..score import Part, Score, Section
from ..song import Song, credited_to
from ..theory import scale
from ..tunes import SAINTS

SWING_KITS = {
    "swing": {
        ride: "X...X..xX...X..x",
        closed_hat: "....x.......x...",
        kick: ",.......,.....,.",
        snare: "......,.......o.",
    },
    "ballad": {brush: "x...X...x...X...", closed_hat: "....o.......o...", kick: ",.......,......."},
    "bop": {
        ride: "X.x.X.xxX.x.X.xx",
        closed_hat: "....x.......x...",
        kick: "....,.....o.....",
        snare: "..o....,...o..,.",
    },
    "bossa": {ride: "o.o.o.o.o.o.o.o.", rim: "x..x..x...x..x..", kick: "x..ox..ox..ox..o"},
}
JAZZ_COMPS = {
    "swing": "c-....c-.....c-.",
    "ballad": "c-------c-----..",
    "bop": "...c-.....c-..c-",
    "bossa": "c-.c-.c-..c-.c-.",
}
SOLO_RHYTHMS = ("xxxxxxxx", "x-xx.xx-", ".xxxx-x-", "x--xx--.", "..xxxxx-", "x-x-xxx-")
BALLAD_RHYTHMS = ("x---x-x-", "x-----xx", "..x-x---", "x--xx---")


def songs() -> list[Song]:
    """The collection's pieces in this style."""
    song = credited_to(
        "jazz", ("The Quarter Past Quartet", "Inez Farrow Trio"), ("Last Set", "Blue Umbrella"), 1957, 600
    )
    changes = "Cmaj7 Am7 Dm7 G7 | Em7 A7 Dm7 G7"
    bridge = "Gm7 C7 Fmaj7 Fmaj7 | Am7 D7 Dm7 G7"
    return [
        song("When the Saints", -2, 196, "I A B", SAINTS.chords, trumpet, piano, "swing", SAINTS.tunes),
        song(
            "Rain Check",
            3,
            84,
            "I A B",
            {"I": "Am7 E7", "A": "Am7 Dm7 G7 Cmaj7", "B": "Fmaj7 Bm7b5 E7b9 Am7"},
            saxophone,
            piano,
            "ballad",
        ),
        song(
            "Hat Trick",
            5,
            208,
            "I A B A",
            {"I": "Cmaj7,Am7 Dm7,G7", "A": changes, "B": bridge},
            saxophone,
            vibraphone,
            "bop",
        ),
        song(
            "Boats at Anchor",
            0,
            132,
            "I A B",
            {"I": "Cmaj7 Dm7,G7", "A": "Cmaj9 Cmaj9 D9 D9 | Dm9 G7 Cmaj9 G7", "B": bridge},
            flute,
            nylon_guitar,
            "bossa",
        ),
    ]


def play(song: Song) -> Score:
    """A head, then a solo, over walking bass and comping; a bossa walks straight and in two."""
    straight = song.groove == "bossa"
    score = Score(song, swing=0.5 if straight else 0.63, room_seconds=0.3, looseness=0.009)
    bass = Part("bass", upright_bass, 0.5, send=0.06)
    comp = Part("harmony", song.backing, 0.36, pan=-0.3, send=0.15, gate=0.8)
    lead = Part("lead", song.lead, 0.36, pan=0.2, send=0.25)
    solo = Part("lead", piano if song.backing is not piano else song.lead, 0.36, pan=-0.1, send=0.2)
    for section in score.sections:
        beat_drums(score, section, SWING_KITS[song.groove], level=0.42 if section.name == "B" else 0.34)
        figure(score, section, comp, JAZZ_COMPS[song.groove], lowest=54)
        if straight:
            figure(score, section, bass, "R--5--5-R--5--5-", lowest=31)
        else:
            _walk(score, section, bass)
        if section.name in song.tunes:
            sing(score, section, lead, song.tunes[section.name])
        elif section.name != "I":
            rhythms = BALLAD_RHYTHMS if song.groove in ("ballad", "bossa") else SOLO_RHYTHMS
            improvise(
                score,
                section,
                lead if section.name == "A" else solo,
                "dorian" if "m" in _first(song) else "bebop",
                60,
                84,
                rhythms,
            )
    close(score, {bass: 36, comp: 60, lead: 67}, final="R357", cymbal=ride)
    return score


def _walk(score: Score, section: Section, bass: Part) -> None:
    """A note a beat: the root where a chord begins, then steps towards the next root, reached by a semitone."""
    end = section.beat + section.beats
    place = section.chords[0].degree("R", 33)
    for beat in range(round(section.beat), round(end)):
        chord, following = chord_at(section, beat), chord_at(section, beat + 1 if beat + 1 < end else section.beat)
        if beat == chord.beat:
            place = chord.degree("R", 33)
        elif following.beat == beat + 1 or beat + 1 == end:
            place = following.degree("R", 33) + (1 if place > following.degree("R", 33) else -1)
        else:
            steps = [
                p
                for p in scale("dorian" if 3 in chord.intervals else "bebop", chord.root, place - 4, place + 5)
                if p != place
            ]
            place = max(28, int(score.rng.choice([p for p in steps if 30 <= p <= 52])))
        score.note(bass, beat, 0.95, place)


def _first(song: Song) -> str:
    """The song's opening chord, less the letters that only look minor."""
    return song.chords[song.form.split()[0]].split()[0].split(",")[0].replace("maj", "")
