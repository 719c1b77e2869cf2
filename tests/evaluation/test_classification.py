"""Figures of probabilities: values and resamples are those of scikit-learn, on the very clips drawn."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics

from engine.errors import TrainingError
from engine.evaluation.classification import (
    evaluate_classification,
    macro_scores,
    resampled_auc,
    resampled_average_precision,
    restrict_to_known,
)
from engine.evaluation.figures import Figure

NAMES = ("a", "b", "c", "d")
CLIPS = 90


def probabilities(seed: int, clips: int = CLIPS) -> NDArray[np.float64]:
    """Random probabilities in steps of a twentieth, so that there are ties: (clips, 4)."""
    counts = np.random.default_rng(seed).multinomial(20, [0.4, 0.3, 0.2, 0.1], size=clips)
    return counts / 20


def by_name(figures: tuple[Figure, ...]) -> dict[str, float]:
    """Values by name."""
    return {figure.name: figure.value for figure in figures}


def test_values_are_scikit_learns() -> None:
    """For clips of one label every metric is scikit-learn's."""
    said, truth = probabilities(0), np.random.default_rng(1).integers(0, 4, CLIPS)
    found = evaluate_classification(said, truth, NAMES)
    answers = said.argmax(axis=1)
    scores = metrics.precision_recall_fscore_support(truth, answers, average="macro", zero_division=0)
    assert by_name(found.figures) == pytest.approx(
        {
            "accuracy": metrics.accuracy_score(truth, answers),
            "macro precision": scores[0],
            "macro recall": scores[1],
            "macro F1": scores[2],
            "ROC AUC": metrics.roc_auc_score(truth, said, multi_class="ovr", average="macro"),
            "log loss": metrics.log_loss(truth, said, labels=range(4)),
        }
    )
    assert np.array_equal(found.confusion, metrics.confusion_matrix(truth, answers, labels=range(4)))


def test_one_label_is_one_allowed_label() -> None:
    """Labels as numbers and as boolean rows are the same thing."""
    truth = np.random.default_rng(1).integers(0, 4, CLIPS)
    numbers, flags = (
        evaluate_classification(probabilities(0), labels, NAMES) for labels in (truth, np.eye(4, dtype=bool)[truth])
    )
    assert numbers.figures == flags.figures


def test_any_of_several_labels_is_right() -> None:
    """A clip of several labels is right with any of them, and is counted as the likeliest one."""
    said = np.array([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0.2, 0.5, 0.3]])
    allowed = np.array([[True, True, False], [True, True, False], [False, True, True]])
    found = evaluate_classification(said, allowed, "xyz")
    assert found.truth.tolist() == [0, 1, 1]
    assert found.predicted.tolist() == [0, 2, 1]
    assert found.confusion.tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 0]]
    values = by_name(found.figures)
    assert values["accuracy"] == pytest.approx(2 / 3)
    assert values["log loss"] == pytest.approx(-np.log([0.9, 0.3, 0.8]).mean())
    assert values["average precision"] == pytest.approx(metrics.average_precision_score(allowed, said))


@pytest.mark.parametrize("seed", range(5))
def test_resamples_are_scikit_learns(seed: int) -> None:
    """A statistic of weights is scikit-learn's metric of the clips, each repeated by its weight."""
    random = np.random.default_rng(seed)
    said, truth = probabilities(seed), random.integers(0, 4, CLIPS)
    answers = said.argmax(axis=1)
    weights = random.multinomial(CLIPS, np.full(CLIPS, 1 / CLIPS), size=3).astype(float)
    for row, drawn in enumerate(np.repeat(np.arange(CLIPS), w.astype(int)) for w in weights):
        expected = metrics.precision_recall_fscore_support(
            truth[drawn], answers[drawn], average="macro", zero_division=0
        )[:3]
        np.testing.assert_allclose(macro_scores(weights, truth, answers, 4)[row], expected)
        for label in range(4):
            side, scores = truth == label, said[:, label]
            auc, precision = (
                statistic(weights, scores, side)[row] for statistic in (resampled_auc, resampled_average_precision)
            )
            assert auc == pytest.approx(metrics.roc_auc_score(side[drawn], scores[drawn]))
            assert precision == pytest.approx(metrics.average_precision_score(side[drawn], scores[drawn]))


def test_intervals_hold_the_values() -> None:
    """On many clips every value lies within its interval, and the interval within the figure's range."""
    said, truth = probabilities(0, 400), np.random.default_rng(1).integers(0, 4, 400)
    for figure in evaluate_classification(said, truth, NAMES).figures:
        assert 0 <= figure.low < figure.value < figure.high
        assert figure.high < (4 if figure.name == "log loss" else 1)
        assert figure.clips == 400


def test_labels_without_both_sides_have_no_curve() -> None:
    """ROC AUC is the mean over labels that some clips have and some have not; with none there is no AUC."""
    said, truth = probabilities(0), np.random.default_rng(1).integers(0, 3, CLIPS)
    expected = np.mean([metrics.roc_auc_score(truth == label, said[:, label]) for label in range(3)])
    assert by_name(evaluate_classification(said, truth, NAMES).figures)["ROC AUC"] == pytest.approx(expected)
    assert "ROC AUC" not in by_name(evaluate_classification(said, np.zeros(CLIPS, int), NAMES).figures)


def test_one_clip_is_measured() -> None:
    """A single clip has an accuracy with a wide interval, and nothing fails."""
    accuracy = evaluate_classification(probabilities(0, 1), np.array([0]), NAMES).figures[0]
    assert (accuracy.value, accuracy.clips) == (1.0, 1)
    assert accuracy.low < 0.3


def test_only_known_labels_are_asked_for() -> None:
    """Labels that no clip has are dropped, and the others sum to 1 in the same proportions, even from zero."""
    said = np.array([[0.5, 0.3, 0.2], [0.0, 1.0, 0.0]])
    kept, allowed, names = restrict_to_known(said, np.array([[True, False, False], [False, False, True]]), "xyz")
    np.testing.assert_allclose(kept, [[5 / 7, 2 / 7], [0.5, 0.5]])
    assert allowed.tolist() == [[True, False], [False, True]]
    assert names == ("x", "z")


@pytest.mark.parametrize(
    ("said", "labels", "message"),
    [
        (np.zeros((0, 4)), np.zeros(0, int), "clips x 4 names"),
        (probabilities(0, 3), np.array([0, 1]), "clips x 4 names"),
        (probabilities(0, 3)[:, :3], np.array([0, 1, 2]), "clips x 4 names"),
        (probabilities(0, 2), np.array([0, 4]), "labels from 0 to 3"),
        (probabilities(0, 2), np.array([0, -1]), "labels from 0 to 3"),
        (probabilities(0, 2), np.zeros((2, 4), bool), "clips without one"),
        (probabilities(0, 2) * 2, np.array([0, 1]), "sum to 1"),
        (probabilities(0, 2) * np.nan, np.array([0, 1]), "sum to 1"),
    ],
)
def test_incomparable_input_is_refused(said: NDArray, labels: NDArray, message: str) -> None:
    """No clips, other shapes, labels out of range or missing, and numbers that are no probabilities get one line."""
    with pytest.raises(TrainingError, match=message):
        evaluate_classification(said, labels, NAMES)
