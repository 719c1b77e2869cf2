"""Files that commands write: over nothing, or an earlier one of the same kind, and never over anything else."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine import Engine
from engine.errors import OutputError
from engine.training.state import STATE, WEIGHTS, write_safetensors
from engine.util.atomic_files import ANYTHING, EXPORT, PAGE, PICTURE, PLAYLIST, Kind, check_output, replacing
from tests.conftest import Collection, write_song

KINDS = {"export": EXPORT, "page": PAGE, "picture": PICTURE, "playlist": PLAYLIST, "weights": WEIGHTS, "state": STATE}
OTHERS = {
    "text": b"my notes\n",
    "song": b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(40),
    "archive": b"PK\x05\x06" + bytes(18),
    "other safetensors": (2).to_bytes(8, "little") + b"{}",
    "endless safetensors": b"\xff" * 64,
    "deep safetensors": (60_000).to_bytes(8, "little") + b"[" * 60_000,
}


def write_own(path: Path, kind: str) -> None:
    """Write a small file of a kind."""
    if kind == "export":
        np.savez(path.with_suffix(".npz"), ids=[1], paths=["a"], signatures=[[1.0]], encoder=np.array("a@1"))
        path.with_suffix(".npz").rename(path)
    elif kind == "weights":
        write_safetensors(path, {}, {"format": "music-engine encoder 1", "name": "attention_cnn"})
    elif kind == "state":
        write_safetensors(path, {}, {"step": "1", "settings": "{}"})
    else:
        starts = {
            "page": b"<!DOCTYPE html>\n<html>",
            "picture": b"\x89PNG\r\n\x1a\n",
            "playlist": b"\xef\xbb\xbf#EXTM3U\n",
        }
        path.write_bytes(starts[kind])


@pytest.mark.parametrize("found", [*KINDS, *OTHERS])
@pytest.mark.parametrize("kind", KINDS)
def test_kinds(tmp_path: Path, kind: str, found: str) -> None:
    """A file is replaced by its own kind only; another one keeps every byte, and nothing lies beside it."""
    target = tmp_path / "target"
    if found in OTHERS:
        target.write_bytes(OTHERS[found])
    else:
        write_own(target, found)
    before = target.read_bytes()
    if found == kind:
        with replacing(target, KINDS[kind]) as handle:
            handle.write(b"new")
        assert target.read_bytes() == b"new"
    else:
        with pytest.raises(OutputError, match="another file"), replacing(target, KINDS[kind]):
            pytest.fail("it was opened")
        assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("kind", [PICTURE, ANYTHING])
def test_no_regular_file(tmp_path: Path, kind: Kind) -> None:
    """A folder, a pipe and a device are refused at once, also behind a link."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("pipe")
    for target in (tmp_path / "pipe", tmp_path / "folder", tmp_path / "link", Path("/dev/null")):
        with pytest.raises(OutputError, match=r"folder|device"):
            check_output(target, kind)
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_link_is_judged_by_its_target(tmp_path: Path) -> None:
    """A link to a picture leads to the new one; a link to a song is refused; both stay links."""
    picture, song = tmp_path / "real.png", tmp_path / "song.wav"
    write_own(picture, "picture")
    song.write_bytes(OTHERS["song"])
    (tmp_path / "a.png").symlink_to(picture)
    (tmp_path / "b.png").symlink_to(song)
    with replacing(tmp_path / "a.png", PICTURE) as handle:
        handle.write(b"new")
    with pytest.raises(OutputError):
        check_output(tmp_path / "b.png", PICTURE)
    assert ((tmp_path / "a.png").is_symlink(), picture.read_bytes()) == (True, b"new")
    assert song.read_bytes() == OTHERS["song"]


def test_what_comes_meanwhile_stays(tmp_path: Path) -> None:
    """A file that appears while a picture is drawn is not replaced by it."""
    target = tmp_path / "a.png"
    with pytest.raises(OutputError), replacing(target, PICTURE):
        target.write_bytes(b"mine")
    assert target.read_bytes() == b"mine"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("part", ["", "-wal", "-shm", "-journal"])
def test_parts_of_a_database(tmp_path: Path, part: str) -> None:
    """A database is refused, and so are the names that SQLite uses beside it, whether a file is there or not."""
    connection = sqlite3.connect(tmp_path / "library.db")
    connection.execute("CREATE TABLE a (b)")
    connection.close()
    with pytest.raises(OutputError, match="database"):
        check_output(tmp_path / f"library.db{part}", EXPORT)
    check_output(tmp_path / f"other{part}", EXPORT)


def test_permissions_stay(tmp_path: Path) -> None:
    """A private playlist stays private when it is written anew."""
    target = tmp_path / "list.m3u8"
    write_own(target, "playlist")
    target.chmod(0o600)
    with replacing(target, PLAYLIST) as handle:
        handle.write(b"#EXTM3U\n")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "write",
    [
        lambda engine, path: engine.export(path),
        lambda engine, path: engine.map(path.with_suffix(".html")),
        lambda engine, path: engine.map(path.with_suffix(".png")),
        lambda engine, path: engine.explain(1, plot=path.with_suffix(".png")),
        lambda engine, path: engine.genres(plot=path.parent),
        lambda engine, path: engine.save_playlist(engine.playlist([1], 2), path.with_suffix(".m3u8")),
    ],
)
def test_every_way_of_writing(engine: Engine, tmp_path: Path, write: Callable[[Engine, Path], object]) -> None:
    """Whatever the library writes, a song of that name is refused and keeps its bytes."""
    names = [tmp_path / f"out{end}" for end in ("", ".html", ".png", ".m3u8")]
    names += [tmp_path / name for name in ("genres-2d.png", "genres-3d.png", "genres-nearest.png")]
    for name in names:
        write_song(tmp_path / "made.wav", 40).rename(name)
    before = [name.read_bytes() for name in names]
    with pytest.raises(OutputError, match="another file"):
        write(engine, tmp_path / "out")
    assert [name.read_bytes() for name in names] == before


def test_export_over_the_library(engine: Engine, own: Collection) -> None:
    """The library, what lies beside it and its index files are never exported over."""
    engine.similar(1)
    for path in [own.library, *own.library.parent.glob("library.db*")]:
        with pytest.raises(OutputError):
            engine.export(path)
    assert engine.similar(1).matches
