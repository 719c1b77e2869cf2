"""Signatures: exact round trips, ids that only rise, and no damaged number handed on."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import Connection, update

from engine.db import (
    Database,
    EncoderCount,
    NewTrack,
    Signature,
    VectorIndex,
    encoders,
    get_setting,
    get_signature,
    get_vector_index,
    live_ids,
    matrix,
    matrix_by_track,
    missing_tracks,
    predictions,
    put_signature,
    put_vector_index,
    remove_tracks,
    set_setting,
    track_of_signatures,
    upsert_track,
    vectors_of_tracks,
)
from engine.db.schema import segments, signatures
from engine.errors import LibraryError

NewTracks = Callable[..., NewTrack]
NewSignatures = Callable[..., Signature]
KEY = ("a@1", "windows")
HALF_PRECISION = 2**-10  # relative, of float16


@pytest.fixture
def track_ids(database: Database, new_track: NewTracks) -> list[int]:
    """Five tracks in the library."""
    with database.write() as connection:
        return [upsert_track(connection, new_track(b"/music/%d.mp3" % number)) for number in range(5)]


def count(connection: Connection, table: str) -> int:
    """Return the number of rows of a table."""
    return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def test_signature_comes_back_as_written(
    database: Database, track_ids: list[int], new_signature: NewSignatures
) -> None:
    """Every number comes back exactly, those of the windows within half precision, in arrays that may be changed."""
    written = new_signature(track_ids[0])
    with database.write() as connection:
        put_signature(connection, written)
    with database.read() as connection:
        read = get_signature(connection, track_ids[0], *KEY)
    assert read is not None
    for name in ("signature", "genres", "moods", "starts", "attention"):
        np.testing.assert_array_equal(getattr(read.embedding, name), getattr(written.embedding, name))
        getattr(read.embedding, name)[0] = 0
    np.testing.assert_allclose(read.embedding.segment_vectors, written.embedding.segment_vectors, rtol=HALF_PRECISION)
    assert read.embedding.segment_vectors.dtype == read.embedding.signature.dtype == np.float32
    assert (read.track_id, read.encoder, read.coverage) == (track_ids[0], *KEY)


def test_replaced_signature_gets_a_new_id(
    database: Database, track_ids: list[int], new_signature: NewSignatures
) -> None:
    """A replaced signature has a higher id and leaves nothing behind; other encoders and coverages are untouched."""
    with database.write() as connection:
        first = put_signature(connection, new_signature(track_ids[0]))
        put_signature(connection, new_signature(track_ids[0], coverage="full"))
        other = put_signature(connection, new_signature(track_ids[0], encoder="b@2"))
        second = put_signature(connection, new_signature(track_ids[0], seed=1))
        assert second > other > first
        assert track_of_signatures(connection, np.array([first, second, 999])) == {second: track_ids[0]}
        assert count(connection, "signatures") == count(connection, "segments") == 3


def test_removed_track_takes_its_signatures_along(
    database: Database, track_ids: list[int], new_signature: NewSignatures
) -> None:
    """Removing a track removes its signatures and windows, and their ids do not come back."""
    with database.write() as connection:
        ids = [put_signature(connection, new_signature(track_id)) for track_id in track_ids]
        remove_tracks(connection, track_ids[-2:])
        assert live_ids(connection, *KEY).signature_ids.tolist() == ids[:-2]
        assert count(connection, "segments") == 3
        assert put_signature(connection, new_signature(track_ids[0])) > ids[-1]


def test_signature_of_a_removed_track_is_refused(database: Database, new_signature: NewSignatures) -> None:
    """A signature whose track another process removed is an error in words, and is not stored."""
    with pytest.raises(LibraryError, match="refused a row"), database.write() as connection:
        put_signature(connection, new_signature(77))


def changed(row: Signature, coverage: str = "windows", **changes: np.ndarray) -> Signature:
    """A row with another coverage, or other arrays in its embedding."""
    return dataclasses.replace(row, coverage=coverage, embedding=dataclasses.replace(row.embedding, **changes))


@pytest.mark.parametrize(
    "change",
    [
        {"coverage": "half"},
        {"signature": np.ones(8, np.float32)},
        {"signature": np.full(8, np.nan, np.float32)},
        {"signature": np.zeros(8, np.float32)},
        {"signature": np.eye(1, 9, dtype=np.float32)[0]},
        {"genres": np.array([np.nan], np.float32)},
        {"starts": np.zeros(2, np.float32)},
        {"attention": np.full(3, np.inf, np.float32)},
        {"segment_vectors": np.full((3, 8), 1e6, np.float32)},
    ],
)
def test_impossible_signature_is_refused_and_the_old_one_kept(
    database: Database, track_ids: list[int], new_signature: NewSignatures, change: dict
) -> None:
    """A signature with a wrong shape, norm or number is refused before the old one is touched."""
    good = new_signature(track_ids[0])
    with database.write() as connection:
        kept = put_signature(connection, good)
        with pytest.raises(LibraryError):
            put_signature(connection, changed(good, **change))
        assert live_ids(connection, *KEY).signature_ids.tolist() == [kept]


def test_matrix_holds_every_row_once_in_order_of_ids(
    database: Database, track_ids: list[int], new_signature: NewSignatures
) -> None:
    """The matrix has each live signature of its encoder and coverage in the order of ids, and AFTER_ID cuts it."""
    with database.write() as connection:
        ids = [put_signature(connection, new_signature(track_id)) for track_id in reversed(track_ids)]
        put_signature(connection, new_signature(track_ids[0], encoder="b@2", seed=3))
    with database.read() as connection:
        whole = matrix(connection, *KEY)
        rest = matrix(connection, *KEY, after_id=ids[2])
        live = live_ids(connection, *KEY)
        sorted_rows = matrix_by_track(connection, *KEY)
    assert whole.signature_ids.tolist() == live.signature_ids.tolist() == ids
    assert whole.track_ids.tolist() == live.track_ids.tolist() == track_ids[::-1]
    np.testing.assert_array_equal(
        whole.vectors, [new_signature(track_id).embedding.signature for track_id in track_ids[::-1]]
    )
    np.testing.assert_array_equal(rest.vectors, whole.vectors[3:])
    assert rest.signature_ids.tolist() == ids[3:]
    assert sorted_rows.signature_ids.tolist() == ids[::-1]
    assert sorted_rows.track_ids.tolist() == track_ids
    np.testing.assert_array_equal(sorted_rows.vectors, whole.vectors[::-1])


def test_matrix_larger_than_one_portion_is_whole(
    database: Database, new_track: NewTracks, monkeypatch: pytest.MonkeyPatch, new_signature: NewSignatures
) -> None:
    """A matrix that is read in several portions has every row."""
    monkeypatch.setattr("engine.db.vectors.ROWS_AT_ONCE", 7)
    with database.write() as connection:
        ids = [upsert_track(connection, new_track(b"/m/%d" % number)) for number in range(50)]
        for track_id in ids:
            put_signature(connection, new_signature(track_id))
        found = [matrix(connection, *KEY), matrix_by_track(connection, *KEY)]
    for whole in found:
        assert whole.track_ids.tolist() == ids
        np.testing.assert_array_equal(whole.vectors, [new_signature(track_id).embedding.signature for track_id in ids])


def test_empty_matrix_knows_its_width(database: Database, track_ids: list[int], new_signature: NewSignatures) -> None:
    """With nothing after AFTER_ID the matrix is (0, D), and (0, 0) for an encoder that was never used."""
    with database.write() as connection:
        last = put_signature(connection, new_signature(track_ids[0]))
        assert matrix(connection, *KEY, after_id=last).vectors.shape == (0, 8)
        assert matrix(connection, "never@0", "windows").vectors.shape == (0, 0)
        assert live_ids(connection, "never@0", "windows").track_ids.shape == (0,)


ODD = [b"", b"\0" * 31, b"\0" * 36, b"\0" * 32, np.full(8, np.nan, "<f4").tobytes(), np.full(8, 9, "<f4").tobytes()]


@pytest.mark.parametrize("blob", ODD)
def test_damaged_vector_names_its_track(
    database: Database, track_ids: list[int], new_signature: NewSignatures, blob: bytes
) -> None:
    """A stored vector that is not D finite numbers of unit norm stops the matrix, and the error names the track."""
    with database.write() as connection:
        for track_id in track_ids:
            put_signature(connection, new_signature(track_id))
        wrong = signatures.c.track_id == track_ids[3]
        connection.execute(update(signatures).where(wrong).values(vector=blob))
        for ask in (
            matrix,
            matrix_by_track,
            lambda *key: vectors_of_tracks(*key, track_ids),
            lambda *key: get_signature(key[0], track_ids[3], *key[1:]),
        ):
            with pytest.raises(LibraryError, match=r"/music/3\.mp3"):
                ask(connection, *KEY)


def test_missing_windows_name_their_track(
    database: Database, track_ids: list[int], new_signature: NewSignatures
) -> None:
    """A signature whose windows are gone is reported, not returned in part."""
    with database.write() as connection:
        put_signature(connection, new_signature(track_ids[2]))
        connection.execute(segments.delete())
        with pytest.raises(LibraryError, match=r"/music/2\.mp3"):
            get_signature(connection, track_ids[2], *KEY)


def test_vectors_of_tracks_are_those_asked_for(
    database: Database, track_ids: list[int], new_signature: NewSignatures
) -> None:
    """Tracks come once each though asked for twice; those without a signature are left out."""
    with database.write() as connection:
        for track_id in reversed(track_ids[:4]):
            put_signature(connection, new_signature(track_id))
        asked = np.array([track_ids[4], track_ids[1], track_ids[3], track_ids[1], 999])
        found = vectors_of_tracks(connection, *KEY, asked)
        assert vectors_of_tracks(connection, *KEY, []).vectors.shape == (0, 8)
    assert found.track_ids.tolist() == [track_ids[3], track_ids[1]]
    assert (np.diff(found.signature_ids) > 0).all()
    expected = [new_signature(track_ids[i]).embedding.signature for i in (3, 1)]
    np.testing.assert_array_equal(found.vectors, expected)


def test_encoders_live_side_by_side(database: Database, track_ids: list[int], new_signature: NewSignatures) -> None:
    """Each encoder and coverage has its own tracks, its own gaps and its own predictions."""
    with database.write() as connection:
        for track_id in track_ids[:3]:
            put_signature(connection, new_signature(track_id))
        put_signature(connection, new_signature(track_ids[4], encoder="b@2", coverage="full"))
        assert encoders(connection) == [EncoderCount("a@1", "windows", 3), EncoderCount("b@2", "full", 1)]
        assert missing_tracks(connection, *KEY) == set(track_ids[3:])
        assert missing_tracks(connection, "b@2", "full") == set(track_ids[:4])
        assert missing_tracks(connection, "b@2", "windows") == set(track_ids)
        predicted = predictions(connection, *KEY, track_ids)
    assert set(predicted) == set(track_ids[:3])
    expected = new_signature(track_ids[1]).embedding
    np.testing.assert_array_equal(predicted[track_ids[1]].genres, expected.genres)
    np.testing.assert_array_equal(predicted[track_ids[1]].moods, expected.moods)


def test_vector_index_note_is_kept_per_encoder(database: Database) -> None:
    """What the index file holds is noted per encoder and coverage, and the last note counts."""
    with database.write() as connection:
        put_vector_index(connection, *KEY, VectorIndex("digest", 3))
        put_vector_index(connection, *KEY, VectorIndex("newer", 9))
        assert get_vector_index(connection, *KEY) == VectorIndex("newer", 9)
        assert get_vector_index(connection, "a@1", "full") is None


def test_setting_is_what_was_set_last(database: Database) -> None:
    """A setting never set is None; one set twice has its second value."""
    with database.write() as connection:
        assert get_setting(connection, "encoder") is None
        set_setting(connection, "encoder", "a@1")
        set_setting(connection, "encoder", "b'@%\0 2")
        assert get_setting(connection, "encoder") == "b'@%\0 2"
