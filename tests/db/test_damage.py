"""Damaged numbers in every column of them: a clear line wherever they are read, and a finding of the doctor."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import Engine, EngineError, Ranking
from engine.db import encoders, open_database, search
from engine.db.damage import bad_measurements, bad_signatures, remove_measurements, remove_signatures
from engine.db.integrity import renew_search_texts, stale_search_texts
from tests.conftest import FirstRun

COLUMNS = {  # by table: the numbers' type
    ("signatures", "vector"): "<f4",
    ("signatures", "genres"): "<f4",
    ("signatures", "moods"): "<f4",
    ("segments", "starts"): "<f4",
    ("segments", "attention"): "<f4",
    ("segments", "vectors"): "<f2",
    ("words", "probabilities"): "<f2",
    ("aspects", "vector"): "<f2",
    ("fingerprints", "fingerprint"): "<u4",
}
DAMAGES: dict[str, Callable[[bytes, str], object]] = {
    "nothing": lambda blob, dtype: b"",
    "one byte": lambda blob, dtype: blob[:1],
    "odd": lambda blob, dtype: blob[:-1],
    "half": lambda blob, dtype: blob[: len(blob) // 8 * 4],
    "a number less": lambda blob, dtype: blob[: -np.dtype(dtype).itemsize],
    "double": lambda blob, dtype: blob * 2,
    "NaN": lambda blob, dtype: np.full(len(blob) // np.dtype(dtype).itemsize, np.nan, dtype).tobytes(),
    "another unit vector": lambda blob, dtype: np.eye(7, dtype=dtype)[0].tobytes(),
    "text": lambda blob, dtype: "x" * len(blob),
}
WINDOW_DAMAGES: dict[str, Callable[[bytes], dict[str, bytes]]] = {  # changed columns, from starts (S,)
    "no windows": lambda starts: {"starts": b"", "attention": b"", "vectors": b""},
    "no attention": lambda starts: {"attention": bytes(len(starts))},
    "negative attention": lambda starts: {"attention": np.linspace(-1, 2, len(starts) // 4, dtype="<f4").tobytes()},
    "before the start": lambda starts: {"starts": (np.frombuffer(starts, "<f4") - 1000).tobytes()},
}
UNSEEN = ("nothing", "half", "a number less", "double", "NaN", "another unit vector")
"""Damages of a fingerprint that leave a fingerprint: any words are one."""
QUESTIONS: tuple[Callable[[Engine], Any], ...] = (
    lambda engine: engine.similar(3, by="timbre=1,rhythm=1"),
    lambda engine: engine.similar(1, ranking=Ranking(diverse=0.5)),
    lambda engine: engine.explain(3),
    lambda engine: engine.explain_pair(1, 3),
    lambda engine: engine.explain_aspects(1, 3),
    lambda engine: engine.find("calm piano"),
    lambda engine: engine.tags(),
    lambda engine: engine.moods(),
    lambda engine: engine.map_sheet(),
)


@pytest.fixture
def library(first_run: FirstRun, tmp_path: Path) -> Path:
    """A copy of the collection's library."""
    return Path(shutil.copy(first_run.collection.library, tmp_path / "library.db"))


def spoil(library: Path, table: str, column: str, damage: str, track_id: int | None) -> None:
    """Damage a column of one track's rows, or of all."""
    make, dtype = DAMAGES[damage], COLUMNS[table, column]
    rows = "signature_id IN (SELECT id FROM signatures WHERE track_id = :id)"
    of_track = rows if table in ("segments", "words") else "track_id = :id"
    with closing(sqlite3.connect(library)) as connection, connection:
        connection.create_function("spoilt", 1, lambda blob: make(blob, dtype))
        changed = connection.execute(
            f"UPDATE {table} SET {column} = spoilt({column}) WHERE :id IS NULL OR {of_track}", {"id": track_id}
        )
        assert changed.rowcount


def outcome(engine: Engine, ask: Callable[[Engine], Any]) -> str:
    """The message with which a question is refused; empty for an answer."""
    try:
        ask(engine)
    except EngineError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("damage", DAMAGES)
def test_found_and_removed(library: Path, tmp_path: Path, damage: str) -> None:
    """A damaged value of one track is found, whatever its column, and nothing else; once removed, nothing is found."""
    with closing(sqlite3.connect(library)) as connection, connection:
        connection.execute("INSERT INTO fingerprints SELECT id, 'kind', randomblob(400), 'flac', 1 FROM tracks")
    for table, column in COLUMNS:
        if table == "fingerprints" and damage in UNSEEN:
            continue
        copy = shutil.copy(library, tmp_path / "damaged.db")
        spoil(copy, table, column, damage, 3)
        with open_database(copy, create=False) as database:
            with database.read() as connection:
                signatures, measurements = bad_signatures(connection, {}), bad_measurements(connection)
            assert {each.track_id for each in (*signatures, *measurements)} == {3}, column
            assert bool(measurements) == (table in ("aspects", "fingerprints"))
            with database.write() as connection:
                remove_signatures(connection, [each.signature_id for each in signatures])
                remove_measurements(connection, measurements)
                assert (bad_signatures(connection, {}), bad_measurements(connection)) == ([], [])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("damage", WINDOW_DAMAGES)
def test_windows_without_weights(library: Path, damage: str) -> None:
    """Windows of right lengths that no encoder gives are found, and explained by the line that other damage gives."""
    with closing(sqlite3.connect(library)) as connection, connection:
        key, starts = connection.execute(
            "SELECT signature_id, starts FROM segments JOIN signatures ON id = signature_id WHERE track_id = 3"
        ).fetchone()
        for column, value in WINDOW_DAMAGES[damage](starts).items():
            connection.execute(f"UPDATE segments SET {column} = ? WHERE signature_id = ?", (value, key))
    with open_database(library, create=False) as database, database.read() as connection:
        assert [each.track_id for each in bad_signatures(connection, {})] == [3]
    with Engine.open(library, device="cpu") as engine:
        for ask in (lambda engine: engine.explain(3), lambda engine: engine.explain_pair(1, 3)):
            message = outcome(engine, ask)
            assert message.startswith("the signature of track 3 (")
            assert message.endswith("; remove that track and index it again")
            assert "is damaged: expected " in message


@pytest.mark.parametrize("column", ["genres", "moods"])
@pytest.mark.parametrize("value", [-0.5, 1.5, 3e38])
def test_impossible_probabilities(library: Path, column: str, value: float) -> None:
    """A probability below 0 or above 1 is found."""
    with closing(sqlite3.connect(library)) as connection, connection:
        (blob,) = connection.execute(f"SELECT {column} FROM signatures WHERE track_id = 3").fetchone()
        numbers = np.frombuffer(blob, "<f4").copy()
        numbers[0] = value
        connection.execute(f"UPDATE signatures SET {column} = ? WHERE track_id = 3", (numbers.tobytes(),))
    with open_database(library, create=False) as database, database.read() as connection:
        assert [each.track_id for each in bad_signatures(connection, {})] == [3]


def test_windows_that_cancel_out(library: Path) -> None:
    """Windows whose weighted sum is zero, which has no direction, are found."""
    with closing(sqlite3.connect(library)) as connection, connection:
        connection.execute(
            "UPDATE segments SET vectors = zeroblob(length(vectors)) "
            "WHERE signature_id IN (SELECT id FROM signatures WHERE track_id = 3)"
        )
    with open_database(library, create=False) as database, database.read() as connection:
        assert [each.track_id for each in bad_signatures(connection, {})] == [3]


def test_all_of_another_length(library: Path) -> None:
    """Signatures of equal length, but not the encoder's, are found where that length is known."""
    spoil(library, "signatures", "vector", "another unit vector", None)
    with open_database(library, create=False) as database, database.read() as connection:
        (held,) = encoders(connection)
        assert len(bad_signatures(connection, {held.encoder: 256})) == held.tracks


@pytest.mark.parametrize(("table", "column"), [key for key in COLUMNS if key[0] != "fingerprints"])
@pytest.mark.parametrize("damage", ["nothing", "half", "another unit vector"])
def test_questions(library: Path, table: str, column: str, damage: str) -> None:
    """With damage in one track, then in all, each question has an answer or an error of one line."""
    for track_id in (3, None):
        spoil(library, table, column, damage, track_id)
        with Engine.open(library, device="cpu") as engine:
            for ask in QUESTIONS:
                assert "\n" not in outcome(engine, ask)


def test_search_texts(library: Path) -> None:
    """A track whose searchable texts are behind its tags is found, and found by its tags once they are renewed."""
    with open_database(library, create=False) as database, database.write() as connection:
        connection.exec_driver_sql("UPDATE tracks SET genre = 'zydeco' WHERE id IN (2, 5)")
        assert stale_search_texts(connection) == [2, 5]
        renew_search_texts(connection, [2, 5])
        assert stale_search_texts(connection) == []
        assert [track.id for track in search(connection, ["zydeco"], 9)] == [2, 5]
