"""Large libraries are searched through a graph, the largest through lists: with filters, additions, removals.

Covers `ann_build`, `ann_search` and `checksums`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.db import Database, NewTrack, Signature, open_database, put_signature, remove_tracks, upsert_track
from engine.embedding import TrackEmbedding
from engine.errors import LibraryError, UnavailableError
from engine.indexer.vectors import ann_build, faiss as faiss_store, index_files
from engine.indexer.vectors.faiss import FaissStore
from engine.indexer.vectors.index_files import IndexFile

ENCODER, D, N = "test@123456", 32, 2200
HEADS = (np.full(15, 1 / 15, np.float32), np.full(4, 1 / 4, np.float32))


def drawn(count: int, seed: int) -> NDArray[np.float32]:
    """Unit vectors (count, D) in twenty crowds, as music has genres."""
    random = np.random.default_rng(seed)
    crowds = np.random.default_rng(0).standard_normal((20, D))
    found = crowds[random.integers(20, size=count)] + 0.6 * random.standard_normal((count, D))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def add(database: Database, rows: NDArray[np.float32], first: int) -> None:
    """Tracks of these signatures; their ids go on from `first`."""
    with database.write() as connection:
        for number, vector in enumerate(rows, first):
            track_id = upsert_track(connection, NewTrack(b"/music/%d" % number, 1, 1, b"%d" % number, 10.0))
            windows = (np.zeros(1, np.float32), np.ones(1, np.float32), vector[None])
            put_signature(connection, Signature(track_id, ENCODER, "windows", TrackEmbedding(vector, *HEADS, *windows)))


@pytest.fixture(scope="module")
def signatures() -> NDArray[np.float32]:
    """Of track n in row n - 1."""
    return drawn(N, 1)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, signatures: NDArray[np.float32]) -> Path:
    """A folder with a library of them, to be copied."""
    folder = tmp_path_factory.mktemp("filled")
    with open_database(folder / "library.db", create=True) as database:
        add(database, signatures, 1)
    return folder


@pytest.fixture(params=["graph", "lists"], scope="module")
def indexed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, filled: Path) -> Iterator[Path]:
    """A folder with a library that counts as large, or as one of the largest, its index written; to be copied."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (ann_build, faiss_store):
            patch.setattr(module, "GRAPH_FROM", 1000)
            if request.param == "lists":
                patch.setattr(module, "LISTS_FROM", 1000)
        folder = tmp_path_factory.mktemp("indexed") / "library"
        shutil.copytree(filled, folder)
        with open_database(folder / "library.db", create=False) as database:
            FaissStore(database, ENCODER, "windows").compact()
        yield folder


@pytest.fixture
def library(tmp_path: Path, indexed: Path) -> Iterator[tuple[Database, FaissStore]]:
    """A copy of such a library."""
    shutil.copytree(indexed, tmp_path, dirs_exist_ok=True)
    with open_database(tmp_path / "library.db", create=False) as database:
        yield database, FaissStore(database, ENCODER, "windows")


def file_of(store: FaissStore) -> IndexFile | None:
    """The index file that a store searches."""
    return next((part.file for part in store.snapshot().parts), None)


def recall(
    store: FaissStore, known: dict[int, NDArray[np.float32]], k: int = 10, **options: NDArray[np.int64]
) -> float:
    """Which share of the k nearest of all that pass is found."""
    ids = np.array(sorted(set(known) & set(options.get("allowed", np.array(list(known))).tolist())))
    matrix = np.stack([known[i] for i in ids])
    shares = []
    for query in drawn(30, 9):
        exact = ids[np.argsort(-(matrix @ query))[:k]]
        found = store.snapshot().nearest(query, k, **options).track_ids
        assert len(found) == len(np.unique(found)) == min(k, len(ids))
        shares.append(np.isin(exact, found).mean())
    return float(np.mean(shares))


def test_recall(library: tuple[Database, FaissStore], signatures: NDArray[np.float32]) -> None:
    """The nearest are found, with their exact cosines, in order."""
    _, store = library
    file = file_of(store)
    assert file is not None
    assert file.near is not None
    assert recall(store, dict(enumerate(signatures, 1))) >= 0.99
    found = store.snapshot().nearest(signatures[5], 10)
    assert found.track_ids[0] == 6
    cosines = found.cosines
    assert (np.diff(cosines) <= 0).all()
    assert np.allclose(cosines, signatures[found.track_ids - 1] @ signatures[5], atol=1e-6)


def test_loaded(library: tuple[Database, FaissStore], signatures: NDArray[np.float32]) -> None:
    """An index that was read into memory answers as one that is mapped, and needs its files no more."""
    database, store = library
    mapped = store.snapshot().nearest(signatures[5], 10).cosines.tolist()
    loaded = FaissStore(database, ENCODER, "windows", mapped=False)
    assert loaded.snapshot().nearest(signatures[5], 10).cosines.tolist() == mapped
    for path in database.path.parent.glob("*.faiss"):
        path.write_bytes(b"")
    assert loaded.snapshot().nearest(signatures[5], 10).cosines.tolist() == mapped
    assert recall(loaded, dict(enumerate(signatures, 1))) >= 0.99


@pytest.mark.parametrize("share", [0.5, 0.05, 0.001])
def test_filtered(library: tuple[Database, FaissStore], signatures: NDArray[np.float32], share: float) -> None:
    """A filter, however narrow, leaves the nearest of what passes it."""
    _, store = library
    allowed = np.random.default_rng(3).choice(np.arange(1, N + 1), int(share * N), replace=False)
    assert recall(store, dict(enumerate(signatures, 1)), allowed=allowed) >= 0.99
    assert store.snapshot().nearest(signatures[0], 5, allowed=np.array([N + 7])).track_ids.tolist() == []


@pytest.mark.parametrize("gap", [1, 1000])
def test_filtered_by_ids_of_elsewhere(
    library: tuple[Database, FaissStore], signatures: NDArray[np.float32], gap: int
) -> None:
    """Ids without a signature, however many there are and whatever their order, change nothing; nor do barred ones."""
    _, store = library
    known, unknown = np.array([40, 7, 900]), N + gap * np.arange(1, N)
    found = store.snapshot().nearest(
        signatures[0], 5, excluded=[7, 7, N + gap], allowed=np.concatenate([unknown, known, known])
    )
    assert sorted(found.track_ids.tolist()) == [40, 900]


def test_changes(library: tuple[Database, FaissStore], signatures: NDArray[np.float32]) -> None:
    """Added and removed tracks count at once, before the graph knows of them and after."""
    database, store = library
    new = drawn(50, 2)
    add(database, new, N + 1)
    with database.write() as connection:
        remove_tracks(connection, range(1, 200))
    known = dict(enumerate(np.concatenate([signatures, new]), 1))
    known = {track_id: vector for track_id, vector in known.items() if track_id >= 200}
    assert recall(store, known) >= 0.99
    assert store.snapshot().nearest(new[7], 1).track_ids[0] == N + 8
    assert recall(store, known, allowed=np.arange(150, N + 20, 3)) >= 0.99
    before = store.path
    store.compact()
    assert store.path != before
    assert before is not None
    assert not before.exists()
    assert recall(store, known) >= 0.99
    assert recall(FaissStore(database, ENCODER, "windows"), known) >= 0.99


@pytest.mark.parametrize("ending", [".near.faiss", ".faiss"])
@pytest.mark.parametrize("damage", ["cut", "bit", "gone"])
def test_damaged(
    library: tuple[Database, FaissStore], signatures: NDArray[np.float32], ending: str, damage: str
) -> None:
    """A damaged file is not used: the answers are the same, and the next compaction makes it anew."""
    database, _ = library
    path = next(p for p in sorted(database.path.parent.glob(f"*{ending}")) if ("near" in p.name) == ("near" in ending))
    whole = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(whole[:-50] if damage == "cut" else whole[:2000] + bytes([whole[2000] ^ 1]) + whole[2001:])
    again = FaissStore(database, ENCODER, "windows")
    assert file_of(again) is None
    assert recall(again, dict(enumerate(signatures, 1))) == 1
    again.compact()
    file = file_of(FaissStore(database, ENCODER, "windows"))
    assert file is not None
    assert file.near is not None


def test_aside(library: tuple[Database, FaissStore], signatures: NDArray[np.float32]) -> None:
    """A thread of its own writes the files while searches go on; who waits hears what went wrong."""
    database, store = library
    new = drawn(100, 4)
    add(database, new, N + 1)
    before = store.path
    store.compact_aside()
    assert store.snapshot().nearest(new[3], 1).track_ids[0] == N + 4
    store.wait()
    assert store.path != before
    add(database, drawn(100, 5), N + 101)
    store.stem = store.stem.parent / "away" / "library.db"
    store.compact_aside()
    with pytest.raises(LibraryError, match="cannot write the index"):
        store.wait()
    store.wait()


@pytest.mark.parametrize("place", ["signatures", "ids", "header", "checksums"])
def test_damaged_blocks(
    library: tuple[Database, FaissStore],
    signatures: NDArray[np.float32],
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    """Damage in a file that is too large to be read at once changes no answer: it is refused, then made anew."""
    database, _ = library
    monkeypatch.setattr(index_files, "LARGE_BYTES", 1000)
    add(database, drawn(100, 8), N + 1)
    store = FaissStore(database, ENCODER, "windows")
    store.compact()
    right = store.snapshot().nearest(signatures[2000], 10).cosines.tolist()
    path = store.path
    assert path is not None
    whole = bytearray(path.read_bytes())
    at = whole.index(signatures[2000].tobytes())
    ids = whole.index(np.arange(1, 4, dtype=np.int64).tobytes())
    whole[{"signatures": at + 3, "ids": ids + 8, "header": 10, "checksums": len(whole) - 30}[place]] ^= 1
    path.write_bytes(whole)
    again = FaissStore(database, ENCODER, "windows")
    if place == "signatures":
        untouched = again.snapshot()
        assert untouched.nearest(signatures[5], 10, allowed=np.array([6])).track_ids[0] == 6
        with pytest.raises(UnavailableError, match="is damaged"):
            untouched.take(np.array([2001]))
    assert again.snapshot().nearest(signatures[2000], 10).cosines.tolist() == right
    again.compact()
    assert again.path == path
    assert file_of(again) is not None
    assert FaissStore(database, ENCODER, "windows").snapshot().nearest(signatures[2000], 10).cosines.tolist() == right


def test_compaction_finds_damage(
    library: tuple[Database, FaissStore], signatures: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A compaction reads the whole file and makes a damaged one anew, also where no question has read yet."""
    database, _ = library
    monkeypatch.setattr(index_files, "LARGE_BYTES", 1000)
    add(database, drawn(100, 8), N + 1)
    store = FaissStore(database, ENCODER, "windows")
    store.compact()
    path = store.path
    assert path is not None
    whole = path.read_bytes()
    at = whole.index(signatures[2000].tobytes())
    path.write_bytes(whole[:at] + b"\0" + whole[at + 1 :])
    FaissStore(database, ENCODER, "windows").compact()
    assert path.read_bytes() == whole
