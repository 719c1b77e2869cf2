"""Augmentation on the fly, for training from labels: of waveforms and of pairs of them, each effect a switch.

Effects come in the order in which they happen to music, so that each acts on what it would find:

1. `speed`, `stretch`, `pitch`: how it was played. One pass for the three (`engine.training.augment.effects.rescale`).
2. `equalise_db`: how it was recorded.
3. `noise`: behind the equaliser, so that it stays as white, and as far below the music, as asked for.
4. `gain_db`: how it was mastered; it moves music and noise together.
5. `codec`: how it was kept. An encoder hears all of the above.
6. `shift_seconds`: from where it is read. Last, so that the gap is true silence.

Two clips are mixed behind that (`mix_waveforms`), each with effects of its own; masks act on the front-end's answer
(`engine.training.augment.masks`). All draws come from the caller's generator: the same one gives the same result.
(`engine.training.augment.spectral` has the few effects that distillation uses, in one transform; there the teacher
labels whatever comes out. Here labels stay, so effects must not change what a listener would call it.)
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from engine.errors import TrainingError, brief
from engine.training.augment import effects
from engine.training.augment.recode import CODECS, recode
from engine.training.augment.spectral import random_equaliser


def _within(neutral: Any, low: float, high: float) -> Any:
    """A setting, its value that changes nothing, and the least and greatest allowed."""
    return field(default=neutral, metadata={"low": low, "high": high})


@dataclass(frozen=True)
class Augmentations:
    """Which effects, and how strong. As it stands, none: everything passes unchanged, to the bit.

    Attributes:
        share: Share of examples that each of the effects from `speed` to `shift_seconds` touches, drawn for each.
        extremes: Draw only the ends of ranges: shift by all of `shift_seconds`, stretch by one of both ratios, and so
            on (as paper 4, Meng et al.); otherwise evenly between them.
        one_at_a_time: An example gets none or one of its effects, each as likely: paper 4's fourfold data, in which
            each clip stands unchanged, noisy, shifted and stretched. The shares do not count then.
        speed: Ratio 1 to 2; drawn between 1 / speed and speed on a log scale. Tempo and pitch move together.
        stretch: Least and greatest duration, as ratios 0.5 to 2, at the same pitch. Paper 4: (0.9, 1.1).
        pitch: Semitones up or down, 0 to 12, at the same tempo.
        equalise_db: Greatest boost or cut of a smooth random equaliser, 0 to 24 dB.
        gain_db: Louder or softer by up to this, 0 to 40 dB.
        shift_seconds: To the left by up to this, 0 to 60 s; the gap at the end is silent. Paper 4: 1.5.
        noise: Share of examples with uniform noise, 0 to 1.
        noise_snr_db: Least and greatest level of the music above the noise, -20 to 80 dB.
        codec: Share of examples that go through a lossy codec, 0 to 1.
        codecs: Which, of mp3, aac, opus, vorbis.
        codec_kbps: Least and greatest bit rate of the one channel, 8 to 256.
        mix: Share of examples that another is mixed into, 0 to 1.
        mix_db: Level of the other against the first, up to this above or below, 0 to 40 dB.
        time_masks, frequency_masks: SpecAugment's masks in a window, 0 to 20.
        time_width, frequency_width: Greatest width of one, as a share of the frames or bands, 0 to 1.

    Raises:
        TrainingError: A value is out of its range, or of another type.
    """

    share: float = _within(1.0, 0, 1)
    extremes: bool = False
    one_at_a_time: bool = False
    speed: float = _within(1.0, 1, 2)
    stretch: tuple[float, float] = _within((1.0, 1.0), 0.5, 2)
    pitch: float = _within(0.0, 0, 12)
    equalise_db: float = _within(0.0, 0, 24)
    gain_db: float = _within(0.0, 0, 40)
    shift_seconds: float = _within(0.0, 0, 60)
    noise: float = _within(0.0, 0, 1)
    noise_snr_db: tuple[float, float] = _within((10.0, 40.0), -20, 80)
    codec: float = _within(0.0, 0, 1)
    codecs: tuple[str, ...] = tuple(CODECS)
    codec_kbps: tuple[float, float] = _within((24.0, 96.0), 8, 256)
    mix: float = _within(0.0, 0, 1)
    mix_db: float = _within(6.0, 0, 40)
    time_masks: int = _within(0, 0, 20)
    time_width: float = _within(0.1, 0, 1)
    frequency_masks: int = _within(0, 0, 20)
    frequency_width: float = _within(0.15, 0, 1)

    def __post_init__(self) -> None:
        for each in fields(self):
            expected = _complaint(each, getattr(self, each.name))
            if expected:
                found = getattr(self, each.name)
                raise TrainingError(f"expected augmentation '{each.name}' to be {expected}, found {found!r}")

    @staticmethod
    def from_table(table: Mapping[str, Any]) -> Augmentations:
        """Settings by name, as TOML has them (lists for pairs).

        Raises:
            TrainingError: A name is unknown, or a value is out of its range or of another type.
        """
        known = [each.name for each in fields(Augmentations)]
        for name in table:
            if name not in known:
                raise TrainingError(f"unknown augmentation '{name}'; expected one of: {', '.join(known)}")
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
        return Augmentations(**values)

    def effects(self) -> dict[str, float]:
        """The effects on waveforms that are switched on, and the share of examples that each touches."""
        moving = {
            "speed": self.speed != 1,
            "stretch": tuple(self.stretch) != (1, 1),
            "pitch": self.pitch > 0,
            "equalise": self.equalise_db > 0,
            "gain": self.gain_db > 0,
            "shift": self.shift_seconds > 0,
        }
        shares = {name: self.share for name, on in moving.items() if on} | {"noise": self.noise, "codec": self.codec}
        return {name: share for name, share in shares.items() if share > 0}


def read_augmentations(path: Path) -> Augmentations:
    """Augmentations from a TOML file of their names; raises TrainingError where it is none."""
    try:
        return Augmentations.from_table(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise TrainingError(f"expected augmentations as TOML in {path}, cannot read them: {brief(error)}") from error


def _complaint(setting: Field[Any], value: Any) -> str | None:
    """What was expected of a value, or None where it fits. A setting's type is its default's."""
    if isinstance(setting.default, bool):
        return None if isinstance(value, bool) else "true or false"
    if setting.name == "codecs":
        fits = isinstance(value, tuple) and value and all(name in CODECS for name in value)
        return None if fits else f"a list of some of {', '.join(CODECS)}"
    low, high = setting.metadata["low"], setting.metadata["high"]
    kind = int if isinstance(setting.default, int) else (int, float)

    def fits_range(number: Any) -> bool:
        return isinstance(number, kind) and not isinstance(number, bool) and low <= number <= high

    if isinstance(setting.default, tuple):
        pair = isinstance(value, tuple) and len(value) == 2 and all(map(fits_range, value)) and value[0] <= value[1]
        return None if pair else f"two numbers within {low} to {high}, the lesser first"
    return None if fits_range(value) else f"a{' whole' if kind is int else ''} number within {low} to {high}"


def augment_waveform(samples: Tensor, sample_rate: int, settings: Augmentations, rng: np.random.Generator) -> Tensor:
    """One example through the effects that fall to it: (L,) -> (L,), float32; nothing is clipped.

    Args:
        samples: Mono.
        sample_rate: In Hz.
        settings: What may happen, and how much of it.
        rng: Draws which effects, and how strong each. For windows of one track, a generator of one seed for each gives
            all of them the same effects.

    A window of 3 s costs one CPU core about 10 to 20 ms for speed, stretch and pitch together, 6 for the equaliser, 40
    to 70 for a codec: `share` and `codec` bound that.

    Raises:
        TrainingError: FFmpeg lacks a codec of `settings.codecs`.
    """
    chosen = _choose(settings, rng)
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


def _choose(settings: Augmentations, rng: np.random.Generator) -> set[str]:
    shares = settings.effects()
    if settings.one_at_a_time:
        return set([[], *([name] for name in shares)][rng.integers(len(shares) + 1)])
    return {name for name, share in shares.items() if rng.random() < share}


def _draw(span: tuple[float, float], settings: Augmentations, rng: np.random.Generator) -> float:
    low, high = span
    return span[rng.integers(2)] if settings.extremes else low + (high - low) * rng.random()


def _draw_ratios(chosen: set[str], settings: Augmentations, rng: np.random.Generator) -> tuple[float, float]:
    """Ratios of duration and of frequency that come of speed, stretch and pitch together."""
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


@dataclass(frozen=True)
class Mixture:
    """Two examples in one.

    Attributes:
        samples: (L,), about as loud as the first.
        weight: Of the first's labels in a loss, 0 to 1; the second's weigh 1 - weight.
    """

    samples: Tensor
    weight: float


def mix_waveforms(first: Tensor, second: Tensor, settings: Augmentations, rng: np.random.Generator) -> Mixture:
    """Mix another example, (L,), into a share `settings.mix` of them; where none is mixed in, the weight is 1.

    Labels weigh as the amplitudes do once both are equally loud, and the sum is brought back to that loudness
    (Tokozume, Ushiku and Harada 2018, "Learning from between-class examples for deep sound recognition").
    """
    loud, other = (samples.square().mean().sqrt().item() for samples in (first, second))
    if rng.random() >= settings.mix or not loud or not other:
        return Mixture(first, 1.0)
    level = 10 ** (_draw((-settings.mix_db, settings.mix_db), settings, rng) / 20)
    weight = 1 / (1 + level)
    mixed = weight * first + (1 - weight) * (loud / other) * second
    return Mixture(mixed / math.hypot(weight, 1 - weight), weight)
