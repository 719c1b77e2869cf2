"""Agreement of the music of two tracks in any key and tempo: Serra, Serra and Andrzejak 2009.

Qmax ("Cross recurrence quantification for cover song identification", New Journal of Physics 11, section 2): transpose
b by the s that maximises sum_p A_p B_(p-s) mod 12, with A, B the summed chroma. Let R_ij = 1 if frames i of a and j of
b, stacked with their context, are among each other's nearest. The longest run that recurs in the same order is max Q,
with Q_ij = 1 + max(Q_i-1,j-1, Q_i-2,j-1, Q_i-1,j-2) if R_ij, else the largest of the three minus the cost of a gap, at
least 0. Differs: a coarse chroma twice a second, and a share of the shorter track instead of a length.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.indexer.features.fingerprint import PITCH_CLASSES, Outline

CONTEXT = 8  # stacked frames of half a second
RECURRING = 0.1  # share of the other track's frames that count as nearest
GAP_ONSET, GAP_EXTENSION = 5.0, 0.5  # cost of a gap in frames, as in the paper
SHORTEST = 36  # frames; shorter tracks agree by chance

Chroma = NDArray[np.float32]


def agreement(a: Outline, b: Outline) -> float:
    """Return the share of the shorter track, 0 to 1, that recurs in the other; 0 below 18 s of sound."""
    import librosa

    first, second = (each.chroma[each.chroma.any(axis=1)].T for each in (a, b))  # (12, N), without silence
    if min(first.shape[1], second.shape[1]) < SHORTEST:
        return 0.0
    moved = np.roll(second, _transposition(first, second), axis=0)
    contexts = [librosa.feature.stack_memory(_normed(each), n_steps=CONTEXT, mode="edge") for each in (first, moved)]
    score, _ = librosa.sequence.rqa(sim=_recurrences(*contexts), gap_onset=GAP_ONSET, gap_extend=GAP_EXTENSION)
    return min(1.0, float(score.max()) / min(score.shape))


def _transposition(a: Chroma, b: Chroma) -> int:
    """Return the transposition of b, in semitones up, with the largest correlation of summed chroma to a's."""
    means = a.sum(axis=1), b.sum(axis=1)
    return int(np.argmax([means[0] @ np.roll(means[1], shift) for shift in range(PITCH_CLASSES)]))


def _normed(chroma: Chroma) -> Chroma:
    normed: Chroma = chroma / np.linalg.norm(chroma, axis=0)
    return normed


def _recurrences(a: Chroma, b: Chroma) -> NDArray[np.float64]:
    """Return R (N, M): 1 for frames of (D, N) and (D, M) that are among each other's nearest, else 0."""
    likeness = a.T @ b  # equal norms: larger is nearer
    return (_nearest(likeness) & _nearest(likeness.T).T).astype(np.float64)


def _nearest(likeness: Chroma) -> NDArray[np.bool_]:
    count = max(1, round(RECURRING * likeness.shape[1]))
    chosen = np.argsort(-likeness, axis=1, kind="stable")[:, :count]
    near = np.zeros(likeness.shape, np.bool_)
    np.put_along_axis(near, chosen, True, axis=1)
    return near
