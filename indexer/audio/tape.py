"""Stretches of a file's sound by their place, decoded with as few seeks as pay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.indexer.audio.samples import Chunk, Samples, resample

PRIMING_SECONDS = 0.35  # decoded and dropped before a window: mp3's bit reservoir, Opus' pre-roll
MARGIN_SECONDS = 0.02  # read around a window so that the resampler's filter sees real sound at its edges
WORTH_SEEKING_SECONDS = 1.5  # a shorter gap is decoded through, which costs less than a seek
HELD_SAMPLES = 1 << 22  # 16 MiB; 95 s at 44.1 kHz


class Decodable(Protocol):
    """An open file, as `engine.indexer.audio.decode.AudioFile` is one."""

    untouched: bool

    def seek(self, seconds: float) -> bool:
        """Go to a key frame at or before a time, if possible."""

    def rewind(self) -> None:
        """Go to the beginning."""

    def chunks(self, sought: bool = False) -> Iterator[Chunk]:
        """Decode from here to the end."""


@dataclass(frozen=True, eq=False)
class Stretch:
    """Decoded samples from position `begin` on."""

    begin: int
    samples: Samples

    @property
    def end(self) -> int:
        """The position after the last sample."""
        return self.begin + len(self.samples)


class HeldStretches:
    """Stretches that were read before, so that windows which overlap them decode the rest only; the oldest go first."""

    def __init__(self) -> None:
        self._stretches: list[Stretch] = []

    def add(self, begin: int, samples: Samples) -> None:
        """Hold a stretch; at most HELD_SAMPLES in all."""
        self._stretches.append(Stretch(begin, samples))
        while sum(len(each.samples) for each in self._stretches) > HELD_SAMPLES:
            del self._stretches[0]

    def at(self, position: int) -> Stretch | None:
        """Return a stretch that holds a position."""
        return next((each for each in self._stretches if each.begin <= position < each.end), None)

    def next_after(self, position: int, end: int) -> int:
        """Return where the first stretch between a position and `end` begins; `end` where there is none."""
        return min((each.begin for each in self._stretches if position < each.begin < end), default=end)


class Tape:
    """The stretch of decoded sound around the reading point: grows to the right, forgets on the left.

    Args:
        audio: The file.
        rate: Its sample rate.
        seeking: Whether to seek over gaps, or to decode through them.
        held: Stretches to take from and to add to; they belong to one file and one way of seeking.
    """

    def __init__(self, audio: Decodable, rate: int, seeking: bool, held: HeldStretches | None = None) -> None:
        self.rate = rate
        self._audio = audio
        self._seeking = seeking
        self._held = held if held is not None else HeldStretches()
        self._begin = self._end = 0
        self._pieces: list[Samples] = []
        self._chunks = audio.chunks()
        self._lost = not audio.untouched  # where FFmpeg stands

    def read(self, begin: int, end: int) -> Samples:
        """Return the samples from `begin` to `end` (positions at the file's rate), fewer if the file ends before."""
        parts, at = [np.zeros(0, np.float32)], begin
        while at < end:
            held = self._held.at(at)
            stop = min(end, held.end) if held else self._held.next_after(at, end)
            if held:
                part = held.samples[at - held.begin : stop - held.begin]
            else:
                part = self._decode(at, stop)
                self._held.add(at, part)
            parts.append(part)
            if len(part) < stop - at:
                break
            at = stop
        return np.concatenate(parts)

    def _decode(self, begin: int, end: int) -> Samples:
        gap = begin - self._end
        if self._lost or begin < self._begin or (self._seeking and gap > WORTH_SEEKING_SECONDS * self.rate):
            self._jump(begin)
        while self._end < end:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._append(chunk, begin)
        samples = np.concatenate(self._pieces) if self._pieces else np.zeros(0, np.float32)
        return samples[max(0, begin - self._begin) : max(0, end - self._begin)]

    def _append(self, chunk: Chunk, wanted: int) -> None:
        if not self._pieces:
            self._begin = chunk.position
        self._pieces.append(chunk.samples)
        self._end = chunk.position + len(chunk.samples)
        while self._pieces and self._begin + len(self._pieces[0]) <= wanted:
            self._begin += len(self._pieces.pop(0))

    def _jump(self, begin: int) -> None:
        sought = self._seeking and self._audio.seek(max(0.0, begin / self.rate - PRIMING_SECONDS))
        if not sought:
            self._audio.rewind()
        self._begin = self._end = 0
        self._pieces = []
        self._lost = False
        self._chunks = self._audio.chunks(sought)


def cut_window(tape: Tape, start: float, seconds: float, sample_rate: int) -> Samples:
    """Read one window and a margin around it, resample, cut the margin off: at most (L,)."""
    first = round(start * tape.rate)
    margin = min(first, round(MARGIN_SECONDS * tape.rate))
    last = first + round((seconds + MARGIN_SECONDS) * tape.rate)
    samples = resample(tape.read(first - margin, last), tape.rate, sample_rate)
    skip = round(margin * sample_rate / tape.rate)
    return samples[skip : skip + round(seconds * sample_rate)]
