"""Random access to the samples of a file, with a seek only where it costs less than decoding through the gap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.indexer.audio.samples import Chunk, Samples, resample

PRIMING_SECONDS = 0.35  # decoded and dropped before a window: mp3's bit reservoir, Opus' pre-roll
MARGIN_SECONDS = 0.02  # decoded around a window for the resampler's filter
WORTH_SEEKING_SECONDS = 1.5  # a shorter gap is decoded through, which costs less than a seek
CACHED_SAMPLES = 1 << 22  # 16 MiB; 95 s at 44.1 kHz


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


class StretchCache:
    """Decoded stretches, so that overlapping windows decode only the rest; the oldest are dropped first."""

    def __init__(self) -> None:
        self._stretches: list[Stretch] = []

    def add(self, begin: int, samples: Samples) -> None:
        """Add a stretch; at most CACHED_SAMPLES are retained in total."""
        self._stretches.append(Stretch(begin, samples))
        while sum(len(each.samples) for each in self._stretches) > CACHED_SAMPLES:
            del self._stretches[0]

    def at(self, position: int) -> Stretch | None:
        """Return a stretch that contains a position, or None."""
        return next((each for each in self._stretches if each.begin <= position < each.end), None)

    def next_after(self, position: int, end: int) -> int:
        """Return the start of the first stretch between a position and `end`; `end` if there is none."""
        return min((each.begin for each in self._stretches if position < each.begin < end), default=end)


class Tape:
    """A sliding window of decoded samples: extended at the end, trimmed at the beginning.

    Args:
        audio: The file.
        rate: Its sample rate.
        seeking: Whether to seek over gaps; else decode through them.
        cache: Decoded stretches, of one file and one way of seeking; extended.
    """

    def __init__(self, audio: Decodable, rate: int, seeking: bool, cache: StretchCache | None = None) -> None:
        self.rate = rate
        self._audio = audio
        self._seeking = seeking
        self._cache = cache if cache is not None else StretchCache()
        self._begin = self._end = 0
        self._pieces: list[Samples] = []
        self._chunks = audio.chunks()
        self._lost = not audio.untouched  # whether the decoder's position is unknown

    def read(self, begin: int, end: int) -> Samples:
        """Return the samples from `begin` to `end` (positions at the file's rate), fewer if the file ends before."""
        parts, at = [np.zeros(0, np.float32)], begin
        while at < end:
            cached = self._cache.at(at)
            stop = min(end, cached.end) if cached else self._cache.next_after(at, end)
            if cached:
                part = cached.samples[at - cached.begin : stop - cached.begin]
            else:
                part = self._decode(at, stop)
                self._cache.add(at, part)
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
    """Return one window of at most (L,): read it with a margin, resample, cut the margin off."""
    first = round(start * tape.rate)
    margin = min(first, round(MARGIN_SECONDS * tape.rate))
    last = first + round((seconds + MARGIN_SECONDS) * tape.rate)
    samples = resample(tape.read(first - margin, last), tape.rate, sample_rate)
    skip = round(margin * sample_rate / tape.rate)
    return samples[skip : skip + round(seconds * sample_rate)]
