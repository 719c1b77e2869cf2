"""Metal: distorted riffs and double kicks."""

from ..arrange import beat_drums, close, figure, fill, improvise, sing
from ..drums import big_snare, closed_hat, crash, hard_kick, high_tom, low_tom, open_hat, ride
from ..instruments import finger_bass, lead_guitar, palm_mute, power_chord
from ..score import Part, Score, Section
from ..song import Song, credited_to
from ..tunes import (
    MOUNTAIN_KING,
)

# Riffs: where the strings are damped (p) and where a chord rings (R); the kick follows both.
RIFFS = {
    "gallop": ("p.ppp.ppp.ppR---", "R---p.ppR---p.pp"),
    "thrash": ("pppppppppppppppp", "R-.R-.R-pppppppp"),
    "doom": ("R-------R-----pp", "R-----------R-R-"),
    "march": ("p.p.p.p.p.p.R-R-", "R-p.R-p.R-p.R-R-"),
}
METAL_KITS = {
    "gallop": {big_snare: "....X.......X...", closed_hat: "X...X...X...X..."},
    "thrash": {big_snare: "..X...X...X...X.", closed_hat: "X.X.X.X.X.X.X.X."},
    "doom": {big_snare: "........X.......", ride: "X...X...X...X..."},
    "march": {big_snare: "....X.......X...", open_hat: "X...X...X...X..."},
}
SHRED_RHYTHMS = ("xxxxxxxxxxxxxxxx", "x---x---xxxxxxxx", "xxxxx---xxxxx---", "x-------x-x-xxxx")
SLOW_RHYTHMS = ("x---x---", "x-----x-", "x-x-x---")


def songs() -> list[Song]:
    """The collection's pieces in this style."""
    song = credited_to("metal", ("Iron Cathedral", "Vulture Parade"), ("Anvil Hymns", "Eleven Funerals"), 1986, 800)
    return [
        song(
            "Hall of the Mountain King",
            -3,
            144,
            "A B A B",
            MOUNTAIN_KING.chords,
            lead_guitar,
            power_chord,
            "march",
            MOUNTAIN_KING.tunes,
        ),
        song(
            "Siege Engine",
            -5,
            168,
            "A B A B",
            {"A": "A5 A5 A5 C5 A5 A5", "B": "F5 G5 A5 A5 F5 G5"},
            lead_guitar,
            power_chord,
            "gallop",
        ),
        song(
            "Paper Tiger Burns",
            -5,
            192,
            "A B A B",
            {"A": "A5 A5 A5 A5 Bb5 A5 G5 A5", "B": "D5 D5 C5 C5 Bb5 Bb5"},
            lead_guitar,
            power_chord,
            "thrash",
        ),
        song(
            "Slow Eclipse",
            -7,
            76,
            "A B",
            {"A": "A5 A5 Bb5 A5 D5", "B": "A5 C5 G5 F5 A5"},
            lead_guitar,
            power_chord,
            "doom",
        ),
    ]


def play(song: Song) -> Score:
    """Two guitars play one riff left and right, bass and kick with them; the lead guitar takes the last section."""
    score = Score(song, room_seconds=0.2, looseness=0.003)
    bass = Part("bass", finger_bass, 0.6, send=0.0)
    lead = Part("lead", lead_guitar, 0.34, send=0.25)
    for section in score.sections:
        riff = RIFFS[song.groove][section.name == "B"]
        _two_guitars(score, section, riff)
        figure(score, section, bass, riff.replace("p", "R"), lowest=28)
        beat_drums(score, section, METAL_KITS[song.groove], level=0.62)
        beat_drums(score, section, {hard_kick: _kicks(riff, song.groove)}, level=0.75)
        score.hit(crash, section.beat, 0.5, pan=0.3)
        fill(score, section, (big_snare, high_tom, low_tom, low_tom), 0.6)
        if section.name in song.tunes:
            sing(score, section, lead, song.tunes[section.name])
        elif section.name == "B":
            improvise(
                score, section, lead, "phrygian", 64, 88, SLOW_RHYTHMS if song.groove == "doom" else SHRED_RHYTHMS
            )
    close(score, {Part("harmony", power_chord, 0.4, send=0.1): 40, bass: 34}, final="R", cymbal=crash)
    return score


def _two_guitars(score: Score, section: Section, riff: str) -> None:
    for pan in (-0.8, 0.8):
        ringing = Part("harmony", power_chord, 0.4, pan, send=0.06)
        damped = Part("harmony", palm_mute, 0.48, pan, send=0.03)
        figure(score, section, ringing, riff.replace("p", "."), lowest=38)
        figure(score, section, damped, riff.replace("-", ".").replace("R", ".").replace("p", "R"), lowest=38)


def _kicks(riff: str, groove: str) -> str:
    """Kick drums under every stroke of the riff; none in between, and none at doom's speed but on chords."""
    return "".join("X" if step == "R" or (step == "p" and groove != "doom") else "." for step in riff)
