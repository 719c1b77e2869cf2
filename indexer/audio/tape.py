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
HELD = 2  # stretches that a holding tape keeps


class Decodable(Protocol):
    """An open file, as `engine.indexer.audio.decode.AudioFile` is one."""

    untouched: bool

    def seek(self, seconds: float) -> bool:
        """Go to a key frame at or before a time, if possible."""

    def rewind(self) -> None:
        """Go to the beginning."""

    def chunks(self, sought: bool = False) -> Iterator[Chunk]:
        """Decode from here to the end."""


class Tape:
    """The stretch of decoded sound around the reading point: grows to the right, forgets on the left."""

    def __init__(self, audio: Decodable, rate: int, seeking: bool) -> None:
        self.rate = rate
        self._audio = audio
        self._seeking = seeking
        self._begin = self._end = 0
        self._pieces: list[Samples] = []
        self._chunks = audio.chunks()
        self._lost = not audio.untouched  # where FFmpeg stands

    def read(self, begin: int, end: int) -> Samples:
        """Give the samples from `begin` to `end` (positions at the file's rate), fewer if the file ends before."""
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


class HoldingTape(Tape):
    """A tape that gives again what it was told to hold, without decoding it once more."""

    def __init__(self, audio: Decodable, rate: int, seeking: bool) -> None:
        super().__init__(audio, rate, seeking)
        self._held: list[_Held] = []

    def hold(self, begin: int, end: int) -> Samples:
        """Read as `read` does, and keep it until HELD others are held, or one that follows on it at either side."""
        new, near = _Held(begin, end, self.read(begin, end)), 2 * MARGIN_SECONDS * self.rate
        apart = [each for each in self._held if min(abs(each.end - begin), abs(end - each.begin)) > near]
        self._held = [*apart, new][-HELD:]
        return new.samples

    def read(self, begin: int, end: int) -> Samples:
        """Give the samples from `begin` to `end`, fewer if the file ends before."""
        for held in reversed(self._held):
            if held.begin <= begin and end <= held.end:
                return held.samples[begin - held.begin : end - held.begin]
            if held.begin <= begin < held.end:
                return np.concatenate([held.samples[begin - held.begin :], self.read(held.end, end)])
            if begin < held.begin < end <= held.end:
                return np.concatenate([self.read(begin, held.begin), held.samples[: end - held.begin]])
        return super().read(begin, end)


@dataclass(frozen=True, eq=False)
class _Held:
    """What was decoded from `begin` to `end`, both in samples; less where the file ended."""

    begin: int
    end: int
    samples: Samples


def cut_window(tape: Tape, start: float, seconds: float, sample_rate: int) -> Samples:
    """Read one window and a margin around it, resample, cut the margin off: at most (L,)."""
    first = round(start * tape.rate)
    margin = min(first, round(MARGIN_SECONDS * tape.rate))
    last = first + round((seconds + MARGIN_SECONDS) * tape.rate)
    samples = resample(tape.read(first - margin, last), tape.rate, sample_rate)
    skip = round(margin * sample_rate / tape.rate)
    return samples[skip : skip + round(seconds * sample_rate)]
