"""Rhythm and harmony of tracks that were indexed without: stored, reported, passed over; new tracks and copies."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import numpy as np

from engine import Engine
from engine.db import get_aspects
from engine.indexer.aspects.kinds import KINDS
from tests.conftest import Collection

KIND_NAMES = set(KINDS.values())


def held(engine: Engine, *track_ids: int) -> dict[int, dict[str, np.ndarray]]:
    """The aspects of some tracks."""
    with engine._session.database.read() as connection:
        return get_aspects(connection, track_ids)


def forget(library: Path) -> None:
    """Remove all aspects, as in a library that an earlier version made."""
    with sqlite3.connect(library) as connection:
        connection.execute("DELETE FROM aspects")


def test_what_is_described_later_is_what_indexing_describes(own: Collection) -> None:
    """The windows are the same, and so are the vectors, but for half precision; each track is described once."""
    with Engine.open(own.library, device="cpu") as engine:
        before = held(engine, 1, 2)
        forget(own.library)
        report = engine.measure([own.song(0), own.song(1)])
        assert (report.described, report.failed) == (2, [])
        after = held(engine, 1, 2)
        assert engine.measure([own.song(0), own.song(1)]).described == 0
    for track_id, vectors in before.items():
        assert vectors.keys() == KIND_NAMES
        for kind, vector in vectors.items():
            assert np.allclose(after[track_id][kind], vector, atol=2e-3)


def test_bad_files_are_reported_and_missing_ones_passed_over(own: Collection) -> None:
    """A file that changed is a failure with its reason, a file that is gone is none; others are described."""
    forget(own.library)
    own.song(0).write_bytes(b"no sound")
    own.song(1).unlink()
    with Engine.open(own.library, device="cpu") as engine:
        report = engine.measure([own.song(number) for number in range(3)])
        assert report.described == 1
        assert [Path(each.path).name for each in report.failed] == ["song00.wav"]
        assert held(engine, 1, 2, 3).keys() == {3}


def test_copies_and_full_coverage_have_aspects(own: Collection) -> None:
    """A copy of a track takes its aspects along; a file that is read in full has some, too."""
    copy = own.folder / "copy.wav"
    shutil.copy(own.song(2), copy)
    with Engine.open(own.library, device="cpu") as engine:
        engine.index(copy)
        track_id = engine.locate(copy)[1]
        assert track_id is not None
        found = held(engine, 3, track_id)
    assert all(np.array_equal(found[3][kind], found[track_id][kind]) for kind in KIND_NAMES)
    with Engine.open(own.folder.parent / "full.db", device="cpu", coverage="full") as engine:
        engine.index(own.song(2))
        assert held(engine, 1)[1].keys() == KIND_NAMES
