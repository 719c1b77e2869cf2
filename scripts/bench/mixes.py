"""Aspects and mixes on labelled clips: `scripts/bench/mixes.py LIBRARY CLIPS.csv [--out DIR]`.

LIBRARY holds the clips of the valid split of CLIPS.csv (columns `file`, `dataset`, `split`, `artist_key`, `genres`,
`quadrant`). Precision at 5, the query's artist left out: GTZAN's genre, and the mood quadrant of the 4Q audio emotion
data set. Artist: whether one of the five nearest of all clips is by the query's artist.
"""

from __future__ import annotations

import argparse
import csv
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from reporting import report

from engine import Engine
from engine.db import tracks_by_ids
from engine.search.aspect_view import AspectView
from engine.search.aspect_weights import AspectWeights

MIXES = (
    "timbre", "rhythm", "harmony", "mood", "timbre=4,rhythm=1", "timbre=4,harmony=1", "timbre=4,mood=1",
    "timbre=1,mood=1", "timbre=1,rhythm=1", "timbre=8,rhythm=1,harmony=1,mood=2",
)  # fmt: skip
NEAREST = 5

Mask = NDArray[np.bool_]


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", type=Path)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with arguments.clips.open(encoding="utf-8") as handle:
        clips = {Path(row["file"]).stem: row for row in csv.DictReader(handle) if row["split"] == "valid"}
    rows = []
    with Engine.open(arguments.library, create=False) as library:
        for by in MIXES:
            view = AspectView(library._session.view(), AspectWeights.of(by))
            rows.append({"by": by} | _measured(view, clips))
    report("mixes", rows, arguments.out, clips=len(clips))


def _measured(view: AspectView, clips: dict[str, dict[str, str]]) -> dict[str, float]:
    ids = view.snapshot.ids.tolist()
    with view.read() as connection:
        tracks = tracks_by_ids(connection, ids)
    stems = [Path(os.fsdecode(tracks[track_id].path)).stem for track_id in ids]
    places = [place for place, stem in enumerate(stems) if stem in clips]
    found = [clips[stems[place]] for place in places]
    vectors = view.snapshot.signatures[places]
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    artist = np.array([row["artist_key"] for row in found])
    same_artist: Mask = (artist[:, None] == artist) & (artist != "")
    return {
        "GTZAN genre": _precision(likeness, found, same_artist, "gtzan", "genres"),
        "quadrant": _precision(likeness, found, same_artist, "4qaed", "quadrant"),
        "artist": _hits(likeness, same_artist),
    }


def _precision(likeness: Any, clips: list[dict[str, str]], same_artist: Mask, dataset: str, column: str) -> float:
    pool = np.array([clip["dataset"] == dataset for clip in clips])
    labels = np.array([clip[column] for clip in clips])
    allowed = np.where(pool[None] & ~same_artist, likeness, -np.inf)
    order = np.argsort(-allowed, axis=1, kind="stable")[:, :NEAREST]
    return float((labels[order] == labels[:, None])[pool].mean())


def _hits(likeness: Any, same_artist: Mask) -> float:
    """The share of clips whose artist has another one that find one of these."""
    others = same_artist & ~np.eye(len(same_artist), dtype=bool)
    order = np.argsort(-likeness, axis=1, kind="stable")[:, :NEAREST]
    return float(np.take_along_axis(others, order, axis=1).any(axis=1)[others.any(axis=1)].mean())


if __name__ == "__main__":
    main()
