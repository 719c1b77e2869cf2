"""Plays of removed tracks: set aside, and given back to a track of the same content or path."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.db import Database, NewTrack, Play, add_plays, list_plays, relocate, remove_tracks, upsert_track

NewTracks = Callable[..., NewTrack]


@pytest.fixture
def removed(database: Database, new_track: NewTracks) -> Database:
    """A library whose only track was liked twice and then removed; the two tracks of a folder stay."""
    with database.write() as connection:
        track_id = upsert_track(connection, new_track(b"/music/a.flac", content_hash=b"one"))
        upsert_track(connection, new_track(b"/music/b.flac"))
        add_plays(connection, [Play(1.5, "like", track_id), Play(2.0, "play", track_id)])
        remove_tracks(connection, [track_id])
        assert list_plays(connection) == []
    return database


@pytest.mark.parametrize(
    ("path", "content", "returned"),
    [
        (b"/music/a.flac", b"one", True),
        (b"/else/where.flac", b"one", True),
        (b"/music/a.flac", b"two", True),
        (b"/else/where.flac", b"two", False),
    ],
)
def test_return(removed: Database, new_track: NewTracks, path: bytes, content: bytes, returned: bool) -> None:
    """The plays come back with the content or the path, once."""
    with removed.write() as connection:
        track_id = upsert_track(connection, new_track(path, content_hash=content))
        expected = [Play(1.5, "like", track_id), Play(2.0, "play", track_id)] if returned else []
        assert list_plays(connection) == expected
        upsert_track(connection, new_track(b"/a/copy.flac", content_hash=content))
        assert list_plays(connection) == expected or not returned


def test_content_before_path(removed: Database, new_track: NewTracks) -> None:
    """Where another content lies at the path, the plays wait for theirs only as long as no new file takes the path."""
    with removed.write() as connection:
        content = upsert_track(connection, new_track(b"/new/a.flac", content_hash=b"one"))
        upsert_track(connection, new_track(b"/music/a.flac", content_hash=b"two"))
        assert {play.track_id for play in list_plays(connection)} == {content}


def test_known_track_takes_none(removed: Database, new_track: NewTracks) -> None:
    """A track that is there already, and only gets other content, does not inherit."""
    with removed.write() as connection:
        upsert_track(connection, new_track(b"/music/b.flac", content_hash=b"one"))
        assert list_plays(connection) == []


def test_relocated(removed: Database, new_track: NewTracks) -> None:
    """A folder that moves takes the paths of removed tracks with it."""
    with removed.write() as connection:
        relocate(connection, b"/music", b"/moved")
        track_id = upsert_track(connection, new_track(b"/moved/a.flac", content_hash=b"two"))
        assert [play.track_id for play in list_plays(connection)] == [track_id, track_id]
