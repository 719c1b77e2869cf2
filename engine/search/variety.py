"""Varied answers: candidates drawn at random, near ones with higher probability, reproducible by a seed.

Sorting log w + Gumbel noise draws without replacement by weights w (Efraimidis and Spirakis 2006;
Kool et al. 2019). Weights are exp(SHARPNESS * closeness / variety), with closeness rescaled to 0..1 over the
candidates: at variety 1 the nearest is about twenty times as likely as the last; near 0 the order is that of closeness.
"""

from __future__ import annotations

import secrets

import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidError

SHARPNESS = 3.0
FRESH_SEEDS = 2**31
LARGEST_SEED = 2**63 - 1
DROPPED_SHARE = 0.5  # of a path's candidates at variety 1

Floats = NDArray[np.float32]


def settle_seed(variety: float, seed: int | None) -> int | None:
    """Return the seed of an answer: the given one, a fresh one for None, or None if variety is 0.

    Raises:
        QueryError: The variety is not 0 to 1, or the seed is negative or too large.
    """
    if not 0 <= variety <= 1:
        raise InvalidError(f"expected a variety from 0 to 1, found {variety:g}", hint="0 is the same answer each time")
    if seed is not None and not 0 <= seed <= LARGEST_SEED:
        raise InvalidError(
            f"expected a seed from 0 to {LARGEST_SEED}, found {seed}", hint="leave it out for a fresh one"
        )
    if not variety:
        return None
    return secrets.randbelow(FRESH_SEEDS) if seed is None else seed


def drawn_order(closeness: Floats, variety: float, seed: int | None) -> list[int]:
    """Return all candidates in the order of the draw.

    Args:
        closeness: (N,), higher is nearer.
        variety: Above 0, up to 1.
        seed: Of the random generator.
    """
    spread = max(float(np.ptp(closeness)), 1e-12) if len(closeness) else 1.0
    stretched = (closeness.astype(np.float64) - closeness.min(initial=np.inf)) / spread
    noise = np.random.default_rng(seed).gumbel(size=len(closeness))
    order: list[int] = np.argsort(-(SHARPNESS / variety * stretched + noise), kind="stable").tolist()
    return order


def thinned(count: int, at_least: int, variety: float, seed: int | None) -> NDArray[np.intp]:
    """Return the sorted indices of the candidates that a uniform draw retains, at least `at_least`."""
    order = np.random.default_rng(seed).permutation(count)
    return np.sort(order[: max(at_least, round(count * (1 - DROPPED_SHARE * variety)))])
