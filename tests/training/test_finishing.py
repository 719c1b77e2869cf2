"""After the last step: heads against scikit-learn, figures and intervals against values worked out by hand."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from engine.errors import TrainingError
from engine.models.attention_cnn import AttentionCNN
from engine.training.clips import Clip, ClipSamples
from engine.training.finish import _fit, finish, summarise_clips
from engine.training.report import Figure, _figure, _precision, evaluate, write_report
from tests.training.conftest import SmallEncoder


def test_heads_are_regularised_logistic_regression() -> None:
    """A refitted head finds the probabilities that scikit-learn's logistic regression finds with the same penalty."""
    random = np.random.default_rng(0)
    x, y = random.standard_normal((60, 5)).astype(np.float32), random.integers(0, 3, 60)
    x[:, 0] += y
    head, penalty = nn.Linear(5, 3), 0.1
    tensor = torch.from_numpy(x)
    _fit(AttentionCNN(), head, tensor, nn.functional.one_hot(torch.from_numpy(y), 3).bool(), penalty)
    strength = 1 / (len(x) * penalty * tensor.std().item() ** 2)  # scikit-learn sums losses where we average
    expected = LogisticRegression(C=strength, tol=1e-8, max_iter=1000).fit(x, y).predict_proba(x)
    np.testing.assert_allclose(head(tensor).softmax(dim=1).detach().numpy(), expected, atol=2e-3)


def test_finishing_leaves_the_network_alone(samples: ClipSamples, small_encoder: SmallEncoder) -> None:
    """Only heads and centroids change: signatures stay what training made them."""
    encoder = small_encoder().eval()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    raw = summarise_clips(encoder, samples)
    penalties = finish(encoder, samples)
    changed = {name for name, value in encoder.state_dict().items() if not torch.equal(value, before[name])}
    assert {name.split(".")[0] for name in changed} == {"genre_head", "mood_head", "centroids"}
    assert torch.equal(summarise_clips(encoder, samples), raw)
    assert set(penalties) == {"genre_penalty", "mood_penalty"}


def test_centroids_are_means_of_unit_signatures(samples: ClipSamples, small_encoder: SmallEncoder) -> None:
    """A genre's centroid is the normalised mean of its clips' signatures; a clip of two genres counts half for each."""
    encoder = small_encoder().eval()
    finish(encoder, samples)
    unit = nn.functional.normalize(summarise_clips(encoder, samples), dim=1)  # of a to d
    # a: jazz, b: metal, c: jazz and blues, d: metal
    jazz = nn.functional.normalize(unit[0] + unit[2] / 2, dim=0)
    metal = nn.functional.normalize(unit[1] + unit[3], dim=0)
    torch.testing.assert_close(encoder.centroids[[5, 6]], torch.stack([jazz, metal]), atol=1e-5, rtol=0)


def test_precision_counts_other_artists_only() -> None:
    """Of the five nearest clips of other artists, the share with a common label; a clip without others is left out."""
    signatures = nn.functional.normalize(torch.tensor([[1, 0.0], [1, 0.1], [1, 0.2], [0.1, 1]]), dim=1)
    allowed = torch.tensor([[True, False], [True, False], [False, True], [True, True]])
    found = _precision(signatures, allowed, np.array(["ada", "ada", "ben", "cleo"]))
    assert found.tolist() == pytest.approx([0.5, 0.5, 1 / 3, 1.0])
    assert _precision(signatures, allowed, np.array(["ada"] * 4)).tolist() == []


def test_precision_looks_at_five() -> None:
    """With more than five other clips, the sixth nearest does not count."""
    angles = torch.linspace(0, 1, 8)
    signatures = torch.stack([angles.cos(), angles.sin()], dim=1)
    allowed = torch.eye(2).bool()[[0, 0, 0, 0, 0, 1, 1, 1]]
    artists = np.array([str(i) for i in range(8)])
    assert _precision(signatures, allowed, artists)[0].item() == pytest.approx(4 / 5)


def test_intervals_are_wilsons() -> None:
    """Eight of ten: 0.8, from 0.490 to 0.943, as Wilson's formula gives it."""
    figure = _figure("accuracy", torch.tensor([1.0] * 8 + [0.0] * 2))
    assert (figure.value, figure.clips) == (pytest.approx(0.8), 10)
    z, n, p = 1.959964, 10, 0.8
    centre, half = (p + z**2 / (2 * n)), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert (figure.low, figure.high) == pytest.approx(
        ((centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n))
    )


def test_data_sets_are_measured_apart(table: Path, small_encoder: SmallEncoder, tmp_path: Path) -> None:
    """Every data set has its own figures, over its own labelled clips."""
    labels = [("one", "jazz", "happy"), ("one", "metal", None), ("two", "jazz", None)]
    clips = [
        Clip(table.parent / f"{letter}.wav", "valid", letter, dataset, frozenset({genre}), mood)
        for letter, (dataset, genre, mood) in zip("abc", labels, strict=True)
    ]
    figures = evaluate(small_encoder().eval(), ClipSamples(clips, tmp_path))
    assert {figure.name: figure.clips for figure in figures} == {
        "one genre accuracy": 2, "one genre precision at 5": 2, "one mood accuracy": 1, "two genre accuracy": 1,
    }  # fmt: skip


def test_a_report_that_cannot_be_written_says_where_the_weights_are(tmp_path: Path) -> None:
    """The weights are there by then: the error names them."""
    out = tmp_path / "new.safetensors"
    (tmp_path / "new.report.md").mkdir()
    with pytest.raises(TrainingError, match=r"weights are in .*new\.safetensors"):
        write_report(out, "a@1", {"steps": 2}, [Figure("accuracy", 0.5, 2, 0.1, 0.9)], [])
