"""Candidate pairs of duplicates: near by signature, or equal by bytes or tags."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np

from engine.db import Namesakes, Track, namesakes, tracks_by_ids, vectors_of_tracks
from engine.db.fingerprints import IDENTITIES
from engine.db.text import artist_names, fold
from engine.session import LibraryView

if TYPE_CHECKING:
    from engine.indexer.vectors.store import VectorSnapshot

NEAR_COSINE = 0.75  # exceeded by 99 % of trimmed and filtered copies, and by 46 % of nearest neighbours
CLOSE_COSINE = 0.85  # above it, sound alone suffices to examine two tracks for one work
NEIGHBOURS = 16  # compared for each track; re-encodings come first
ROWS_AT_ONCE = 1024
MOST_NAMESAKES = 50  # compared pairwise; a tag that more tracks share does not identify a recording

VERSION = r"(?:live|remaster|demo|mono|stereo|version|mix|remix|edit|acoustic|unplugged|session|take|instrumental)"
VERSION_PATTERN = re.compile(
    rf"[(\[][^()\[\]]*\b{VERSION}(?:ed)?\b[^()\[\]]*[)\]]|\s-\s[^-]*\b{VERSION}(?:ed)?\b[^-]*$"
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two tracks, the smaller id first.

    Attributes:
        cosine: Of their signatures; -1 if one has none.
        same_bytes: Whether their files are byte-identical.
        same_name: Whether their tags agree: MusicBrainz recording, ISRC, or artist and title.
    """

    first: int
    second: int
    cosine: float = -1.0
    same_bytes: bool = False
    same_name: bool = False

    @property
    def near(self) -> bool:
        """Whether the signatures are near."""
        return self.cosine >= NEAR_COSINE

    @property
    def close(self) -> bool:
        """Whether the signatures are near enough to compare the music of the tracks."""
        return self.cosine >= CLOSE_COSINE


def candidates(view: LibraryView) -> list[Pair]:
    """Return all candidate pairs of a library, by ids; raise LibraryError if it has no signatures."""
    snapshot = view.filled_snapshot
    with view.read() as connection:
        shared = namesakes(connection)
    return _candidates(view, snapshot, shared)


def candidates_among(view: LibraryView, track_ids: Iterable[int]) -> list[Pair]:
    """Return the candidate pairs among the given tracks."""
    from engine.indexer.vectors.memory import MemorySnapshot

    with view.read() as connection:
        tracks = tracks_by_ids(connection, track_ids)
        found = vectors_of_tracks(connection, view.encoder_id, view.coverage, tracks)
    return _candidates(view, MemorySnapshot.of(found), _namesakes_among(tracks.values()))


def plain_title(title: str) -> str:
    """Normalise a title for comparison: no case, no "(Live)", "- Remastered 2009" and the like."""
    return " ".join(VERSION_PATTERN.sub("", fold(title)).split())


def _candidates(view: LibraryView, snapshot: VectorSnapshot, shared: Sequence[Namesakes]) -> list[Pair]:
    """Merge pairs that are near by signature with pairs that share bytes or an identifier."""
    pairs = {(pair.first, pair.second): pair for pair in _near(snapshot)}
    listed = set(chain.from_iterable(chain(pairs, (found.track_ids for found in shared))))
    with view.read() as connection:
        tracks = tracks_by_ids(connection, listed)
    for first, second in {ids for found in shared for ids in _within(found)} - pairs.keys():
        both = snapshot.known(np.array([first, second]))
        cosine = float(np.dot(*snapshot.take(both))) if len(both) == 2 else -1.0
        pairs[first, second] = Pair(first, second, cosine)
    known = (pair for pair in pairs.values() if pair.first in tracks and pair.second in tracks)
    return sorted((_named(pair, tracks) for pair in known), key=lambda pair: (pair.first, pair.second))


def _near(snapshot: VectorSnapshot) -> Iterator[Pair]:
    ids = snapshot.ids
    for start in range(0, len(ids), ROWS_AT_ONCE):
        part = ids[start : start + ROWS_AT_ONCE]
        found = snapshot.nearest_many(snapshot.take(part), min(NEIGHBOURS + 1, len(ids)))  # each finds itself as well
        for row, place in np.argwhere(found.cosines >= NEAR_COSINE).tolist():
            track, other = int(part[row]), int(found.track_ids[row, place])
            if track != other:
                yield Pair(min(track, other), max(track, other), float(found.cosines[row, place]))


def _namesakes_among(tracks: Iterable[Track]) -> list[Namesakes]:
    """As `namesakes`, among the given tracks only."""
    found: dict[tuple[str, object], list[int]] = defaultdict(list)
    for track in sorted(tracks, key=lambda track: track.id):
        for column in IDENTITIES:
            value = getattr(track, column)
            if value is not None:
                found[column, value].append(track.id)
    return [Namesakes(column, tuple(ids)) for (column, _), ids in found.items() if len(ids) > 1]


def _within(found: Namesakes) -> Iterable[tuple[int, int]]:
    """Yield the pairs of a group: a chain for byte-identical files and for tags that too many share."""
    chained = found.column == "content_hash" or len(found.track_ids) > MOST_NAMESAKES
    return pairwise(found.track_ids) if chained else combinations(found.track_ids, 2)


def _named(pair: Pair, tracks: dict[int, Track]) -> Pair:
    a, b = tracks[pair.first], tracks[pair.second]
    same_title = bool(a.title and b.title) and plain_title(a.title or "") == plain_title(b.title or "")
    same_title = same_title and not _artists(a).isdisjoint(_artists(b))
    same_name = same_title or _same_identifier(pair, tracks)
    return replace(pair, same_bytes=a.content_hash == b.content_hash, same_name=same_name)


def _artists(track: Track) -> set[str]:
    return {fold(name) for name in artist_names(track.artist)}


def _same_identifier(pair: Pair, tracks: dict[int, Track]) -> bool:
    a, b = tracks[pair.first], tracks[pair.second]
    return bool((a.recording_id and a.recording_id == b.recording_id) or (a.isrc and a.isrc == b.isrc))
