"""Another list each time: candidates drawn by chance, the nearer the likelier, and the same ones from the same seed.

Drawing without replacement by weights w is putting log w + Gumbel noise into order (Efraimidis and Spirakis 2006;
Kool et al. 2019). Weights are exp(SHARPNESS * closeness / variety), with closeness stretched over the candidates from
0 to 1: at a variety of 1 the nearest is about twenty times as likely as the last, near 0 the order is closeness'.
"""

from __future__ import annotations

import secrets

import numpy as np
from numpy.typing import NDArray

from engine.errors import QueryError

SHARPNESS = 3.0
FRESH_SEEDS = 2**31
LARGEST_SEED = 2**63 - 1
THINNED = 0.5  # share of a path's candidates that a variety of 1 leaves out

Floats = NDArray[np.float32]


def settle_seed(variety: float, seed: int | None) -> int | None:
    """The seed of an answer: as given, a fresh one where none is, None where nothing is drawn.

    Raises:
        QueryError: The variety is not 0 to 1, or the seed is negative or too large.
    """
    if not 0 <= variety <= 1:
        raise QueryError(f"expected a variety from 0 to 1, found {variety:g}")
    if seed is not None and not 0 <= seed <= LARGEST_SEED:
        raise QueryError(f"expected a seed from 0 to {LARGEST_SEED}, found {seed}")
    if not variety:
        return None
    return secrets.randbelow(FRESH_SEEDS) if seed is None else seed


def drawn_order(closeness: Floats, variety: float, seed: int | None) -> list[int]:
    """All candidates in the order in which they are drawn.

    Args:
        closeness: (N,), the greater the likelier.
        variety: Above 0, up to 1.
        seed: What decides the draw.
    """
    spread = max(float(np.ptp(closeness)), 1e-12) if len(closeness) else 1.0
    stretched = (closeness.astype(np.float64) - closeness.min(initial=np.inf)) / spread
    noise = np.random.default_rng(seed).gumbel(size=len(closeness))
    order: list[int] = np.argsort(-(SHARPNESS / variety * stretched + noise), kind="stable").tolist()
    return order


def thinned(count: int, at_least: int, variety: float, seed: int | None) -> NDArray[np.intp]:
    """Which of some candidates stay, rising, where each is left out with the same chance; so many stay at least."""
    order = np.random.default_rng(seed).permutation(count)
    return np.sort(order[: max(at_least, round(count * (1 - THINNED * variety)))])
