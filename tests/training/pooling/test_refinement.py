"""Pooling refined on whole tracks: parts of unheard tracks come near, weights stay, words are carried over."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F

from engine.datasets.label_tensors import LabelTensors
from engine.models.encoder import Encoder
from engine.training.pooling.refinement import Refinement, carry_head, refine
from engine.training.pooling.train_pooling import append_map
from tests.training.pooling.test_train_pooling import DIM, agreement, encoder, vectors

__all__ = ["encoder"]  # a fixture


@pytest.fixture
def labels() -> LabelTensors:
    """Genres and moods of forty clips, by turns."""
    genres = F.one_hot(torch.arange(40) % 4, 15).bool()
    return LabelTensors(genres, F.one_hot(torch.arange(40) % 4, 4).bool(), genres.float())


def test_parts_of_unheard_tracks_come_near(encoder: Encoder, labels: LabelTensors) -> None:
    """What changes within a track counts less afterwards, also on tracks that nothing was computed from."""
    encoder.add_metric()
    unheard = vectors(60, 16, 3)
    before = agreement(encoder, unheard)
    refine(encoder, vectors(60, 16, 1), list(vectors(40, 8, 2)), labels, Refinement(separation=1.0, shrinkage=0.05))
    assert agreement(encoder, unheard) > before + 0.2


def test_labels_come_apart(encoder: Encoder, labels: LabelTensors) -> None:
    """A direction in which labels differ counts more; unlabelled clips change nothing."""
    encoder.add_metric()
    clips = vectors(40, 8, 2, shared=0.1)
    clips[..., 0] += 5.0 * (torch.arange(40) % 4)[:, None]
    refine(encoder, vectors(60, 16, 1), list(clips), labels, Refinement(separation=0.0, labels=3.0))
    assert encoder.metric is not None
    lengths = encoder.metric.weight.norm(dim=0)
    assert lengths[0] > 1.8
    assert lengths[1:].max() < 1.3
    none = LabelTensors(labels.genres & False, labels.moods & False, labels.relation)
    kept = encoder.metric.weight.clone()
    refine(encoder, vectors(60, 16, 1), list(clips), none, Refinement(separation=0.0))
    assert torch.isfinite(encoder.metric.weight).all()
    torch.testing.assert_close(encoder.metric.weight, kept)


def test_weights_stay(encoder: Encoder) -> None:
    """A map that follows moves the vectors and leaves the attention's scores."""
    encoder.add_metric()
    tracks = vectors(5, 10, 4)
    with torch.no_grad():
        before = encoder.score(encoder.mapped(tracks))
        directions = torch.linalg.qr(torch.randn(DIM, DIM)).Q
        append_map(encoder, directions, torch.linspace(0.5, 2, DIM))
        torch.testing.assert_close(encoder.score(encoder.mapped(tracks)), before, atol=1e-4, rtol=1e-4)


def test_a_head_is_carried(encoder: Encoder, labels: LabelTensors) -> None:
    """A head says of a segment what it said before the map was refined and centred."""
    metric = encoder.add_metric()
    encoder.add_words(("soft", "loud"))
    tracks = vectors(5, 10, 4)
    with torch.no_grad():
        said = encoder.word_probabilities(encoder.mapped(tracks[0]))
        before = deepcopy(metric)
        refine(encoder, vectors(60, 16, 1), list(vectors(40, 8, 2)), labels, Refinement())
        encoder.centre(torch.randn(DIM))
        carry_head(encoder.word_head, before, metric)
        torch.testing.assert_close(encoder.word_probabilities(encoder.mapped(tracks[0])), said, atol=1e-4, rtol=1e-4)
