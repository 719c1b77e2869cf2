"""Playlist files: what is written can be read, and whatever is read names local files only."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from engine import QueryError
from engine.playlists.m3u8 import Entry, read_playlist, write_playlist

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


SONG = "Mike/Mike Posner - I Took (SeeB Remix) \u00e9.opus"


def put(folder: Path, *names: str) -> bytes:
    """Make empty files below a folder; returns the path of the last one."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return os.fsencode(folder / names[-1])


@pytest.mark.parametrize(
    "line",
    [
        b"music/Mike/Mike%20Posner%20-%20I%20Took%20%28SeeB%20Remix%29%20%C3%A9.opus",
        b"music\\Mike\\Mike Posner - I Took (SeeB Remix) \xc3\xa9.opus",
        b".\\music\\Mike\\Mike%20Posner%20-%20I%20Took%20(SeeB%20Remix)%20%c3%a9.opus",
        b"music\\Mike\\Mike Posner - I Took (SeeB Remix) \xe9.opus",
        b"music/Mike/Mike Posner - I Took (SeeB Remix) e\xcc\x81.opus",
        b"music/Mike/Mike%20Posner%20-%20I%20Took%20%28SeeB%20Remix%29%20e%CC%81.opus",
        b"  music/Mike/Mike Posner - I Took (SeeB Remix) \xc3\xa9.opus  ",
        b"MUSIC\\mike\\Mike Posner - I Took (SEEB Remix) \xc3\x89.opus",
    ],
)
@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_spellings_of_other_players(tmp_path: Path, line: bytes, ending: bytes) -> None:
    """Percent signs, backslashes, decomposed accents, other case and Windows' encoding name the file that is meant."""
    song = put(tmp_path / "music", "other.opus", SONG)
    (tmp_path / "list.m3u").write_bytes(ending.join([b"#EXTM3U", b"#EXTINF:248,x", line, b"music/other.opus", b""]))
    read = read_playlist(tmp_path / "list.m3u")
    assert read.paths == (song, os.fsencode(tmp_path / "music" / "other.opus"))
    assert read.problems == ()


def test_composed_names_of_decomposed_files(tmp_path: Path) -> None:
    """A list with composed accents finds a file and a folder whose names are decomposed."""
    song = put(tmp_path, "Bjo\u0308rk/Jo\u0301ga.mp3")
    (tmp_path / "list.m3u8").write_text("Bj\u00f6rk/J\u00f3ga.mp3\n", "utf-8")
    assert read_playlist(tmp_path / "list.m3u8").paths == (song,)


def test_the_exact_name_comes_first(tmp_path: Path) -> None:
    """A file that is called exactly as the line says is meant, whatever else the line could mean."""
    put(tmp_path, "a b.mp3", "a/b.mp3", "song.mp3", "j\u00f3ga.mp3")
    for name in ("a%20b.mp3", "a\\b.mp3", "Song.mp3", "jo\u0301ga.mp3", " song.mp3"):
        exact = put(tmp_path, name)
        (tmp_path / "list.m3u8").write_text(f"{name}\n", "utf-8")
        assert read_playlist(tmp_path / "list.m3u8").paths == (exact,)


def test_two_files_that_differ_in_case(tmp_path: Path) -> None:
    """Where two files could be meant neither is, and the name stays as it is written."""
    put(tmp_path, "song.mp3", "SONG.mp3")
    (tmp_path / "list.m3u8").write_text("Song.mp3\n", "utf-8")
    assert read_playlist(tmp_path / "list.m3u8").paths == (os.fsencode(tmp_path / "Song.mp3"),)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_byte_order_marks(tmp_path: Path, encoding: str) -> None:
    """A list in UTF-16 or UTF-32 with a byte order mark is read, also where its last byte is missing."""
    song = put(tmp_path / "music", SONG)
    text = f"#EXTM3U\r\n#EXTINF:1,x\r\nmusic/{SONG}\r\n"
    mark = "" if encoding in ("utf-16", "utf-32", "utf-8-sig") else "\ufeff"
    content = (mark + text).encode(encoding)
    for whole in (content, content[:-1]):
        (tmp_path / "list.m3u").write_bytes(whole)
        assert read_playlist(tmp_path / "list.m3u").paths[:1] == (song,)


@pytest.mark.parametrize("name", ["list.pls", "list.m3u"])
def test_pls(tmp_path: Path, name: str) -> None:
    """A PLS list names its files by number, whatever its suffix; titles and lengths are passed over."""
    song, other = put(tmp_path / "music", SONG), put(tmp_path, "a=b.mp3")
    lines = [
        "[playlist]", "NumberOfEntries=4", f"file10=music\\{SONG}", "Title10=x", "Length10=-1", "File2=a=b.mp3",
        "File3=http://host/stream", "File4=", f"FILE11=file://{other.decode()}", "Version=2",
    ]  # fmt: skip
    (tmp_path / name).write_text("\r\n".join(lines).replace("music\\Mike/", "music\\Mike\\"), "utf-8")
    read = read_playlist(tmp_path / name)
    assert read.paths == (other, song, other)
    assert [problem.split(":")[0] for problem in read.problems] == ["line 7"]


def test_other_computers(tmp_path: Path) -> None:
    """Addresses and network shares are reported as not on this computer, even where a local file has such a path."""
    put(tmp_path, "http:/host/a.mp3", "server/share/a.mp3")
    lines = [
        "http://host/a.mp3",
        "HTTPS://host/%2e%2e/a",
        "smb://server/a",
        "\\\\server\\share\\a.mp3",
        "file://server/a",
    ]
    (tmp_path / "list.m3u").write_text("\n".join(lines))
    read = read_playlist(tmp_path / "list.m3u")
    assert read.paths == ()
    assert len(read.problems) == len(lines)
    assert all("not a file on this computer" in problem for problem in read.problems)


def test_file_addresses(tmp_path: Path) -> None:
    """A file address names a local file, percent-encoded or not, with one slash or three."""
    song = put(tmp_path, "a b%.mp3")
    folder = os.fsdecode(tmp_path)
    for line in (f"file://{folder}/a%20b%25.mp3", f"file:{folder}/a%20b%25.mp3", f"FILE://localhost{folder}/a b%.mp3"):
        (tmp_path / "list.m3u").write_text(line)
        assert read_playlist(tmp_path / "list.m3u").paths == (song,)


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=300), st.sampled_from([b"", b"\xff\xfe", b"\xfe\xff", b"[playlist]\nFile1=", b"file:///", b"\\"])
)
def test_garbage(content: bytes, start: bytes) -> None:
    """Whatever bytes a list holds, reading it gives absolute paths and one-line problems, and no other error."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "list.m3u").write_bytes(start + content)
        read = read_playlist(Path(folder) / "list.m3u")
    assert all(path.startswith(b"/") and b"\0" not in path for path in read.paths)
    assert not any("\n" in problem for problem in read.problems)


def test_large_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line longer than any path is reported in short, one of a thousand folders is no file, too many are refused."""
    lines = [b"x" * 100_000, b"a/" * 5_000 + b"b", b"%61/" * 1_000 + b"b", b"y"]
    (tmp_path / "list.m3u").write_bytes(b"\n".join(lines))
    read = read_playlist(tmp_path / "list.m3u")
    assert len(read.paths) == 3
    assert len(read.problems[0]) < 300
    monkeypatch.setattr("engine.playlists.m3u8.MOST_LINES", 3)
    with pytest.raises(QueryError, match="at most 3 lines"):
        read_playlist(tmp_path / "list.m3u")


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
