"""Augmentation of waveforms for training from labels, applied on the fly.

Effects are applied in the order in which they occur to music:

1. `speed`, `stretch`, `pitch`: performance; one pass for all three (`engine.training.augment.effects.rescale`).
2. `equalise_db`: recording.
3. `noise`: after the equaliser, so that it stays white, at the requested distance below the music.
4. `gain_db`: mastering; changes music and noise together.
5. `codec`: storage.
6. `shift_seconds`: reading position; last, so that the gap is true silence.

Then two clips may be mixed (`mix_waveforms`), each with its own effects, and masks applied to the front-end's features
(`engine.training.augment.masks`). All draws come from the caller's generator, so equal generators give equal results.
`engine.training.augment.spectral` has the few effects for distillation, where the teacher labels the augmented excerpt.
Here labels are unchanged, so effects must not change how a listener would label the music.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from engine.training.augment import effects
from engine.training.augment.recode import recode
from engine.training.augment.spectral import random_equaliser
from engine.training.augment.waveform_settings import WaveformAugmentation


def augment_waveform(
    samples: Tensor, sample_rate: int, settings: WaveformAugmentation, rng: np.random.Generator
) -> Tensor:
    """Apply randomly drawn effects to a waveform: (L,) -> (L,), float32, without clipping.

    Args:
        samples: Mono.
        sample_rate: In Hz.
        settings: Enabled effects and their strength.
        rng: Draws the effects and their strength. To change all windows of a track alike, pass each window a new
            generator of the same seed.

    A window of 3 s takes one CPU core about 10 to 20 ms for speed, stretch and pitch together, 6 ms for the equaliser,
    and 40 to 70 ms for a codec; `share` and `codec` limit the cost.

    Raises:
        TrainingError: FFmpeg lacks one of `settings.codecs`.
    """
    chosen = _draw_effects(settings, rng)
    if chosen & {"speed", "stretch", "pitch"}:
        samples = effects.rescale(samples, *_draw_ratios(chosen, settings, rng))
    if "equalise" in chosen:
        decibels = settings.equalise_db * (1 if settings.extremes else rng.random())
        samples = effects.equalise(samples, random_equaliser(len(samples) // 2 + 1, decibels, rng))
    if "noise" in chosen:
        samples = effects.add_noise(samples, _draw(settings.noise_snr_db, settings, rng), rng)
    if "gain" in chosen:
        samples = effects.change_gain(samples, _draw((-settings.gain_db, settings.gain_db), settings, rng))
    if "codec" in chosen:
        codec = settings.codecs[rng.integers(len(settings.codecs))]
        samples = recode(samples, sample_rate, codec, _draw(settings.codec_kbps, settings, rng))
    if "shift" in chosen:
        seconds = settings.shift_seconds * (1 if settings.extremes else rng.random())
        samples = effects.shift_left(samples, round(seconds * sample_rate))
    return samples


@dataclass(frozen=True)
class Mixture:
    """Two examples in one.

    Attributes:
        samples: (L,), about as loud as the first.
        weight: Weight of the first example's labels in the loss, 0 to 1; the second's have 1 - weight.
    """

    samples: Tensor
    weight: float


def mix_waveforms(first: Tensor, second: Tensor, settings: WaveformAugmentation, rng: np.random.Generator) -> Mixture:
    """Mix `second` (L,) into `first` (L,) for a share `settings.mix` of the examples; otherwise the weight is 1.

    Labels are weighted by amplitude after the second is scaled to the first's loudness R (Tokozume, Ushiku and Harada
    2018, "Learning from between-class examples for deep sound recognition"). Uncorrelated waveforms add in power, so
    the mean square of w a + (1 - w) b is (w^2 + (1 - w)^2) R^2: dividing by hypot(w, 1 - w) restores the loudness.
    """
    first_rms, second_rms = (samples.square().mean().sqrt().item() for samples in (first, second))
    if rng.random() >= settings.mix or not first_rms or not second_rms:
        return Mixture(first, 1.0)
    level = 10 ** (_draw((-settings.mix_db, settings.mix_db), settings, rng) / 20)
    weight = 1 / (1 + level)
    mixed = weight * first + (1 - weight) * (first_rms / second_rms) * second
    return Mixture(mixed / math.hypot(weight, 1 - weight), weight)


def _draw_effects(settings: WaveformAugmentation, rng: np.random.Generator) -> set[str]:
    shares = settings.shares()
    if settings.one_at_a_time:
        return set([[], *([name] for name in shares)][rng.integers(len(shares) + 1)])
    return {name for name, share in shares.items() if rng.random() < share}


def _draw(bounds: tuple[float, float], settings: WaveformAugmentation, rng: np.random.Generator) -> float:
    low, high = bounds
    return bounds[rng.integers(2)] if settings.extremes else low + (high - low) * rng.random()


def _draw_ratios(chosen: set[str], settings: WaveformAugmentation, rng: np.random.Generator) -> tuple[float, float]:
    """Draw the ratios of duration and frequency that result from speed, stretch and pitch together."""
    duration = frequency = 1.0
    if "speed" in chosen:
        octaves = math.log2(settings.speed)
        speed = 2 ** _draw((-octaves, octaves), settings, rng)
        duration, frequency = duration / speed, frequency * speed
    if "stretch" in chosen:
        duration *= _draw(settings.stretch, settings, rng)
    if "pitch" in chosen:
        frequency *= 2 ** (_draw((-settings.pitch, settings.pitch), settings, rng) / 12)
    return duration, frequency
