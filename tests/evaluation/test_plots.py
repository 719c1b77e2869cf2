"""Pictures (`plots`, `training_curves`) contain the right colours and accept any name."""

import warnings
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.image import imread

from engine.evaluation.classification import ClassificationResult, evaluate_classification
from engine.evaluation.maps import Map
from engine.evaluation.plots import draw_confusion, draw_maps, draw_roc
from engine.evaluation.training_curves import TrainingStep, draw_training
from engine.util.plotting import COLOURS, DOTS_PER_INCH, PALE

TITLE = "A$AP $x^ 音楽 | _set_"  # dollars, a script that the font lacks, marks


def colours(path: Path) -> dict[str, int]:
    """How many pixels of a picture have each colour; it must have the resolution that pictures have."""
    pixels = np.round(imread(path)[..., :3] * 255).astype(int).reshape(-1, 3)
    assert b"pHYs" in path.read_bytes()[:200]
    assert len(pixels) > (2 * DOTS_PER_INCH) ** 2
    codes, counts = np.unique(pixels @ [1 << 16, 1 << 8, 1], return_counts=True)
    return {f"#{code:06x}": count for code, count in zip(codes.tolist(), counts.tolist(), strict=True)}


def answers(classes: int, clips: int = 60, right: float = 0.5) -> ClassificationResult:
    """Answers that know something; clip i is of class i modulo `classes`."""
    truth = np.arange(clips) % classes
    said = np.random.default_rng(0).dirichlet(np.ones(classes), clips) + right * np.eye(classes)[truth]
    return evaluate_classification(
        said / said.sum(axis=1, keepdims=True), truth, [f"_label {i}$" for i in range(classes)]
    )


@pytest.mark.parametrize("classes", [2, 15])
def test_confusion(tmp_path: Path, classes: int) -> None:
    """If all predictions are right, the diagonal has the colour of a whole row and no other cell has any."""
    draw_confusion(tmp_path / "x.png", TITLE, answers(classes, right=100))
    found = colours(tmp_path / "x.png")
    whole, nothing = "#08306b", "#f7fbff"  # the ends of the scale
    assert found[whole] * (classes - 1) == pytest.approx(found[nothing], rel=0.35)


def test_roc(tmp_path: Path) -> None:
    """Every label has a curve of its own colour, as far as there are colours."""
    draw_roc(tmp_path / "x.png", TITLE, answers(4, right=0))
    found = colours(tmp_path / "x.png")
    assert all(found.get(colour, 0) > 150 for colour in COLOURS[:4])
    assert all(found.get(colour, 0) < 50 for colour in COLOURS[5:])


def test_training(tmp_path: Path) -> None:
    """Each loss has its line; losses below zero are drawn, too."""
    history = [TrainingStep(i, {"a": 1 / i, "b": 0.5} if i > 20 else {"a": 1 / i}, 1e-3 / i) for i in range(1, 100)]
    draw_training(tmp_path / "x.png", TITLE, history)
    found = colours(tmp_path / "x.png")
    assert all(found[colour] > 300 for colour in COLOURS[:2])
    draw_training(tmp_path / "y.png", TITLE, [*history, TrainingStep(100, {"a": -1.0}, 0.0)])
    assert colours(tmp_path / "y.png")[COLOURS[0]] > 300


def test_maps(tmp_path: Path) -> None:
    """Labels have their colours in the order of the names, clips of several labels are pale."""
    points = np.random.default_rng(0).standard_normal((40, 2))
    labels = [None if i < 10 else "b" for i in range(40)]
    planes = [Map(points, ("x", "y"), title) for title in ("before", "after")]
    draw_maps(tmp_path / "x.png", TITLE, planes, labels, ["a", "b"])
    found = colours(tmp_path / "x.png")
    assert found[PALE.lower()] > 200
    assert found.get(COLOURS[0], 0) == 0
    draw_maps(tmp_path / "y.png", TITLE, planes[:1], ["a"] * 40, ["a", "b"])
    assert colours(tmp_path / "y.png").get(PALE.lower(), 0) < 50  # letters have a few such pixels
    assert imread(tmp_path / "y.png").shape[1] < 0.7 * imread(tmp_path / "x.png").shape[1]


def test_drawing_leaves_no_traces(tmp_path: Path) -> None:
    """Settings and backend of a host program's matplotlib stay as they were, and nothing is warned of."""
    before = dict(matplotlib.rcParams)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw_roc(tmp_path / "x.png", TITLE, answers(3))
    assert dict(matplotlib.rcParams) == before
