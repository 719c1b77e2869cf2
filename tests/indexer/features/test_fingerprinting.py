"""Taking fingerprints that are missing (`fingerprinting`, `fingerprint_store`): once for all threads, stored or not."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engine import Engine
from engine.db import Fingerprint, fingerprint_kinds, touch_track, tracks_by_ids
from engine.indexer.features import chromaprint, fingerprinting
from engine.indexer.features.fingerprint import first_sound
from engine.indexer.features.fingerprint_store import FingerprintStore, TakenFingerprints
from engine.indexer.features.fingerprinting import Fingerprinting
from engine.indexer.pipeline.decoders import Decoders
from tests.conftest import GENRES, Collection

THREADS = 8


@pytest.fixture(autouse=True)
def decoded(monkeypatch: pytest.MonkeyPatch) -> Counter[bytes]:
    """How often each file was decoded; there is no fpcalc."""
    counts: Counter[bytes] = Counter()
    lock = threading.Lock()

    call = Decoders.call

    def counting(decoders: Decoders, function: Callable[..., object], path: bytes, *arguments: object) -> object:
        with lock:
            counts[path] += function is first_sound
        return call(decoders, function, path, *arguments)

    monkeypatch.setattr(Decoders, "call", counting)
    monkeypatch.setattr(chromaprint, "PROGRAM", "fpcalc-of-this-test")
    return counts


def take(engine: Engine, ids: range) -> fingerprinting.FingerprintReport:
    """Take the fingerprints of some tracks."""
    database = engine._session.database
    return Fingerprinting(database, engine._session.fingerprints, 2).run(ids, lambda _: None)


def test_once_for_all_threads(own: Collection, decoded: Counter[bytes]) -> None:
    """Threads and sessions that need the same fingerprints at once decode each file once."""
    own.song(3).write_bytes(b"")
    ids = range(1, len(GENRES) + 1)
    with Engine.open(own.library, device="cpu") as first, Engine.open(own.library, device="cpu") as second:
        with ThreadPoolExecutor(THREADS) as pool:
            reports = list(pool.map(lambda i: take((first, second)[i % 2], ids), range(THREADS)))
        with first._session.database.read() as connection:
            assert len(fingerprint_kinds(connection, ids)) == len(GENRES) - 1
    assert set(decoded.values()) == {1}
    assert len(decoded) == len(GENRES) - 1
    assert all(len(report.left_out) == 1 for report in reports)


def test_a_run_that_stops_frees_its_files(own: Collection, decoded: Counter[bytes]) -> None:
    """Where a run is interrupted, another one takes what is left."""

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    ids = range(1, len(GENRES) + 1)
    with Engine.open(own.library, device="cpu") as engine:
        with pytest.raises(KeyboardInterrupt):
            Fingerprinting(engine._session.database, engine._session.fingerprints, 1).run(ids, stop)
        assert not take(engine, ids).left_out
        with engine._session.database.read() as connection:
            assert len(fingerprint_kinds(connection, ids)) == len(GENRES)
    assert set(decoded.values()) == {1}


def test_a_waiter_takes_over(own: Collection) -> None:
    """A thread that waits for a file takes it itself when the other one gives it up."""
    with Engine.open(own.library, device="cpu") as engine:
        store = engine._session.fingerprints
        assert store.claim([1]) == {}
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(take, engine, range(1, 3))
            store.release([1])
            assert not waiting.result(60).left_out
        with engine._session.database.read() as connection:
            assert set(fingerprint_kinds(connection, [1, 2])) == {1, 2}


def test_one_store_for_a_library(own: Collection) -> None:
    """Sessions of one library share their store, under whatever name they open it."""
    link = own.library.with_name("link.db")
    link.symlink_to(own.library)
    with Engine.open(own.library, device="cpu") as first, Engine.open(link, device="cpu") as second:
        assert FingerprintStore.of(first._session.database) is second._session.fingerprints


def test_read_only_library(own: Collection, monkeypatch: pytest.MonkeyPatch, decoded: Counter[bytes]) -> None:
    """Duplicates are found in a library that cannot be written; files are decoded once for all questions."""
    (own.folder / "copy.wav").write_bytes(own.song(0).read_bytes() + b"LIST\4\0\0\0INFO")
    with Engine.open(own.library, device="cpu") as engine:
        engine.index(own.folder)
        expected = engine.duplicates().groups
        with engine._session.database.write() as connection:
            connection.exec_driver_sql("DELETE FROM fingerprints")
    assert expected
    decoded.clear()
    monkeypatch.setattr("engine.db.session.os.access", lambda *_: False)
    with Engine.open(own.library, device="cpu") as engine:
        first, second = engine.duplicates(), engine.duplicates()
        assert (first.groups, second.groups) == (expected, expected)
        assert engine.similar(1, no_duplicates=True).matches
    assert "not stored" in first.notes[0]
    assert second.notes == ()
    assert set(decoded.values()) == {1}


def test_fingerprints_of_earlier_content_are_not_used(engine: Engine, own: Collection) -> None:
    """A result that could not be stored counts for the content that it was computed from, not for a later one."""
    store = engine._session.fingerprints
    database = engine._session.database
    with database.read() as connection:
        track = tracks_by_ids(connection, [2])[2]
    found = Fingerprint(2, "engine", np.arange(3, dtype=np.uint32), "flac", None)
    store.remember([TakenFingerprints(track, [found])])
    with database.read() as connection:
        assert store.get(connection, [2])[2]["engine"] is found
    with database.write() as connection:
        touch_track(connection, 2, track.size, track.mtime_ns, b"x" * 20)
    with database.read() as connection:
        assert "engine" not in store.get(connection, [2]).get(2, {})
