"""Aspects in the library: stored by kind, missing, outdated, damaged."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.db import (
    Database,
    NewTrack,
    aspect_matrix,
    get_aspects,
    put_aspects,
    remove_tracks,
    tracks_without_aspects,
    upsert_track,
)
from engine.errors import LibraryError


def unit(*numbers: float) -> NDArray[np.float32]:
    """The numbers as a unit vector."""
    vector = np.array(numbers, np.float32)
    return vector / np.linalg.norm(vector)


@pytest.fixture
def ids(database: Database, new_track: Callable[..., NewTrack]) -> list[int]:
    """Three tracks."""
    with database.write() as connection:
        return [upsert_track(connection, new_track(path)) for path in (b"/b", b"/a", b"/c")]


def test_round_trip(database: Database, ids: list[int]) -> None:
    """Vectors come back in half precision, by track and kind; a second one of a kind takes the place of the first."""
    with database.write() as connection:
        put_aspects(connection, ids[0], {"rhythm:1": unit(1, 2, 3), "harmony:1": unit(0, 1)})
        put_aspects(connection, ids[0], {"rhythm:1": unit(3, 2, 1)})
    with database.read() as connection:
        found = get_aspects(connection, [*ids, 99])
    assert found.keys() == {ids[0]}
    assert np.allclose(found[ids[0]]["rhythm:1"], unit(3, 2, 1), atol=1e-3)
    assert np.allclose(found[ids[0]]["harmony:1"], unit(0, 1), atol=1e-3)


def test_matrix_of_a_kind(database: Database, ids: list[int]) -> None:
    """A matrix holds the rows of one kind only, in the order of tracks; none without any."""
    with database.write() as connection:
        for track_id, vector in ((ids[2], unit(1, 1)), (ids[0], unit(1, 0))):
            put_aspects(connection, track_id, {"rhythm:1": vector, "harmony:1": unit(0, 1, 0)})
        put_aspects(connection, ids[1], {"rhythm:2": unit(0, 1)})
        found = aspect_matrix(connection, "rhythm:1")
        assert found.track_ids.tolist() == [ids[0], ids[2]]
        assert np.allclose(found.vectors, [unit(1, 0), unit(1, 1)], atol=1e-3)
        assert aspect_matrix(connection, "mood:1").vectors.shape == (0, 0)


def test_tracks_that_lack_a_kind(database: Database, ids: list[int]) -> None:
    """A track counts as lacking until it has every kind; only tracks below the roots are listed."""
    kinds = ["rhythm:1", "harmony:1"]
    with database.write() as connection:
        put_aspects(connection, ids[0], dict.fromkeys(kinds, unit(1, 0)))
        put_aspects(connection, ids[1], {"rhythm:1": unit(1, 0)})
        assert [track.id for track in tracks_without_aspects(connection, kinds, [b"/"])] == [ids[1], ids[2]]
        assert [track.id for track in tracks_without_aspects(connection, kinds, [b"/c"])] == [ids[2]]


@pytest.mark.parametrize("numbers", [(0.0, 0.0), (2.0, 0.0), (float("nan"), 1.0)])
def test_no_unit_vector(database: Database, ids: list[int], numbers: Sequence[float]) -> None:
    """A vector that is not of unit norm is refused."""
    with database.write() as connection, pytest.raises(LibraryError, match="unit norm"):
        put_aspects(connection, ids[0], {"rhythm:1": np.array(numbers, np.float32)})


def test_other_content_and_removal(database: Database, ids: list[int], new_track: Callable[..., NewTrack]) -> None:
    """A track whose bytes change, or that is removed, loses its aspects; one that is only tagged anew keeps them."""
    with database.write() as connection:
        for track_id in ids:
            put_aspects(connection, track_id, {"rhythm:1": unit(1, 0)})
        upsert_track(connection, replace(new_track(b"/b"), content_hash=b"other" * 6 + b"xx"))
        upsert_track(connection, replace(new_track(b"/a"), title="another"))
        remove_tracks(connection, [ids[2]])
        assert get_aspects(connection, ids).keys() == {ids[1]}


@pytest.mark.parametrize("blob", [b"", b"abc", b"\0" * 4, b"\xff" * 4])
def test_damaged(database: Database, ids: list[int], blob: bytes) -> None:
    """A damaged row is an error that names its track, alone and among others."""
    with database.write() as connection:
        put_aspects(connection, ids[0], {"rhythm:1": unit(1, 0)})
        put_aspects(connection, ids[1], {"rhythm:1": unit(1, 0)})
    with sqlite3.connect(database.path) as plain:
        plain.execute("UPDATE aspects SET vector = ? WHERE track_id = ?", (blob, ids[1]))
    with database.read() as connection:
        with pytest.raises(LibraryError, match=f"track {ids[1]} is damaged"):
            aspect_matrix(connection, "rhythm:1")
        with pytest.raises(LibraryError, match=f"track {ids[1]} is damaged"):
            get_aspects(connection, ids)


SHORT = unit(1, 2).astype("<f2").tobytes()  # of unit norm: beside a single other row, either could be the damaged one
FIRST = [(SHORT, 2), *((blob, others) for blob in (b"", b"abc", b"\xff" * 4, "text", 7) for others in (1, 2))]


@pytest.mark.parametrize(("blob", "others"), FIRST)
def test_damaged_first(database: Database, ids: list[int], blob: object, others: int) -> None:
    """A damaged first row is named, not a healthy one after it, even where these are the only two."""
    with database.write() as connection:
        for track_id in ids[: 1 + others]:
            put_aspects(connection, track_id, {"rhythm:1": unit(1, 2, 3)})
    with sqlite3.connect(database.path) as plain:
        plain.execute("UPDATE aspects SET vector = ? WHERE track_id = ?", (blob, ids[0]))
    with database.read() as connection, pytest.raises(LibraryError, match=f"track {ids[0]} is damaged"):
        aspect_matrix(connection, "rhythm:1")
