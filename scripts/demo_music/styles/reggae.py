"""Reggae: one drop, the chop off the beat, a heavy bass."""

from ..arrange import beat_drums, close, figure, fill, improvise
from ..drums import closed_hat, high_tom, kick, low_tom, open_hat, rim, snare
from ..instruments import clean_guitar, finger_bass, flute, harmonica, organ, piano, saxophone, trumpet
from ..score import Part, Score
from ..song import Song, credited_to

REGGAE_KITS = {
    "one drop": {kick: "........X.......", rim: "........X.......", closed_hat: "x.x.x.x.x.x.x.xo"},
    "rockers": {kick: "X...X...X...X...", snare: "........X.......", closed_hat: "x.xxx.x.x.xxx.x."},
    "steppers": {kick: "X...X...X...X...", rim: "...x..x....x..x.", closed_hat: "x,x,x,x,x,x,x,x,"},
    "dub": {
        kick: "........X.....o.",
        snare: "........X......,",
        closed_hat: "..x...x...x...x.",
        low_tom: "..............x.",
    },
}
REGGAE_BASSES = {
    "one drop": "R--R5-..R-.3-.5-",
    "rockers": "R-R-..5-8-..5-3-",
    "steppers": "R-.R-.R-5-.5-.8.",
    "dub": "R-----..5-3-R-..",
}
REGGAE_RHYTHMS = ("x-x-x---", "....x-x-", "x--x----", "..x-x-x-", "x-------")


def songs() -> list[Song]:
    """The collection's pieces in this style."""
    song = credited_to("reggae", ("Tamarind Root", "King Harbour Sound"), ("Third Beat", "Harbour Dub"), 1974, 900)
    return [
        song(
            "Easy Morning", 2, 76, "I A B", {"I": "C F", "A": "C F C G", "B": "Am F C G"}, harmonica, organ, "one drop"
        ),
        song(
            "Kingston Ledger",
            0,
            84,
            "I A B",
            {"I": "Am Dm", "A": "Am Dm Am G", "B": "F G Am Am F G"},
            trumpet,
            organ,
            "rockers",
        ),
        song(
            "Forward Step",
            -3,
            80,
            "I A B",
            {"I": "Am Am", "A": "Am G F G", "B": "Dm Am G Am"},
            saxophone,
            organ,
            "steppers",
        ),
        song(
            "Echo Chamber Four",
            5,
            72,
            "I A B",
            {"I": "Am Am", "A": "Am Am Dm Am", "B": "Am Am Dm Em"},
            flute,
            organ,
            "dub",
        ),
    ]


def play(song: Song) -> Score:
    """Weight on the third beat, a heavy melodic bass, guitar and organ off the beat, room for echoes."""
    score = Score(song, swing=0.58, swing_unit=0.5, room_seconds=0.4, looseness=0.005)
    bass = Part("bass", finger_bass, 0.75, send=0.02)
    chop = Part("harmony", clean_guitar if song.groove != "dub" else piano, 0.65, pan=0.35, send=0.25, gate=0.5)
    bubble = Part("harmony", organ, 0.22, pan=-0.4, send=0.12, gate=0.6)
    lead = Part("lead", song.lead, 0.26, pan=0.05, send=0.45)
    brass = Part("harmony", trumpet, 0.14, pan=-0.15, send=0.35)
    for section in score.sections:
        beat_drums(score, section, REGGAE_KITS[song.groove], level=0.6)
        fill(score, section, (rim, high_tom, low_tom), 0.45)
        figure(score, section, chop, "....c.......c..." if section.name != "B" else "..c...c...c...c.", lowest=60)
        if section.name == "I":
            continue
        figure(score, section, bass, REGGAE_BASSES[song.groove], lowest=28)
        figure(score, section, bubble, "..c.c.c...c.c.c.", lowest=54)
        improvise(
            score,
            section,
            lead,
            "minor pentatonic" if 3 in section.chords[0].intervals else "pentatonic",
            60,
            79,
            REGGAE_RHYTHMS,
        )
        if section.name == "B":
            figure(score, section, brass, "c-.c-...........", lowest=62)
    close(score, {bass: 33, chop: 64, bubble: 58, lead: 67}, cymbal=open_hat)
    return score
