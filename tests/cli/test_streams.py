"""Standard streams that are closed, full, or read by a program that stops early (`engine.cli.streams`)."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from engine import Engine
from tests.conftest import GENRES, Collection, write_song

ENGINE = f"{shlex.quote(sys.executable)} -c 'from engine.cli import main; main()'"


def shell(line: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which `engine` is the command; its exit code is that of `engine`."""
    script = f'engine() {{ {ENGINE} "$@"; }}\n{line}'
    environment = {**os.environ, "NO_COLOR": "1", **variables}
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=environment, timeout=120)


def test_reader_that_stops(own: Collection) -> None:
    """A command whose reader stops after one line, or at once, ends with 0 and without a message."""
    name = shlex.quote(str(own.library))
    for command in (
        f"engine --library {name} search song",
        "engine --help",
        f"engine --library {name} search --csv song",
    ):
        for reader in ("head -n 1", "true"):
            done = shell(f"{command} | {reader}; echo ${{PIPESTATUS[0]}}")
            assert (done.stdout.splitlines()[-1], done.stderr) == ("0", "")


def test_closed_output(own: Collection) -> None:
    """Reading commands work where standard output, input or all streams are closed, and the library stays whole."""
    library, song = shlex.quote(str(own.library)), shlex.quote(str(own.song(0)))
    for closed in (">&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"):
        assert shell(f"engine --library {library} similar {song} {closed}; echo $?").stdout.splitlines()[-1] == "0"
    with Engine.open(own.library, device="cpu") as engine:
        assert engine.stats().tracks == len(GENRES)


@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", "2>/dev/full", "2> >(true)"])
def test_indexing_without_streams(tmp_path: Path, closed: str) -> None:
    """Indexing does its work, whatever becomes of its messages."""
    (tmp_path / "music").mkdir()
    write_song(tmp_path / "music" / "a.wav", 1)
    (tmp_path / "music" / "broken.mp3").write_bytes(b"milk, eggs" * 100)
    library = shlex.quote(str(tmp_path / "library.db"))
    assert shell(f"engine --library {library} index {tmp_path}/music {closed}; exit $?").returncode == 1
    with Engine.open(tmp_path / "library.db", device="cpu") as engine:
        assert engine.stats().tracks == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a system without /dev/full")
def test_full_output(own: Collection) -> None:
    """An answer that cannot be written is an error in one line."""
    done = shell(f"engine --library {shlex.quote(str(own.library))} search song >/dev/full; exit $?")
    assert (done.returncode, done.stderr) == (3, "engine: cannot write the answer: No space left on device\n")


def test_whole_names_in_a_pipe(own: Collection) -> None:
    """In a pipe no name is cut, however narrow a terminal would be."""
    title = "A very long title of many words that goes on beyond every edge of a terminal, and then some more of it"
    write_song(own.folder / "long.wav", 99, title=title)
    with Engine.open(own.library, device="cpu") as engine:
        engine.index(own.folder)
    library = shlex.quote(str(own.library))
    for line in ("similar -k 99 id:1", f"playlist {shlex.quote(str(own.song(0)))} -n 99"):
        assert title in shell(f"engine --library {library} {line}", COLUMNS="40").stdout
