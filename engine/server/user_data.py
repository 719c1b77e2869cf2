"""The data of listeners, described in `engine.db.user_data`; each call is a transaction of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import engine.db.user_data as user_data
from engine.db import Database
from engine.db.user_data import PlayQueue, SavedPlaylist, Star


class UserData:
    """Stars, ratings, playlists and play queues of a library's users. Safe for many threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def star(self, user: str, items: Iterable[str]) -> None:
        """Star tracks, albums and artists."""
        with self._database.write() as connection:
            user_data.star(connection, user, items)

    def unstar(self, user: str, items: Iterable[str]) -> None:
        """Remove stars."""
        with self._database.write() as connection:
            user_data.unstar(connection, user, items)

    def stars(self, user: str) -> list[Star]:
        """Return a user's stars, the newest first."""
        with self._database.read() as connection:
            return user_data.starred(connection, user)

    def rate(self, user: str, item: str, rating: int) -> None:
        """Set a rating of 1 to 5; 0 removes it."""
        with self._database.write() as connection:
            user_data.rate(connection, user, item, rating)

    def ratings(self, user: str) -> dict[str, int]:
        """Return a user's ratings by item."""
        with self._database.read() as connection:
            return user_data.ratings_of(connection, user)

    def playlists(self, user: str) -> list[SavedPlaylist]:
        """Return the playlists that a user sees, by name."""
        with self._database.read() as connection:
            return user_data.saved_playlists(connection, user)

    def playlist(self, identifier: int) -> SavedPlaylist | None:
        """Return a playlist, of any owner, or None."""
        with self._database.read() as connection:
            return user_data.saved_playlist(connection, identifier)

    def create_playlist(self, user: str, name: str, tracks: Sequence[int]) -> int:
        """Store a playlist and return its id."""
        with self._database.write() as connection:
            return user_data.create_playlist(connection, user, name, tracks)

    def change_playlist(
        self,
        identifier: int,
        *,
        name: str | None = None,
        comment: str | None = None,
        public: bool | None = None,
        tracks: Sequence[int] | None = None,
        added: Sequence[int] = (),
        removed: Collection[int] = (),
    ) -> None:
        """Change the given fields of a playlist, then remove the tracks at some places and append others.

        Raises:
            NotFoundError: There is no such playlist.
            InvalidError: It has no track at one of the places; nothing is changed.
        """
        with self._database.write() as connection:
            user_data.change_playlist(connection, identifier, name=name, comment=comment, public=public, tracks=tracks)
            if added or removed:
                user_data.edit_tracks(connection, identifier, added, removed)

    def delete_playlist(self, identifier: int) -> None:
        """Delete a playlist."""
        with self._database.write() as connection:
            user_data.delete_playlist(connection, identifier)

    def save_queue(self, user: str, queue: PlayQueue) -> None:
        """Store a user's play queue, replacing the previous one."""
        with self._database.write() as connection:
            user_data.save_queue(connection, user, queue)

    def queue(self, user: str) -> PlayQueue | None:
        """Return a user's play queue, or None."""
        with self._database.read() as connection:
            return user_data.play_queue(connection, user)
