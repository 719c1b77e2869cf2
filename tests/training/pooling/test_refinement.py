"""Pooling refined on whole tracks: parts of unheard tracks come near, weights stay, words are carried over."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F

from engine.datasets.label_tensors import LabelTensors
from engine.models.checkpoint import build
from engine.models.encoder import Encoder
from engine.models.layers.scoring import LinearScore
from engine.training.pooling.losses import pool_segments
from engine.training.pooling.refinement import Refinement, carry_head, centre_between, refine, sharpen
from engine.training.pooling.schedule import PoolingSchedule
from engine.training.pooling.segment_bank import SegmentBank
from engine.training.pooling.train_pooling import append_map, train_attention
from tests.training.pooling.test_train_pooling import DIM, agreement, bank, encoder, vectors

__all__ = ["bank", "encoder"]  # fixtures


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


@pytest.fixture
def linear_encoder() -> Encoder:
    """A small encoder that scores each segment by itself, without a map."""
    return build("attention_cnn", {"widths": [8], "dim": DIM, "score": "linear"})


def test_a_guide_says_which_directions_count(linear_encoder: Encoder, labels: LabelTensors) -> None:
    """A direction that predicts another encoder's signatures counts more, others count less."""
    music, clips = vectors(60, 16, 1), vectors(40, 8, 2)
    guide = torch.cat([clips.mean(dim=1), music.mean(dim=1)])[:, :4]
    settings = Refinement(separation=0.0, labels=0.0, guidance=0.9)
    refine(linear_encoder, music, list(clips), labels, settings, guide)
    assert linear_encoder.metric is not None
    lengths = linear_encoder.metric.weight.norm(dim=0)
    assert lengths[:4].min() > 2 * lengths[4:].max()


def test_attention_alone_learns_to_ignore_interruptions(linear_encoder: Encoder, bank: SegmentBank) -> None:
    """The attention loses interest in what is no music; the map and the vectors stay as they are."""
    metric = linear_encoder.add_metric()
    interrupted = torch.cat([bank.music[:20, :7], bank.interruptions[:20, None].expand(-1, 3, -1)], dim=1)
    train_attention(
        linear_encoder, bank, PoolingSchedule(steps=80, runs=1, learning_rate=1e-2, geometry=0.0, interrupted=1.0)
    )
    with torch.no_grad():
        weights = linear_encoder.score(interrupted).softmax(dim=1)
    assert weights[:, 7:].mean() < 0.05
    assert torch.equal(metric.weight, torch.eye(DIM))


def test_sharper_weights_are_powers(linear_encoder: Encoder, encoder: Encoder) -> None:
    """Twice the sharpness squares the weights, whichever way the attention scores."""
    tracks = vectors(5, 10, 4)
    assert isinstance(linear_encoder.attention_layer, LinearScore)
    torch.nn.init.normal_(linear_encoder.attention_layer.direction.weight)
    with torch.no_grad():
        for each in (linear_encoder, encoder):
            before = each.score(tracks).softmax(dim=1).square()
            sharpen(each, 2.0)
            torch.testing.assert_close(each.score(tracks).softmax(dim=1), before / before.sum(dim=1, keepdim=True))


@pytest.mark.parametrize("kind", ["received", "linear"])
def test_weights_stay(encoder: Encoder, linear_encoder: Encoder, kind: str) -> None:
    """A map that follows moves the vectors and leaves the attention's scores."""
    encoder = encoder if kind == "received" else linear_encoder
    encoder.add_metric()
    tracks = vectors(5, 10, 4)
    with torch.no_grad():
        before = encoder.score(encoder.mapped(tracks))
        directions = torch.linalg.qr(torch.randn(DIM, DIM)).Q
        append_map(encoder, directions, torch.linspace(0.5, 2, DIM))
        torch.testing.assert_close(encoder.score(encoder.mapped(tracks)), before, atol=1e-4, rtol=1e-4)


def test_the_centre_lies_between_clips_and_music(encoder: Encoder) -> None:
    """The means of the clips' and of the music's signatures are as far from the centre as their shares say."""
    clips, music = list(vectors(40, 8, 2)), vectors(60, 16, 1) + 3.0
    means = [pool_segments(encoder, each).mean(dim=0) for each in (torch.stack(clips), music)]
    found = centre_between(encoder, clips, music, 0.25)
    torch.testing.assert_close(found, 0.75 * means[0] + 0.25 * means[1])


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
