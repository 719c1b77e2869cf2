"""Words of signatures: kept as float16 beside them, gone with them, missing where none were stored."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import func, select, update

from engine.db import (
    Database,
    NewTrack,
    Signature,
    get_signature,
    put_signature,
    remove_tracks,
    upsert_track,
    words_of_tracks,
)
from engine.db.schema import words as table
from engine.errors import LibraryError, SignatureError

NewTracks = Callable[..., NewTrack]
NewSignatures = Callable[..., Signature]
KEY = ("a@1", "windows")
WORDS = np.array([0.9, 1e-4, 0.5, 1.0, 0.0], np.float32)
HALF_ROUNDING = 2.0**-11  # of a probability


@pytest.fixture
def stored(database: Database, new_track: NewTracks, new_signature: NewSignatures) -> Signature:
    """The signature of track 1, with words; track 2 has one without."""
    with database.write() as connection:
        for number in (1, 2):
            assert upsert_track(connection, new_track(b"/music/%d" % number)) == number
        signature = with_words(new_signature(1), WORDS)
        put_signature(connection, signature)
        put_signature(connection, new_signature(2))
    return signature


def with_words(row: Signature, words: np.ndarray) -> Signature:
    """The same row with other words."""
    return replace(row, embedding=replace(row.embedding, words=words))


def rows(database: Database) -> int:
    """How many signatures have words."""
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


@pytest.mark.parametrize("windows", [True, False])
def test_words_come_back_as_they_went_in(database: Database, stored: Signature, windows: bool) -> None:
    """A signature's words are what was stored, rounded to float16, whether its windows are read or not."""
    with database.read() as connection:
        found = get_signature(connection, 1, *KEY, with_segments=windows)
    assert found is not None
    assert found.embedding.words.dtype == np.float32
    np.testing.assert_allclose(found.embedding.words, stored.embedding.words, atol=HALF_ROUNDING, rtol=0)
    assert len(found.embedding.starts) == (len(stored.embedding.starts) if windows else 0)


def test_a_signature_without_words_has_no_row(database: Database, stored: Signature) -> None:
    """What has no words takes no room for them, and is read as having none."""
    assert rows(database) == 1
    with database.read() as connection:
        found = get_signature(connection, 2, *KEY)
        assert found is not None
        assert found.embedding.words.shape == (0,)
        assert list(words_of_tracks(connection, *KEY, [1, 2, 99])) == [1]
        assert words_of_tracks(connection, "b@2", "windows", [1, 2]) == {}


def test_words_go_with_their_signature(database: Database, stored: Signature) -> None:
    """A replaced signature takes its words along, and so does a removed track."""
    with database.write() as connection:
        put_signature(connection, with_words(stored, 1 - WORDS))
    assert rows(database) == 1
    with database.read() as connection:
        found = words_of_tracks(connection, *KEY, [1])[1]
    np.testing.assert_allclose(found, 1 - WORDS, atol=HALF_ROUNDING, rtol=0)
    with database.write() as connection:
        put_signature(connection, with_words(stored, WORDS[:0]))
    assert rows(database) == 0
    with database.write() as connection:
        put_signature(connection, stored)
        remove_tracks(connection, [1])
    assert rows(database) == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e6])
def test_numbers_that_are_no_float16_are_refused(database: Database, stored: Signature, bad: float) -> None:
    """What could not be read again is not stored, and the signature that was there stays."""
    with pytest.raises(LibraryError, match="expected finite words"), database.write() as connection:
        put_signature(connection, with_words(stored, np.array([0.5, bad], np.float32)))
    assert rows(database) == 1


@pytest.mark.parametrize("blob", [b"\0" * 3, b"\xff" * 4])
def test_damaged_words_name_their_track(database: Database, stored: Signature, blob: bytes) -> None:
    """Words that are cut short or hold what is no number are one track's trouble, with the way out."""
    with database.write() as connection:
        connection.execute(update(table).values(probabilities=blob))
    with database.read() as connection:
        for read in (lambda: get_signature(connection, 1, *KEY), lambda: words_of_tracks(connection, *KEY, [1])):
            with pytest.raises(SignatureError, match=r"track 1 \(/music/1\).*remove that track and index it again"):
                read()
        assert get_signature(connection, 2, *KEY) is not None
