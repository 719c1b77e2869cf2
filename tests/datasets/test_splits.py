"""Deterministic splits for data sets without one."""

from __future__ import annotations

from pathlib import Path

from engine.datasets.clips import Clip
from engine.datasets.splits import hold_out, is_held_out

HELD_OUT = next(name for name in map(str, range(1000)) if is_held_out(name))
IN_TRAIN = [name for name in map(str, range(1000)) if not is_held_out(name)]


def clip(artist: str, label: str, split: str = "") -> Clip:
    """A clip of an artist with one label."""
    return Clip(Path(f"{artist}.wav"), split, artist, "", frozenset(), None, (label,))


def splits(*clips: Clip) -> list[str]:
    """The splits that these clips get."""
    return [each.split for each in hold_out(list(clips), Path())]


def test_given_splits_stay() -> None:
    """A clip that has a split retains it, whatever its artist."""
    assert splits(clip(HELD_OUT, "jazz", "test"), clip(IN_TRAIN[0], "jazz", "valid")) == ["test", "valid"]


def test_the_hash_decides_where_labels_allow_it() -> None:
    """An artist whose hash selects it is held out if its label occurs with another artist."""
    assert splits(clip(HELD_OUT, "jazz"), clip(IN_TRAIN[0], "jazz")) == ["valid", "train"]


def test_no_label_is_held_out_altogether() -> None:
    """An artist with a label of its own stays in train; one whose labels occur elsewhere replaces it."""
    found = splits(clip(HELD_OUT, "folk"), *(clip(name, "jazz") for name in IN_TRAIN[:3]))
    assert found[0] == "train"
    assert sorted(found[1:]) == ["train", "train", "valid"]


def test_without_a_replaceable_artist_nobody_is_held_out() -> None:
    """If every artist has a label of its own, all clips stay in train."""
    assert splits(clip(HELD_OUT, "folk"), clip(IN_TRAIN[0], "jazz")) == ["train", "train"]
