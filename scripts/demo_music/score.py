"""The score on which a song's parts are played, straight into one buffer per stem."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .drums import Drum
from .instruments import Voice
from .mixer import Rendering, Track, mix_down
from .song import Song
from .synth import SAMPLE_RATE, Samples
from .theory import Chord, progression

STEMS = ("drums", "bass", "harmony", "lead")
TAIL_SECONDS = 2.0  # for the last chord to ring out


@dataclass(frozen=True)
class Part:
    """One player: stem, instrument, level (0 to 1), place from left (-1) to right (1) and share sent to the reverb."""

    stem: str
    voice: Voice
    level: float = 0.5
    pan: float = 0.0
    send: float = 0.2
    gate: float = 0.95  # how much of a note's written length sounds


@dataclass(frozen=True)
class Section:
    """A section of the form; beats are counted from the song's start."""

    name: str
    beat: float
    beats: float
    chords: Sequence[Chord]


class Score:
    """A song's time line: turns beats into samples and collects the stems.

    Args:
        song: What to play.
        beats_per_bar: Of the song's progressions.
        swing: Where the second half of each swing unit begins: 0.5 is straight, 0.67 a shuffle.
        swing_unit: In beats: 1 swings eighths, 0.5 sixteenths.
        room_seconds: Time constant of the reverb.
        looseness: Standard deviation in seconds of each note's start.
    """

    def __init__(
        self,
        song: Song,
        beats_per_bar: float = 4,
        swing: float = 0.5,
        swing_unit: float = 1.0,
        room_seconds: float = 0.3,
        looseness: float = 0.004,
    ) -> None:
        self.song = song
        self.beats_per_bar = beats_per_bar
        self.rng = np.random.default_rng(song.seed)
        self.sections = _sections(song, beats_per_bar)
        self.end = self.sections[-1].beat + self.sections[-1].beats  # in beats; the closing chord falls here
        self._swing, self._swing_unit = swing, swing_unit
        self._room_seconds, self._looseness = room_seconds, looseness
        n = round((self.seconds(self.end + beats_per_bar) + TAIL_SECONDS) * SAMPLE_RATE)
        self._tracks = {stem: Track(n) for stem in STEMS}

    def seconds(self, beat: float) -> float:
        """The time of a beat, swing included."""
        whole, within = divmod(beat / self._swing_unit + 1e-9, 1)
        if within < 0.5:
            within *= 2 * self._swing
        else:
            within = self._swing + (within - 0.5) * 2 * (1 - self._swing)
        return (whole + within) * self._swing_unit * 60 / self.song.tempo

    def note(
        self, part: Part, beat: float, length: float, pitch: int, velocity: float = 1.0, late: float = 0.0
    ) -> None:
        """Play one note; `late` delays it, in seconds (the strings of a strummed chord)."""
        seconds = max((self.seconds(beat + length) - self.seconds(beat)) * part.gate, 0.05)
        # Lengths are rounded so that equal notes are rendered once.
        samples = part.voice(pitch, round(seconds, 2))
        self._add(part.stem, samples, beat, part.level * velocity, part.pan, part.send, late)

    def hit(self, drum: Drum, beat: float, velocity: float = 1.0, pan: float = 0.0, send: float = 0.08) -> None:
        """Play one drum."""
        self._add("drums", drum(), beat, velocity, pan, send, 0.0)

    def render(self) -> Rendering:
        """The stems and their mix."""
        return mix_down(self._tracks, self._room_seconds)

    def _add(
        self, stem: str, samples: Samples, beat: float, level: float, pan: float, send: float, late: float
    ) -> None:
        jitter = self.rng.normal(0, self._looseness) if self._looseness else 0.0
        level *= 1 + 0.08 * self.rng.uniform(-1, 1)
        start = max(round((self.seconds(beat) + jitter + late) * SAMPLE_RATE), 0)
        self._tracks[stem].add(samples, start, level, pan, send)


def _sections(song: Song, beats_per_bar: float) -> list[Section]:
    sections, beat = [], 0.0
    for name in song.form.split():
        chords = progression(song.chords[name], beats_per_bar, song.key)
        beats = chords[-1].beat + chords[-1].length
        moved = [Chord(beat + c.beat, c.length, c.root, c.intervals) for c in chords]
        sections.append(Section(name, beat, beats, moved))
        beat += beats
    return sections
