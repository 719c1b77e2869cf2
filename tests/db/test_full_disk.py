"""A library on a full disk: reading commands answer, writing ones say that the disk is full."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import GENRES, Collection

ENGINE = f"{shlex.quote(sys.executable)} -c 'from engine.cli import main; main()' --library"
MOUNT = ["unshare", "-Urm", "mount", "-t", "tmpfs", "none", "/mnt"]
CAN_MOUNT = shutil.which("unshare") and subprocess.run(MOUNT, capture_output=True).returncode == 0


@pytest.mark.skipif(not CAN_MOUNT, reason="a file system of a fixed size cannot be mounted here")
def test_reading_on_a_full_disk(own: Collection, tmp_path: Path) -> None:
    """Statistics, neighbours and duplicates are found on a full disk; a change is refused in one line."""
    disk, song = tmp_path / "disk", shlex.quote(str(own.song(0)))
    disk.mkdir()
    library = shlex.quote(str(disk / "library.db"))
    script = f"""
        mount -t tmpfs -o size=3M none {disk}
        cp {own.library}* {disk}
        dd if=/dev/zero of={disk}/fill bs=1k 2>/dev/null
        {ENGINE} {library} stats || exit 11
        {ENGINE} {library} similar {song} || exit 12
        {ENGINE} {library} duplicates || exit 13
        {ENGINE} {library} remove {song}
        exit $?
    """
    done = subprocess.run(["unshare", "-Urm", "bash", "-c", script], capture_output=True, text=True, timeout=300)
    assert f"{len(GENRES)} tracks" in done.stdout
    assert done.returncode == 3, done.stderr
    assert "the disk is full" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not CAN_MOUNT, reason="a file system of a fixed size cannot be mounted here")
@pytest.mark.parametrize("index", ["kept", "gone"])
def test_reading_after_a_crash(own: Collection, tmp_path: Path, index: str) -> None:
    """On a full disk a library is read whose log a killed writer left behind, what the log holds included."""
    disk = tmp_path / "disk"
    disk.mkdir()
    library = shlex.quote(str(disk / "library.db"))
    killed = f"""
import os, signal
from pathlib import Path
from engine.db import open_database, remove_tracks
database = open_database(Path({str(disk / "library.db")!r}), create=False)
with database.write() as connection:
    remove_tracks(connection, [1])
os.kill(os.getpid(), signal.SIGKILL)
"""
    script = f"""
        mount -t tmpfs -o size=4M none {disk}
        cp {own.library}* {disk}
        {shlex.quote(sys.executable)} -c {shlex.quote(killed)}
        test -s {library}-wal || exit 10
        {"" if index == "kept" else f"rm {library}-shm"}
        dd if=/dev/zero of={disk}/fill bs=1k 2>/dev/null
        {ENGINE} {library} stats || exit 11
        {ENGINE} {library} similar {shlex.quote(str(own.song(1)))} || exit 12
        {ENGINE} {library} search song || exit 13
        {ENGINE} {library} duplicates || exit 14
        {ENGINE} {library} remove id:2
        code=$?; rm {disk}/fill
        {ENGINE} {library} remove id:2 || exit 15
        exit $code
    """
    done = subprocess.run(["unshare", "-Urm", "bash", "-c", script], capture_output=True, text=True, timeout=300)
    assert f"{len(GENRES) - 1} tracks" in done.stdout
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
