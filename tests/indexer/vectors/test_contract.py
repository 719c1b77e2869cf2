"""Every vector store answers as brute force does, whatever was written or removed; covers `store` and `memory`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st
from numpy.typing import NDArray
from sqlalchemy import delete

from engine.db import NewTrack, Signature, open_database, put_signature, schema, upsert_track
from engine.embedding import TrackEmbedding
from engine.indexer.vectors.memory import MemoryStore
from engine.indexer.vectors.opening import open_store
from engine.indexer.vectors.store import VectorSnapshot, VectorStore

ENCODER, D, K = "test@123456", 8, 7
HEADS = (np.full(15, 1 / 15, np.float32), np.full(4, 1 / 4, np.float32))

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


class Library(Protocol):
    """A store and the means to change it."""

    store: VectorStore

    def put(self, ids: Ids, signatures: Floats) -> None:
        """Give tracks signatures."""

    def remove(self, ids: Ids) -> None:
        """Remove tracks."""


class InMemory:
    """A `MemoryStore`."""

    def __init__(self) -> None:
        self.store = MemoryStore(D)
        self.put, self.remove = self.store.put, self.store.remove


class OnDisk:
    """The store of a library."""

    def __init__(self, folder: Path, *, loaded: bool) -> None:
        self.database = open_database(folder / "library.db", create=True)
        self.store = open_store(self.database, ENCODER, "windows", threads=2, loaded=loaded)
        self._tracks = 0

    def put(self, ids: Ids, signatures: Floats) -> None:
        """Write signatures; tracks up to the largest id are made first."""
        with self.database.write() as connection:
            while self._tracks < ids.max():
                path = b"/music/%d" % self._tracks
                self._tracks = upsert_track(connection, NewTrack(path, 1, 1, path, 10.0))
            for track_id, vector in zip(ids.tolist(), signatures, strict=True):
                windows = (np.zeros(1, np.float32), np.ones(1, np.float32), vector[None])
                embedding = TrackEmbedding(vector, *HEADS, *windows)
                put_signature(connection, Signature(track_id, ENCODER, "windows", embedding))

    def remove(self, ids: Ids) -> None:
        """Remove signatures; the tracks stay, so that they may have others later."""
        with self.database.write() as connection:
            connection.execute(delete(schema.signatures).where(schema.signatures.c.track_id.in_(ids.tolist())))


@contextmanager
def in_memory() -> Iterator[Library]:
    """A store in memory."""
    yield InMemory()


@contextmanager
def on_disk(*, loaded: bool = False) -> Iterator[Library]:
    """A store of a library in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        library = OnDisk(Path(folder), loaded=loaded)
        try:
            yield library
        finally:
            library.store.close()
            library.database.close()


STORES: dict[str, Callable[[], object]] = {
    "memory": in_memory,
    "faiss, mapped": on_disk,
    "faiss, loaded": lambda: on_disk(loaded=True),
}


@pytest.fixture(params=STORES, scope="module")
def make(request: pytest.FixtureRequest) -> Callable[[], object]:
    """Opens an empty library."""
    return STORES[request.param]


def units(count: int, seed: int) -> Floats:
    """Random unit rows (count, D)."""
    rows = np.random.default_rng(seed).standard_normal((count, D))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def brute_force(live: dict[int, Floats], query: Floats, k: int) -> list[int]:
    """The k nearest by definition, ties by id."""
    cosines = {track_id: np.float32(np.dot(vector.astype(np.float64), query)) for track_id, vector in live.items()}
    return sorted(live, key=lambda track_id: (-cosines[track_id], track_id))[:k]


def nearest_ids(snapshot: VectorSnapshot, query: Floats, k: int, **options: object) -> list[int]:
    """The ids of the nearest."""
    return snapshot.nearest(query, k, **options).track_ids.tolist()  # type: ignore[arg-type,no-any-return]


def check(snapshot: VectorSnapshot, live: dict[int, Floats]) -> None:
    """Compare every answer of a snapshot with the definition."""
    query, ids = units(1, 99)[0], np.array(sorted(live), np.int64)
    matrix = np.stack([live[i] for i in ids.tolist()]) if live else np.zeros((0, snapshot.dimensions), np.float32)
    assert snapshot.count == len(live)
    assert sorted(snapshot.ids.tolist()) == ids.tolist()
    assert snapshot.dimensions == D or not live
    for k in (1, K, len(live), len(live) + 5):
        assert nearest_ids(snapshot, query, k) == brute_force(live, query, k)
    assert nearest_ids(snapshot, query, 0) == []
    near = snapshot.nearest(query, K)
    np.testing.assert_array_equal(near.signatures, snapshot.take(near.track_ids))
    np.testing.assert_allclose(near.cosines, snapshot.scores(query, near.track_ids), atol=1e-6)
    gone = np.array([-3, 10**9], np.int64)
    assert snapshot.known(np.concatenate([ids[::-1], gone, ids])).tolist() == ids.tolist()
    np.testing.assert_array_equal(snapshot.take(ids[::-1]), matrix[::-1])
    expected_scores = matrix @ query if live else np.zeros(0)
    np.testing.assert_allclose(snapshot.scores(query, ids), expected_scores, atol=1e-5)
    batches = list(snapshot.batches(3))
    assert all(0 < len(batch.ids) == len(batch.signatures) <= 3 for batch in batches)
    assert [i for batch in batches for i in batch.ids.tolist()] == snapshot.ids.tolist()
    for batch in batches:
        np.testing.assert_array_equal(batch.signatures, snapshot.take(batch.ids))
    np.testing.assert_array_equal(snapshot.scores(query), snapshot.scores(query, snapshot.ids))
    queries = units(30, 98)[:, : snapshot.dimensions or D]
    many = snapshot.nearest_many(queries, K)
    for own, found in zip(queries, many.track_ids.tolist(), strict=True):
        expected = brute_force(live, own, K)
        assert found == expected + [-1] * (K - len(expected))


steps = st.lists(
    st.tuples(
        st.sampled_from(["put", "remove", "compact"]),
        st.lists(st.integers(1, 120), min_size=1, max_size=60, unique=True),
        st.integers(0, 5),
    ),
    max_size=4,
)


@settings(max_examples=4, deadline=None)
@given(steps=steps)
@example(steps=[("put", [1], 0), ("put", [1], 0), ("remove", [1], 0)])
def test_any_history(make: Callable[..., object], steps: list[tuple[str, list[int], int]]) -> None:
    """After any additions, replacements, removals and compactions each answer is that of brute force.

    A snapshot that was taken before stays as it was.
    """
    with make() as library:  # type: ignore[attr-defined]
        live: dict[int, Floats] = {}
        for step, numbers, seed in steps:
            before, held = dict(live), library.store.snapshot()
            ids = np.array(numbers, np.int64)
            if step == "put":
                library.put(ids, units(len(ids), seed))
                live |= dict(zip(numbers, units(len(ids), seed), strict=True))
            elif step == "remove":
                library.remove(ids)
                live = {track_id: vector for track_id, vector in live.items() if track_id not in numbers}
            else:
                library.store.compact()
            check(held, before)
            check(library.store.snapshot(), live)


@pytest.fixture(scope="module")
def filled(make: Callable[..., object]) -> Iterator[tuple[VectorSnapshot, dict[int, Floats]]]:
    """400 tracks with gaps between their ids; some written, replaced and removed after the last compaction.

    Only read it: all tests use the same one.
    """
    ids = np.sort(np.random.default_rng(1).choice(np.arange(1, 900), 400, replace=False))
    live = dict(zip(ids.tolist(), units(400, 1), strict=True))
    with make() as library:  # type: ignore[attr-defined]
        library.put(ids[:390], units(400, 1)[:390])
        library.store.compact()
        library.put(ids[390:], units(400, 1)[390:])
        library.put(ids[5:8], units(3, 2))
        library.remove(ids[10:12])
        live |= dict(zip(ids[5:8].tolist(), units(3, 2), strict=True))
        live = {track_id: vector for track_id, vector in live.items() if track_id not in ids[10:12]}
        yield library.store.snapshot(), live


def test_empty(make: Callable[..., object]) -> None:
    """A store without signatures answers with nothing, and may be compacted and closed."""
    with make() as library:  # type: ignore[attr-defined]
        check(library.store.snapshot(), {})
        assert nearest_ids(library.store.snapshot(), units(1, 0)[0], 3, allowed=np.array([1, 2])) == []
        library.store.compact()
        library.store.compact_aside()
        library.store.wait()
        check(library.store.snapshot(), {})


@pytest.mark.parametrize("number", [1, 3, 40, 398])
def test_excluded(filled: tuple[VectorSnapshot, dict[int, Floats]], number: int) -> None:
    """Excluded tracks are left out, however many and however near; unknown ids change nothing."""
    snapshot, live = filled
    query = units(1, 99)[0]
    excluded = brute_force(live, query, number)
    left = {track_id: vector for track_id, vector in live.items() if track_id not in excluded}
    assert nearest_ids(snapshot, query, K, excluded=[*excluded, 10**8, -1]) == brute_force(left, query, K)


@pytest.mark.parametrize("share", [0.0, 0.005, 0.015, 0.1, 0.5, 1.0])
def test_allowed(filled: tuple[VectorSnapshot, dict[int, Floats]], share: float) -> None:
    """Of any share of the tracks, in any order and beside unknown ids, the nearest are found."""
    snapshot, live = filled
    query, random = units(1, 99)[0], np.random.default_rng(3)
    allowed = random.permutation(np.array(list(live), np.int64))[: int(share * len(live))]
    passing = {track_id: live[track_id] for track_id in allowed.tolist()}
    wanted = np.concatenate([allowed, [10**8], allowed[:5]]).astype(np.int64)
    assert nearest_ids(snapshot, query, K, allowed=wanted) == brute_force(passing, query, K)
    excluded = allowed[:20].tolist()
    rest = {track_id: vector for track_id, vector in passing.items() if track_id not in excluded}
    assert nearest_ids(snapshot, query, K, allowed=wanted, excluded=excluded) == brute_force(rest, query, K)


def test_ties(make: Callable[..., object]) -> None:
    """Of many tracks with the same signature those with the smallest ids come first."""
    with make() as library:  # type: ignore[attr-defined]
        ids, same = np.arange(1, 301), np.repeat(units(1, 5), 300, axis=0)
        library.put(ids[::-1], same)
        library.store.compact()
        snapshot = library.store.snapshot()
        for excluded in ((), (1, 2, 3), tuple(range(1, 60))):
            expected = [i for i in range(1, 301) if i not in excluded][:K]
            assert nearest_ids(snapshot, same[0], K, excluded=excluded) == expected
            assert (
                nearest_ids(snapshot, same[0], K, excluded=excluded, allowed=ids[::2])
                == [i for i in ids[::2].tolist() if i not in excluded][:K]
            )
        assert snapshot.nearest_many(same[:40], K).track_ids.tolist() == [list(range(1, K + 1))] * 40


def test_token(make: Callable[..., object]) -> None:
    """A token is the same until something changes, and another one after each change."""
    with make() as library:  # type: ignore[attr-defined]
        tokens = []
        for number in range(1, 4):
            library.put(np.arange(number, 30), units(30 - number, number))
            tokens.append(library.store.snapshot().token)
            assert library.store.snapshot().token == tokens[-1]
        library.remove(np.array([4]))
        assert len({*tokens, library.store.snapshot().token}) == 4


def test_unknown(filled: tuple[VectorSnapshot, dict[int, Floats]]) -> None:
    """The signature of a track that has none is a KeyError, not another track's."""
    snapshot, live = filled
    with pytest.raises(KeyError):
        snapshot.take(np.array([next(iter(live)), 10**8]))
    with pytest.raises(KeyError):
        snapshot.scores(units(1, 0)[0], np.array([10**8]))
