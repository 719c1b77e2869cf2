"""Fingerprints in the library: exact round trips, nothing for bytes that are gone, and who shares what."""

import sqlite3
from collections.abc import Callable

import numpy as np
import pytest

from engine.db import (
    Database,
    Fingerprint,
    NewTrack,
    fingerprint_kinds,
    get_fingerprints,
    namesakes,
    put_fingerprints,
    remove_tracks,
    upsert_track,
)
from engine.errors import LibraryError

NewTracks = Callable[..., NewTrack]


def words(*numbers: int) -> np.ndarray:
    """Words of these numbers."""
    return np.array(numbers, np.uint32)


def put(database: Database, new: NewTrack, *found: tuple[str, np.ndarray]) -> int:
    """Put a track and its fingerprints; returns the id."""
    with database.write() as connection:
        track_id = upsert_track(connection, new)
        listed = [Fingerprint(track_id, kind, content, "mp3", 128_000) for kind, content in found]
        put_fingerprints(connection, listed, {track_id: new.content_hash})
    return track_id


def test_fingerprints_come_back_as_written(database: Database, new_track: NewTracks) -> None:
    """Words, codec and bit rate come back, by track and kind; a kind that is written again replaces itself only."""
    first = put(database, new_track(), ("a:1", words(0, 1, 2**32 - 1)), ("b:1", words()))
    put(database, new_track(), ("a:1", words(7)))
    with database.read() as connection:
        held = get_fingerprints(connection, [first, 999])
        assert fingerprint_kinds(connection, [first, 999]) == {first: {"a:1", "b:1"}}
    assert {kind: each.words.tolist() for kind, each in held[first].items()} == {"a:1": [7], "b:1": []}
    assert {(each.codec, each.bitrate) for each in held[first].values()} == {("mp3", 128_000)}
    assert list(held) == [first]


def test_bytes_that_are_gone_get_no_fingerprint(database: Database, new_track: NewTracks) -> None:
    """A track that was removed, or whose content changed while its file was read, gets nothing."""
    gone, changed = (put(database, new_track(path)) for path in (b"/music/gone", b"/music/changed"))
    with database.write() as connection:
        remove_tracks(connection, [gone])
        listed = [Fingerprint(track_id, "a:1", words(1), None, None) for track_id in (gone, changed)]
        put_fingerprints(connection, listed, {gone: b"x", changed: b"another"})
        assert get_fingerprints(connection, [gone, changed]) == {}


def test_new_content_forgets_fingerprints(database: Database, new_track: NewTracks) -> None:
    """A file whose content changed loses its fingerprints; one that was only looked at keeps them."""
    track_id = put(database, new_track(), ("a:1", words(1)))
    put(database, new_track(title="Other"))
    with database.read() as connection:
        assert list(get_fingerprints(connection, [track_id])) == [track_id]
    put(database, new_track(content_hash=b"other"))
    with database.read() as connection:
        assert get_fingerprints(connection, [track_id]) == {}


def test_a_damaged_fingerprint_is_reported(database: Database, new_track: NewTracks) -> None:
    """A fingerprint that is no whole number of words is damage, which names its track."""
    track_id = put(database, new_track(), ("a:1", words(1)))
    with sqlite3.connect(database.path) as connection:
        connection.execute("UPDATE fingerprints SET fingerprint = x'0102'")
    with database.read() as connection, pytest.raises(LibraryError, match=f"track {track_id} is damaged"):
        get_fingerprints(connection, [track_id])


def test_namesakes(database: Database, new_track: NewTracks) -> None:
    """Tracks of the same bytes, recording or ISRC are found, column by column; what one track has alone is not."""
    tags = [
        {"content_hash": b"same", "isrc": "A"},
        {"content_hash": b"same", "recording_id": "r"},
        {"recording_id": "r", "isrc": "B"},
        {"isrc": "C"},
    ]
    ids = [put(database, new_track(b"/music/%d" % i, **each)) for i, each in enumerate(tags)]
    with database.read() as connection:
        found = {(each.column, each.track_ids) for each in namesakes(connection)}
    assert found == {("content_hash", (ids[0], ids[1])), ("recording_id", (ids[1], ids[2]))}
