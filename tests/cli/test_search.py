"""`engine search`: lists by words, and names of any bytes."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from tests.cli.conftest import Command, similar
from tests.conftest import GENRES, write_song

MUSIC = len(GENRES)


def test_search(command: Command, library: Path) -> None:
    """A search lists tracks that hold all words, also when given as one argument; none is no failure."""
    document = command("--library", library, "search", "--json", "jazz", "band").document
    assert list(document) == ["tracks"]
    assert [list(track) for track in document["tracks"]] == [["track_id", "path", "artist", "title", "album"]] * 2
    assert command("--library", library, "search", "--json", "jazz band").document == document
    nothing = command("--library", library, "search", "nonsense")
    assert (nothing.code, nothing.out) == (0, "")
    assert command("--library", library, "search", "--json", "nonsense").document == {"tracks": []}


def test_strange_names(command: Command, tmp_path: Path) -> None:
    """Names that are not UTF-8 print as U+FFFD; JSON keeps a line break, and a terminal gets one line all the same."""
    write_song(tmp_path / "made.wav", 1)
    names = [b"caf\xe9.wav", b"two\nlines.wav"]
    for name in names:
        shutil.copy(os.fsencode(tmp_path / "made.wav"), os.fsencode(tmp_path) + b"/" + name)
    library = tmp_path / "library.db"
    assert command("--library", library, "index", tmp_path).code == 0
    found = command("--library", library, "search", "--json", "wav").document["tracks"]
    assert {Path(track["path"]).name for track in found} == {"made.wav", "caf\ufffd.wav", "two\nlines.wav"}
    (query,) = similar(command, library, os.fsdecode(os.fsencode(tmp_path) + b"/" + names[0]))
    assert query["path"] == str(tmp_path / "caf\ufffd.wav")
    assert len(command("--library", library, "search", "lines").out.splitlines()) == 1


def test_hostile_tags(command: Command, tmp_path: Path) -> None:
    """Control sequences in a tag do not reach the terminal."""
    write_song(tmp_path / "a.wav", 1, artist="\x1b[2JEvil\x07", title="\x1b]0;owned\x07")
    write_song(tmp_path / "b.wav", 2)
    command("--library", tmp_path / "library.db", "index", tmp_path)
    for outcome in (
        command("--library", tmp_path / "library.db", "search", "wav"),
        command("--library", tmp_path / "library.db", "similar", tmp_path / "b.wav"),
    ):
        assert "Evil" in outcome.out
        assert "\x1b" not in outcome.out.replace("\x1b[1m", "").replace("\x1b[0m", "")
        assert "\x07" not in outcome.out


def test_json_is_utf8(command: Command, tmp_path: Path) -> None:
    """Letters beyond ASCII stand in the document as they are."""
    write_song(tmp_path / "a.wav", 1, artist="Sigur Rós")
    command("--library", tmp_path / "library.db", "index", tmp_path / "a.wav")
    outcome = command("--library", tmp_path / "library.db", "search", "--json", "rós")
    assert "Sigur Rós" in outcome.out
    assert json.loads(outcome.out)["tracks"][0]["artist"] == "Sigur Rós"
