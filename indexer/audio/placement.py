"""Find the sound in a track: the bounds for its windows, and the segments that get weight.

Silence, fades and their noise do not characterise a track, yet an attention layer that never saw them in training gives
them most of its weight. A block counts as sound if its level is above a floor relative to the track's loudest part.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from engine.indexer.audio.samples import Samples

BLOCK_SECONDS = 0.1  # levels are taken over blocks of this length, rounded to samples
FLOOR_BELOW_LOUD = 10 ** (-40 / 20)  # 40 dB below the loudest
LOWEST_FLOOR = 10 ** (-60 / 20)  # of full scale
QUIET_MARGIN = 10 ** (-10 / 20)  # below the loudest part: the floor of a recording that is all below -60 dBFS


def levels(windows: Samples, parts: int = 1) -> NDArray[np.float32]:
    """Return the RMS (W * parts,) of windows (W, L), each split into `parts` of equal length; full scale is 1."""
    length = windows.shape[-1] // parts
    pieces = windows[:, : length * parts].reshape(-1, length)
    return np.sqrt(np.einsum("wl,wl->w", pieces, pieces) / max(1, length))


def floor_of(loudest: float) -> float:
    """Return the level below which a part of a track counts as silent, full scale 1.

    40 dB below the loudest part, but at least -60 dBFS; 10 dB below the loudest part of a recording that is itself
    hardly above -60 dBFS: max(l - 40 dB, min(-60 dBFS, l - 10 dB)).
    """
    return max(loudest * FLOOR_BELOW_LOUD, min(LOWEST_FLOOR, loudest * QUIET_MARGIN))


def audible_segments(found: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which of a track's segments, given levels (S,), count as sound (S,); at least the loudest.

    Levels that are not finite count as 0; if all levels are 0, all segments count as sound.
    """
    finite = np.nan_to_num(found, nan=0.0, posinf=0.0, neginf=0.0)
    return finite >= floor_of(float(finite.max(initial=0.0)))


def block_samples(sample_rate: int) -> int:
    """Return the samples in a block of BLOCK_SECONDS; at 11,025 Hz they last 0.09995 s."""
    return max(1, round(BLOCK_SECONDS * sample_rate))


def block_levels(samples: Samples, sample_rate: int) -> NDArray[np.float32]:
    """Return the RMS (B,) of consecutive blocks of `block_samples` of samples (n,); the last may be short."""
    block = block_samples(sample_rate)
    count = math.ceil(len(samples) / block)
    padded = np.pad(samples, (0, count * block - len(samples))).reshape(count, block)
    filled = np.full(count, block)  # samples in each block
    if count:
        filled[-1] = len(samples) - (count - 1) * block  # the last one without its padding
    return np.sqrt(np.einsum("wl,wl->w", padded, padded) / filled).astype(np.float32)


def bounds_of(found: NDArray[np.float32], floor: float, block_seconds: float) -> tuple[float, float] | None:
    """Return start and end (seconds) of the sound in blocks (B,) at `floor` or above; None if all are below.

    Args:
        found: Levels of consecutive blocks.
        floor: See `floor_of`.
        block_seconds: Their exact length: an error would grow with the track.
    """
    loud = np.flatnonzero(found >= floor)
    return (float(loud[0] * block_seconds), float((loud[-1] + 1) * block_seconds)) if len(loud) else None


def sound_bounds(samples: Samples, sample_rate: int, floor: float) -> tuple[float, float] | None:
    """Return start and end (seconds) of the sound in samples (n,); None if all is below `floor`."""
    bounds = bounds_of(block_levels(samples, sample_rate), floor, block_samples(sample_rate) / sample_rate)
    return (bounds[0], min(bounds[1], len(samples) / sample_rate)) if bounds else None
