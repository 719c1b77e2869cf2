"""The part of `Engine` that says what to hear next: playlists, recommendations."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace

from engine.db import Play, add_plays, list_plays
from engine.errors import QueryError
from engine.playlists.compose import Playlist, entries, in_order, path_between, radio
from engine.playlists.m3u8 import write_playlist
from engine.recommend.history import RECENT_DAYS, RecentlyHeard, read_history, recently_heard
from engine.recommend.recommendations import Recommendations, recommend
from engine.search.filters import NO_FILTERS, Filters
from engine.search.query_vector import combine
from engine.search.ranking import DEFAULT_RANKING, Ranking
from engine.search.references import PathName, TrackName
from engine.session import LibrarySession

PATH_TYPES = (str, bytes, os.PathLike)


class Listening:
    """Composes what to hear. `Engine` is one."""

    _session: LibrarySession

    def playlist(
        self,
        seeds: Sequence[TrackName],
        n: int = 25,
        *,
        unlike: Sequence[TrackName] = (),
        filters: Filters = NO_FILTERS,
        ranking: Ranking = DEFAULT_RANKING,
    ) -> Playlist:
        """A radio: the n tracks nearest to all seeds together, in the smoothest order from the nearest on.

        The seeds are left out. `similarity` is to the seeds' combined signature.

        Args:
            seeds: Tracks, `artist:NAME`, `album:NAME`; one or more.
            n: How many at most.
            unlike: What is taken away from the seeds.
            filters: What may be in it.
            ranking: Which of the near ones are taken.

        Raises:
            QueryError: There is no seed, a seed is unknown or gives no signature, they cancel out, n is not 1 to 5,000,
                or a filter makes no sense.
            LibraryError: The library holds no signatures to compare with.
        """
        self._session.filled_store()
        return radio(self._session, combine(self._session, seeds, unlike), n, filters, ranking)

    def path(
        self,
        start: TrackName,
        end: TrackName,
        n: int = 25,
        via: Sequence[TrackName] = (),
        *,
        filters: Filters = NO_FILTERS,
        variety: float = 0.0,
        seed: int | None = None,
    ) -> Playlist:
        """A path of n different tracks from one track to another, in steps as even as the library's tracks allow.

        It always exists; it is shorter only where fewer tracks pass, and is one track where both ends are the same.
        `similarity` is to the track before, 1 for the first; `worst_step` is the least.

        Args:
            start, end: Tracks, in the library or not (then their `track_id` is None).
            n: How many, ends and points between counted; 2 or more where the ends differ.
            via: Tracks that it leads over, in this order.
            filters: What may lie between; `per_artist` counts the ends.
            variety, seed: As in `Ranking`: another path each time.

        Raises:
            QueryError: An end is no track or gives no signature, or is named twice; n is too small or above 5,000, or a
                filter, the variety or the seed makes no sense.
            LibraryError: The library holds no signatures to compare with.
        """
        return path_between(self._session, [start, *via, end], n, filters, variety, seed)

    def order(self, tracks: Sequence[TrackName]) -> Playlist:
        """The same tracks in the smoothest order; the first stays first, and each comes once.

        `similarity` is to the track before, 1 for the first. What cannot be heard is left out, and `problems` says so.

        Args:
            tracks: In the library or not; `engine.playlists.m3u8.read_playlist` reads them from a file.

        Raises:
            QueryError: None of them can be heard, or there are more than 5,000.
        """
        return in_order(self._session, tracks)

    def save_playlist(self, playlist: Playlist, file: PathName, *, relative: bool = False) -> tuple[str, ...]:
        """Write a playlist as .m3u8, whole or not at all; returns one line about each track that cannot be in it.

        Args:
            playlist: What to write.
            file: Its name ends in .m3u8 or .m3u.
            relative: Paths from the playlist's folder instead of absolute ones.

        Raises:
            QueryError: The file cannot be written there.
        """
        return write_playlist(file, entries(self._session, playlist), relative=relative)

    def recommend(
        self,
        history: PathName | None = None,
        n: int = 25,
        *,
        again_days: float | None = None,
        filters: Filters = NO_FILTERS,
    ) -> Recommendations:
        """What to hear next, each track with its reason: near what was liked and played, far from what was skipped.

        The model is in `engine.recommend.recommendations`. Nothing that was heard is among the tracks.

        Args:
            history: A CSV file with the columns time,path,event; None for the plays that the library keeps.
            n: How many at most.
            again_days: Also heard tracks, once their last event is so many days older than the newest one.
            filters: What may be recommended.

        Raises:
            QueryError: The history cannot be read, holds no event of a track of the library or nothing but skips, or n
                or a filter makes no sense.
            LibraryError: The library holds no signatures to compare with.
        """
        if history is not None:
            read = read_history(self._session, history)
            return replace(recommend(self._session, read.plays, n, again_days, filters), problems=read.problems)
        with self._session.database.read() as connection:
            kept = list_plays(connection)
        return recommend(self._session, kept, n, again_days, filters)

    def heard_recently(self, history: PathName | None = None, days: float = RECENT_DAYS) -> RecentlyHeard:
        """The tracks that were played, skipped or liked lately, and their copies: `Filters(not_tracks=...)` takes them.

        Args:
            history: A CSV file as for `recommend`; None for the plays that the library keeps.
            days: How long before the newest event still is recent.

        Raises:
            QueryError: The history cannot be read or holds no event of a track of the library, or days are negative.
        """
        if not days >= 0:
            raise QueryError(f"expected 0 or more days, found {days:g}")
        if history is not None:
            read = read_history(self._session, history)
            return recently_heard(self._session, read.plays, days, read.problems)
        with self._session.database.read() as connection:
            kept = list_plays(connection)
        return recently_heard(self._session, kept, days)

    def add_plays(self, history: PathName | Iterable[Play]) -> int:
        """Keep plays in the library, for `recommend` without a file; returns how many it did not have yet.

        Args:
            history: A CSV file as for `recommend`, or events. Tracks that the library does not have are passed over.

        Raises:
            QueryError: The file cannot be read, or holds no event of a track of the library.
            LibraryError: The library cannot be written.
        """
        plays = read_history(self._session, history).plays if isinstance(history, PATH_TYPES) else history
        with self._session.database.write() as connection:
            return add_plays(connection, plays)
