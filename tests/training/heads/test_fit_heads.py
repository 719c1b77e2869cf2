"""Heads against scikit-learn, centroids and centring against values worked out by hand."""

from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from engine.datasets.clip_embeddings import encode_clips
from engine.datasets.clips import ClipSamples
from engine.datasets.loading import read_dataset
from engine.models.attention_cnn import AttentionCNN
from engine.training.heads.fit_heads import _Examples, _fit, fit_heads
from tests.training.conftest import SmallEncoder


def test_heads_are_regularised_logistic_regression() -> None:
    """A refitted head finds the probabilities that scikit-learn's logistic regression finds with the same penalty."""
    random = np.random.default_rng(0)
    x, y = random.standard_normal((60, 5)).astype(np.float32), random.integers(0, 3, 60)
    x[:, 0] += y
    head, penalty = nn.Linear(5, 3), 0.1
    tensor = torch.from_numpy(x)
    allowed = nn.functional.one_hot(torch.from_numpy(y), 3).bool()
    _fit(AttentionCNN(), head, _Examples(tensor, allowed, torch.ones_like(allowed)), penalty)
    strength = 1 / (len(x) * penalty * tensor.std().item() ** 2)  # scikit-learn sums losses where we average
    expected = LogisticRegression(C=strength, tol=1e-8, max_iter=1000).fit(x, y).predict_proba(x)
    np.testing.assert_allclose(head(tensor).softmax(dim=1).detach().numpy(), expected, atol=2e-3)


def test_fitting_leaves_the_trunk_alone(samples: ClipSamples, small_encoder: SmallEncoder) -> None:
    """Only heads, centroids and the origin of the signatures, with the attention's to follow it, change."""
    encoder = small_encoder().eval()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    penalties = fit_heads(encoder, samples)
    changed = {name for name, value in encoder.state_dict().items() if not torch.equal(value, before[name])}
    heads = {name for name in changed if name.split("_")[-1].split(".")[0] == "head"}
    assert changed - heads == {"centroids", "cnn.standardise.running_mean", "attention.query.bias"}
    assert set(penalties) == {"genre_penalty", "mood_penalty"}


def test_signatures_are_centred(table: Path, tmp_path: Path, small_encoder: SmallEncoder) -> None:
    """Fitted on many clips, their signatures are centred at zero."""
    clip = next(clip for clip in read_dataset(table).clips if clip.split == "train")
    samples = ClipSamples([clip] * 180, tmp_path)
    encoder = small_encoder().eval()
    before = encode_clips(encoder, samples)[0]
    fit_heads(encoder, samples)
    after = encode_clips(encoder, samples)[0]
    torch.testing.assert_close(after, before * 0.1, atol=2e-2, rtol=0)  # 20 of 200 clips count as zero


def test_centroids_are_means_of_unit_signatures(samples: ClipSamples, small_encoder: SmallEncoder) -> None:
    """A genre's centroid is the normalised mean of its clips' signatures; a clip of two genres counts half for each."""
    encoder = small_encoder().eval()
    fit_heads(encoder, samples)
    unit = nn.functional.normalize(encode_clips(encoder, samples), dim=1)  # of a to d
    # a: jazz, b: metal, c: jazz and blues, d: metal
    jazz = nn.functional.normalize(unit[0] + unit[2] / 2, dim=0)
    metal = nn.functional.normalize(unit[1] + unit[3], dim=0)
    torch.testing.assert_close(encoder.centroids[[5, 6]], torch.stack([jazz, metal]), atol=1e-5, rtol=0)
