"""A radio that drifts: near the seeds throughout, and closer to a description from track to track."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.db import tracks_by_ids
from engine.errors import InvalidError
from engine.find.seeded import drift_of
from engine.playlists.compose import LONGEST, listed_track
from engine.playlists.results import Playlist
from engine.search.filters import Filters, left_out, music_by_default
from engine.search.query_vector import Query
from engine.search.ranking import Ranking, nearest
from engine.search.variety import settle_seed
from engine.session import LibraryView

POOL_FACTOR = 4  # near tracks to choose from, for each of the playlist


def drifting_radio(view: LibraryView, query: Query, n: int, filters: Filters, ranking: Ranking, text: str) -> Playlist:
    """Return n tracks near the seeds, each closer to a description than the one before.

    The 4 n nearest are sorted by their score for the description and cut into n equal parts; the nearest to the seeds
    of each part is taken, so that the steps are as even as the library allows.

    Raises:
        QueryError: n, a filter or the ranking is out of range, or the text names no sound.
    """
    if not 1 <= n <= LONGEST:
        raise InvalidError(f"expected 1 to {LONGEST} tracks, found {n}", hint="ask for fewer, or for one or more")
    ranking = replace(ranking, seed=settle_seed(ranking.variety, ranking.seed))
    filters = music_by_default(view, filters)
    found = nearest(view, query, POOL_FACTOR * n, filters, ranking)
    ids = np.array([neighbour.track_id for neighbour in found], np.int64)
    drift = drift_of(view, text, ids)
    order = np.argsort(drift.values, kind="stable")
    parts = np.array_split(order, min(n, len(order))) if len(order) else []
    chosen = [found[max(part.tolist(), key=lambda place: found[place].cosine)] for part in parts]
    with view.read() as connection:
        tracks = tracks_by_ids(connection, [neighbour.track_id for neighbour in chosen])
    listed = tuple(listed_track(tracks[each.track_id], each.cosine) for each in chosen if each.track_id in tracks)
    notes = tuple(f"nothing answered {words!r}" for words in drift.ignored)
    return Playlist(listed, notes=notes, seed=ranking.seed, not_music=left_out(view, filters))
