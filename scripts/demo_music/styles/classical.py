"""Classical: written-out music in a large hall, no drums."""

from ..arrange import figure, hold, sing, strike
from ..instruments import (
    fiddle,
    flute,
    harpsichord,
    piano,
    strings,
)
from ..score import Part, Score
from ..song import Song, credited_to
from ..tunes import (
    CANON,
    MINUET,
    ODE_TO_JOY,
    PRELUDE,
)

CELLO_LINES = {"arpeggio": "R---------------", "alberti": "R-------5-------", "canon": "R-------"}
KEYBOARD_FIGURES = {
    "arpeggio": "R58tf8tfR58tf8tf",  # the prelude's, over two octaves
    "alberti": "R5t58-..R5t58-..",
    "canon": "R-5-8-t-f-t-8-5-",
}


def songs() -> list[Song]:
    """The collection's pieces in this style."""
    song = credited_to(
        "classical", ("Linden Chamber Players", "Aurel Stein Ensemble"), ("Old Masters", "By Candlelight"), 1984, 200
    )
    return [
        song("Prelude in C", 0, 72, "A B", PRELUDE.chords, strings, harpsichord, "arpeggio", PRELUDE.tunes),
        song("Ode to Joy", 2, 104, "A B", ODE_TO_JOY.chords, strings, piano, "alberti", ODE_TO_JOY.tunes),
        song("Canon in D", 2, 104, "I A B", CANON.chords, fiddle, harpsichord, "canon", CANON.tunes),
        song("Minuet in G", -5, 126, "A B", MINUET.chords, flute, piano, "minuet", MINUET.tunes),
    ]


def play(song: Song) -> Score:
    """A keyboard figure, strings and a solo voice, in a large hall and with free time."""
    beats_per_bar = 3 if song.groove == "minuet" else 4
    score = Score(song, beats_per_bar, room_seconds=0.5, looseness=0.012)
    keyboard = Part("harmony", song.backing, 0.4, pan=-0.2, send=0.3, gate=1.3)
    section_strings = Part("harmony", strings, 0.16, pan=0.35, send=0.4, gate=1.0)
    cello = Part("bass", strings, 0.26, pan=0.2, send=0.35)
    lead = Part("lead", song.lead, 0.42, pan=0.1, send=0.4)
    for section in score.sections:
        last = section.name == "B"
        if beats_per_bar == 3:
            figure(score, section, keyboard, "R-5-t-5-8-5-" if last else "R-..5-..8-..", lowest=48)
            figure(score, section, cello, "R-----------", lowest=36)
        else:
            figure(score, section, keyboard, KEYBOARD_FIGURES[song.groove], lowest=48)
            figure(score, section, cello, CELLO_LINES[song.groove], lowest=36)
        if last:
            hold(score, section, section_strings, 64)
        if section.name in song.tunes:
            sing(score, section, lead, song.tunes[section.name])
    _cadence(score, keyboard, cello, section_strings)
    return score


def _cadence(score: Score, keyboard: Part, cello: Part, section_strings: Part) -> None:
    """The tonic, broken upwards, over a held octave."""
    opening = score.sections[0].chords[0]
    spread = 0.12 if keyboard.voice in (piano, harpsichord) else 0.03
    strike(score, keyboard, score.end, 4, [opening.degree(d, 48) for d in "R58tf"], spread)
    strike(score, section_strings, score.end, 3.5, opening.voicing(64))
    score.note(cello, score.end, 3.5, opening.degree("R", 36))
