"""Splits into train, valid and test: by artist, or at random to reproduce a paper.

Several papers (Li's among them) cut songs into slices and split these at random, so slices of one song occur in train
and test. Such a `random_split` measures how well an encoder recognises songs, not how well it generalises to new music.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from engine.datasets.clips import Clip
from engine.errors import TrainingError
from engine.evaluation.retrieval import artist_groups

SHARES = (0.8, 0.1, 0.1)  # train, valid, test


@dataclass(frozen=True, eq=False)
class Split:
    """Disjoint positions for training, for model selection, and for testing."""

    train: NDArray[np.intp]
    valid: NDArray[np.intp]
    test: NDArray[np.intp]


def artist_folds(clips: Sequence[Clip], folds: int, seed: int = 0) -> list[Split]:
    """Return `folds` splits (at least three): each fold is test once, the next one valid, the others train.

    No artist is in two folds; a clip without an artist counts as its own. Labels are stratified where their counts
    allow it.

    Raises:
        TrainingError: Fewer than three folds, or fewer artists than folds.
    """
    groups = artist_groups([clip.artist for clip in clips]) if clips else np.zeros(0, np.intp)
    artists = len(np.unique(groups))
    if not 3 <= folds <= artists:
        raise TrainingError(f"expected between 3 folds and as many as artists ({artists}), found {folds}")
    labels = np.array([_label(clip) for clip in clips])
    parts = _stratified(groups, labels, folds, seed)
    if not all(len(part) for part in parts):  # labels that cannot be stratified
        parts = [test for _, test in GroupKFold(folds).split(groups, labels, groups)]
    return [_split_at(parts, i) for i in range(folds)]


def random_split(count: int, shares: Sequence[float] = SHARES, seed: int = 0) -> Split:
    """Split `count` units at random. An artist, or a song cut into slices, may occur in several parts.

    Args:
        count: Number of tracks, or of slices of tracks.
        shares: Shares of train, valid and test; they sum to 1, and valid may be 0.
        seed: Seed of the permutation.

    Raises:
        TrainingError: The shares do not sum to 1, or leave train or test empty.
    """
    if len(shares) != 3 or min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise TrainingError(f"expected shares of train, valid and test that sum to 1, found {list(shares)}")
    ends = np.round(np.cumsum(shares)[:2] * count).astype(int)
    train, valid, test = (np.sort(part) for part in np.split(np.random.default_rng(seed).permutation(count), ends))
    if not len(train) or not len(test):
        raise TrainingError(f"expected something to train on and to test, found {count} to share as {list(shares)}")
    return Split(train, valid, test)


def clips_by_new_artists(clips: Sequence[Clip], split: str) -> list[Clip]:
    """Return the clips of a split whose artist has no clip in train; all clips if the split is train itself.

    Raises:
        TrainingError: There are none.
    """
    chosen = clips_of_split(clips, split)
    known = train_artists(clips) if split != "train" else set()
    left = [clip for clip in chosen if clip.artist not in known]
    if not left:
        raise TrainingError(
            f"expected clips of split '{split}' by artists absent from train, found none", hint="use --protocol given"
        )
    return left


def train_artists(clips: Sequence[Clip]) -> set[str]:
    """Return the known artists of the train split."""
    return {clip.artist for clip in clips if clip.split == "train" and clip.artist}


def describe_given_split(clips: Sequence[Clip], train: set[str]) -> str:
    """Describe, for a report, how many of the evaluated clips are by artists of the train split."""
    known = sum(clip.artist in train for clip in clips)
    return f"as given: {known} of {len(clips)} clips are by artists that are also in train"


def clips_of_split(clips: Sequence[Clip], split: str) -> list[Clip]:
    """Return the clips of a split; raise TrainingError, naming the existing splits, if there are none."""
    chosen = [clip for clip in clips if clip.split == split]
    if not chosen:
        existing = ", ".join(sorted({clip.split for clip in clips}))
        raise TrainingError(f"expected clips of split '{split}', found none", hint=f"the splits are: {existing}")
    return chosen


def _label(clip: Clip) -> str:
    """Return the stratum of a clip: data set, first genre, mood."""
    return f"{clip.dataset}/{min(clip.genres, default='')}/{clip.mood or ''}"


def _stratified(groups: NDArray[np.intp], labels: NDArray[np.str_], folds: int, seed: int) -> list[NDArray[np.intp]]:
    if np.unique(labels, return_counts=True)[1].max() < folds:  # scikit-learn would raise
        return [np.zeros(0, np.intp)]
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")  # stratified as far as possible
        return [test for _, test in splitter.split(groups, labels, groups)]


def _split_at(parts: list[NDArray[np.intp]], i: int) -> Split:
    following = (i + 1) % len(parts)
    train = [part for j, part in enumerate(parts) if j not in (i, following)]
    return Split(np.sort(np.concatenate(train)), parts[following], parts[i])
