"""The command `engine` itself: global options, exit codes, and a library that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.models.weights_files import default_id
from engine.runtime.faiss_distribution import faiss_distribution
from tests.cli.conftest import Command
from tests.conftest import GENRES, Collection, write_song

MUSIC = len(GENRES)


@pytest.mark.parametrize("content", [None, b"", b"x", b"text" * 1000])
@pytest.mark.parametrize("asked", [["stats"], ["search", "x"], ["similar", "1"], ["similar", "--json", "1"]])
def test_no_library(command: Command, tmp_path: Path, content: bytes | None, asked: list[str]) -> None:
    """A library that is missing or is something else exits 3 with one line, and is neither made nor changed."""
    path = tmp_path / "library.db"
    if content is not None:
        path.write_bytes(content)
    outcome = command("--library", path, *asked)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (3, "", 1)
    assert (path.read_bytes() if path.exists() else None) == content


def test_folder_as_library(command: Command, tmp_path: Path) -> None:
    """A folder given as the library exits 3."""
    outcome = command("--library", tmp_path, "stats")
    assert outcome.code == 3
    assert "folder" in outcome.err


def test_empty_library(command: Command, tmp_path: Path) -> None:
    """Asking a library without tracks exits 3 and says how to add some."""
    (tmp_path / "music").mkdir()
    write_song(tmp_path / "song.wav", 1)
    assert command("--library", tmp_path / "library.db", "index", tmp_path / "music").code == 0
    outcome = command("--library", tmp_path / "library.db", "similar", tmp_path / "song.wav")
    assert outcome.code == 3
    assert "engine index" in outcome.err


@pytest.mark.parametrize("page", [0, 1, 5, -1])
def test_damaged_library(command: Command, own: Collection, page: int) -> None:
    """A library damaged anywhere is answered or refused in one line with code 3, never by a traceback."""
    content = bytearray(own.library.read_bytes())
    start = (page * 4096) % len(content) if page >= 0 else len(content) - 4096
    content[start + 100 : start + 4096] = b"\xa5" * 3996
    own.library.write_bytes(content)
    for asked in (["stats"], ["search", "band"], ["similar", "1"], ["index", own.folder]):
        outcome = command("--library", own.library, *asked)
        assert outcome.code in (0, 1, 3)
        assert outcome.code == 0 or outcome.err.startswith(("engine: ", "failed: "))
        assert "unexpected" not in outcome.err


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["similar"], ["similar", "-k", "0", "1"], ["similar", "-k", "x", "1"]]
)
def test_usage(command: Command, arguments: list[str]) -> None:
    """Wrong use exits 2."""
    assert command(*arguments).code == 2


@pytest.mark.parametrize(
    "name",
    [
        "",
        "index",
        "similar",
        "classify",
        "explain",
        "genres",
        "map",
        "playlist",
        "recommend",
        "search",
        "stats",
        "encoders",
        "export",
        "remove",
        "relocate",
        "train",
        "completion",
    ],
)
def test_help(command: Command, name: str) -> None:
    """Every command explains itself and exits 0."""
    outcome = command(*([name] if name else []), "--help")
    assert outcome.code == 0
    assert "Usage: engine" in outcome.out


def test_version(command: Command) -> None:
    """The version names program, encoder, schema and the installed FAISS."""
    outcome = command("--version")
    assert outcome.code == 0
    assert default_id() in outcome.out
    assert str(faiss_distribution()) in outcome.out
