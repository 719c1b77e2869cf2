"""How well probabilities name what a clip is: scikit-learn's figures, for clips of one label or of several.

Some catalogues allow several labels for a clip (AllMusic's "Pop/Rock" is pop, rock or metal). Then the likeliest label
is right when it is among them, and precision, recall, F1 and the confusion matrix count the clip as the likeliest of
its allowed labels; for clips of one label that is the label. ROC AUC and average precision take each label by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import trapezoid
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    confusion_matrix,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)

from engine.errors import TrainingError
from engine.evaluation.figures import Figure, bootstrapped, share_of_successes

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Resampled = Callable[[Floats, Floats, Flags], Floats]  # weights (R, N), scores (N,), truth (N,) -> values (R,)
EPSILON = float(np.finfo(np.float64).eps)  # where scikit-learn clips probabilities, too
TOLERANCE = 1e-3  # of a row's sum


@dataclass(frozen=True, eq=False)
class Classification:
    """Answers beside the truth, and what they are worth.

    Attributes:
        names: Of the C labels.
        probabilities: (N, C), rows sum to 1.
        allowed: (N, C), at least one a row.
        truth: (N,), the allowed label that the answer finds likeliest.
        predicted: (N,), the likeliest label.
        confusion: (C, C), clips by truth (rows) and prediction (columns).
        figures: Accuracy, macro precision, recall and F1, ROC AUC, average precision where clips have several labels,
            log loss.
    """

    names: tuple[str, ...]
    probabilities: Floats
    allowed: Flags
    truth: NDArray[np.intp]
    predicted: NDArray[np.intp]
    confusion: NDArray[np.intp]
    figures: tuple[Figure, ...]


def classify(
    probabilities: NDArray[np.floating], labels: NDArray[np.bool_] | NDArray[np.integer], names: Sequence[str]
) -> Classification:
    """Compare probabilities (N, C) with labels: allowed ones, boolean (N, C), or one a clip, positions in `names` (N,).

    Raises:
        TrainingError: Nothing to compare, shapes that do not fit, a clip without a label, or no probabilities.
    """
    values = np.asarray(probabilities, np.float64)
    allowed = _as_allowed(np.asarray(labels), len(names))
    _check(values, allowed, names)
    predicted = values.argmax(axis=1)
    truth = np.where(allowed, values, -np.inf).argmax(axis=1)
    figures = (
        *_figures_of_answers(truth, predicted, len(names)),
        *_figures_of_scores(values, allowed),
        _log_loss(values, allowed),
    )
    confusion = confusion_matrix(truth, predicted, labels=range(len(names)))
    return Classification(tuple(names), values, allowed, truth, predicted, confusion, figures)


def among_known(
    probabilities: NDArray[np.floating], allowed: Flags, names: Sequence[str]
) -> tuple[Floats, Flags, tuple[str, ...]]:
    """Only the labels that some clip has, their probabilities renormalised: a data set of four genres asks for four."""
    known: Flags = np.asarray(allowed.any(axis=0))
    kept = np.asarray(probabilities, np.float64)[:, known].clip(np.finfo(np.float64).tiny)
    left = tuple(name for name, keep in zip(names, known, strict=True) if keep)
    return kept / kept.sum(axis=1, keepdims=True), allowed[:, known], left


def macro_scores(weights: Floats, truth: NDArray[np.intp], predicted: NDArray[np.intp], classes: int) -> Floats:
    """Macro precision, recall and F1 (R, 3) of resamples with these weights (R, N), over classes that occur in each."""
    cells = np.zeros((len(truth), classes * classes))
    cells[np.arange(len(truth)), truth * classes + predicted] = 1
    counts = (weights @ cells).reshape(-1, classes, classes)  # (R, truth, predicted)
    hits = counts.diagonal(axis1=1, axis2=2)  # (R, C)
    said, true = counts.sum(axis=1), counts.sum(axis=2)
    present = said + true > 0
    per_class = (hits / said.clip(1), hits / true.clip(1), 2 * hits / (said + true).clip(1))
    return np.stack([scores.sum(axis=1) / present.sum(axis=1) for scores in per_class], axis=1)


def resampled_auc(weights: Floats, scores: Floats, truth: Flags) -> Floats:
    """ROC AUC (R,) of one label's scores (N,) in resamples with these weights (R, N); NaN without both sides."""
    hits, misses = _curves(weights, scores, truth)
    area = trapezoid(np.pad(hits, ((0, 0), (1, 0))), np.pad(misses, ((0, 0), (1, 0))), axis=1)
    sides = hits[:, -1] * misses[:, -1]
    return np.where(sides > 0, area / sides.clip(1), np.nan)


def resampled_average_precision(weights: Floats, scores: Floats, truth: Flags) -> Floats:
    """Average precision (R,) of one label's scores (N,) in resamples with these weights (R, N); NaN without a hit."""
    hits, misses = _curves(weights, scores, truth)
    gains = np.diff(hits, axis=1, prepend=0)
    total = (gains * hits / (hits + misses).clip(1)).sum(axis=1)
    return np.where(hits[:, -1] > 0, total / hits[:, -1].clip(1), np.nan)


def _as_allowed(labels: NDArray, classes: int) -> Flags:
    if labels.ndim == 2:
        return labels.astype(bool)
    if len(labels) and not (labels.min() >= 0 and labels.max() < classes):
        raise TrainingError(f"expected labels from 0 to {classes - 1}, found {labels.min()} to {labels.max()}")
    return np.asarray(labels[:, None] == np.arange(classes))


def _check(probabilities: Floats, allowed: Flags, names: Sequence[str]) -> None:
    wanted = (len(allowed), len(names))
    if probabilities.shape != wanted or allowed.shape != wanted or not len(allowed):
        raise TrainingError(
            f"expected probabilities and labels of clips x {len(names)} names, "
            f"found {probabilities.shape} and {allowed.shape}"
        )
    if not allowed.any(axis=1).all():
        raise TrainingError(
            "expected a label for every clip that is scored, found clips without one", hint="leave them out"
        )
    if not np.abs(probabilities.sum(axis=1) - 1).max() < TOLERANCE:  # also NaN
        raise TrainingError("expected probabilities that sum to 1 for every clip, found others")


def _figures_of_answers(truth: NDArray[np.intp], predicted: NDArray[np.intp], classes: int) -> list[Figure]:
    right = int(accuracy_score(truth, predicted, normalize=False))
    scores = precision_recall_fscore_support(truth, predicted, average="macro", zero_division=0.0)
    figures = [share_of_successes("accuracy", right, len(truth))]
    for i, name in enumerate(("macro precision", "macro recall", "macro F1")):

        def resampled(weights: Floats, column: int = i) -> Floats:
            return macro_scores(weights, truth, predicted, classes)[:, column]

        figures.append(bootstrapped(name, float(scores[i]), len(truth), resampled))
    return figures


def _figures_of_scores(probabilities: Floats, allowed: Flags) -> list[Figure]:
    """ROC AUC, one label against the rest, over labels with both sides; average precision where clips have several."""
    figures = []
    both = np.flatnonzero(allowed.any(axis=0) & ~allowed.all(axis=0))
    if len(both):
        value = float(np.mean([roc_auc_score(allowed[:, c], probabilities[:, c]) for c in both]))
        figures.append(_over_labels("ROC AUC", value, probabilities[:, both], allowed[:, both], resampled_auc))
    if (allowed.sum(axis=1) > 1).any():
        seen = np.flatnonzero(allowed.any(axis=0))
        value = float(average_precision_score(allowed[:, seen], probabilities[:, seen], average="macro"))
        columns = probabilities[:, seen], allowed[:, seen]
        figures.append(_over_labels("average precision", value, *columns, resampled_average_precision))
    return figures


def _over_labels(name: str, value: float, probabilities: Floats, allowed: Flags, resampled: Resampled) -> Figure:
    def statistic(weights: Floats) -> Floats:
        by_label = [resampled(weights, probabilities[:, c], allowed[:, c]) for c in range(allowed.shape[1])]
        return _mean_of_defined(np.stack(by_label))

    return bootstrapped(name, value, len(allowed), statistic)


def _mean_of_defined(values: Floats) -> Floats:
    """(C, R) -> (R,), NaN left out."""
    defined = np.isfinite(values)
    count = defined.sum(axis=0)
    return np.where(count > 0, np.where(defined, values, 0).sum(axis=0) / count.clip(1), np.nan)


def _curves(weights: Floats, scores: Floats, truth: Flags) -> tuple[Floats, Floats]:
    """Weight of hits and of misses (R, thresholds) at or above each distinct score, from the highest down."""
    order = np.argsort(-scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=np.inf))
    ordered = weights[:, order]
    sides = (ordered * truth[order], ordered * ~truth[order])
    hits, misses = (np.add.reduceat(side, starts, axis=1).cumsum(axis=1) for side in sides)
    return hits, misses


def _log_loss(probabilities: Floats, allowed: Flags) -> Figure:
    """-log of the summed probability of the allowed labels, as training's `set_loss` has it."""
    inside = np.where(allowed, probabilities, 0).sum(axis=1).clip(EPSILON, 1 - EPSILON)
    value = float(log_loss(np.ones(len(inside)), inside, labels=[0, 1]))
    losses = -np.log(inside)
    return bootstrapped("log loss", value, len(losses), lambda weights: weights @ losses / len(losses))
