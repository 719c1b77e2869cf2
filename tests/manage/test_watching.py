"""Watched folders are indexed as they change.

Covers engine.manage.watching, engine.server.watcher and engine.cli.watch.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from engine import Engine
from engine.errors import InvalidError
from engine.manage.watching import changed_roots
from engine.server.jobs import ENDED, Jobs
from engine.server.watcher import Watcher
from tests.conftest import Collection, write_song


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Watches of this process look often, and report after a short rest."""
    for name, milliseconds in (("SETTLED_MS", 200), ("TICK_MS", 200), ("POLLED_MS", 200)):
        monkeypatch.setattr(f"engine.manage.watching.{name}", milliseconds)


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("polling", [False, True])
def test_a_changed_folder_is_reported(tmp_path: Path, polling: bool) -> None:
    """First all folders, then the one that changed; temporary files of Engine's do not count."""
    folders = [tmp_path / "one", tmp_path / "one more"]
    for folder in folders:
        folder.mkdir()
    stop = threading.Event()
    found = changed_roots([*map(str, folders), str(tmp_path / "none")], stop, polling=polling)
    assert next(found) == [str(folder) for folder in folders]
    (folders[1] / ".engine-1234.part").write_bytes(b"x")
    (folders[0] / "deep").mkdir()
    (folders[0] / "deep" / "song.mp3").write_bytes(b"x")
    changed = next(found)
    assert str(folders[0]) in changed
    assert polling or len(changed) == 1  # a listing shows that the other folder held a file for a moment
    stop.set()
    assert next(found, None) is None


@pytest.mark.parametrize("name", ["none", "a" * 300, "a\0b"])
def test_nothing_to_watch(tmp_path: Path, name: str) -> None:
    """Folders that are not there, or cannot be, are one clear line."""
    with pytest.raises(InvalidError):
        next(changed_roots([str(tmp_path / name)], threading.Event()))


@pytest.mark.usefixtures("_quick")
def test_a_server_indexes_what_changes(engine: Engine, own: Collection) -> None:
    """A new file becomes a job, and then a track."""
    jobs = Jobs(own.library, str(engine.weights), 1)
    watcher = Watcher(engine, jobs)
    try:
        await_ended(jobs, 1)
        write_song(own.folder / "new.wav", 88)
        await_ended(jobs, 2)
    finally:
        watcher.close()
        jobs.close()
    assert [track.title for track in engine.search("Song 88")] == ["Song 88"]


def await_ended(jobs: Jobs, count: int) -> None:
    """Wait for so many jobs to end."""
    while len(jobs.all()) < count or any(job.state not in ENDED for job in jobs.all()):
        time.sleep(0.1)


def test_the_command(own: Collection) -> None:
    """`engine watch` indexes a new file while it runs, and ends in order."""
    command = [sys.executable, "-c", "from engine.cli import main; main()", "--library", str(own.library), "watch"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    assert "0 new" in process.stdout.readline()
    write_song(own.folder / "new.wav", 88)
    lines = iter(process.stdout.readline, "")
    assert any("1 new" in line for line in lines)
    process.send_signal(signal.SIGTERM)
    assert "Traceback" not in process.communicate(timeout=60)[0]
    assert process.returncode in (0, 1)
