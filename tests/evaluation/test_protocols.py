"""Splits: who may be on both sides, and who may not."""

from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from engine.datasets.clips import Clip
from engine.errors import TrainingError
from engine.evaluation.protocols import (
    Split,
    artist_folds,
    clips_by_new_artists,
    clips_of_split,
    random_split,
)

GENRES = ("jazz", "metal", "rock")


def clips(count: int, artists: int, split: str = "train") -> list[Clip]:
    """Clips of as many artists; an artist's clips are of one genre."""
    return [
        Clip(Path(f"{i}.wav"), split, f"artist {i % artists}", "x", frozenset({GENRES[i % artists % 3]}), None)
        for i in range(count)
    ]


def sides(split: Split) -> list[set[int]]:
    """Train, valid and test as sets."""
    return [set(side.tolist()) for side in (split.train, split.valid, split.test)]


@pytest.mark.parametrize("folds", [3, 6])
def test_no_artist_is_in_two_folds(folds: int) -> None:
    """Every clip is tested once and validated once, no artist is on two sides, and labels are spread evenly."""
    data = clips(240, 60)
    splits = artist_folds(data, folds)
    assert len(splits) == folds
    for role in (1, 2):
        assert sorted(i for split in splits for i in sides(split)[role]) == list(range(240))
    for split in splits:
        parts = sides(split)
        assert set().union(*parts) == set(range(240))
        for one, other in combinations(parts, 2):
            assert not {data[i].artist for i in one} & {data[i].artist for i in other}
        tested = Counter(min(data[i].genres) for i in split.test)
        assert max(tested.values()) - min(tested.values()) <= 0.35 * len(split.test)


def test_folds_follow_the_seed() -> None:
    """The same seed gives the same folds, another one others."""
    first, again, other = (artist_folds(clips(60, 20), 4, seed)[0].test.tolist() for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_labels_that_cannot_be_spread_do_no_harm() -> None:
    """When every clip has a label of its own, the folds hold artists apart all the same, and none is empty."""
    data = [
        Clip(Path(f"{i}.wav"), "train", f"artist {i // 2}", f"set {i}", frozenset({"jazz"}), None) for i in range(16)
    ]
    for split in artist_folds(data, 5):
        assert all(len(side) for side in sides(split))
        assert not {data[i].artist for i in split.train} & {data[i].artist for i in split.test}


def test_a_clip_without_an_artist_is_an_artist_of_its_own() -> None:
    """Six clips without artists can be cut into six folds."""
    data = [Clip(Path(f"{i}.wav"), "train", "", "x", frozenset({"jazz"}), None) for i in range(6)]
    assert [len(split.test) for split in artist_folds(data, 6)] == [1] * 6


@pytest.mark.parametrize(("count", "artists", "folds"), [(20, 4, 5), (20, 10, 2), (0, 1, 3)])
def test_impossible_folds_are_refused(count: int, artists: int, folds: int) -> None:
    """Fewer artists than folds, or no side for a choice, is an error that names both numbers."""
    with pytest.raises(TrainingError, match=rf"found {folds}"):
        artist_folds(clips(count, artists), folds)


def test_random_splits_share_artists() -> None:
    """Units are split by share, each on one side; artists are on both."""
    data = clips(200, 40)
    split = random_split(200, (0.7, 0.2, 0.1), seed=3)
    assert [len(side) for side in sides(split)] == [140, 40, 20]
    assert set().union(*sides(split)) == set(range(200))
    assert {data[i].artist for i in split.train} & {data[i].artist for i in split.test}


def test_a_split_may_do_without_valid() -> None:
    """With a share of nothing, valid is empty, and nothing is lost."""
    split = random_split(500, (0.8, 0.0, 0.2))
    assert [len(side) for side in sides(split)] == [400, 0, 100]
    assert not set(split.train.tolist()) & set(split.test.tolist())


@pytest.mark.parametrize("shares", [(0.5, 0.2, 0.2), (0.5, 0.5), (1.2, -0.4, 0.2)])
def test_shares_that_are_none_are_refused(shares: tuple[float, ...]) -> None:
    """Three shares, none negative, that sum to 1; and both train and test get something."""
    with pytest.raises(TrainingError, match="expected shares"):
        random_split(20, shares)
    with pytest.raises(TrainingError, match="to train on and to test"):
        random_split(2, (0.1, 0.1, 0.8))


def test_unheard_clips_are_by_other_artists() -> None:
    """Clips whose artist is in train are left out; those without an artist stay, and train itself is whole."""
    train, valid = clips(4, 4), clips(6, 6, "valid")
    nameless = Clip(Path("n.wav"), "valid", "", "x", frozenset(), None)
    data = [*train, *valid, nameless]
    assert clips_by_new_artists(data, "valid") == [valid[4], valid[5], nameless]
    assert clips_of_split(data, "valid") == [*valid, nameless]
    assert clips_by_new_artists(data, "train") == train
    with pytest.raises(TrainingError, match="the splits are: train, valid"):
        clips_by_new_artists(data, "test")
    with pytest.raises(TrainingError, match="--protocol given"):
        clips_by_new_artists([*train, *clips(4, 4, "valid")], "valid")


def test_positions_are_numbers() -> None:
    """Sides index arrays directly."""
    split = random_split(20)
    assert np.arange(20)[split.train].tolist() == split.train.tolist()
