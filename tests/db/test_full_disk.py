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
