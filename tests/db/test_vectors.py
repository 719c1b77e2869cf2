"""Signatures in bulk: a damaged one is named, whichever it is, and no healthy one is blamed for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import update

from engine.db import (
    Database,
    NewTrack,
    Signature,
    matrix,
    matrix_by_track,
    put_signature,
    upsert_track,
    vectors_of_tracks,
)
from engine.db.schema import signatures
from engine.errors import LibraryError

KEY = ("a@1", "windows")
DIMENSIONS = 8  # of the signatures that new_signature makes
SHORT_UNIT = np.eye(3, dtype="<f4")[0].tobytes()
WRONG_LENGTHS = [b"", b"\0" * 31, b"\0" * 36, np.full(3, 9, "<f4").tobytes(), np.full(3, np.nan, "<f4").tobytes()]


@pytest.fixture
def track_ids(
    database: Database, new_track: Callable[..., NewTrack], new_signature: Callable[..., Signature]
) -> list[int]:
    """Five tracks in the library, each with a signature."""
    with database.write() as connection:
        ids = [upsert_track(connection, new_track(b"/music/%d.mp3" % number)) for number in range(5)]
        for track_id in ids:
            put_signature(connection, new_signature(track_id))
    return ids


def damage(database: Database, track_id: int, blob: bytes) -> None:
    """Replace a track's stored vector."""
    with database.write() as connection:
        connection.execute(update(signatures).where(signatures.c.track_id == track_id).values(vector=blob))


@pytest.mark.parametrize("blob", [*WRONG_LENGTHS, SHORT_UNIT])
def test_damaged_first_signature_is_named(database: Database, track_ids: list[int], blob: bytes) -> None:
    """A first signature of a wrong length is the one that is named, though the others agree on another length."""
    damage(database, track_ids[0], blob)
    with database.read() as connection:
        for ask in (matrix, matrix_by_track, lambda *key: vectors_of_tracks(*key, track_ids)):
            with pytest.raises(LibraryError, match=r"/music/0\.mp3"):
                ask(connection, *KEY)


@pytest.mark.parametrize("blob", WRONG_LENGTHS)
@pytest.mark.parametrize("number", [0, 1])
def test_of_two_signatures_the_damaged_one_is_named(
    database: Database, track_ids: list[int], blob: bytes, number: int
) -> None:
    """Of two signatures of different lengths the one that is not of unit norm is named."""
    damage(database, track_ids[number], blob)
    with database.write() as connection:
        connection.execute(signatures.delete().where(signatures.c.track_id.in_(track_ids[2:])))
        with pytest.raises(LibraryError, match=rf"/music/{number}\.mp3"):
            matrix(connection, *KEY)


@pytest.mark.parametrize("blob", [*WRONG_LENGTHS, SHORT_UNIT, "text"])
def test_healthy_signatures_beside_a_damaged_first_one(
    database: Database, track_ids: list[int], blob: bytes | str
) -> None:
    """Healthy signatures are read although the first, which is not asked for, is damaged."""
    with sqlite3.connect(database.path) as plain:
        plain.execute("UPDATE signatures SET vector = ? WHERE track_id = ?", (blob, track_ids[0]))
    with database.read() as connection:
        found = vectors_of_tracks(connection, *KEY, track_ids[1:])
        newer = matrix(connection, *KEY, after_id=int(found.signature_ids[0]))
    assert found.track_ids.tolist() == track_ids[1:]
    assert found.vectors.shape == (4, DIMENSIONS)
    assert newer.track_ids.tolist() == track_ids[2:]
