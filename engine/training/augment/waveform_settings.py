"""Settings of waveform augmentation, validated on construction and read from TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from engine.errors import TrainingError, brief
from engine.training.augment.recode import CODECS
from engine.util.small_files import read_small_text


def _within(default: Any, low: float, high: float) -> Any:
    """Declare a setting with its neutral default and its allowed range."""
    return field(default=default, metadata={"low": low, "high": high})


@dataclass(frozen=True)
class WaveformAugmentation:
    """Effects and their strength. By default there are none: waveforms pass unchanged, bit for bit.

    Attributes:
        share: Share of examples to which each effect from `speed` to `shift_seconds` is applied, drawn per effect.
        extremes: Draw only the ends of ranges (paper 4, Meng et al.): shift by exactly `shift_seconds`, stretch by one
            of both ratios, and so on; otherwise draw uniformly between them.
        one_at_a_time: Apply at most one effect per example, each (and none) equally likely. This is paper 4's fourfold
            data set of unchanged, noisy, shifted and stretched clips. `share` and `noise` are ignored.
        speed: Ratio 1 to 2; drawn between 1 / speed and speed on a log scale. Changes tempo and pitch together.
        stretch: Least and greatest duration ratio, 0.5 to 2, at constant pitch. Paper 4: (0.9, 1.1).
        pitch: Semitones up or down, 0 to 12, at constant tempo.
        equalise_db: Greatest boost or cut of a smooth random equaliser, 0 to 24 dB.
        gain_db: Greatest change of level, 0 to 40 dB.
        shift_seconds: Greatest shift to the left, 0 to 60 s, followed by silence. Paper 4: 1.5.
        noise: Share of examples with uniform noise, 0 to 1.
        noise_snr_db: Least and greatest signal-to-noise ratio, -20 to 80 dB.
        codec: Share of examples passed through a lossy codec, 0 to 1.
        codecs: Codecs to draw from: mp3, aac, opus, vorbis.
        codec_kbps: Least and greatest bit rate of the single channel, 8 to 256.
        mix: Share of examples mixed with another one, 0 to 1.
        mix_db: Level of the other relative to the first, up to +- dB, 0 to 40.
        time_masks, frequency_masks: SpecAugment masks per window, 0 to 20.
        time_width, frequency_width: Greatest width of a mask, as a share of the frames or bands, 0 to 1.

    Raises:
        TrainingError: A value is out of range or of the wrong type.
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
        for setting in fields(self):
            value = getattr(self, setting.name)
            if expected := _violation(setting, value):
                raise TrainingError(f"expected augmentation '{setting.name}' to be {expected}, found {value!r}")

    @staticmethod
    def from_table(table: Mapping[str, Any]) -> WaveformAugmentation:
        """Create settings from a TOML table, where pairs are lists.

        Raises:
            TrainingError: A name is unknown, or a value is out of range or of the wrong type.
        """
        known = [setting.name for setting in fields(WaveformAugmentation)]
        for name in table:
            if name not in known:
                raise TrainingError(f"unknown augmentation '{name}'", hint=f"expected one of: {', '.join(known)}")
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
        return WaveformAugmentation(**values)

    def shares(self) -> dict[str, float]:
        """Return the enabled effects on single waveforms, with the share of examples that each is applied to."""
        shared = {
            "speed": self.speed != 1,
            "stretch": tuple(self.stretch) != (1, 1),
            "pitch": self.pitch > 0,
            "equalise": self.equalise_db > 0,
            "gain": self.gain_db > 0,
            "shift": self.shift_seconds > 0,
        }
        shares = {name: self.share for name, on in shared.items() if on} | {"noise": self.noise, "codec": self.codec}
        return {name: share for name, share in shares.items() if share > 0}


def read_augmentation(path: Path) -> WaveformAugmentation:
    """Read settings from a TOML file; raise TrainingError if it cannot be read or a setting is invalid."""
    try:
        return WaveformAugmentation.from_table(tomllib.loads(read_small_text(path)))
    except (OSError, ValueError, RecursionError) as error:
        raise TrainingError(f"expected augmentations as TOML in {path}, cannot read them: {brief(error)}") from error


def _violation(setting: Field[Any], value: Any) -> str | None:
    """Describe the expected value of a setting if `value` is not valid. The type of the default decides."""
    if isinstance(setting.default, bool):
        return None if isinstance(value, bool) else "true or false"
    if setting.name == "codecs":
        return _codecs_violation(value)
    low, high = setting.metadata["low"], setting.metadata["high"]
    whole = isinstance(setting.default, int)
    if isinstance(setting.default, tuple):
        valid = _is_pair(value) and all(_is_number(number, low, high) for number in value) and value[0] <= value[1]
        return None if valid else f"two numbers within {low} to {high}, the lesser first"
    valid = _is_number(value, low, high) and (isinstance(value, int) or not whole)
    return None if valid else f"a{' whole' if whole else ''} number within {low} to {high}"


def _codecs_violation(value: Any) -> str | None:
    valid = isinstance(value, tuple) and value and all(name in CODECS for name in value)
    return None if valid else f"a list of some of {', '.join(CODECS)}"


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2


def _is_number(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
