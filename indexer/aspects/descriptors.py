"""Rhythm and harmony of a track: 64 numbers each, from the windows that are decoded for an encoder.

`rhythm` and `harmony` compute raw features of a track. Each is brought to 64 numbers by a fixed linear map,

    y = diag(s^-1/2) V (x - mean) / deviation,   then y / |y|

with the features' mean and deviation and their 64 first principal axes V, of standard deviations s, over music of many
genres (`scripts/fit_aspects.py`). Dividing by s^1/2 is half-way to whitening: otherwise the first axes would dominate.
The result has unit norm, and the cosine of two tracks is their similarity in this aspect; tracks without rhythm or
pitches share one descriptor, and so are near each other.

The map is part of the descriptor: a change of features or map needs a new number in KINDS, and descriptors of different
kinds are never compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.indexer.aspects.harmony import FEATURES as HARMONY_FEATURES, HarmonySums, harmony_features, harmony_sums
from engine.indexer.aspects.kinds import KINDS
from engine.indexer.aspects.rhythm import LAGS, PAIRS, correlations, rhythm_features
from engine.indexer.audio.samples import Samples

MAPS = Path(__file__).with_name("maps.safetensors")
TARGET_RMS, MAX_GAIN = 0.125, 100.0  # as the encoders' front-end (`engine.models.features`)
TINY = 1e-9

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class RawAspects:
    """Features before the linear map: rhythm (216,), harmony (80,)."""

    rhythm: Floats
    harmony: Floats


class AspectMeter:
    """Accumulates the features of one track's windows, in parts of any size; memory does not grow with their number."""

    def __init__(self) -> None:
        self._correlations = np.zeros((LAGS, len(PAIRS)))
        self._harmony: HarmonySums | None = None

    def push(self, windows: Samples) -> None:
        """Add windows (W, L), mono at 22,050 Hz, of 3 s or more."""
        for window in windows:
            gain = TARGET_RMS / max(float(np.sqrt(np.mean(np.square(window)))), TARGET_RMS / MAX_GAIN)
            level = window * np.float32(gain)
            self._correlations += correlations(level)
            sums = harmony_sums(level)
            self._harmony = sums if self._harmony is None else self._harmony + sums

    def raw(self) -> RawAspects:
        """Return the features of all windows; zeros before the first one."""
        harmony = np.zeros(HARMONY_FEATURES, np.float32) if self._harmony is None else harmony_features(self._harmony)
        return RawAspects(rhythm_features(self._correlations), harmony)

    def vectors(self) -> dict[str, Floats]:
        """Return a unit vector (DIMENSIONS,) for each of KINDS' values."""
        raw = self.raw()
        return {KINDS[aspect]: project(aspect, getattr(raw, aspect)) for aspect in KINDS}


def aspects_of(windows: Samples) -> dict[str, Floats]:
    """Describe a track by its windows (W, L): a unit vector (DIMENSIONS,) for each of KINDS' values."""
    meter = AspectMeter()
    meter.push(windows)
    return meter.vectors()


def project(aspect: str, features: Floats) -> Floats:
    """Standardise raw features x (F,) of an aspect and project them: v = A^T (x - m) / s, v / |v|, (DIMENSIONS,)."""
    maps = _maps()
    standard = (features - maps[f"{aspect}.mean"]) / maps[f"{aspect}.deviation"]
    vector = standard @ maps[f"{aspect}.axes"]
    return (vector / max(float(np.linalg.norm(vector)), TINY)).astype(np.float32)


@cache
def _maps() -> dict[str, Floats]:
    """For each aspect its `mean` (F,), `deviation` (F,) and `axes` (F, DIMENSIONS)."""
    from safetensors.numpy import load_file

    return load_file(MAPS)
