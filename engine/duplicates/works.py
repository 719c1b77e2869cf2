"""Agreement of the music of two tracks in any key and tempo: Serra, Serra and Andrzejak 2009.

Their Qmax ("Cross recurrence quantification for cover song identification", New Journal of Physics 11, section 2): one
track is transposed to the other's key, moments of both are compared with some context, and the longest run of moments
that recur in the same order is the agreement. Deviations: a coarse chroma twice a second, and a share of the shorter
track instead of a length.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.indexer.features.fingerprint import PITCH_CLASSES, Outline

CONTEXT = 8  # half seconds of context of a moment
RECURRING = 0.1  # share of the other track's moments that count as recurrences
GAP_OPENS, GAP_GOES_ON = 5.0, 0.5  # cost of a gap in moments, the paper's values
SHORTEST = 36  # half seconds; shorter ones agree by chance

Chroma = NDArray[np.float32]


def agreement(a: Outline, b: Outline) -> float:
    """Return the share of the shorter track, 0 to 1, that recurs in the other; 0 below 18 s of sound."""
    import librosa

    first, second = (each.chroma[each.chroma.any(axis=1)].T for each in (a, b))  # (12, N), without silence
    if min(first.shape[1], second.shape[1]) < SHORTEST:
        return 0.0
    moved = np.roll(second, _transposition(first, second), axis=0)
    contexts = [librosa.feature.stack_memory(_normed(each), n_steps=CONTEXT, mode="edge") for each in (first, moved)]
    score, _ = librosa.sequence.rqa(sim=_recurrences(*contexts), gap_onset=GAP_OPENS, gap_extend=GAP_GOES_ON)
    return min(1.0, float(score.max()) / min(score.shape))


def _transposition(a: Chroma, b: Chroma) -> int:
    """Return the semitones by which b must rise to fit a best, over the whole of both."""
    means = a.sum(axis=1), b.sum(axis=1)
    return int(np.argmax([means[0] @ np.roll(means[1], shift) for shift in range(PITCH_CLASSES)]))


def _normed(chroma: Chroma) -> Chroma:
    normed: Chroma = chroma / np.linalg.norm(chroma, axis=0)
    return normed


def _recurrences(a: Chroma, b: Chroma) -> NDArray[np.float64]:
    """Return which moments of (D, N) and (D, M) are among each other's nearest: (N, M) of zeros and ones."""
    likeness = a.T @ b  # all of one norm: greater is nearer
    return (_nearest(likeness) & _nearest(likeness.T).T).astype(np.float64)


def _nearest(likeness: Chroma) -> NDArray[np.bool_]:
    count = max(1, round(RECURRING * likeness.shape[1]))
    chosen = np.argsort(-likeness, axis=1, kind="stable")[:, :count]
    near = np.zeros(likeness.shape, np.bool_)
    np.put_along_axis(near, chosen, True, axis=1)
    return near
