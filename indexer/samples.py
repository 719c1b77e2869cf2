"""Samples: from FFmpeg's frames to mono float32, and from one rate to another.

Mono is the plain mean of all channels, the low-frequency one of 5.1 included: it cannot clip, and two channels that
carry the same sound give that sound. Resampling is FFmpeg's swresample at its default settings; to a half, a third, ...
of a rate (44,100 to 22,050 Hz) it is a filter of our own, which costs a fifth of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from engine.indexer.decimation import Decimator

Samples: TypeAlias = NDArray[np.float32]

GATHERED = 16_384  # samples of a channel; about a third of a second, so that little is decoded beyond what is wanted
LOUDEST = 8.0  # +18 dB: more than any overshoot, and small enough that powers of float garbage stay finite


@dataclass(frozen=True)
class Chunk:
    """Consecutive mono samples at the file's own rate, and where the first one lies in the file (in samples)."""

    position: int
    samples: Samples


def groups(frames: Iterable[AudioFrame]) -> Iterator[list[AudioFrame]]:
    """The first frame by itself, then some at a time of one rate, layout and format: GATHERED samples or a little more.

    A call of NumPy costs more than the few hundred samples of a frame that it works on.
    """
    group: list[AudioFrame] = []
    wanted, held = 0, 0
    for frame in frames:
        if group and (held >= wanted or not _are_alike(group[0], frame)):
            yield group
            group, wanted, held = [], GATHERED, 0
        group.append(frame)
        held += frame.samples
    if group:
        yield group


def mono(frames: Sequence[AudioFrame]) -> Samples:
    """Average the channels of consecutive frames of one layout and format; full scale becomes 1.0."""
    channels, planar = frames[0].layout.nb_channels, frames[0].format.is_planar
    if planar and channels >= 8:
        # PyAV looks for the end of the planes' list past its eighth entry; packed sound has one plane only.
        packed = AudioResampler(format="flt")
        return mono([made for frame in frames for made in packed.resample(frame)])
    form = _SAMPLE_FORMATS[frames[0].format.name.removesuffix("p")]
    planes = [_plane(frames, i, form, 1 if planar else channels) for i in range(channels if planar else 1)]
    columns = planes if planar else [planes[0][i::channels] for i in range(channels)]
    total = np.add(*columns[:2], dtype=np.float32) if channels > 1 else columns[0].astype(np.float32)
    for column in columns[2:]:
        total += column
    if form.zero:
        total -= form.zero * channels
    total *= np.float32(1 / (form.full * channels))
    return total


def _are_alike(a: AudioFrame, b: AudioFrame) -> bool:
    return (a.sample_rate, a.format.name, a.layout.name) == (b.sample_rate, b.format.name, b.layout.name)


def _plane(frames: Sequence[AudioFrame], number: int, form: _SampleFormat, channels: int) -> NDArray[Any]:
    parts = [
        np.frombuffer(cast("memoryview", frame.planes[number]), form.dtype, frame.samples * channels)
        for frame in frames
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


@dataclass(frozen=True)
class _SampleFormat:
    """How FFmpeg stores a sample: its type, the value of silence and that of full scale above it."""

    dtype: str
    zero: int
    full: int


_SAMPLE_FORMATS = {
    "u8": _SampleFormat("u1", 2**7, 2**7),
    "s16": _SampleFormat("i2", 0, 2**15),
    "s32": _SampleFormat("i4", 0, 2**31),
    "s64": _SampleFormat("i8", 0, 2**63),
    "flt": _SampleFormat("f4", 0, 1),
    "dbl": _SampleFormat("f8", 0, 1),
}


def clean(samples: Samples) -> Samples:
    """Replace NaN and infinity by 0 and limit the rest: one bad sample would spoil all that the filters touch."""
    if samples.max(initial=0) <= LOUDEST and samples.min(initial=0) >= -LOUDEST:  # neither holds of NaN
        return samples
    return np.clip(np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0), -LOUDEST, LOUDEST)


def resample(samples: Samples, rate: int, wanted: int) -> Samples:
    """Samples (n,) at one rate -> at another."""
    pieces = list(resampled(iter([Chunk(0, samples)]), rate, wanted))
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def resampled(chunks: Iterator[Chunk], rate: int, wanted: int) -> Iterator[Samples]:
    """Resample a stream of chunks with one filter, so that no seam is heard."""
    cleaned = (clean(chunk.samples) for chunk in chunks if len(chunk.samples))
    if rate == wanted:
        yield from cleaned
        return
    resampler = Decimator(rate // wanted) if rate % wanted == 0 else _SwResampler(rate, wanted)
    for samples in cleaned:
        yield from resampler.push(samples)
    yield from resampler.flush()


class _SwResampler:
    """FFmpeg's swresample at its default settings."""

    def __init__(self, rate: int, wanted: int) -> None:
        self._rate = rate
        self._resampler = AudioResampler(format="fltp", layout="mono", rate=wanted)

    def push(self, samples: Samples) -> Iterator[Samples]:
        frame = AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate = self._rate
        yield from (out.to_ndarray()[0] for out in self._resampler.resample(frame))

    def flush(self) -> Iterator[Samples]:
        yield from (out.to_ndarray()[0] for out in self._resampler.resample(None))


def stack(cuts: Sequence[Samples], length: int) -> Samples:
    """Windows of at most `length` samples -> (W, length), zero where one is short."""
    windows = np.zeros((len(cuts), length), np.float32)
    for window, cut in zip(windows, cuts, strict=True):
        window[: len(cut)] = cut
    return windows
