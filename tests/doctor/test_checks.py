"""The doctor: a sound library has no finding; each kind of damage has one, and repair removes what can be remade."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from engine import CheckReport, Engine
from engine.db.plays import Play
from engine.doctor.checks import LEAST_FREE
from tests.conftest import GENRES, Collection


def check(library: Path, *, repair: bool = False) -> CheckReport:
    """Check a library."""
    with Engine.open(library, create=False) as engine:
        return engine.check(repair=repair)


def names(report: CheckReport) -> list[str]:
    """The checks that found something."""
    return [finding.check for finding in report.findings]


def test_a_sound_library(own: Collection) -> None:
    """A library right after indexing has no finding."""
    report = check(own.library)
    assert (report.findings, report.sound) == ((), True)
    assert len(report.checks) == 12


@pytest.mark.filterwarnings("error:overflow")
@pytest.mark.parametrize("vector", [np.full(4, value, "<f4") for value in (0, 1, np.nan, 3e38)])
def test_bad_signatures(own: Collection, vector: np.ndarray) -> None:
    """A signature that is not a unit vector is found, removed, and computed again by the next run; plays stay."""
    with Engine.open(own.library) as engine:
        engine.add_plays([Play(1_700_000_000.0, "like", 3)])
        before = engine.similar(1, k=3).matches
    with sqlite3.connect(own.library) as connection:
        connection.execute("UPDATE signatures SET vector = ? WHERE track_id = 3", (vector.tobytes(),))
    assert (names(check(own.library)), check(own.library).sound) == (["signatures"], False)
    repaired = check(own.library, repair=True)
    assert (names(repaired), repaired.sound) == (["signatures"], True)
    with Engine.open(own.library) as engine:
        engine.index(own.folder)
        assert engine.similar(1, k=3).matches == before
        assert engine.recommend(n=1).tracks
    assert check(own.library).findings == ()


@pytest.mark.parametrize("columns", [("starts", "attention", "vectors"), ("attention",)])
def test_windows_without_weights(own: Collection, columns: tuple[str, ...]) -> None:
    """Windows that are gone, or weigh nothing, are found, removed, and computed again by the next run."""
    with Engine.open(own.library) as engine:
        before = engine.explain(3)
    value = "zeroblob(length(attention))" if columns == ("attention",) else "x''"
    with sqlite3.connect(own.library) as connection:
        changes = ", ".join(f"{column} = {value}" for column in columns)
        where = "signature_id IN (SELECT id FROM signatures WHERE track_id = 3)"
        connection.execute(f"UPDATE segments SET {changes} WHERE {where}")
    assert (names(check(own.library)), check(own.library).sound) == (["signatures"], False)
    assert check(own.library, repair=True).sound
    with Engine.open(own.library) as engine:
        engine.index(own.folder)
        assert engine.explain(3) == before
    assert check(own.library).findings == ()


def test_rows_of_no_track(own: Collection) -> None:
    """Rows that belong to no track are found; derived ones are removed, plays set aside."""
    with Engine.open(own.library) as engine:
        engine.add_plays([Play(1_700_000_000.0, "like", 2)])
    with sqlite3.connect(own.library) as connection:  # without foreign keys
        connection.execute("DELETE FROM tracks WHERE id = 2")
    assert "references" in names(check(own.library))
    assert check(own.library, repair=True).sound
    assert "references" not in names(check(own.library))
    with sqlite3.connect(own.library) as connection:
        assert connection.execute("SELECT track_id, event FROM orphaned_plays").fetchall() == [(2, "like")]


def test_a_damaged_file(own: Collection) -> None:
    """Damaged pages are found; nothing is repaired there, and the step is a backup."""
    with sqlite3.connect(own.library) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'signatures_by_encoder'").fetchone()[
            0
        ]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with own.library.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    report = check(own.library, repair=True)
    assert not report.sound
    assert all("backup" in finding.hint for finding in report.findings)


def test_a_missing_index_file(own: Collection) -> None:
    """An index file that is gone is a warning, or nothing once answering has written it again."""
    for file in own.library.parent.glob("*.faiss"):
        file.write_bytes(b"damaged")
    report = check(own.library, repair=True)
    assert report.sound
    assert check(own.library).findings == ()


def test_missing_music(own: Collection) -> None:
    """Tracks without a file are counted, and none is removed."""
    own.song(0).unlink()
    report = check(own.library, repair=True)
    assert names(report) == ["files"]
    assert (report.sound, str(own.song(0)) in report.findings[0].message) == (True, True)
    with Engine.open(own.library) as engine:
        assert engine.stats().tracks == len(GENRES)


def test_open_permissions(own: Collection) -> None:
    """A library that others may read is made private."""
    own.library.chmod(0o644)
    assert names(check(own.library)) == ["permissions"]
    assert check(own.library, repair=True).sound
    assert own.library.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("free", "found"), [(LEAST_FREE - 1, ["space"]), (LEAST_FREE, [])])
def test_little_space(own: Collection, monkeypatch: pytest.MonkeyPatch, free: int, found: list[str]) -> None:
    """Less than 256 MiB free in the library's folder are a warning, and no error."""
    asked = replace_usage(monkeypatch, lambda: free)
    report = check(own.library)
    assert (names(report), report.sound) == (found, True)
    assert [finding.severity for finding in report.findings] == ["warning"] * len(found)
    assert all("only 255 MiB" in finding.message for finding in report.findings)
    assert asked == [own.library.parent]


def test_unknown_space(own: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that does not tell its free space is a warning with the reason, and the other checks run."""

    def refuse() -> int:
        raise OSError(95, "Operation not supported")

    replace_usage(monkeypatch, refuse)
    report = check(own.library)
    assert (names(report), report.sound, len(report.checks)) == (["space"], True, 12)
    assert "Operation not supported" in report.findings[0].message


def replace_usage(monkeypatch: pytest.MonkeyPatch, free: Callable[[], int]) -> list[Path]:
    """Answer the doctor's question for free space; returns the list of the paths that it asks about."""
    asked: list[Path] = []

    def usage(path: Path) -> object:
        asked.append(path)
        return SimpleNamespace(free=free())

    monkeypatch.setattr("engine.doctor.checks.shutil.disk_usage", usage)
    return asked
