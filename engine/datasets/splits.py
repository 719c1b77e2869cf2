"""Deterministic train/valid splits for data sets without one: one artist in ten is held out."""

from __future__ import annotations

import os
import zlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from engine.datasets.clips import Clip

VALID_DIVISOR = 10  # one artist in ten is held out


def is_held_out(key: str) -> bool:
    """Return whether an artist's clips (or the file itself, if no artist is known) belong to the valid split."""
    return _hash(key) % VALID_DIVISOR == 0


def hold_out(clips: list[Clip], root: Path) -> list[Clip]:
    """Assign "valid" to one artist in ten and "train" to the rest, for clips without a split.

    A clip without an artist counts as its own artist, identified by its path relative to `root`. A label whose artists
    would all be held out remains in train. If the hash selects no artist, the one with the lowest hash whose labels all
    occur elsewhere is held out, if there is one.
    """
    keys = [clip.artist or os.path.relpath(clip.path, root) for clip in clips]
    labels_of: dict[str, set[str]] = defaultdict(set)  # labels by artist key, unassigned clips only
    for clip, key in zip(clips, keys, strict=True):
        if not clip.split:
            labels_of[key].update(clip.labels)
    held_out = _choose_artists(labels_of)
    return [
        clip if clip.split else replace(clip, split="valid" if key in held_out else "train")
        for clip, key in zip(clips, keys, strict=True)
    ]


def _choose_artists(labels_of: Mapping[str, set[str]]) -> set[str]:
    """Return the artist keys to hold out; every label remains on some other artist."""
    artists_of: dict[str, set[str]] = defaultdict(set)
    for artist, labels in labels_of.items():
        for label in labels:
            artists_of[label].add(artist)
    chosen = {artist for artist in labels_of if is_held_out(artist)}
    for artists in artists_of.values():
        if artists <= chosen:
            chosen -= artists
    if chosen:
        return chosen
    replaceable = (a for a in sorted(labels_of, key=_hash) if all(len(artists_of[label]) > 1 for label in labels_of[a]))
    return set(list(replaceable)[:1])


def _hash(key: str) -> int:
    return zlib.crc32(os.fsencode(key))
