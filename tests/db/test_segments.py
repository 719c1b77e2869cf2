"""Windows by the thousand: every long enough track once, each number as it was stored, damage named."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import update

from engine.db import Database, NewTrack, Signature, put_signature, segment_blocks, upsert_track
from engine.db.schema import segments as table
from engine.errors import SignatureError

NewTracks = Callable[..., NewTrack]
NewSignatures = Callable[..., Signature]
KEY = ("a@1", "windows")


@pytest.fixture
def stored(database: Database, new_track: NewTracks, new_signature: NewSignatures) -> dict[int, Signature]:
    """Signatures of nine tracks of 10 to 90 s by track id, in turns of one, two and three windows, beside others."""
    written = {}
    with database.write() as connection:
        for number in range(1, 10):
            track_id = upsert_track(connection, new_track(b"/music/%d" % number, duration_seconds=10.0 * number))
            whole = new_signature(track_id).embedding
            count = 1 + number % 3
            parts = {name: getattr(whole, name)[:count] for name in ("starts", "attention", "segment_vectors")}
            written[track_id] = replace(new_signature(track_id), embedding=replace(whole, **parts))
            put_signature(connection, written[track_id])
            put_signature(connection, new_signature(track_id, encoder="b@2"))
            put_signature(connection, new_signature(track_id, coverage="full"))
    return written


def test_blocks(database: Database, stored: dict[int, Signature], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each track comes once, in a block of its number of windows, with its own numbers, whatever a block's size."""
    for at_once in (1, 4, 4096):
        monkeypatch.setattr("engine.db.segments.WINDOWS_AT_ONCE", at_once)
        seen = []
        with database.read() as connection:
            for block in segment_blocks(connection, *KEY):
                assert len(block.track_ids) <= max(1, at_once)
                for i, track_id in enumerate(block.track_ids.tolist()):
                    seen.append(track_id)
                    expected = stored[track_id]
                    assert block.durations[i] == 10.0 * track_id
                    np.testing.assert_array_equal(block.starts[i], expected.embedding.starts)
                    np.testing.assert_array_equal(block.attention[i], expected.embedding.attention)
                    np.testing.assert_array_equal(block.vectors[i], expected.embedding.segment_vectors)
        assert sorted(seen) == sorted(stored)


def test_shortest(database: Database, stored: dict[int, Signature]) -> None:
    """Tracks shorter than asked are not read; one of exactly that length is."""
    with database.read() as connection:
        found = [int(i) for block in segment_blocks(connection, *KEY, 60.0) for i in block.track_ids]
        assert sorted(found) == [track_id for track_id in stored if track_id >= 6]
        assert list(segment_blocks(connection, *KEY, 1e6)) == []
        assert list(segment_blocks(connection, "none@0", "windows")) == []


@pytest.mark.parametrize("blob", [b"", b"\0" * 7, b"\xff" * 4 * 8 * 2])
def test_damage(database: Database, stored: dict[int, Signature], blob: bytes) -> None:
    """A row that is cut short or holds what is no number names its track."""
    with database.write() as connection:
        connection.execute(update(table).where(table.c.signature_id == 1).values(vectors=blob))
    with database.read() as connection, pytest.raises(SignatureError, match="track 1 "):
        list(segment_blocks(connection, *KEY))
