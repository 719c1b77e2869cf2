"""Holding clips out of training where a data set names no split: one artist in ten, the same ones each time."""

from __future__ import annotations

import os
import zlib
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from engine.datasets.clips import Clip

VALID_SHARE = 10  # one artist in ten is held out


def is_held_out(key: str) -> bool:
    """Whether the clips of this artist (or of this file, where no artist is known) are held out, the same each time."""
    return _hash(key) % VALID_SHARE == 0


def hold_out(clips: list[Clip], root: Path) -> list[Clip]:
    """Settle the clips whose split is open (""): "valid" for one artist in ten, "train" for the others.

    A clip without an artist stands for itself, by its path below `root`. No label is held out altogether: where all its
    artists would be, they stay in train. Where the draw takes nobody, the next in line is taken whose labels others
    share; without such an artist nobody is held out.
    """
    keys = [clip.artist or os.path.relpath(clip.path, root) for clip in clips]
    labels: dict[str, set[str]] = defaultdict(set)  # by key
    holders: dict[str, set[str]] = defaultdict(set)  # keys by label
    for clip, key in zip(clips, keys, strict=True):
        if not clip.split:
            labels[key].update(clip.labels)
            for label in clip.labels:
                holders[label].add(key)
    chosen = {key for key in labels if is_held_out(key)}
    for held in holders.values():
        if held <= chosen:
            chosen -= held
    if not chosen:
        spare = (key for key in sorted(labels, key=_hash) if all(len(holders[label]) > 1 for label in labels[key]))
        chosen = set(list(spare)[:1])
    return [
        clip if clip.split else replace(clip, split="valid" if key in chosen else "train")
        for clip, key in zip(clips, keys, strict=True)
    ]


def _hash(key: str) -> int:
    return zlib.crc32(os.fsencode(key))
