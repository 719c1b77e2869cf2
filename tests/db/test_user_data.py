"""Playlists as they are stored. Covers engine.db.user_data."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from engine.db import Database
from engine.db.user_data import (
    change_playlist,
    create_playlist,
    edit_tracks,
    saved_playlist,
    saved_playlists,
)
from engine.errors import InvalidError, NotFoundError


def test_playlists_are_sorted_as_people_sort_names(database: Database) -> None:
    """Case and accents do not count; of equal names the older playlist is first."""
    with database.write() as connection:
        for name in ("Zebra", "p", "apple", "Éclair", "eclair", "banana", "Apple"):
            create_playlist(connection, "ann", name, [])
        listed = [each.name for each in saved_playlists(connection, "ann")]
    assert listed == ["apple", "Apple", "banana", "Éclair", "eclair", "p", "Zebra"]


def test_many_playlists_are_read_by_few_statements(database: Database) -> None:
    """Each playlist has its own tracks in their order, and their number does not change that of the statements."""
    with database.write() as connection:
        for number in range(20):
            create_playlist(connection, "ann", f"{number:02}", [number, 7, number])
        create_playlist(connection, "bob", "private", [1])
        statements: list[str] = []
        event.listen(connection, "before_cursor_execute", lambda *given: statements.append(given[2]))
        listed = saved_playlists(connection, "ann")
    assert [each.tracks for each in listed] == [(number, 7, number) for number in range(20)]
    assert len(statements) == 2


def test_tracks_are_removed_by_place_and_appended(database: Database) -> None:
    """Places count before the edit; one that is not there changes nothing, and a missing playlist is an error."""
    with database.write() as connection:
        identifier = create_playlist(connection, "ann", "Mine", [4, 5, 6, 5])
        edit_tracks(connection, identifier, [9, 4], {0, 3})
        change_playlist(connection, identifier, name="Ours")
        with pytest.raises(InvalidError, match="below 4"):
            edit_tracks(connection, identifier, [1], {4})
        with pytest.raises(NotFoundError):
            edit_tracks(connection, identifier + 1, [1])
        found = saved_playlist(connection, identifier)
    assert found is not None
    assert (found.name, found.tracks) == ("Ours", (5, 6, 9, 4))
