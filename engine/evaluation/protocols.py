"""Who is trained on and who is tested: no artist on both sides, or, to compare with a paper, as the paper split.

Li's and others' papers cut songs into slices and split those at random: slices of one song on both sides. Figures of
such a `random_split` say how well an encoder knows a song again, not how it does on music that it has not heard.
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

SHARES = (0.8, 0.1, 0.1)  # of train, valid and test


@dataclass(frozen=True, eq=False)
class Split:
    """Positions of what is trained on, of what choices are made on, and of what is tested; none is on two sides."""

    train: NDArray[np.intp]
    valid: NDArray[np.intp]
    test: NDArray[np.intp]


def artist_folds(clips: Sequence[Clip], folds: int, seed: int = 0) -> list[Split]:
    """`folds` splits, three at least: each fold is the test side once, the next one is valid, the others are train.

    No artist is in two folds; a clip without one counts as an artist of its own. Labels are spread evenly where their
    numbers allow it.

    Raises:
        TrainingError: Fewer than three folds, or fewer artists than folds.
    """
    groups = artist_groups([clip.artist for clip in clips]) if clips else np.zeros(0, np.intp)
    artists = len(np.unique(groups))
    if not 3 <= folds <= artists:
        raise TrainingError(f"expected between 3 folds and as many as artists ({artists}), found {folds}")
    labels = np.array([_label(clip) for clip in clips])
    parts = _stratified(groups, labels, folds, seed)
    if not all(len(part) for part in parts):  # labels that cannot be spread
        parts = [test for _, test in GroupKFold(folds).split(groups, labels, groups)]
    return [_around(parts, i) for i in range(folds)]


def random_split(count: int, shares: Sequence[float] = SHARES, seed: int = 0) -> Split:
    """Split `count` units at random: an artist may be on both sides, and where units are slices, a song may.

    Args:
        count: Of tracks, or of slices of tracks.
        shares: Of train, valid and test; they sum to 1, and valid may be 0.
        seed: Of the draw.

    Raises:
        TrainingError: The shares are none, or leave train or test without a unit.
    """
    if len(shares) != 3 or min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise TrainingError(f"expected shares of train, valid and test that sum to 1, found {list(shares)}")
    ends = np.round(np.cumsum(shares)[:2] * count).astype(int)
    train, valid, test = (np.sort(part) for part in np.split(np.random.default_rng(seed).permutation(count), ends))
    if not len(train) or not len(test):
        raise TrainingError(f"expected something to train on and to test, found {count} to share as {list(shares)}")
    return Split(train, valid, test)


def unheard(clips: Sequence[Clip], split: str) -> list[Clip]:
    """The clips of a split whose artist has no clip in train; of train itself, all.

    Raises:
        TrainingError: There are none.
    """
    chosen = of_split(clips, split)
    heard = heard_artists(clips) if split != "train" else set()
    left = [clip for clip in chosen if clip.artist not in heard]
    if not left:
        raise TrainingError(
            f"expected clips of split '{split}' by artists that train lacks, found none", hint="use --protocol given"
        )
    return left


def heard_artists(clips: Sequence[Clip]) -> set[str]:
    """Known artists of the train split."""
    return {clip.artist for clip in clips if clip.split == "train" and clip.artist}


def as_given(clips: Sequence[Clip], heard: set[str]) -> str:
    """In words, for a report: how many of the evaluated clips are by artists that training heard."""
    known = sum(clip.artist in heard for clip in clips)
    return f"as given: {known} of {len(clips)} clips are by artists that train has, too"


def of_split(clips: Sequence[Clip], split: str) -> list[Clip]:
    """The clips of a split; raises TrainingError, naming the splits there are, when it has none."""
    chosen = [clip for clip in clips if clip.split == split]
    if not chosen:
        there = ", ".join(sorted({clip.split for clip in clips}))
        raise TrainingError(f"expected clips of split '{split}', found none", hint=f"the splits are: {there}")
    return chosen


def _label(clip: Clip) -> str:
    """What a clip counts as when labels are spread: data set, first genre, mood."""
    return f"{clip.dataset}/{min(clip.genres, default='')}/{clip.mood or ''}"


def _stratified(groups: NDArray[np.intp], labels: NDArray[np.str_], folds: int, seed: int) -> list[NDArray[np.intp]]:
    if np.unique(labels, return_counts=True)[1].max() < folds:  # scikit-learn refuses
        return [np.zeros(0, np.intp)]
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")  # spread as evenly as can be
        return [test for _, test in splitter.split(groups, labels, groups)]


def _around(parts: list[NDArray[np.intp]], i: int) -> Split:
    following = (i + 1) % len(parts)
    train = [part for j, part in enumerate(parts) if j not in (i, following)]
    return Split(np.sort(np.concatenate(train)), parts[following], parts[i])
