"""Links to the library in a folder of music: its files are not opened under any name, as SQLite's locks would drop.

Covers library_files and its users.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine import Engine
from engine.db import known_files, open_database

USE_ELSEWHERE = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM tracks').fetchall()"
LINKS = [Path.symlink_to, Path.hardlink_to]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """The path of a new library beside an empty folder of music."""
    (tmp_path / "music").mkdir()
    open_database(tmp_path / "library.db", create=True).close()
    return tmp_path / "library.db"


@pytest.fixture
def engine(library: Path) -> Iterator[Engine]:
    """The library, opened."""
    with Engine.open(library, device="cpu") as opened:
        yield opened


@pytest.mark.parametrize("link", LINKS)
def test_locks_outlast_a_link_to_the_library(engine: Engine, library: Path, link: Callable[[Path, Path], None]) -> None:
    """After a run over a link to the library, another process still sees that it is open, and leaves its log."""
    log = library.with_name("library.db-wal")
    link(library.parent / "music" / "song.mp3", library)
    engine.index(library.parent, follow_links=True)
    assert log.exists()
    subprocess.run([sys.executable, "-c", USE_ELSEWHERE, library], check=True)
    assert log.exists(), "the last process to close the library removes its log"


@pytest.mark.parametrize("ending", ["", "-wal", "-shm"])
@pytest.mark.parametrize("link", LINKS)
def test_link_under_another_name(
    engine: Engine, library: Path, ending: str, link: Callable[[Path, Path], None]
) -> None:
    """A link to the library or a file of SQLite's is passed over in a folder, and a failure where it is named."""
    song = library.parent / "music" / "song.mp3"
    link(song, library.with_name(library.name + ending))
    report = engine.index(song.parent, follow_links=True)
    assert (report.new, report.failed, report.passed_over) == (0, [], 0)
    named = engine.index(song, follow_links=True)
    assert [failed.reason for failed in named.failed] == ["a part of this library, not a sound file"]


def test_link_whose_library_is_a_link(tmp_path: Path, library: Path) -> None:
    """A link to the library's file is recognised although the library was opened by a link of its own."""
    (tmp_path / "own.db").symlink_to(library)
    (tmp_path / "music" / "song.mp3").symlink_to(library)
    with Engine.open(tmp_path / "own.db", device="cpu") as engine:
        report = engine.index(tmp_path)
    assert (report.new, report.failed, report.passed_over) == (0, [], 0)


def test_name_alone_excludes_an_index_only(engine: Engine, library: Path) -> None:
    """A file whose name begins like the library's is read, except an index that lies beside the library."""
    for name in ("library.db.faiss", "library.db.0123.near.faiss", "library.db-wal.mp3", "music/library.db"):
        (library.parent / name).write_bytes(b"no sound")
    report = engine.index(library.parent)
    assert [Path(failed.path).name for failed in report.failed] == ["library.db-wal.mp3"]
    assert report.passed_over == 1  # music/library.db
    with open_database(library, create=False) as database, database.read() as connection:
        assert len(known_files(connection)) == 2
