"""Samples: from FFmpeg's frames to mono float32, and from one rate to another.

Mono is the plain mean of all channels, the low-frequency one of 5.1 included: it cannot clip, and two channels that
carry the same sound give that sound. Where channels cancel each other in the mean (one of them with its polarity
inverted), it is the loudest channel alone.

Resampling is FFmpeg's swresample at its default settings; to a half, a third, ... of a rate (44,100 to 22,050 Hz) it is
a filter of our own, which costs a fifth of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from engine.indexer.audio.decimation import Decimator

Samples: TypeAlias = NDArray[np.float32]

GATHERED = 16_384  # samples of a channel; about a third of a second, so that little is decoded beyond what is wanted
THINNED = 17  # one sample in so many says how loud channels are; a prime, so that no tone hides
MEMORY = 2**16  # samples after which what was heard of channels counts a third
CANCELLED, RESTORED = 0.03, 0.1  # of the power that the mean of unrelated channels would have
FAINTEST_POWER = 1e-8  # -80 dB: what lies lower is no reason to leave the mean
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
    if not _is_one_by_one(frames):
        return mono(_packed(frames))
    columns, form = _columns(frames)
    return _mean(columns, form)


class Downmix:
    """Makes mono of a stream of frames: the mean of the channels or, where they cancel each other, the loudest one.

    It is decided by some seconds of sound, not anew for every few frames, and one fades into the other.
    """

    def __init__(self) -> None:
        self._powers = np.zeros(0)  # of the channels and, last, of their mean; recent sound counts most
        self._chosen: int | None = None  # a channel instead of the mean

    def mono(self, frames: Sequence[AudioFrame]) -> Samples:
        """Mix consecutive frames of one layout and format; full scale becomes 1.0."""
        if not _is_one_by_one(frames):
            return self.mono(_packed(frames))
        columns, form = _columns(frames)
        if len(columns) == 1 or not len(columns[0]):
            return _mean(columns, form)
        if begins := len(self._powers) != len(columns) + 1:
            self._powers, self._chosen = np.zeros(len(columns) + 1), None
        before, self._chosen = self._chosen, self._choose(columns, form)
        if begins or before == self._chosen:
            return _of_one(columns, form, self._chosen)
        fade = np.linspace(0, 1, len(columns[0]), dtype=np.float32)
        return (1 - fade) * _of_one(columns, form, before) + fade * _of_one(columns, form, self._chosen)

    def _choose(self, columns: Sequence[NDArray[Any]], form: _SampleFormat) -> int | None:
        """The channel to hear from these frames on, None for the mean of all."""
        thin = np.stack([column[::THINNED] for column in columns]).astype(np.float64)  # (C, n)
        thin = (thin - form.zero) / form.full
        with np.errstate(all="ignore"):  # floats may hold garbage
            powers = np.append(np.square(thin).sum(axis=1), np.square(thin.mean(axis=0)).sum())
        if not np.isfinite(powers).all():
            return self._chosen
        self._powers = self._powers * np.exp(-len(columns[0]) / MEMORY) + powers
        channels, mean = self._powers[:-1], self._powers[-1]
        unrelated = channels.sum() / len(channels) ** 2
        if self._chosen is None and channels.max() > FAINTEST_POWER * thin.shape[1] and mean < CANCELLED * unrelated:
            return int(channels.argmax())
        return None if mean > RESTORED * unrelated else self._chosen


def _is_one_by_one(frames: Sequence[AudioFrame]) -> bool:
    """Whether PyAV gives all channels: it looks for the end of the planes' list past its eighth entry."""
    return not (frames[0].format.is_planar and frames[0].layout.nb_channels >= 8)


def _packed(frames: Sequence[AudioFrame]) -> list[AudioFrame]:
    """The same sound in one plane."""
    packer = AudioResampler(format="flt")
    return [made for frame in frames for made in packer.resample(frame)]


def _columns(frames: Sequence[AudioFrame]) -> tuple[list[NDArray[Any]], _SampleFormat]:
    """The channels, each (n,), as FFmpeg stores them."""
    channels, planar = frames[0].layout.nb_channels, frames[0].format.is_planar
    form = _SAMPLE_FORMATS[frames[0].format.name.removesuffix("p")]
    planes = [_plane(frames, i, form, 1 if planar else channels) for i in range(channels if planar else 1)]
    return planes if planar else [planes[0][i::channels] for i in range(channels)], form


def _of_one(columns: Sequence[NDArray[Any]], form: _SampleFormat, chosen: int | None) -> Samples:
    return _mean(columns if chosen is None else [columns[chosen]], form)


def _mean(columns: Sequence[NDArray[Any]], form: _SampleFormat) -> Samples:
    channels = len(columns)
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
