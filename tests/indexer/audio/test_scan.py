"""Finding files: each once, in order, and nothing that could hang or go round in circles."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.indexer.audio.formats import has_media_extension
from engine.indexer.audio.scan import FoundFile, OutsideLink, Unreadable, scan


def found(*paths: Path | bytes | str) -> list[bytes]:
    """Give the paths of the files found."""
    return [item.path for item in scan(paths) if isinstance(item, FoundFile)]


def fill(folder: Path, *names: str) -> None:
    """Make small files."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"sound")


def test_order(tmp_path: Path) -> None:
    """A folder is walked in sorted order, whatever the order in which it was filled."""
    fill(tmp_path, "b/2.mp3", "c.mp3", "a.mp3", "b/1.mp3")
    assert found(tmp_path) == [os.fsencode(tmp_path / name) for name in ("a.mp3", "b/1.mp3", "b/2.mp3", "c.mp3")]


def test_facts(tmp_path: Path) -> None:
    """A found file carries its size, its time of change in nanoseconds, and its device and inode."""
    fill(tmp_path, "a.mp3")
    os.utime(tmp_path / "a.mp3", ns=(5, 1_234_567_891_234_567_000))
    status = (tmp_path / "a.mp3").stat()
    path, inode = os.fsencode(tmp_path / "a.mp3"), (status.st_dev, status.st_ino)
    assert list(scan([tmp_path])) == [FoundFile(path, 5, 1_234_567_891_234_567_000, inode=inode)]


def test_one_inode_under_every_name(tmp_path: Path) -> None:
    """A file, a hard link and a symbolic link to it have the same inode; another file has another."""
    fill(tmp_path, "a.mp3", "other.mp3")
    (tmp_path / "hard.mp3").hardlink_to(tmp_path / "a.mp3")
    (tmp_path / "soft.mp3").symlink_to("a.mp3")
    inodes = {Path(os.fsdecode(item.path)).name: item.inode for item in scan([tmp_path]) if isinstance(item, FoundFile)}
    assert inodes["a.mp3"] == inodes["hard.mp3"] == inodes["soft.mp3"] != inodes["other.mp3"]


def test_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path becomes absolute from the current folder, with its links kept."""
    fill(tmp_path, "real/a.mp3")
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    assert found("link") == [os.fsencode(tmp_path / "link" / "a.mp3")]


def test_hidden(tmp_path: Path) -> None:
    """Hidden files and folders are passed over in a walk, and taken when named."""
    fill(tmp_path, "._a.mp3", ".Trash/b.mp3", "c.mp3")
    assert found(tmp_path) == [os.fsencode(tmp_path / "c.mp3")]
    assert found(tmp_path / ".Trash") == [os.fsencode(tmp_path / ".Trash" / "b.mp3")]


@pytest.mark.parametrize(
    "name",
    [
        *("#recycle/a.mp3", "$RECYCLE.BIN/S-1-5/a.mp3", "System Volume Information/a.mp3", "@eaDir/a.mp3/b.mp3"),
        *("RECYCLER/a.mp3", "lost+found/a.mp3", "__MACOSX/a.mp3", "a.mp3.part", "a.mp3.crdownload", "A.FLAC.PART"),
    ],
)
def test_bins_and_unfinished(tmp_path: Path, name: str) -> None:
    """Bins and downloads in progress are skipped in a walk, and taken when named."""
    fill(tmp_path, name, "part.mp3", "recycle/c.mp3")
    kept = [os.fsencode(tmp_path / each) for each in ("part.mp3", "recycle/c.mp3")]
    assert found(tmp_path) == kept
    assert found(tmp_path / name) == [os.fsencode(tmp_path / name)]


def test_named(tmp_path: Path) -> None:
    """A file is known as named when it was given itself, also beside its folder."""
    fill(tmp_path, "a.mp3", "b.mp3")
    items = list(scan([tmp_path, tmp_path / "b.mp3"]))
    assert [item.named for item in items if isinstance(item, FoundFile)] == [False, True]


def test_many_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that are named are not compared with each other: a thousand would take a million comparisons."""
    compared: list[object] = []

    class Compared(bytes):
        __hash__ = bytes.__hash__

        def __eq__(self, other: object) -> bool:
            compared.append(other)
            return bytes(self) == other

    names = [f"{number}.mp3" for number in range(100)]
    fill(tmp_path, *names)
    paths = [os.fsencode(tmp_path / name) for name in names]
    monkeypatch.setattr(os.path, "abspath", Compared)
    items = list(scan(paths))
    monkeypatch.undo()
    assert [item.named for item in items if isinstance(item, FoundFile)] == [True] * len(paths)
    assert len(compared) < 20 * len(paths)


def test_loop(tmp_path: Path) -> None:
    """Links in a circle end, and each file of the circle is found once."""
    fill(tmp_path, "a/x.mp3")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    assert found(tmp_path) == [os.fsencode(tmp_path / "a" / "x.mp3")]


def test_twice(tmp_path: Path) -> None:
    """A file given twice, by itself and by its folder, is found once."""
    fill(tmp_path, "a.mp3")
    assert found(tmp_path / "a.mp3", tmp_path, os.fsencode(tmp_path / "a.mp3")) == [os.fsencode(tmp_path / "a.mp3")]


def test_not_utf8(tmp_path: Path) -> None:
    """A name that is not UTF-8 is found with its bytes as they are."""
    path = os.fsencode(tmp_path) + b"/caf\xe9.mp3"
    Path(os.fsdecode(path)).write_bytes(b"sound")
    assert found(tmp_path) == [path]


def test_fifo(tmp_path: Path) -> None:
    """A FIFO in a folder is skipped, as nobody may ever write to it; one that is named is reported."""
    os.mkfifo(tmp_path / "pipe.mp3")
    fill(tmp_path, "a.mp3")
    assert [item.path for item in scan([tmp_path])] == [os.fsencode(tmp_path / "a.mp3")]
    (named,) = scan([tmp_path / "pipe.mp3"])
    assert named == Unreadable(os.fsencode(tmp_path / "pipe.mp3"), "a device, pipe or socket, not a file of sound")


def test_missing(tmp_path: Path) -> None:
    """A path that does not exist and a link to nowhere are reported, and the rest is found."""
    fill(tmp_path, "z.mp3")
    (tmp_path / "nowhere").symlink_to("gone")
    items = list(scan([tmp_path / "absent", tmp_path]))
    assert [type(item) for item in items] == [Unreadable, Unreadable, FoundFile]
    assert isinstance(items[0], Unreadable)
    assert items[0].reason == "No such file or directory"
    (nothing,) = scan([tmp_path / "a\0b"])
    assert isinstance(nothing, Unreadable)
    assert "embedded null" in nothing.reason


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list everything")
def test_forbidden(tmp_path: Path) -> None:
    """A folder that may not be listed is reported, and the rest is found."""
    fill(tmp_path, "a/x.mp3", "b.mp3")
    (tmp_path / "a").chmod(0)
    items = list(scan([tmp_path]))
    (tmp_path / "a").chmod(0o700)
    assert items[0] == Unreadable(os.fsencode(tmp_path / "a"), "Permission denied")
    assert found(tmp_path)[-1] == os.fsencode(tmp_path / "b.mp3")


@pytest.mark.parametrize(
    ("name", "media"), [(b"a.mp3", True), (b"B.FLAC", True), (b"x.txt", False), (b"mp3", False), (b"a.jpg", False)]
)
def test_extension(name: bytes, media: bool) -> None:
    """Names of sound files are distinguished from other names, in any case."""
    assert has_media_extension(b"/music/" + name) is media


def test_outside_links(tmp_path: Path) -> None:
    """A link out of the folder is reported, and followed only on request; one inside it, and a linked root, always."""
    fill(tmp_path, "other/x.mp3", "music/a.mp3", "music/b/c.mp3", "music2/d.mp3")
    music = tmp_path / "music"
    (music / "away").symlink_to(tmp_path / "other")
    (music / "beside").symlink_to("../music2")
    (music / "file.mp3").symlink_to(tmp_path / "other" / "x.mp3")
    (music / "near.mp3").symlink_to("b/c.mp3")
    (tmp_path / "root").symlink_to(music)
    for root in (music, tmp_path / "root"):
        inside = [os.fsencode(root / name) for name in ("a.mp3", "b/c.mp3", "near.mp3")]
        links = [os.fsencode(root / name) for name in ("away", "beside", "file.mp3")]
        assert found(root) == inside
        assert [item.path for item in scan([root]) if isinstance(item, OutsideLink)] == links
        followed = [item.path for item in scan([root], follow_links=True)]
        assert len(followed) == len(inside) + len(links)
        assert os.fsencode(root / "away" / "x.mp3") in followed


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="a system without /proc")
def test_special_places(tmp_path: Path) -> None:
    """/proc and its like are never walked: not by a link, whatever is wanted, and not by name."""
    (tmp_path / "link").symlink_to("/proc/self/fd")
    fill(tmp_path, "a.mp3")
    for follow in (False, True):
        items = list(scan([tmp_path], follow_links=follow))
        expected = [FoundFile, OutsideLink]
        assert [type(item) for item in items] == expected
    assert [type(item) for item in scan(["/proc"])] == [Unreadable]
