"""Notes, chords and scales, read from short strings.

A pitch is a MIDI number (60 is middle C). A tune is written `E5*1.5 D#5 r*2 | C5`: pitch, then its length in beats
(1 when none is given); `r` is a rest and `|` only helps the eye. A progression is written one chord a bar, commas
sharing a bar: `C Am7 | Dm7,G7 C`.
"""

import re
from dataclasses import dataclass

SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "bebop": (0, 2, 4, 5, 7, 9, 10, 11),
}
QUALITIES = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "5": (0, 7),
    "6": (0, 4, 7, 9),
    "m6": (0, 3, 7, 9),
    "7": (0, 4, 7, 10),
    "m7": (0, 3, 7, 10),
    "maj7": (0, 4, 7, 11),
    "9": (0, 4, 7, 10, 14),
    "m9": (0, 3, 7, 10, 14),
    "maj9": (0, 4, 7, 11, 14),
    "m7b5": (0, 3, 6, 10),
    "dim7": (0, 3, 6, 9),
    "7b9": (0, 4, 7, 10, 13),
    "sus4": (0, 5, 7),
}
DEGREES = "R23456789tf"  # degrees of `Chord.degree`
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS = {"": 0, "#": 1, "b": -1}
_PITCH = re.compile(r"([A-G])([#b]?)(\d)")
_CHORD = re.compile(r"([A-G])([#b]?)(.*)")


@dataclass(frozen=True)
class Note:
    """One note: where it starts and how long it lasts, both in beats, and its pitch (MIDI number)."""

    beat: float
    length: float
    pitch: int


@dataclass(frozen=True)
class Chord:
    """A chord from `beat` for `length` beats; `root` is a pitch class (0 is C), `intervals` semitones above it."""

    beat: float
    length: float
    root: int
    intervals: tuple[int, ...]

    def degree(self, name: str, lowest: int) -> int:
        """The pitch of one of `DEGREES`, the root being the first at or above `lowest`.

        R is the root, 2 to 7 the chord's own degrees, 8 the octave, 9 the ninth; t and f are the third and fifth
        above the octave.
        """
        third = next((i for i in self.intervals if i in (3, 4)), 7)
        fifth = next((i for i in self.intervals if i in (6, 7)), 7)
        seventh = next((i for i in self.intervals if i in (9, 10, 11)), 12)
        steps = {"R": 0, "2": 2, "3": third, "4": 5, "5": fifth, "6": 9, "7": seventh, "8": 12, "9": 14}
        steps |= {"t": third + 12, "f": fifth + 12}
        return lowest + (self.root - lowest) % 12 + steps[name]

    def voicing(self, centre: int) -> list[int]:
        """Every note of the chord within six semitones of `centre`, low to high: neighbours then lead smoothly."""
        lowest = centre - 6
        return sorted({lowest + (self.root + interval - lowest) % 12 for interval in self.intervals})


def tune(text: str, transpose: int = 0) -> list[Note]:
    """The notes of a tune, from beat 0 on."""
    notes, beat = [], 0.0
    for token in text.replace("|", " ").split():
        name, _, length = token.partition("*")
        beats = float(length or 1)
        if name != "r":
            notes.append(Note(beat, beats, pitch(name) + transpose))
        beat += beats
    return notes


def progression(text: str, beats_per_bar: float, transpose: int = 0) -> list[Chord]:
    """The chords of a progression, from beat 0 on."""
    chords = []
    for bar, group in enumerate(text.replace("|", " ").split()):
        names = group.split(",")
        length = beats_per_bar / len(names)
        for i, name in enumerate(names):
            root, intervals = _read_chord(name)
            chords.append(Chord(bar * beats_per_bar + i * length, length, (root + transpose) % 12, intervals))
    return chords


def pitch(name: str) -> int:
    """The MIDI number of a name such as `F#4`."""
    match = _PITCH.fullmatch(name)
    if match is None:
        raise ValueError(f"expected a pitch such as F#4, found {name!r}: correct the tune")
    letter, accidental, octave = match.groups()
    return 12 * (int(octave) + 1) + _LETTERS[letter] + _ACCIDENTALS[accidental]


def scale(name: str, root: int, lowest: int, highest: int) -> list[int]:
    """Every pitch of a scale between two pitches, both included; `root` is a pitch class."""
    return [p for p in range(lowest, highest + 1) if (p - root) % 12 in SCALES[name]]


def _read_chord(name: str) -> tuple[int, tuple[int, ...]]:
    match = _CHORD.fullmatch(name)
    if match is None or match[3] not in QUALITIES:
        raise ValueError(f"expected a chord such as Dm7, found {name!r}: correct the progression")
    return _LETTERS[match[1]] + _ACCIDENTALS[match[2]], QUALITIES[match[3]]
