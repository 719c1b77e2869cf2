"""Labels as tensors: allowed genres and moods, and the relation between clips."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.datasets.clips import Clip
from engine.datasets.label_tensors import genre_shares, known_labels, label_tensors
from engine.models.labels import GENRES, MOODS


def test_labels_weigh_pairs() -> None:
    """Two clips are as alike as they share an artist (1), genres (by their share) and a mood (a half)."""
    clips = [
        Clip(Path("a"), "train", "ada", "", frozenset({"jazz"}), "calm"),
        Clip(Path("b"), "train", "ada", "", frozenset({"jazz", "blues"}), "happy"),
        Clip(Path("c"), "train", "", "", frozenset({"blues"}), "calm"),
        Clip(Path("d"), "train", "", "", frozenset(), None),
    ]
    labels = label_tensors(clips, GENRES, MOODS)
    relation = labels.relation @ labels.relation.T
    assert relation[0].tolist() == pytest.approx([2.5, 1.5, 0.5, 0.0])
    assert relation[1, 2].item() == pytest.approx(0.5)
    assert [[GENRES[j] for j in row.nonzero()] for row in labels.genres] == [["jazz"], ["blues", "jazz"], ["blues"], []]
    assert [[MOODS[j] for j in row.nonzero()] for row in labels.moods] == [["calm"], ["happy"], ["calm"], []]


def test_unlabelled_clips_have_no_share() -> None:
    """A clip's weight of 1 is divided among its genres; an unlabelled clip has none."""
    genres = torch.tensor([[True, False, False], [True, True, False], [False, False, False]])
    assert genre_shares(genres).tolist() == [[1, 0, 0], [0.5, 0.5, 0], [0, 0, 0]]


def test_known_labels_are_those_of_the_data_set() -> None:
    """A clip's known labels are all that occur in its own data set, and no other's."""
    clips = [Clip(Path("x"), "train", "", dataset, frozenset(), None) for dataset in ("one", "one", "two")]
    allowed = torch.tensor([[True, False, False], [False, True, False], [False, False, True]])
    assert known_labels(allowed, clips).tolist() == [[True, True, False], [True, True, False], [False, False, True]]
