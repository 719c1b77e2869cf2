"""Where in a track the sound is: windows lie between the first and the last sound, and only sound speaks.

Silence, faded ends and the noise under them say nothing about a track, yet an attention that never met them gives them
most of its weight. A stretch is sound where its level is above a floor that follows the track's own loud parts.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from engine.indexer.audio.samples import Samples

BLOCK_SECONDS = 0.1  # levels are taken over blocks of this length
FLOOR_BELOW_LOUD = 10 ** (-40 / 20)  # 40 dB below the loudest
LOWEST_FLOOR = 10 ** (-60 / 20)  # of full scale
QUIET_MARGIN = 10 ** (-10 / 20)  # a recording that is all under -60 dBFS speaks down to 10 dB below its loudest


def levels(windows: Samples, parts: int = 1) -> NDArray[np.float32]:
    """RMS of windows (W, L), each cut into `parts` of equal length -> (W * parts,), full scale 1."""
    length = windows.shape[-1] // parts
    pieces = windows[:, : length * parts].reshape(-1, length)
    return np.sqrt(np.einsum("wl,wl->w", pieces, pieces) / max(1, length))


def floor_of(loudest: float) -> float:
    """Level below which a part of a track is no sound: -40 dB of its loudest, at least -60 dBFS.

    A recording that is hardly above -60 dBFS itself is heard down to 10 dB below its loudest part.
    """
    return max(loudest * FLOOR_BELOW_LOUD, min(LOWEST_FLOOR, loudest * QUIET_MARGIN))


def speaking(found: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Levels of a track's segments (S,) -> which of them speak (S,): at least the loudest one."""
    loudest = float(found.max(initial=0.0))
    speaks = found >= floor_of(loudest)
    if not speaks.any():  # digital silence, or levels that are not numbers
        speaks[int(np.argmax(np.nan_to_num(found)))] = True
    return speaks


def block_levels(samples: Samples, sample_rate: int) -> NDArray[np.float32]:
    """RMS of consecutive blocks of BLOCK_SECONDS of samples (n,) -> (B,); the last may be short."""
    block = max(1, round(BLOCK_SECONDS * sample_rate))
    count = math.ceil(len(samples) / block)
    padded = np.pad(samples, (0, count * block - len(samples))).reshape(count, block)
    filled = np.full(count, block)
    if count:
        filled[-1] = len(samples) - (count - 1) * block
    return np.sqrt(np.einsum("wl,wl->w", padded, padded) / filled).astype(np.float32)


def bounds_of(found: NDArray[np.float32], floor: float) -> tuple[float, float] | None:
    """First and last moment (seconds) of the blocks (B,) at `floor` or above; None where there is none."""
    loud = np.flatnonzero(found >= floor)
    return (float(loud[0] * BLOCK_SECONDS), float((loud[-1] + 1) * BLOCK_SECONDS)) if len(loud) else None


def sound_bounds(samples: Samples, sample_rate: int, floor: float) -> tuple[float, float] | None:
    """First and last moment (seconds) of sound in samples (n,); None where there is none."""
    bounds = bounds_of(block_levels(samples, sample_rate), floor)
    return (bounds[0], min(bounds[1], len(samples) / sample_rate)) if bounds else None
