"""Downmix FFmpeg's frames to mono float32, and resample.

Mono is the mean of all C channels, x = sum_c x_c / C, low-frequency channel included: it cannot clip, and identical
channels keep their level. If channels cancel (one has inverted polarity), use the loudest channel alone: for unrelated
channels of powers P_c the mean has the power sum_c P_c / C^2, so a mean far below that is cancellation.

Resampling uses FFmpeg's swresample with its default settings; integer ratios (44,100 to 22,050 Hz) use
`engine.indexer.audio.decimation`, at a fifth of the cost.
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

GROUP_SAMPLES = 16_384  # per channel; a third of a second, to limit decoding beyond the end of a window
POWER_STRIDE = 17  # measure the power of every 17th sample; a prime, so that no tone aliases to silence
POWER_SAMPLES = 2**16  # time constant of the running power, in samples: older sound counts 1/e
CANCELLED, RESTORED = 0.03, 0.1  # of the mean's power to that of unrelated channels: leave the mean, return to it
FAINTEST_POWER = 1e-8  # -80 dBFS; quieter channels are never used alone
LOUDEST = 8.0  # +18 dBFS: above any overshoot, small enough that powers of float garbage stay finite


@dataclass(frozen=True)
class Chunk:
    """Consecutive mono samples (n,) at the file's own rate; `position` is that of the first one, in samples."""

    position: int
    samples: Samples


def groups(frames: Iterable[AudioFrame]) -> Iterator[list[AudioFrame]]:
    """Yield the first frame alone, then groups of one rate, layout and format with GROUP_SAMPLES samples or a few more.

    A NumPy call costs more than processing the few hundred samples of one frame.
    """
    group: list[AudioFrame] = []
    needed, gathered = 0, 0
    for frame in frames:
        if group and (gathered >= needed or not _same_format(group[0], frame)):
            yield group
            group, needed, gathered = [], GROUP_SAMPLES, 0
        group.append(frame)
        gathered += frame.samples
    if group:
        yield group


def peak(frame: AudioFrame) -> float:
    """Return the largest magnitude in any channel of a frame, full scale 1; NaN if it holds a NaN."""
    columns, form = _columns([frame])
    return float(np.max([np.abs(column).max(initial=0) for column in columns])) / form.full


class Downmix:
    """Downmix a stream of frames to mono: the mean of the channels, or the loudest channel if they cancel.

    The choice follows a running mean of the powers over some seconds, and changes with a linear cross-fade.
    """

    def __init__(self) -> None:
        self._powers = np.zeros(0)  # (C + 1,), of the channels and of their mean; recent sound counts most
        self._chosen: int | None = None  # index of the channel to use instead of the mean

    def mono(self, frames: Sequence[AudioFrame]) -> Samples:
        """Downmix consecutive frames of one layout and format to (n,); full scale becomes 1.0."""
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
        """Return the index of the channel to use from these frames on, or None for the mean of all."""
        thin = np.stack([column[::POWER_STRIDE] for column in columns]).astype(np.float64)  # (C, n)
        thin = (thin - form.zero) / form.full
        with np.errstate(all="ignore"):  # floats may hold garbage
            powers = np.append(np.square(thin).sum(axis=1), np.square(thin.mean(axis=0)).sum())
        if not np.isfinite(powers).all():
            return self._chosen
        self._powers = self._powers * np.exp(-len(columns[0]) / POWER_SAMPLES) + powers
        channels, mean = self._powers[:-1], self._powers[-1]
        unrelated = channels.sum() / len(channels) ** 2  # power that the mean of unrelated channels would have
        if self._chosen is None and channels.max() > FAINTEST_POWER * thin.shape[1] and mean < CANCELLED * unrelated:
            return int(channels.argmax())
        return None if mean > RESTORED * unrelated else self._chosen


def _columns(frames: Sequence[AudioFrame]) -> tuple[list[NDArray[Any]], _SampleFormat]:
    """Return the C channels of consecutive frames, each (n,), as FFmpeg stores them."""
    if frames[0].format.is_planar and frames[0].layout.nb_channels >= 8:  # PyAV reads past the list of eight planes
        packer = AudioResampler(format="flt")
        frames = [packed for frame in frames for packed in packer.resample(frame)]
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


def _same_format(a: AudioFrame, b: AudioFrame) -> bool:
    return (a.sample_rate, a.format.name, a.layout.name) == (b.sample_rate, b.format.name, b.layout.name)


def _plane(frames: Sequence[AudioFrame], number: int, form: _SampleFormat, channels: int) -> NDArray[Any]:
    parts = [
        np.frombuffer(cast("memoryview", frame.planes[number]), form.dtype, frame.samples * channels)
        for frame in frames
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


@dataclass(frozen=True)
class _SampleFormat:
    """Storage of a sample: NumPy type, value of silence, and full scale above it."""

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
    """Replace NaN and infinity by 0, clip to +-LOUDEST: a filter would spread one bad sample over its whole length."""
    if samples.max(initial=0) <= LOUDEST and samples.min(initial=0) >= -LOUDEST:  # NaN fails both
        return samples
    return np.clip(np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0), -LOUDEST, LOUDEST)


def resample(samples: Samples, rate: int, wanted: int) -> Samples:
    """Resample (n,) from `rate` to `wanted` Hz."""
    pieces = list(resampled(iter([Chunk(0, samples)]), rate, wanted))
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def resampled(chunks: Iterator[Chunk], rate: int, wanted: int) -> Iterator[Samples]:
    """Resample a stream of chunks with one filter state, so that chunk borders leave no clicks."""
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
    """Stack windows of at most `length` samples into (W, length), zero-padded."""
    windows = np.zeros((len(cuts), length), np.float32)
    for window, cut in zip(windows, cuts, strict=True):
        window[: len(cut)] = cut
    return windows
