"""Classification metrics of scikit-learn with intervals, for clips with one allowed label or several.

Some catalogues allow several labels per clip (AllMusic's "Pop/Rock" is pop, rock or metal). A prediction is correct if
it is one of them, and precision, recall, F1 and the confusion matrix count the clip under the most probable of its
allowed labels. ROC AUC and average precision treat each label separately.
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
EPSILON = float(np.finfo(np.float64).eps)  # where scikit-learn also clips probabilities
SUM_TOLERANCE = 1e-3  # of a row of probabilities


@dataclass(frozen=True, eq=False)
class ClassificationResult:
    """Predictions, labels, and metrics of N clips and C labels.

    Attributes:
        names: Names of the labels.
        probabilities: (N, C), rows sum to 1.
        allowed: Allowed labels, boolean, (N, C), at least one per row.
        truth: The most probable of each clip's allowed labels, (N,).
        predicted: The most probable label, (N,).
        confusion: Number of clips by truth (rows) and prediction (columns), (C, C).
        figures: Accuracy, macro precision, recall and F1, ROC AUC, average precision (only if clips have several
            labels), log loss.
    """

    names: tuple[str, ...]
    probabilities: Floats
    allowed: Flags
    truth: NDArray[np.intp]
    predicted: NDArray[np.intp]
    confusion: NDArray[np.intp]
    figures: tuple[Figure, ...]


def evaluate_classification(
    probabilities: NDArray[np.floating], labels: NDArray[np.bool_] | NDArray[np.integer], names: Sequence[str]
) -> ClassificationResult:
    """Compare probabilities (N, C) with labels.

    Args:
        probabilities: (N, C), rows sum to 1.
        labels: Allowed labels, boolean, (N, C); or one label per clip, positions in `names`, (N,).
        names: C names.

    Raises:
        TrainingError: There are no clips, shapes differ, a clip has no label, or rows do not sum to 1.
    """
    values = np.asarray(probabilities, np.float64)
    allowed = _as_allowed(np.asarray(labels), len(names))
    _check(values, allowed, names)
    predicted = values.argmax(axis=1)
    truth = np.where(allowed, values, -np.inf).argmax(axis=1)
    figures = (
        *_prediction_figures(truth, predicted, len(names)),
        *_ranking_figures(values, allowed),
        _log_loss(values, allowed),
    )
    confusion = confusion_matrix(truth, predicted, labels=range(len(names)))
    return ClassificationResult(tuple(names), values, allowed, truth, predicted, confusion, figures)


def restrict_to_known(
    probabilities: NDArray[np.floating], allowed: Flags, names: Sequence[str]
) -> tuple[Floats, Flags, tuple[str, ...]]:
    """Restrict probabilities (N, C), allowed labels (N, C) and names to labels that occur, and renormalise.

    A data set of four genres does not show whether a clip belongs to a fifth.
    """
    known: Flags = np.asarray(allowed.any(axis=0))
    restricted = np.asarray(probabilities, np.float64)[:, known].clip(np.finfo(np.float64).tiny)
    left = tuple(name for name, occurs in zip(names, known, strict=True) if occurs)
    return restricted / restricted.sum(axis=1, keepdims=True), allowed[:, known], left


def macro_scores(weights: Floats, truth: NDArray[np.intp], predicted: NDArray[np.intp], classes: int) -> Floats:
    """Compute macro precision, recall and F1 (R, 3) in resamples with weights (R, N), over the classes in each."""
    cells = np.zeros((len(truth), classes * classes))
    cells[np.arange(len(truth)), truth * classes + predicted] = 1
    counts = (weights @ cells).reshape(-1, classes, classes)  # (R, truth, predicted)
    hits = counts.diagonal(axis1=1, axis2=2)  # (R, C)
    predicted_counts, true_counts = counts.sum(axis=1), counts.sum(axis=2)
    present = predicted_counts + true_counts > 0
    precision, recall = hits / predicted_counts.clip(1), hits / true_counts.clip(1)
    f1 = 2 * hits / (predicted_counts + true_counts).clip(1)
    return np.stack([scores.sum(axis=1) / present.sum(axis=1) for scores in (precision, recall, f1)], axis=1)


def resampled_auc(weights: Floats, scores: Floats, truth: Flags) -> Floats:
    """Compute ROC AUC (R,) of a label's scores (N,) in resamples with weights (R, N); NaN unless both classes occur."""
    hits, misses = _curves(weights, scores, truth)
    area = trapezoid(np.pad(hits, ((0, 0), (1, 0))), np.pad(misses, ((0, 0), (1, 0))), axis=1)
    pairs = hits[:, -1] * misses[:, -1]
    return np.where(pairs > 0, area / pairs.clip(1), np.nan)


def resampled_average_precision(weights: Floats, scores: Floats, truth: Flags) -> Floats:
    """Compute average precision (R,) of a label's scores (N,) in resamples with weights (R, N); NaN if none is true."""
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
    expected = (len(allowed), len(names))
    if probabilities.shape != expected or allowed.shape != expected or not len(allowed):
        raise TrainingError(
            f"expected probabilities and labels of clips x {len(names)} names, "
            f"found {probabilities.shape} and {allowed.shape}"
        )
    if not allowed.any(axis=1).all():
        raise TrainingError(
            "expected a label for every clip that is scored, found clips without one", hint="leave them out"
        )
    if not np.abs(probabilities.sum(axis=1) - 1).max() < SUM_TOLERANCE:  # also NaN
        raise TrainingError("expected probabilities that sum to 1 for every clip, found others")


def _prediction_figures(truth: NDArray[np.intp], predicted: NDArray[np.intp], classes: int) -> list[Figure]:
    right = int(accuracy_score(truth, predicted, normalize=False))
    scores = precision_recall_fscore_support(truth, predicted, average="macro", zero_division=0.0)
    figures = [share_of_successes("accuracy", right, len(truth))]
    for i, name in enumerate(("macro precision", "macro recall", "macro F1")):

        def resampled(weights: Floats, column: int = i) -> Floats:
            return macro_scores(weights, truth, predicted, classes)[:, column]

        figures.append(bootstrapped(name, float(scores[i]), len(truth), resampled))
    return figures


def _ranking_figures(probabilities: Floats, allowed: Flags) -> list[Figure]:
    """Macro ROC AUC over labels with positives and negatives; average precision if clips have several labels."""
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
    """(C, R) -> (R,), ignoring NaN; NaN where no label is defined."""
    defined = np.isfinite(values)
    count = defined.sum(axis=0)
    return np.where(count > 0, np.where(defined, values, 0).sum(axis=0) / count.clip(1), np.nan)


def _curves(weights: Floats, scores: Floats, truth: Flags) -> tuple[Floats, Floats]:
    """Return cumulative weights of positives and negatives, each (R, thresholds), by falling distinct score."""
    order = np.argsort(-scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=np.inf))
    ordered = weights[:, order]
    classes = (ordered * truth[order], ordered * ~truth[order])
    hits, misses = (np.add.reduceat(each, starts, axis=1).cumsum(axis=1) for each in classes)
    return hits, misses


def _log_loss(probabilities: Floats, allowed: Flags) -> Figure:
    """Mean -log of the summed probability of the allowed labels, as in `engine.models.losses.set_loss`."""
    inside = np.where(allowed, probabilities, 0).sum(axis=1).clip(EPSILON, 1 - EPSILON)
    value = float(log_loss(np.ones(len(inside)), inside, labels=[0, 1]))
    losses = -np.log(inside)
    return bootstrapped("log loss", value, len(losses), lambda weights: weights @ losses / len(losses))
