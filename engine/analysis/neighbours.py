"""The nearest tracks, artists or albums: filtered, corrected for hubs, capped by artist, as varied as asked."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.db import Track, tracks_by_ids
from engine.db.values import folded
from engine.errors import QueryError
from engine.filters import Filters, passing, same_artist
from engine.opened import OpenLibrary
from engine.results import GroupMatch
from engine.seeds import Sought

if TYPE_CHECKING:
    from engine.indexer.vectors import Neighbour, Snapshot

# Nearest tracks that are put into order, and how many for one that is asked for, whichever is more. Correcting for
# hubs moves tracks into an answer of ten from among the first thirty, hardly ever from beyond.
SMALLEST_POOL, POOL_FACTOR = 50, 5
DIVERSE_POOL, DIVERSE_FACTOR = 200, 10  # the same where they are chosen to differ


@dataclass(frozen=True)
class Ranking:
    """How the nearest are put into order.

    Attributes:
        diverse: 0 is the nearest first; up to 1, how much an answer's likeness to those before it counts against it
            (maximal marginal relevance, Carbonell and Goldstein 1998: 1 - lambda).
        hubs: Leave in place what is near to everything (`engine.analysis.hubs`).
    """

    diverse: float = 0.0
    hubs: bool = False


BY_DEFAULT = Ranking()


def nearest(opened: OpenLibrary, sought: Sought, k: int, filters: Filters, ranking: Ranking) -> list[Neighbour]:
    """The k nearest that pass, in order; fewer where fewer pass. Cosines are what they are, whatever the order.

    Raises:
        QueryError: k, a filter or the ranking makes no sense.
        LibraryError: There is nothing to compare with.
    """
    if k < 1:
        raise QueryError(f"expected k of 1 or more, found {k}")
    if not 0 <= ranking.diverse <= 1:
        raise QueryError(f"expected a diversity from 0 to 1, found {ranking.diverse:g}")
    snapshot = opened.filled_store().snapshot()
    allowed = passing(opened, filters, sought.tracks)
    pool = max(DIVERSE_POOL, DIVERSE_FACTOR * k) if ranking.diverse else max(SMALLEST_POOL, POOL_FACTOR * k)
    while True:
        found = snapshot.search(sought.heard.signature, pool, sought.heard.itself, allowed)
        picked = _pick(opened, snapshot, sought, found, k, filters.per_artist, ranking)
        if len(picked) >= k or len(found) < pool:  # else the cap on an artist may have left out too many
            return picked
        pool *= POOL_FACTOR


def nearest_groups(opened: OpenLibrary, sought: Sought, kind: str, k: int, filters: Filters) -> tuple[GroupMatch, ...]:
    """The k nearest artists or albums, by the mean signature of their tracks that pass; the seeds' own are left out.

    Args:
        opened: The library.
        sought: What is searched for.
        kind: "artist" or "album" (of one artist).
        k: How many at most.
        filters: `per_artist` is not looked at.
    """
    if kind not in ("artist", "album"):
        raise QueryError(f"expected to group by artist or album, found {kind!r}")
    if k < 1:
        raise QueryError(f"expected k of 1 or more, found {k}")
    snapshot = opened.filled_store().snapshot()
    allowed = passing(opened, filters, sought.tracks)
    ids = np.setdiff1d(snapshot.track_ids if allowed is None else allowed, np.fromiter(sought.heard.itself, np.int64))
    with opened.database.read() as connection:
        tracks = tracks_by_ids(connection, ids.tolist())
    own = {_group_of(track, kind) for track in sought.tracks}
    members: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in np.flatnonzero(np.isin(snapshot.track_ids, ids)).tolist():
        track = tracks.get(int(snapshot.track_ids[row]))
        group = _group_of(track, kind) if track else None
        if group is not None and group not in own:
            members[group].append(row)
    scored = [_score_group(snapshot, sought.heard.signature, rows) for rows in members.values()]
    best = sorted(scored, key=lambda each: (-each.cosine, each.nearest))[:k]
    return tuple(_group_match(rank, each, tracks[each.nearest], kind) for rank, each in enumerate(best, start=1))


@dataclass(frozen=True)
class _Scored:
    """A group: the cosine of its mean signature, how many tracks it has, and the id of the nearest of them."""

    cosine: float
    tracks: int
    nearest: int


def _score_group(snapshot: Snapshot, query: NDArray[np.float32], rows: Sequence[int]) -> _Scored:
    vectors = snapshot.vectors[rows]
    mean = vectors.mean(axis=0)
    cosine = float(mean @ query) / max(float(np.linalg.norm(mean)), 1e-9)
    return _Scored(cosine, len(rows), int(snapshot.track_ids[rows[int(np.argmax(vectors @ query))]]))


def _group_of(track: Track, kind: str) -> tuple[str, str] | None:
    artist = folded(track.artist or track.album_artist or "")
    if kind == "artist":
        return (artist, "") if artist else None
    return (folded(track.album_artist or track.artist or ""), folded(track.album)) if track.album else None


def _group_match(rank: int, scored: _Scored, track: Track, kind: str) -> GroupMatch:
    artist = (track.artist or track.album_artist) if kind == "artist" else (track.album_artist or track.artist)
    album = track.album if kind == "album" else None
    similarity = min(1.0, max(0.0, scored.cosine))
    return GroupMatch(rank, artist, album, similarity, scored.tracks, track.id, track.name)


def _pick(
    opened: OpenLibrary,
    snapshot: Snapshot,
    sought: Sought,
    found: list[Neighbour],
    k: int,
    per_artist: int | None,
    ranking: Ranking,
) -> list[Neighbour]:
    if not found:
        return []
    ids = [neighbour.track_id for neighbour in found]
    cosines = np.array([neighbour.cosine for neighbour in found], np.float32)
    ordered, vectors = list(range(len(found))), np.zeros((0, 0), np.float32)
    if ranking.diverse or not ranking.hubs:
        vectors = snapshot.take(np.array(ids, np.int64))
    if not ranking.hubs:
        close = opened.local_scale().closeness(sought.heard.signature, vectors, cosines)
        ordered = np.argsort(-close, kind="stable").tolist()
    fits = _cap(opened, ids, per_artist)
    if ranking.diverse:
        order = _diverse(vectors, cosines, ordered, ranking.diverse, fits)
    else:
        order = (i for i in ordered if fits(i))
    return [found[i] for i, _ in zip(order, range(k), strict=False)]


def _cap(opened: OpenLibrary, track_ids: Sequence[int], per_artist: int | None) -> Callable[[int], bool]:
    """Says of each candidate, once and in the order of the answer, whether its artist may be there once more."""
    if per_artist is None:
        return lambda _: True
    with opened.database.read() as connection:
        tracks = tracks_by_ids(connection, track_ids)
    artists = [same_artist(tracks[track_id]) if track_id in tracks else None for track_id in track_ids]
    taken: Counter[str] = Counter()

    def fits(i: int) -> bool:
        artist = artists[i]
        if artist is None:
            return True
        taken[artist] += 1
        return taken[artist] <= per_artist

    return fits


def _diverse(
    vectors: NDArray[np.float32],
    cosines: NDArray[np.float32],
    ordered: list[int],
    weight: float,
    fits: Callable[[int], bool],
) -> Iterator[int]:
    """Candidates by (1 - weight) * likeness to the query - weight * greatest likeness to one before; the first is
    the nearest."""
    left = list(ordered)
    likest = np.full(len(left), -1.0, np.float32)  # of each that is left, to those taken
    taken = False
    while left:
        scores = (1 - weight) * cosines[left] - weight * likest
        place = int(np.argmax(scores)) if taken else 0
        chosen = left.pop(place)
        likest = np.delete(likest, place)
        if not fits(chosen):
            continue
        taken = True
        likest = np.maximum(likest, vectors[left] @ vectors[chosen])
        yield chosen
