"""Spectral augmentation: what it changes, and what it preserves."""

import numpy as np
import pytest
import torch
from scipy.signal import resample_poly

from engine.datasets.clips import ClipSamples
from engine.models.encoder import SAMPLE_RATE
from engine.models.features import TARGET_RMS
from engine.training.augment.spectral import (
    TEACHER_RATE,
    SpectralAugmentation,
    draw_mixture,
    excerpt_spectrum,
    random_equaliser,
    render,
)
from tests.audio import peak_frequency, tone

SAMPLES = SAMPLE_RATE
NOTHING = SpectralAugmentation(speed=1.0, mix=0.0, equalise_db=0.0)


def level(waveform: torch.Tensor) -> float:
    """Root mean square."""
    return waveform.square().mean().sqrt().item()


@pytest.mark.parametrize("gain", [0.02, 1.0])
def test_an_excerpt_at_its_own_speed_is_the_sound_itself(gain: float) -> None:
    """Squeezed by nothing, an excerpt is the sound at the target level, without its constant part."""
    sound = torch.randn(SAMPLES, generator=torch.Generator().manual_seed(0)) * gain + 0.1
    found = torch.fft.irfft(excerpt_spectrum(sound.numpy(), SAMPLES), n=SAMPLES)
    expected = sound - sound.mean()
    torch.testing.assert_close(found, expected * TARGET_RMS / level(expected), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("ratio", [0.8, 1.0, 1.25])
def test_speed_moves_pitch(ratio: float) -> None:
    """An excerpt `ratio` times as long, squeezed, sounds a tone at `ratio` times its frequency, at the target level."""
    sound = tone(1000, ratio, SAMPLE_RATE, level=0.01)
    found = torch.fft.irfft(excerpt_spectrum(sound, SAMPLES), n=SAMPLES)
    assert abs(peak_frequency(found.numpy(), SAMPLE_RATE) - 1000 * ratio) < 2
    assert level(found) == pytest.approx(TARGET_RMS, rel=0.02)


def test_silence_stays_silent() -> None:
    """A silent excerpt gives zeros, not noise or NaN."""
    assert (excerpt_spectrum(np.zeros(SAMPLES, np.float32), SAMPLES) == 0).all()


@pytest.mark.parametrize("seed", range(4))
def test_an_equaliser_stays_within_its_range(seed: int) -> None:
    """Gains are within the range in dB, not flat, and change by little from bin to bin above 200 Hz."""
    curve = random_equaliser(11_026, 6.0, np.random.default_rng(seed))
    decibels = 20 * torch.log10(curve)
    assert curve.shape == (11_026,)
    assert decibels.abs().max() <= 6.001
    assert np.ptp(decibels.numpy()) > 1
    assert decibels[200:].diff().abs().max() < 0.1


def test_an_equaliser_of_no_range_is_flat() -> None:
    """0 dB changes nothing."""
    assert torch.allclose(random_equaliser(500, 0.0, np.random.default_rng(0)), torch.ones(500))


def test_student_and_teacher_hear_the_same(samples: ClipSamples) -> None:
    """The teacher's patch is the student's at 16 kHz: the same sound, as long and as loud."""
    rng = np.random.default_rng(3)
    heard = render([draw_mixture(samples, SAMPLES, SpectralAugmentation(), rng) for _ in range(3)], SAMPLES)
    assert heard.student.shape == (3, SAMPLES)
    assert heard.teacher.shape == (3, TEACHER_RATE)
    for student, teacher in zip(heard.student, heard.teacher, strict=True):
        assert level(student) == pytest.approx(TARGET_RMS, rel=0.01)
        resampled = torch.from_numpy(resample_poly(student.numpy(), 320, 441)).float()
        middle = slice(1000, -1000)
        correlation = torch.corrcoef(torch.stack([resampled[middle], teacher[middle]]))[0, 1]
        assert correlation > 0.98
        assert level(teacher[middle]) == pytest.approx(level(resampled[middle]), rel=0.05)


def test_draws_follow_the_generator(samples: ClipSamples) -> None:
    """One seed gives one patch, another seed another, all finite."""
    first, again, other = (
        draw_mixture(samples, SAMPLES, SpectralAugmentation(), np.random.default_rng(s)) for s in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.isfinite(torch.view_as_real(other)).all()
