"""Augmented excerpts computed in the frequency domain: resampled, mixed and equalised in one band-limited pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.datasets.clips import SampleCollection
from engine.models.encoder import SAMPLE_RATE
from engine.models.features import TARGET_RMS
from engine.models.teacher import SAMPLE_RATE as TEACHER_RATE

LENGTH_FACTOR = 2205  # excerpt lengths are multiples of 3^2 * 5 * 7^2, for fast transforms
EQUALISER_POINTS = 8


@dataclass(frozen=True)
class SpectralAugmentation:
    """Strength of the augmentation of excerpts.

    Attributes:
        speed: Resampling ratio, drawn between 1 / speed and speed on a log scale; changes tempo and pitch together.
        mix: Share of excerpts mixed with another excerpt.
        mix_db: Level of the other excerpt relative to the first, up to +- dB.
        equalise_db: Greatest boost or cut of a smooth random equaliser, in dB.
    """

    speed: float = 1.18
    mix: float = 0.55
    mix_db: float = 12.0
    equalise_db: float = 8.0


def excerpt_spectrum(excerpt: np.ndarray, samples: int) -> Tensor:
    """Resample an excerpt (n,) to `samples`, normalise it to TARGET_RMS, and return its spectrum (samples // 2 + 1,).

    Truncating or zero-padding the spectrum and inverting it at another length is band-limited resampling. The mean
    square of x with spectrum X is sum |X_k|^2 / samples^2 over all bins (Parseval), twice the sum over positive ones.
    """
    spectrum = torch.fft.rfft(torch.from_numpy(excerpt))[: samples // 2 + 1]
    spectrum = torch.nn.functional.pad(spectrum, (0, samples // 2 + 1 - len(spectrum)))
    spectrum[0] = 0
    power = 2 * spectrum.abs().square().sum() / samples**2
    return spectrum * (TARGET_RMS / power.sqrt().clamp_min(TARGET_RMS * 1e-2))


def random_equaliser(bins: int, decibels: float, rng: np.random.Generator) -> Tensor:
    """Return a smooth random gain curve (bins,), linear in dB over log frequency between EQUALISER_POINTS points."""
    points = rng.uniform(-decibels, decibels, EQUALISER_POINTS)
    position = np.log2(np.linspace(2**-7, 1, bins)) / 7 + 1  # 0 at the lowest frequency, 1 at Nyquist
    return torch.from_numpy(10 ** (np.interp(position, np.linspace(0, 1, EQUALISER_POINTS), points) / 20)).float()


def draw_length(samples: int, augmentation: SpectralAugmentation, rng: np.random.Generator) -> int:
    """Draw the number of samples that, at a random speed, become `samples`."""
    ratio = np.exp(rng.uniform(-1, 1) * np.log(augmentation.speed))
    return max(1, round(samples * ratio / LENGTH_FACTOR)) * LENGTH_FACTOR


def max_length(samples: int, augmentation: SpectralAugmentation) -> int:
    """Return the greatest length that `draw_length` may draw."""
    return max(1, round(samples * augmentation.speed / LENGTH_FACTOR)) * LENGTH_FACTOR


def draw_excerpt(
    source: SampleCollection, index: int, samples: int, augmentation: SpectralAugmentation, rng: np.random.Generator
) -> Tensor:
    """Draw a random excerpt of recording `index` at a random speed; return its spectrum."""
    length = draw_length(samples, augmentation, rng)
    start = int(rng.integers(0, max(1, source.length(index) - length)))
    return excerpt_spectrum(source.read(index, start, length), samples)


def draw_mixture(
    source: SampleCollection, samples: int, augmentation: SpectralAugmentation, rng: np.random.Generator
) -> Tensor:
    """Draw an excerpt of a random recording, perhaps mixed with another, and equalise it; return its spectrum."""
    spectrum = draw_excerpt(source, int(rng.integers(len(source))), samples, augmentation, rng)
    if rng.random() < augmentation.mix:
        other = draw_excerpt(source, int(rng.integers(len(source))), samples, augmentation, rng)
        spectrum = spectrum + other * 10 ** (rng.uniform(-1, 1) * augmentation.mix_db / 20)
    return spectrum * random_equaliser(len(spectrum), rng.uniform(0, augmentation.equalise_db), rng)


@dataclass(frozen=True)
class RenderedExcerpts:
    """The same B excerpts for student, (B, samples) at SAMPLE_RATE, and teacher, (B, samples') at its own rate."""

    student: Tensor
    teacher: Tensor


def render(spectra: list[Tensor], samples: int) -> RenderedExcerpts:
    """Invert B spectra to waveforms at both sample rates, at TARGET_RMS."""
    spectrum = torch.stack(spectra)  # (B, samples // 2 + 1)
    teacher_samples = samples * TEACHER_RATE // SAMPLE_RATE
    student = torch.fft.irfft(spectrum, n=samples)
    teacher = torch.fft.irfft(spectrum[:, : teacher_samples // 2 + 1], n=teacher_samples) * (teacher_samples / samples)
    gain = TARGET_RMS / student.square().mean(dim=1, keepdim=True).sqrt().clamp_min(1e-6)
    return RenderedExcerpts(student * gain, teacher * gain)
