"""Temporary files: unpredictable names, and none left of a process that was killed."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.util.atomic_files import ANYTHING, replacing
from engine.util.unfinished import recorded, remove_unfinished, unfinished


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_killed_writer_leaves_nothing(tmp_path: Path) -> None:
    """The temporary file of a killed process is removed by the next call; the old file stays whole."""
    target = tmp_path / "song.flac"
    target.write_bytes(b"old")
    code = (
        "import os, sys; from pathlib import Path; from engine.util.atomic_files import ANYTHING, replacing\n"
        f"with replacing(Path({str(target)!r}), ANYTHING) as handle:\n"
        "    handle.write(b'half'); handle.flush(); print('ready', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        (temporary,) = tmp_path.glob(".engine-*.part")
        assert (remove_unfinished(), temporary.exists()) == ((), True)  # its writer lives
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    assert unfinished() == (temporary,)
    assert remove_unfinished() == (temporary,)
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["song.flac"]
    assert target.read_bytes() == b"old"
    assert not list((tmp_path / "cache").rglob("*.part"))


def test_what_cannot_be_removed_now_is_removed_later(tmp_path: Path) -> None:
    """A temporary file that its writer could not remove, on a disk that failed, is removed by a later call."""
    temporary = tmp_path / ".engine-0123456789abcdef.part"
    with recorded(temporary):
        temporary.write_bytes(b"half")
    assert (unfinished(), remove_unfinished()) == ((temporary,), (temporary,))
    assert not list((tmp_path / "cache").rglob("*.part"))


def test_only_temporary_files_are_removed(tmp_path: Path) -> None:
    """An entry that names another file than a temporary one removes nothing."""
    folder = tmp_path / "cache" / "music-engine" / "unfinished"
    folder.mkdir(parents=True)
    song = tmp_path / "song.flac"
    song.write_bytes(b"music")
    (folder / ".engine-0123456789abcdef.part").write_bytes(os.fsencode(song))
    (folder / "note").write_bytes(os.fsencode(song))
    remove_unfinished()
    assert song.read_bytes() == b"music"


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    """Names cannot be foreseen, and two writers of one process never meet."""
    target, names = tmp_path / "map.png", set()
    for _ in range(10):
        with replacing(target, ANYTHING) as first, replacing(target, ANYTHING) as second:
            names |= {first.name, second.name}
            first.write(b"1")
            second.write(b"2")
    assert len(names) == 20
    assert target.read_bytes() == b"1"


def test_without_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache folder that cannot be made does not keep a file from being written."""
    (tmp_path / "blocked").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "blocked"))
    with replacing(tmp_path / "out", ANYTHING) as handle:
        handle.write(b"whole")
    assert (tmp_path / "out").read_bytes() == b"whole"


def test_longest_names(tmp_path: Path) -> None:
    """A name of 255 bytes, the longest there is, is written."""
    target = tmp_path / ("x" * 251 + ".png")
    with replacing(target, ANYTHING) as handle:
        handle.write(b"whole")
    assert target.read_bytes() == b"whole"


def test_index_files(tmp_path: Path) -> None:
    """An index file whose writer was killed is removed; one that is being written, and other files, stay."""
    library = tmp_path / "music.db"
    left = tmp_path / "music.db.mg_cam-2fe73b.windows..faiss.0123456789abcdef.part"
    stay = [tmp_path / name for name in ("music.db", "music.db.part", "music.dbx.windows..faiss.0123456789abcdef.part")]
    for path in (left, *stay):
        path.touch()
    with left.open("rb") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        assert (unfinished(library), remove_unfinished(library)) == ((), ())
    assert (unfinished(library), remove_unfinished(library)) == ((left,), (left,))
    assert sorted(path for path in tmp_path.iterdir() if path.name != "cache") == sorted(stay)
