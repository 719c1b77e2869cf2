"""Augmented excerpts, made in the frequency domain: resampled, mixed, equalised, all band-limited and in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from engine.models.encoder import SAMPLE_RATE
from engine.models.features import TARGET_RMS
from engine.models.teacher import SAMPLE_RATE as TEACHER_RATE

FFT_FACTORS = 2205  # excerpt lengths are multiples of 3^2 * 5 * 7^2: such transforms are fast


@dataclass(frozen=True)
class Augmentation:
    """How far excerpts are varied.

    Attributes:
        speed: Resampling ratio, drawn between 1 / speed and speed on a log scale (tempo and pitch together).
        mix: Share of excerpts that another is mixed into.
        mix_db: Level of the other against the first, +- dB.
        equalise_db: Greatest boost or cut of the smooth random equaliser, in dB.
    """

    speed: float = 1.18
    mix: float = 0.55
    mix_db: float = 12.0
    equalise_db: float = 8.0


class Samples(Protocol):
    """Samples of clips by their number."""

    def read(self, index: int, start: int, length: int) -> np.ndarray:
        """`length` samples of a clip from `start`, padded with zeros."""


class Drawable(Samples, Protocol):
    """Clips of known lengths, to draw excerpts from."""

    def __len__(self) -> int: ...

    def length(self, index: int) -> int:
        """Samples in a clip."""


def excerpt_spectrum(clip: np.ndarray, samples: int) -> Tensor:
    """Spectrum, (samples // 2 + 1,), of an excerpt squeezed or stretched to `samples`, at TARGET_RMS."""
    spectrum = torch.fft.rfft(torch.from_numpy(clip))[: samples // 2 + 1]
    spectrum = torch.nn.functional.pad(spectrum, (0, samples // 2 + 1 - len(spectrum)))
    spectrum[0] = 0
    power = 2 * spectrum.abs().square().sum() / samples**2  # Parseval, after the inverse transform of `samples`
    return spectrum * (TARGET_RMS / power.sqrt().clamp_min(TARGET_RMS * 1e-2))


def random_equaliser(bins: int, decibels: float, rng: np.random.Generator) -> Tensor:
    """A smooth random curve of gains, (bins,), linear in the logarithm of frequency between eight points."""
    points = rng.uniform(-decibels, decibels, 8)
    position = np.log2(np.linspace(2**-7, 1, bins)) / 7 + 1  # 0 at the lowest, 1 at Nyquist
    return torch.from_numpy(10 ** (np.interp(position, np.linspace(0, 1, 8), points) / 20)).float()


def draw_length(samples: int, augmentation: Augmentation, rng: np.random.Generator) -> int:
    """How many samples of a clip become `samples` at a random speed."""
    ratio = np.exp(rng.uniform(-1, 1) * np.log(augmentation.speed))
    return max(1, round(samples * ratio / FFT_FACTORS)) * FFT_FACTORS


def longest(samples: int, augmentation: Augmentation) -> int:
    """The greatest length that `draw_length` may draw."""
    return max(1, round(samples * augmentation.speed / FFT_FACTORS)) * FFT_FACTORS


def draw_excerpt(
    source: Drawable, index: int, samples: int, augmentation: Augmentation, rng: np.random.Generator
) -> Tensor:
    """Spectrum of a random excerpt of clip `index` at a random speed."""
    length = draw_length(samples, augmentation, rng)
    start = int(rng.integers(0, max(1, source.length(index) - length)))
    return excerpt_spectrum(source.read(index, start, length), samples)


def draw_patch(source: Drawable, samples: int, augmentation: Augmentation, rng: np.random.Generator) -> Tensor:
    """Spectrum of a random, perhaps mixed, equalised excerpt of a random clip."""
    spectrum = draw_excerpt(source, int(rng.integers(len(source))), samples, augmentation, rng)
    if rng.random() < augmentation.mix:
        other = draw_excerpt(source, int(rng.integers(len(source))), samples, augmentation, rng)
        spectrum = spectrum + other * 10 ** (rng.uniform(-1, 1) * augmentation.mix_db / 20)
    return spectrum * random_equaliser(len(spectrum), rng.uniform(0, augmentation.equalise_db), rng)


@dataclass(frozen=True)
class Embedding:
    """The same patches for both: student (B, samples) at SAMPLE_RATE, teacher (B, samples') at its own rate."""

    student: Tensor
    teacher: Tensor


def render(spectra: list[Tensor], samples: int) -> Embedding:
    """Spectra -> waveforms at both rates, at TARGET_RMS."""
    spectrum = torch.stack(spectra)  # (B, samples // 2 + 1)
    at_teacher = samples * TEACHER_RATE // SAMPLE_RATE
    student = torch.fft.irfft(spectrum, n=samples)
    teacher = torch.fft.irfft(spectrum[:, : at_teacher // 2 + 1], n=at_teacher) * (at_teacher / samples)
    gain = TARGET_RMS / student.square().mean(dim=1, keepdim=True).sqrt().clamp_min(1e-6)
    return Embedding(student * gain, teacher * gain)
