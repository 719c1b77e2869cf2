"""The FAISS store answers as the library does, whatever happens to its file.

Covers `faiss`, `faiss_snapshot`, `index_files`, `opening`, `part`, `flat` and `exact`.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import faiss
import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import Connection

from engine.db import Database, NewTrack, Signature, open_database, put_signature, remove_tracks, upsert_track
from engine.embedding import TrackEmbedding
from engine.indexer.vectors.faiss import FaissStore
from engine.indexer.vectors.index_files import signatures_path, sweep, write_index

ENCODER, D = "test@123456", 8


def unit(seed: int) -> NDArray[np.float32]:
    """A unit vector (D,) drawn from a seed."""
    vector = np.random.default_rng(seed).standard_normal(D).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def add(database: Database, count: int, first: int = 1) -> list[int]:
    """Add tracks with random signatures; returns their ids."""
    with database.write() as connection:
        return [_add_one(connection, seed) for seed in range(first, first + count)]


def _add_one(connection: Connection, seed: int) -> int:
    track_id = upsert_track(connection, NewTrack(b"/music/%d" % seed, 1, 1, b"%d" % seed, 10.0))
    heads = (np.full(15, 1 / 15, np.float32), np.full(4, 1 / 4, np.float32))
    windows = (np.zeros(1, np.float32), np.ones(1, np.float32), unit(seed)[None])
    put_signature(connection, Signature(track_id, ENCODER, "windows", TrackEmbedding(unit(seed), *heads, *windows)))
    return track_id


def exact(query: NDArray[np.float32], ids: list[int], k: int) -> list[int]:
    """The nearest by definition; track n was drawn from seed n."""
    return sorted(ids, key=lambda track_id: -float(unit(track_id) @ query))[:k]


def answer(database: Database, k: int = 10, excluded: tuple[int, ...] = ()) -> list[int]:
    """What a fresh store says."""
    return FaissStore(database, ENCODER, "windows").snapshot().nearest(unit(999), k, excluded).track_ids.tolist()


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Database]:
    """A library of 60 tracks whose index file is written."""
    with open_database(tmp_path / "library.db", create=True) as database:
        assert add(database, 60) == list(range(1, 61))
        FaissStore(database, ENCODER, "windows").compact()
        yield database


def index_file(database: Database) -> Path:
    """Where the index lies."""
    path = FaissStore(database, ENCODER, "windows").path
    assert path is not None
    return path


def test_exact(library: Database) -> None:
    """A search gives the nearest tracks in order, each with its cosine."""
    found = FaissStore(library, ENCODER, "windows").snapshot().nearest(unit(999), 10)
    assert found.track_ids.tolist() == exact(unit(999), list(range(1, 61)), 10)
    assert np.allclose(found.cosines, [unit(track_id) @ unit(999) for track_id in found.track_ids.tolist()], atol=1e-6)


def test_excluded(library: Database) -> None:
    """Excluded tracks are left out, and k others still come while there are any."""
    best = exact(unit(999), list(range(1, 61)), 3)
    rest = [track_id for track_id in range(1, 61) if track_id not in best]
    assert answer(library, 10, tuple(best)) == exact(unit(999), rest, 10)
    assert len(answer(library, 100, tuple(best))) == 57
    assert answer(library, 5, tuple(range(1, 61))) == []


def test_empty(tmp_path: Path) -> None:
    """A library without signatures answers with nothing, and a compaction of it is no error."""
    with open_database(tmp_path / "library.db", create=True) as database:
        store = FaissStore(database, ENCODER, "windows")
        assert store.snapshot().nearest(unit(1), 5).track_ids.tolist() == []
        store.compact()
        add(database, 2)
        assert len(store.snapshot().nearest(unit(1), 5).track_ids) == 2


def foreign(path: Path) -> None:
    """A sound FAISS index of somebody else's vectors."""
    index = faiss.IndexIDMap(faiss.IndexFlatIP(D))
    index.add_with_ids(np.stack([unit(7000 + i) for i in range(60)]), np.arange(1, 61))
    faiss.write_index(index, str(path))


def other_size(path: Path) -> None:
    """A sound FAISS index of another number of dimensions."""
    index = faiss.IndexFlatL2(3)
    index.add(np.ones((4, 3), np.float32))
    faiss.write_index(index, str(path))


def folder_instead(path: Path) -> None:
    """A folder where the file should be."""
    path.unlink()
    path.mkdir()


def pipe_instead(path: Path) -> None:
    """A pipe that nobody writes to where the file should be."""
    path.unlink()
    os.mkfifo(path)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "one byte": lambda path: path.write_bytes(path.read_bytes()[:-1] + b"\xff"),
    "text": lambda path: path.write_text("not an index"),
    "foreign": foreign,
    "other size": other_size,
    "folder": folder_instead,
    "pipe": pipe_instead,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged(library: Database, damage: str) -> None:
    """A missing, damaged or foreign file changes no answer, and is made anew where it can be."""
    whole, before = index_file(library).read_bytes(), answer(library)
    DAMAGES[damage](index_file(library))
    assert answer(library) == before == exact(unit(999), list(range(1, 61)), 10)
    if damage != "folder":
        assert index_file(library).read_bytes() == whole


def test_additions(library: Database) -> None:
    """Tracks added after the file was written are found at once, with the file left as it is until a compaction."""
    store = FaissStore(library, ENCODER, "windows")
    store.snapshot()
    whole = index_file(library).read_bytes()
    add(library, 20, 61)
    expected = exact(unit(999), list(range(1, 81)), 10)
    assert store.snapshot().nearest(unit(999), 10).track_ids.tolist() == expected == answer(library)
    assert index_file(library).read_bytes() == whole
    store.compact()
    assert len(index_file(library).read_bytes()) > len(whole)
    assert answer(library) == expected


@pytest.mark.parametrize("removed", [[1], [60], [59, 60], list(range(1, 60)), list(range(1, 61))])
def test_removals(library: Database, removed: list[int]) -> None:
    """Removed tracks are found no more, whichever place they had in the file, also when others came since."""
    store = FaissStore(library, ENCODER, "windows")
    store.snapshot()
    with library.write() as connection:
        remove_tracks(connection, removed)
    left = [track_id for track_id in range(1, 61) if track_id not in removed]
    assert (
        store.snapshot().nearest(unit(999), 60).track_ids.tolist() == exact(unit(999), left, 60) == answer(library, 60)
    )
    new = add(library, 5, 61)
    assert new == list(range(61, 66))
    assert answer(library, 99) == exact(unit(999), left + new, 99)
    store.compact()
    assert answer(library, 99) == exact(unit(999), left + new, 99)


def test_replaced(library: Database) -> None:
    """A track that was read again answers with its new signature only."""
    with library.write() as connection:
        windows = (np.zeros(1, np.float32), np.ones(1, np.float32), unit(999)[None])
        heads = (np.full(15, 1 / 15, np.float32), np.full(4, 1 / 4, np.float32))
        put_signature(connection, Signature(30, ENCODER, "windows", TrackEmbedding(unit(999), *heads, *windows)))
    found = FaissStore(library, ENCODER, "windows").snapshot().nearest(unit(999), 60)
    assert found.track_ids[0] == 30
    assert found.cosines[0] == pytest.approx(1, abs=1e-6)
    assert len(np.unique(found.track_ids)) == 60


def test_old_library(library: Database, tmp_path: Path) -> None:
    """A library restored from a backup answers as it did then, beside the newer index file."""
    backup = tmp_path / "backup"
    with closing(sqlite3.connect(library.path)) as source, closing(sqlite3.connect(backup)) as copy:
        source.backup(copy)
    before = answer(library)
    add(library, 60, 61)
    FaissStore(library, ENCODER, "windows").compact()
    library.close()
    for extra in ("-wal", "-shm"):
        Path(f"{library.path}{extra}").unlink(missing_ok=True)
    backup.replace(library.path)
    with open_database(library.path, create=False) as restored:
        assert answer(restored) == before


def test_encoders_apart(library: Database) -> None:
    """A store knows the signatures of its own encoder and coverage only."""
    assert FaissStore(library, "other@123456", "windows").snapshot().nearest(unit(999), 5).track_ids.tolist() == []
    assert FaissStore(library, ENCODER, "full").snapshot().nearest(unit(999), 5).track_ids.tolist() == []


def test_readers(library: Database) -> None:
    """Many threads share a store while another writes: every answer is that of one moment."""
    store = FaissStore(library, ENCODER, "windows")
    moments = {60 + 10 * step: exact(unit(999), list(range(1, 61 + 10 * step)), 200) for step in range(6)}
    problems: list[str] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            found = store.snapshot().nearest(unit(999), 200).track_ids.tolist()
            if found != moments.get(len(found)):
                problems.append(f"{len(found)} tracks, not as at any moment")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for step in range(5):
        add(library, 10, 61 + 10 * step)
        store.compact()
    done.set()
    for thread in threads:
        thread.join()
    assert problems == []


def test_rows_are_those_of_the_file(library: Database) -> None:
    """The file is plain FAISS: its ids are those of the tracks, its vectors their signatures."""
    stored = faiss.read_index(str(index_file(library)))
    assert faiss.vector_to_array(stored.id_map).tolist() == list(range(1, 61))
    assert np.allclose(stored.index.reconstruct_n(0, 60), np.stack([unit(seed) for seed in range(1, 61)]))


def test_a_killed_writer_leaves_nothing(tmp_path: Path) -> None:
    """The files of a process that was killed while it wrote an index go when the next one is written."""
    code = """
        import os, pathlib, signal, sys
        import numpy as np
        from engine.indexer.vectors.index_files import write_index
        graph = sys.argv[2] == "graph"
        if graph:
            import engine.indexer.vectors.ann_build as building
            building.GRAPH_FROM = 100
        replace, left = pathlib.Path.replace, [graph]
        def killing(self, target):
            if left[0]:
                left[0] = False
                return replace(self, target)
            os.kill(os.getpid(), signal.SIGKILL)
        pathlib.Path.replace = killing
        vectors = np.random.default_rng(1).standard_normal((200, 8)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        write_index(pathlib.Path(sys.argv[1]), np.arange(200), vectors)
    """
    stem = tmp_path / "library.db.test-123456.windows"
    for kind in ("signatures", "graph"):
        command = [sys.executable, "-c", textwrap.dedent(code), str(stem), kind]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert len([*tmp_path.glob("*.part")]) == 2
    digests = write_index(stem, np.arange(1, 61), np.stack([unit(seed) for seed in range(1, 61)]))
    sweep(stem, digests)
    assert [*tmp_path.iterdir()] == [signatures_path(stem, digests)]
