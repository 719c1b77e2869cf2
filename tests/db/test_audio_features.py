"""Tempo, key and loudness in the library: stored, missing, outdated."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.db import (
    AudioFeatures,
    Database,
    NewTrack,
    get_audio_features,
    move_track,
    put_audio_features,
    remove_tracks,
    unmeasured_tracks,
    upsert_track,
)
from engine.errors import LibraryError

SONG = AudioFeatures(120.5, "A minor", -9.25)


@pytest.fixture
def ids(database: Database, new_track: Callable[..., NewTrack]) -> list[int]:
    """Three tracks."""
    with database.write() as connection:
        return [upsert_track(connection, new_track(path)) for path in (b"/b", b"/a", b"/c")]


def test_round_trip(database: Database, ids: list[int]) -> None:
    """What was stored comes back as it was, what is None included; tracks never measured are left out."""
    nothing = AudioFeatures(None, None, None)
    with database.write() as connection:
        put_audio_features(connection, ids[0], SONG)
        put_audio_features(connection, ids[1], nothing)
    with database.read() as connection:
        assert get_audio_features(connection, [*ids, 99]) == {ids[0]: SONG, ids[1]: nothing}


def test_many(database: Database, ids: list[int]) -> None:
    """More ids than one statement may hold are asked for at once."""
    with database.write() as connection:
        put_audio_features(connection, ids[0], SONG)
        assert get_audio_features(connection, range(5000)) == {ids[0]: SONG}


def test_again(database: Database, ids: list[int]) -> None:
    """A second measurement takes the place of the first."""
    with database.write() as connection:
        put_audio_features(connection, ids[0], AudioFeatures(1, None, None))
        put_audio_features(connection, ids[0], SONG)
        assert get_audio_features(connection, ids) == {ids[0]: SONG}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["tempo", "loudness"])
def test_not_finite(database: Database, ids: list[int], name: str, value: float) -> None:
    """A number that is not finite is refused, by its name."""
    features = AudioFeatures(**{"tempo": None, "key": None, "loudness": None, name: value})
    with pytest.raises(LibraryError, match=name), database.write() as connection:
        put_audio_features(connection, ids[0], features)


def test_no_track(database: Database) -> None:
    """What belongs to no track is refused."""
    with pytest.raises(LibraryError), database.write() as connection:
        put_audio_features(connection, 99, SONG)


def test_unmeasured(database: Database, ids: list[int]) -> None:
    """The tracks that were never measured are listed by path; one measured as having nothing is not among them."""
    with database.write() as connection:
        put_audio_features(connection, ids[2], AudioFeatures(None, None, None))
        assert [track.path for track in unmeasured_tracks(connection)] == [b"/a", b"/b"]


def test_outdated(database: Database, ids: list[int], new_track: Callable[..., NewTrack]) -> None:
    """New tags and another path keep what was measured; other content, and removal, end it."""
    with database.write() as connection:
        for track_id in ids:
            put_audio_features(connection, track_id, SONG)
        upsert_track(connection, new_track(b"/a", genre="Jazz"))
        move_track(connection, ids[0], b"/d", 1, 1)
        assert set(get_audio_features(connection, ids)) == set(ids)
        upsert_track(connection, new_track(b"/a", content_hash=b"other"))
        remove_tracks(connection, [ids[2]])
        assert set(get_audio_features(connection, ids)) == {ids[0]}
