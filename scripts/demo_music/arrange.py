"""Techniques of players of any style: read a pattern off a grid, comp, run through chord tones, sing a tune, improvise.

A grid is one or more bars of equal steps, one character a step (spaces only help the eye), repeated over the section.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from .drums import Drum, crash
from .score import Part, Score, Section
from .theory import DEGREES, Chord, Note, scale, tune

VELOCITIES = {"X": 1.0, "x": 0.75, "o": 0.4, ",": 0.22}
PANS = {
    "closed_hat": 0.3,
    "open_hat": 0.3,
    "ride": -0.35,
    "shaker": 0.4,
    "conga": -0.35,
    "conga_slap": -0.3,
    "clave": 0.25,
}


def beat_drums(score: Score, section: Section, kit: Mapping[Drum, str], level: float = 0.7, bars: float = 1) -> None:
    """Play each drum's grid, which lasts `bars` bars; X, x, o and a comma are ever softer hits."""
    for drum, grid in kit.items():
        pan = PANS.get(drum.__name__, 0.0)
        for beat, step in _steps(score, section, grid, bars):
            if step in VELOCITIES:
                score.hit(drum, beat, level * VELOCITIES[step], pan)


def fill(score: Score, section: Section, drums: Sequence[Drum], level: float = 0.7) -> None:
    """Lead out of a section with sixteenths on the given drums over its last two beats."""
    end = section.beat + section.beats
    for i in range(8):
        score.hit(drums[i * len(drums) // 8], end - 2 + i / 4, level * (0.5 + 0.06 * i), pan=0.4 - 0.1 * i)


def figure(score: Score, section: Section, part: Part, grid: str, lowest: int, bars: float = 1) -> None:
    """Run through the chord of the moment: degrees as in `Chord.degree`, `-` holds the note before, `.` rests.

    A `c` strikes the whole chord, voiced half an octave above `lowest`, and `s` strums it upwards.
    """
    steps = list(_steps(score, section, grid, bars))
    width = bars * score.beats_per_bar / len(grid.replace(" ", ""))
    for i, (beat, step) in enumerate(steps):
        if step in "-.":
            continue
        held = next((k for k, (_, later) in enumerate(steps[i + 1 :]) if later != "-"), len(steps) - i - 1)
        length, chord = width * (1 + held), chord_at(section, beat)
        if step in DEGREES:
            score.note(part, beat, length, chord.degree(step, lowest))
        else:
            strike(score, part, beat, length, chord.voicing(lowest + 6), spread=0.014 if step == "s" else 0.0)


def strike(score: Score, part: Part, beat: float, length: float, pitches: Sequence[int], spread: float = 0.0) -> None:
    """Play several pitches at once, or `spread` seconds apart, low to high."""
    for i, pitch in enumerate(pitches):
        score.note(part, beat, length, pitch, velocity=len(pitches) ** -0.5, late=i * spread)


def hold(score: Score, section: Section, part: Part, centre: int) -> None:
    """Hold every chord for as long as it lasts."""
    for chord in section.chords:
        strike(score, part, chord.beat, chord.length, chord.voicing(centre))


def sing(score: Score, section: Section, part: Part, text: str, transpose: int = 0) -> None:
    """Play a written tune from the section's start, repeated until the section is over, moved to the song's key."""
    notes = tune(text, score.song.key + transpose)
    span = max(notes[-1].beat + notes[-1].length, 1)
    span = np.ceil(span / score.beats_per_bar) * score.beats_per_bar
    for repeat in np.arange(0, section.beats, span):
        for note in notes:
            if repeat + note.beat < section.beats:
                score.note(part, section.beat + repeat + note.beat, note.length, note.pitch)


def improvise(
    score: Score,
    section: Section,
    part: Part,
    scale_name: str,
    lowest: int,
    highest: int,
    rhythms: Sequence[str],
    leap: int = 2,
) -> list[Note]:
    """Make up a melody: wander through a scale, land on chord tones on strong beats, rest between phrases.

    Args:
        score: Whose random generator decides.
        section: Where to play.
        part: The player.
        scale_name: One of `theory.SCALES`, on the song's tonic.
        lowest: Lowest pitch.
        highest: Highest pitch.
        rhythms: Bars to choose from, as grids of `x` (a note), `-` (held) and `.` (a rest).
        leap: Most scale steps from one note to the next.

    Returns:
        The notes played, from the section's start.
    """
    root = tonic(score)
    pitches = scale(scale_name, root, lowest, highest)
    place, notes, rhythm = len(pitches) // 2, [], rhythms[0]
    for bar in range(round(section.beats / score.beats_per_bar)):
        # A rhythm is kept for a second bar half of the time: phrases answer one another.
        if bar % 2 == 0 or score.rng.random() < 0.5:
            rhythm = rhythms[int(score.rng.integers(len(rhythms)))]
        width = score.beats_per_bar / len(rhythm)
        for i, step in enumerate(rhythm):
            if step != "x":
                continue
            beat = section.beat + bar * score.beats_per_bar + i * width
            place = int(np.clip(place + score.rng.integers(-leap, leap + 1), 0, len(pitches) - 1))
            strong = (i * width) % 2 == 0
            pitch = _nearest_chord_tone(chord_at(section, beat), pitches[place]) if strong else pitches[place]
            held = len(rhythm[i + 1 :]) - len(rhythm[i + 1 :].lstrip("-"))
            notes.append(Note(beat - section.beat, width * (1 + held), pitch))
    for note in notes:
        score.note(part, section.beat + note.beat, note.length, note.pitch)
    return notes


def close(score: Score, parts: Mapping[Part, int], final: str = "R35", cymbal: Drum = crash) -> None:
    """End on the tonic chord: each part with its centre pitch; the drums with a cymbal."""
    opening = score.sections[0].chords[0]
    for part, centre in parts.items():
        pitches = [opening.degree(name, centre - 6) for name in (final if part.stem == "harmony" else "R")]
        strike(score, part, score.end, score.beats_per_bar, pitches, spread=0.01)
    score.hit(cymbal, score.end, 0.5, send=0.3)


def tonic(score: Score) -> int:
    """The pitch class of the song's first chord."""
    return score.sections[0].chords[0].root


def chord_at(section: Section, beat: float) -> Chord:
    """The chord that sounds at a beat."""
    return next((c for c in reversed(section.chords) if c.beat <= beat + 1e-6), section.chords[0])


def _steps(score: Score, section: Section, grid: str, bars: float) -> list[tuple[float, str]]:
    grid = grid.replace(" ", "")
    width = bars * score.beats_per_bar / len(grid)
    return [(section.beat + i * width, grid[i % len(grid)]) for i in range(round(section.beats / width))]


def _nearest_chord_tone(chord: Chord, pitch: int) -> int:
    return min(
        (pitch + d for d in (0, 1, -1, 2, -2, 3, -3) if (pitch + d - chord.root) % 12 in chord.intervals),
        default=pitch,
        key=lambda p: abs(p - pitch),
    )
