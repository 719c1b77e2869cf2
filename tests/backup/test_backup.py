"""Backups: consistent while others write, verified, and restored without losing what was there."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine import Engine
from engine.db.plays import Play
from engine.errors import LibraryError, OutputError
from engine.util.unfinished import remove_unfinished
from tests.conftest import GENRES, Collection, write_song


def test_a_backup_is_the_library(own: Collection, tmp_path: Path) -> None:
    """Answers, ids and plays of a restored library are those of the library that was backed up."""
    with Engine.open(own.library) as engine:
        engine.add_plays([Play(1_700_000_000.0, "like", 3)])
        before = engine.similar(3, k=5)
        made = engine.backup(tmp_path / "music.bak")
    assert (made.tracks, made.size) == (len(GENRES), (tmp_path / "music.bak").stat().st_size)
    restored = Engine.restore(tmp_path / "music.bak", tmp_path / "new" / "library.db")
    assert (restored.tracks, restored.replaced) == (len(GENRES), None)
    with Engine.open(tmp_path / "new" / "library.db", create=False) as engine:
        assert engine.similar(3, k=5).matches == before.matches
        assert engine.add_plays([Play(1_700_000_000.0, "like", 3)]) == 0  # it is there already


def test_the_old_library_is_kept(own: Collection, tmp_path: Path) -> None:
    """A restore keeps the library that was there, whole, under another name."""
    with Engine.open(own.library) as engine:
        engine.backup(tmp_path / "music.bak")
        engine.remove(1)
    restored = Engine.restore(tmp_path / "music.bak", own.library)
    assert restored.replaced is not None
    with Engine.open(own.library) as engine, Engine.open(restored.replaced) as old:
        assert (engine.stats().tracks, old.stats().tracks) == (len(GENRES), len(GENRES) - 1)


def test_while_an_indexer_runs(own: Collection, tmp_path: Path) -> None:
    """Backups made while songs are indexed are all sound, and hold whole batches."""
    for number in range(100, 112):
        write_song(own.folder / f"more{number}.wav", number, None)
    with Engine.open(own.library) as engine, Engine.open(own.library) as reader:
        indexing = threading.Thread(target=engine.index, args=(own.folder,))
        indexing.start()
        made = [reader.backup(tmp_path / f"{i}.bak") for i in range(5)]
        indexing.join()
        made.append(reader.backup(tmp_path / "5.bak"))
    counts = [each.tracks for each in made]
    assert counts == sorted(counts)
    assert counts[-1] == len(GENRES) + 12
    for each in made:
        with sqlite3.connect(each.path) as connection:
            signatures = connection.execute("SELECT count(*) FROM signatures").fetchone()[0]
        assert signatures == each.tracks


def test_only_a_backup_is_replaced(own: Collection, tmp_path: Path) -> None:
    """A backup replaces an earlier one; a library, a song or a document keeps every byte."""
    song, library = tmp_path / "song.wav", tmp_path / "other.db"
    write_song(song, 1, None)
    shutil.copy(own.library, library)
    with Engine.open(own.library) as engine:
        engine.backup(tmp_path / "music.bak")
        engine.backup(tmp_path / "music.bak")
        for other in (song, library, own.library):
            before = other.read_bytes()
            with pytest.raises(OutputError):
                engine.backup(other)
            assert other.read_bytes() == before
        with pytest.raises(LibraryError, match="expected a file"):
            engine.backup(tmp_path)
        with pytest.raises(LibraryError):
            engine.backup(tmp_path / "none" / "music.bak")


@pytest.mark.parametrize("damage", ["truncated", "text", "empty", "missing", "page", "newer"])
def test_a_bad_backup_changes_nothing(own: Collection, tmp_path: Path, damage: str) -> None:
    """A backup that is damaged, newer or none at all is refused in one line, and the library stays."""
    bad = tmp_path / "bad.bak"
    with Engine.open(own.library) as engine:
        engine.backup(bad)
    content = bytearray(bad.read_bytes())
    if damage == "newer":
        with sqlite3.connect(bad) as connection:
            connection.execute("PRAGMA user_version = 999")
    elif damage == "missing":
        bad.unlink()
    else:
        content[4096 * 3 : 4096 * 12] = b"\xff" * 4096 * 9
        bad.write_bytes({"truncated": content[:9000], "text": b"notes\n" * 200, "empty": b"", "page": content}[damage])
    before = own.library.read_bytes()
    with pytest.raises(LibraryError) as caught:
        Engine.restore(bad, own.library)
    assert "\n" not in str(caught.value)
    assert own.library.read_bytes() == before
    assert not list(own.library.parent.glob(".engine-*"))


def test_an_open_library_is_not_replaced(own: Collection, tmp_path: Path) -> None:
    """A library that another process has open is not replaced."""
    with Engine.open(own.library) as engine:
        engine.backup(tmp_path / "music.bak")
    code = (
        "import sys; from engine import Engine\n"
        f"with Engine.open({str(own.library)!r}) as engine:\n"
        "    engine.stats(); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(LibraryError, match="another process"):
            Engine.restore(tmp_path / "music.bak", own.library)
        assert other.stdin is not None
        other.stdin.close()
    assert Engine.restore(tmp_path / "music.bak", own.library).tracks == len(GENRES)


def test_two_restores_within_a_second(own: Collection, tmp_path: Path) -> None:
    """Each restore keeps the library that it replaced, under a name of its own."""
    with Engine.open(own.library) as engine:
        engine.backup(tmp_path / "music.bak")
    kept = [Engine.restore(tmp_path / "music.bak", own.library).replaced for _ in range(3)]
    assert len({path for path in kept if path is not None and Path(path).is_file()}) == 3
    with Engine.open(own.library) as engine:
        assert engine.check().findings == ()


STEPS = """
import os, signal, sys, sqlite3
from engine import Engine
left = int(sys.argv[4])
steps = os.replace, os.rename, os.link, os.fsync, sqlite3.connect
def see(frame, event, called):
    global left
    if event in ("c_call", "c_return") and (called in steps or called.__name__ == "backup"):
        left -= 1
        if left < 0: os.kill(os.getpid(), signal.SIGKILL)
sys.setprofile(see)
if sys.argv[1] == "backup":
    with Engine.open(sys.argv[2]) as engine: engine.backup(sys.argv[3])
else: Engine.restore(sys.argv[3], sys.argv[2])
"""


@pytest.mark.parametrize("operation", ["backup", "restore"])
def test_killed_in_the_middle(own: Collection, tmp_path: Path, operation: str) -> None:
    """Killed anywhere, a backup or a restore leaves a library at its path, and only files that the next run removes."""
    with Engine.open(own.library) as engine:
        engine.backup(tmp_path / "music.bak")
    ended = 1
    for step in range(0, 100, 3):
        arguments = [operation, str(own.library), str(tmp_path / "music.bak"), str(step)]
        ended = subprocess.run([sys.executable, "-c", STEPS, *arguments], check=False).returncode
        assert ended in (0, -9)
        remove_unfinished()
        assert not list(tmp_path.glob(".engine-*"))
        with Engine.open(own.library, create=False) as engine:
            assert engine.stats().tracks == len(GENRES)
        if not ended:
            break
    assert ended == 0
