"""Ctrl-C and SIGTERM: `engine index` ends, says so, and keeps what it stored; no process stays."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import write_song

TRACKS = 60


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of more songs than a run encodes before it is signalled. Only read it."""
    folder = tmp_path_factory.mktemp("music")
    for i in range(TRACKS):
        write_song(folder / f"{i:02}.wav", i)
    return folder


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals(music: Path, tmp_path: Path, number: signal.Signals) -> None:
    """A run that is signalled exits 1 with one line, and the tracks that it had stored are there."""
    library = tmp_path / "library.db"
    command = [sys.executable, "-c", "from engine.cli import main; main()", "--library", str(library), "--threads", "1"]
    with subprocess.Popen(
        [*command, "index", str(music)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while process.poll() is None and stored(library) < 2:
            time.sleep(0.02)
        children = [int(pid) for task in tasks(process.pid) for pid in task.read_text().split()]
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "stopped; finished work is stored" in errors
    assert "Traceback" not in errors
    assert 2 <= stored(library) < TRACKS
    assert children
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


def stored(library: Path) -> int:
    """How many tracks a library holds."""
    try:
        with closing(sqlite3.connect(f"{library.as_uri()}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM signatures").fetchone()[0])
    except sqlite3.Error:  # it is being made
        return 0


def tasks(pid: int) -> list[Path]:
    """The lists of children of a process's threads."""
    return [Path(f"/proc/{pid}/task/{task}/children") for task in os.listdir(f"/proc/{pid}/task")]  # noqa: PTH208
