"""Plays are kept once each, and are listed with their track only."""

from __future__ import annotations

from pathlib import Path

from engine.db import NewTrack, Play, add_plays, ids_by_paths, list_plays, open_database, remove_tracks, upsert_track


def test_plays(tmp_path: Path) -> None:
    """Plays come back oldest first; the same is kept once, one of an unknown track never, a removed one's go."""
    with open_database(tmp_path / "library.db", create=True) as database, database.write() as connection:
        first, second = (upsert_track(connection, NewTrack(path, 1, 1, path, 60.0)) for path in (b"/a", b"/b"))
        events = [Play(9.5, "like", first), Play(3, "play", second), Play(3, "play", 999), Play(9.5, "like", first)]
        assert add_plays(connection, events) == 2
        assert add_plays(connection, [*events, Play(9.5, "skip", first)]) == 1
        assert list_plays(connection) == [Play(3, "play", second), events[0], Play(9.5, "skip", first)]
        assert add_plays(connection, []) == 0
        remove_tracks(connection, [first])
        assert list_plays(connection) == [Play(3, "play", second)]


def test_ids_by_paths(tmp_path: Path) -> None:
    """Files that are tracks get their ids, however many are asked for."""
    with open_database(tmp_path / "library.db", create=True) as database, database.write() as connection:
        ids = {path: upsert_track(connection, NewTrack(path, 1, 1, path, 60.0)) for path in (b"/a", b"/\xff")}
        assert ids_by_paths(connection, [b"/%d" % i for i in range(2000)] + [*ids]) == ids
