"""Pairs of tracks that may be the same recording: near by signature, or called the same by their bytes or tags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.db import Namesakes, Track, namesakes, tracks_by_ids, vectors_of_tracks
from engine.db.values import folded
from engine.opened import OpenLibrary

if TYPE_CHECKING:
    from engine.indexer.vectors import Snapshot

NEAR_COSINE = 0.9  # 99 of 100 re-encodings of a clip are nearer than this to each other; one track in three has such
NEIGHBOURS = 16  # of each track that are looked at; re-encodings come first
ROWS_AT_ONCE = 1024
MOST_NAMESAKES = 50  # that are compared each with each; more share a tag that names no recording

VERSION = r"(?:live|remaster|demo|mono|stereo|version|mix|remix|edit|acoustic|unplugged|session|take|instrumental)"
VERSION_PATTERN = re.compile(
    rf"[(\[][^()\[\]]*\b{VERSION}(?:ed)?\b[^()\[\]]*[)\]]|\s-\s[^-]*\b{VERSION}(?:ed)?\b[^-]*$"
)


@dataclass(frozen=True)
class Pair:
    """Two tracks, the smaller id first.

    Attributes:
        cosine: Of their signatures; -1 where one has none.
        same_bytes: Whether their files are byte-identical.
        same_name: Whether tags call them the same: MusicBrainz recording, ISRC, or artist and title.
    """

    first: int
    second: int
    cosine: float = -1.0
    same_bytes: bool = False
    same_name: bool = False

    @property
    def near(self) -> bool:
        """Whether their signatures are near."""
        return self.cosine >= NEAR_COSINE


def candidates(opened: OpenLibrary) -> list[Pair]:
    """All pairs of a library that are worth comparing, by ids; raises LibraryError when it holds no signatures."""
    snapshot = opened.filled_store().snapshot()
    pairs = {(pair.first, pair.second): pair for pair in _near(snapshot)}
    with opened.database.read() as connection:
        shared = namesakes(connection)
        listed = {track_id for pair in pairs for track_id in pair} | {
            each for found in shared for each in found.track_ids
        }
        tracks = tracks_by_ids(connection, listed)
    rows = {int(track_id): row for row, track_id in enumerate(snapshot.track_ids)}
    for found in shared:
        for first, second in _within(found):
            if (first, second) not in pairs and first in rows and second in rows:
                cosine = float(snapshot.vectors[rows[first]] @ snapshot.vectors[rows[second]])
                pairs[first, second] = Pair(first, second, cosine)
            pairs.setdefault((first, second), Pair(first, second))
    known = (pair for pair in pairs.values() if pair.first in tracks and pair.second in tracks)
    return sorted((_named(pair, tracks) for pair in known), key=lambda pair: (pair.first, pair.second))


def candidates_among(opened: OpenLibrary, track_ids: Iterable[int]) -> list[Pair]:
    """The pairs among some tracks that are worth comparing, whatever else the library holds."""
    with opened.database.read() as connection:
        tracks = tracks_by_ids(connection, track_ids)
        found = vectors_of_tracks(connection, opened.encoder_id, opened.coverage, tracks)
    cosines = found.vectors @ found.vectors.T
    rows = {int(track_id): row for row, track_id in enumerate(found.track_ids)}
    pairs = []
    for first, second in combinations(sorted(tracks), 2):
        cosine = float(cosines[rows[first], rows[second]]) if first in rows and second in rows else -1.0
        pairs.append(_named(Pair(first, second, cosine), tracks))
    return [pair for pair in pairs if pair.near or pair.same_bytes or _same_identifier(pair, tracks)]


def plain_title(title: str) -> str:
    """A title as it is compared: without case, and without "(Live)", "- Remastered 2009" and the like."""
    return " ".join(VERSION_PATTERN.sub("", folded(title)).split())


def _near(snapshot: Snapshot) -> Iterator[Pair]:
    import faiss

    vectors, ids = np.ascontiguousarray(snapshot.vectors), snapshot.track_ids
    for start in range(0, len(ids), ROWS_AT_ONCE):
        block, count = vectors[start : start + ROWS_AT_ONCE], min(NEIGHBOURS + 1, len(ids))
        cosines, rows = faiss.knn(block, vectors, count, metric=faiss.METRIC_INNER_PRODUCT)
        for place in zip(*np.nonzero(cosines >= NEAR_COSINE), strict=True):
            yield from _pair(ids, start + int(place[0]), int(rows[place]), float(cosines[place]))


def _pair(ids: NDArray[np.int64], row: int, other: int, cosine: float) -> Sequence[Pair]:
    if row == other:
        return ()
    first, second = sorted((int(ids[row]), int(ids[other])))
    return (Pair(first, second, cosine),)


def _within(found: Namesakes) -> Iterable[tuple[int, int]]:
    """Its pairs: a chain is enough of what is byte-identical, and of a tag that too many share."""
    chained = found.column == "content_hash" or len(found.track_ids) > MOST_NAMESAKES
    return pairwise(found.track_ids) if chained else combinations(found.track_ids, 2)


def _named(pair: Pair, tracks: dict[int, Track]) -> Pair:
    a, b = tracks[pair.first], tracks[pair.second]
    same_title = bool(a.artist and a.title and b.artist and b.title) and (
        folded(a.artist or "") == folded(b.artist or "") and plain_title(a.title or "") == plain_title(b.title or "")
    )
    same_name = same_title or _same_identifier(pair, tracks)
    return replace(pair, same_bytes=a.content_hash == b.content_hash, same_name=same_name)


def _same_identifier(pair: Pair, tracks: dict[int, Track]) -> bool:
    a, b = tracks[pair.first], tracks[pair.second]
    return bool((a.recording_id and a.recording_id == b.recording_id) or (a.isrc and a.isrc == b.isrc))
