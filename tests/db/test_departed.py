"""Removed tracks: ids and plays are set aside, and given back to a track of the same content, recording or sound."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import Connection, func, select, text

from engine.db import (
    Database,
    NewTrack,
    Play,
    Signature,
    add_plays,
    list_plays,
    put_signature,
    relocate,
    remove_tracks,
    upsert_track,
)
from engine.db.departed import KEPT_SECONDS, Sound, forget_departed
from engine.db.departed_tables import departed_sounds, departed_tracks
from engine.db.integrity import remove_dangling_rows
from engine.db.schema import playlist_tracks, playlists, stars

NewTracks = Callable[..., NewTrack]
NewSignatures = Callable[..., Signature]
RECORDING = "9aed8738-6cdc-4a7d-9b1c-0b8f3ab5a4f2"


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


@pytest.mark.parametrize(
    ("path", "changes", "same"),
    [
        (b"/else/where.flac", {"content_hash": b"one"}, True),
        (b"/else/where.flac", {"recording_id": RECORDING, "duration_seconds": 14.0}, True),
        (b"/else/where.flac", {"recording_id": RECORDING, "duration_seconds": 20.0}, False),
        (b"/else/where.flac", {"recording_id": RECORDING[::-1]}, False),
        (b"/music/a.flac", {"content_hash": b"two"}, True),
        (b"/music/a.flac", {"content_hash": b"two", "duration_seconds": 200.0}, False),
    ],
)
def test_id(database: Database, new_track: NewTracks, path: bytes, changes: dict[str, object], same: bool) -> None:
    """The id and the day it was added come back by content, by MusicBrainz recording, or by the path."""
    with database.write() as connection:
        first = upsert_track(connection, new_track(b"/music/a.flac", content_hash=b"one", recording_id=RECORDING))
        connection.execute(text("UPDATE tracks SET added_at = 1234"))
        remove_tracks(connection, [first])
        upsert_track(connection, new_track(b"/music/b.flac"))
        again = upsert_track(connection, new_track(path, **changes))
        assert (again == first) is same
        added = connection.execute(text("SELECT added_at FROM tracks WHERE id = :id"), {"id": again}).scalar_one()
        assert (added == 1234) is same


@pytest.mark.parametrize(
    ("encoder", "seconds", "turned", "weighed", "same"),
    [
        ("a@1", 12.54, 0.0, 0.0, True),
        ("a@1", 12.5, 1e-5, 1e-3, True),
        ("a@1", 12.6, 0.0, 0.0, False),
        ("a@1", 12.5, 0.05, 0.0, False),
        ("a@1", 12.5, 0.0, 0.05, False),
        ("b@1", 12.5, 0.0, 0.0, False),
    ],
)
def test_sound(
    database: Database, new_track: NewTracks, new_signature: NewSignatures, encoder: str, seconds: float,
    turned: float, weighed: float, same: bool,
) -> None:  # fmt: skip
    """A file of other bytes, tags and path continues the removed track whose length, signature and attention it has."""
    with database.write() as connection:
        first = upsert_track(connection, new_track())
        stored = new_signature(first)
        put_signature(connection, stored)
        remove_tracks(connection, [first])
        upsert_track(connection, new_track(b"/music/b.flac"))
        vector = stored.embedding.signature + turned * np.eye(8, dtype=np.float32)[0]
        weights = stored.embedding.attention + weighed * np.float32([1, -1, 0])
        heard = replace(stored.embedding, signature=vector / np.linalg.norm(vector), attention=weights)
        new = new_track(b"/else/where.flac", duration_seconds=seconds)
        assert (upsert_track(connection, new, Sound(encoder, "windows", heard)) == first) is same


def test_copies(database: Database, new_track: NewTracks) -> None:
    """Two removed copies of one file come back each with its own id and plays."""
    with database.write() as connection:
        ids = [upsert_track(connection, new_track(path, content_hash=b"one")) for path in (b"/a", b"/b")]
        add_plays(connection, [Play(float(number), "play", number) for number in ids])
        remove_tracks(connection, ids)
        again = [upsert_track(connection, new_track(path, content_hash=b"one")) for path in (b"/b", b"/a")]
        assert again == ids[::-1]
        assert list_plays(connection) == [Play(float(number), "play", number) for number in ids]


def save_list(connection: Connection, track_id: int) -> None:
    """Put a track into a playlist."""
    values = {"owner": "local", "name": "a", "comment": "", "public": False, "created_at": 1.0, "changed_at": 1.0}
    connection.execute(playlists.insert().values(id=1, **values))
    connection.execute(playlist_tracks.insert().values(playlist_id=1, place=0, track_id=track_id))


def test_forgotten(database: Database, new_track: NewTracks, new_signature: NewSignatures) -> None:
    """After 90 days a removed track keeps its id where it was played, starred or listed; others are forgotten."""
    with database.write() as connection:
        ids = [upsert_track(connection, new_track(path)) for path in (b"/a", b"/b", b"/starred", b"/listed")]
        put_signature(connection, new_signature(ids[0]))
        connection.execute(stars.insert().values(user="local", item=str(ids[2]), starred_at=1.0))
        save_list(connection, ids[3])
        add_plays(connection, [Play(1.5, "like", ids[0])])
        remove_tracks(connection, ids)
        forget_departed(connection)
        assert connection.execute(select(func.count()).select_from(departed_tracks)).scalar_one() == 4
        connection.execute(departed_tracks.update().values(removed_at=int(time.time()) - KEPT_SECONDS - 60))
        forget_departed(connection)
        assert connection.execute(select(func.count()).select_from(departed_sounds)).scalar_one() == 0
        assert upsert_track(connection, new_track(b"/b")) not in ids
        assert [upsert_track(connection, new_track(path)) for path in (b"/starred", b"/listed")] == ids[2:]
        assert upsert_track(connection, new_track(b"/a")) == ids[0]
        assert list_plays(connection) == [Play(1.5, "like", ids[0])]


def test_set_aside_by_an_earlier_version(removed: Database, new_track: NewTracks) -> None:
    """Plays that an earlier version kept without ids come back by content or path."""
    with removed.write() as connection:
        connection.execute(text("DROP TABLE departed_tracks"))
        connection.execute(text("DROP TABLE departed_sounds"))
        connection.execute(text("DROP TABLE orphaned_plays"))
        track_id = upsert_track(connection, new_track(b"/else/where.flac", content_hash=b"one"))
        assert list_plays(connection) == [Play(1.5, "like", track_id), Play(2.0, "play", track_id)]


def test_orphans(removed: Database, new_track: NewTracks) -> None:
    """Plays without a track are set aside, and come back with the track of their id."""
    with removed.write() as connection:
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        connection.execute(text("INSERT INTO plays (track_id, time, event) VALUES (1, 9.0, 'skip'), (99, 9.0, 'like')"))
        assert remove_dangling_rows(connection) == 2
        assert list_plays(connection) == []
        upsert_track(connection, new_track(b"/music/a.flac", content_hash=b"one"))
        assert list_plays(connection)[-1] == Play(9.0, "skip", 1)
        assert connection.execute(text("SELECT track_id, event FROM orphaned_plays")).all() == [(99, "like")]
