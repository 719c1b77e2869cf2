"""Playlist files: what is written can be read, and whatever is read names local files only."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import QueryError
from engine.m3u8 import Entry, read_playlist, write_playlist

names = st.binary(min_size=1, max_size=30).filter(
    lambda name: not set(name) & set(b"\0\n\r/") and name not in (b".", b"..")
)


@settings(max_examples=60, deadline=None)
@given(st.lists(names, max_size=5), st.booleans())
def test_round_trip(listed: list[bytes], relative: bool) -> None:
    """Whatever bytes a file's name has, a written playlist names that file when it is read, and is UTF-8."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.fsencode(folder) + b"/music/" + name for name in listed]
        file = Path(folder) / "list.m3u8"
        assert write_playlist(file, [Entry(path) for path in paths], relative=relative) == ()
        assert read_playlist(file).paths == tuple(paths)
        assert read_playlist(file).problems == ()
        file.read_text("utf-8")


def test_written_lines(tmp_path: Path) -> None:
    """Each track has its length, its name in one line, and its path, absolute or from the playlist's folder."""
    entries = [
        Entry(b"/music/a.mp3", 61.6, "Ada\nLovelace", "Song\r\n#EXTINF:1,x"),
        Entry(os.fsencode(tmp_path / "b.mp3"), None, None, None),
        Entry(os.fsencode(tmp_path / "#1 hit.mp3"), 3, None, "One"),
    ]
    file = tmp_path / "lists" / "list.m3u8"
    file.parent.mkdir()
    write_playlist(file, entries)
    assert file.read_text("utf-8").splitlines() == [
        "#EXTM3U",
        "#EXTINF:62,Ada Lovelace - Song #EXTINF:1,x",
        "/music/a.mp3",
        "#EXTINF:-1,b",
        str(tmp_path / "b.mp3"),
        "#EXTINF:3,One",
        str(tmp_path / "#1 hit.mp3"),
    ]
    write_playlist(tmp_path / "list.m3u8", entries[1:], relative=True)
    assert (tmp_path / "list.m3u8").read_text("utf-8").splitlines()[2::2] == ["b.mp3", "./#1 hit.mp3"]
    write_playlist(file, entries[1:2], relative=True)
    assert file.read_text("utf-8").splitlines()[2] == "../b.mp3"


def test_line_break_in_path(tmp_path: Path) -> None:
    """A path with a line break is reported, and the others are written."""
    (problem,) = write_playlist(tmp_path / "list.m3u8", [Entry(b"/a\nb.mp3"), Entry(b"/c.mp3")])
    assert "line break" in problem
    assert "\n" not in problem
    assert read_playlist(tmp_path / "list.m3u8").paths == (b"/c.mp3",)


def test_foreign_lists(tmp_path: Path) -> None:
    """Byte order marks, CRLF, comments, relative paths and file addresses are read; other addresses are reported."""
    latin = tmp_path / "Bj\u00f6rk.mp3"
    latin.touch()
    lines = [
        b"\xef\xbb\xbf#EXTM3U", b"", b"#EXTINF:1,x", b"a b.mp3", b"../c.mp3", b"/d.mp3", b"file:///e%20e%FF.mp3",
        b"file://localhost/f.mp3", b"file://other/g.mp3", b"http://host/h.mp3", b"Bj\xf6rk.mp3", b"\xff.mp3",
        b"file:///nul%00.mp3",
    ]  # fmt: skip
    (tmp_path / "list.m3u").write_bytes(b"\r\n".join(lines))
    read = read_playlist(tmp_path / "list.m3u")
    folder = os.fsencode(tmp_path)
    assert read.paths == (
        folder + b"/a b.mp3", os.fsencode(tmp_path.parent) + b"/c.mp3", b"/d.mp3", b"/e e\xff.mp3", b"/f.mp3",
        os.fsencode(latin), folder + b"/\xff.mp3",
    )  # fmt: skip
    assert [problem.split(":")[0] for problem in read.problems] == ["line 9", "line 10", "line 13"]


@pytest.mark.parametrize("name", ["song.flac", "none/list.m3u8", "folder.m3u8", "list"])
def test_only_playlists_are_written(tmp_path: Path, name: str) -> None:
    """Only a file with a playlist's name, in a folder that exists, is written; what lay elsewhere stays."""
    (tmp_path / "folder.m3u8").mkdir()
    (tmp_path / "song.flac").write_bytes(b"music")
    with pytest.raises(QueryError, match=r"m3u8"):
        write_playlist(tmp_path / name, [Entry(b"/a.mp3")])
    assert (tmp_path / "song.flac").read_bytes() == b"music"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.m3u8", "song.flac"]


def test_unreadable_lists(tmp_path: Path) -> None:
    """A list that is not there, or is no regular file, is refused and never waited for."""
    os.mkfifo(tmp_path / "pipe.m3u8")
    for name in ("none.m3u8", "pipe.m3u8", "."):
        with pytest.raises(QueryError, match="expected a playlist file"):
            read_playlist(tmp_path / name)
