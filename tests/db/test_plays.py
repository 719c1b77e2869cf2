"""Plays are kept once each, and are listed with their track only."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.db import NewTrack, Play, add_plays, ids_by_paths, list_plays, open_database, remove_tracks, upsert_track
from engine.errors import LibraryError


def test_plays(tmp_path: Path) -> None:
    """Plays come back oldest first; the same is kept once, one of an unknown track never, a removed one's go."""
    with open_database(tmp_path / "library.db", create=True) as database, database.write() as connection:
        first, second = (upsert_track(connection, NewTrack(path, 1, 1, path, 60.0)) for path in (b"/a", b"/b"))
        events = [Play(9.5, "like", first), Play(3, "play", second), Play(3, "play", 999), Play(9.5, "like", first)]
        assert add_plays(connection, events) == 2
        assert add_plays(connection, [*events, Play(9.5, "skip", first)]) == 1
        assert list_plays(connection) == [Play(3, "play", second), events[0], Play(9.5, "skip", first)]
        assert add_plays(connection, []) == 0
        assert add_plays(connection, [Play(3, "play", second, "ann"), Play(3, "play", second, "ann")]) == 1
        assert list_plays(connection, "ann") == [Play(3, "play", second, "ann")]
        remove_tracks(connection, [second])
        second = upsert_track(connection, NewTrack(b"/b", 1, 1, b"/b", 60.0))
        remove_tracks(connection, [first])
        assert sorted(list_plays(connection)) == [Play(3, "play", second, "ann"), Play(3, "play", second)]


@pytest.mark.parametrize("value", ["NULL", "'soon'", "x'00'"])
def test_a_damaged_time(tmp_path: Path, value: str) -> None:
    """A time that damage has made another kind of value is reported as damage of the library."""
    path = tmp_path / "library.db"
    with open_database(path, create=True) as database, database.write() as connection:
        add_plays(connection, [Play(3, "play", upsert_track(connection, NewTrack(b"/a", 1, 1, b"/a", 60.0)))])
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("PRAGMA writable_schema = ON")
        raw.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, 'time FLOAT NOT NULL', 'time FLOAT') WHERE name = 'plays'"
        )
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute(f"UPDATE plays SET time = {value}")
    with (
        open_database(path, create=False) as database,
        pytest.raises(LibraryError, match="is damaged"),
        database.read() as connection,
    ):
        list_plays(connection)


def test_ids_by_paths(tmp_path: Path) -> None:
    """Files that are tracks get their ids, however many are asked for."""
    with open_database(tmp_path / "library.db", create=True) as database, database.write() as connection:
        ids = {path: upsert_track(connection, NewTrack(path, 1, 1, path, 60.0)) for path in (b"/a", b"/\xff")}
        assert ids_by_paths(connection, [b"/%d" % i for i in range(2000)] + [*ids]) == ids
