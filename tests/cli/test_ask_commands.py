"""`similar`, `search`, `stats`, `encoders`: what scripts rely on."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from engine.models.labels import GENRES as LABELS, MOODS
from engine.models.weights_files import default_id
from engine.runtime.faiss_distribution import faiss_distribution
from tests.cli.conftest import Command
from tests.conftest import GENRES, Collection, FirstRun, write_song

MUSIC = len(GENRES)
QUERY = ["path", "track_id", "error", "genres", "moods", "valence", "centroids", "tags", "matches"]
MATCH = ["rank", "track_id", "path", "artist", "title", "album", "genre", "genre_source", "similarity"]


@pytest.fixture
def library(first_run: FirstRun) -> Path:
    """The shared library; these commands only read."""
    return first_run.collection.library


def similar(command: Command, library: Path, *arguments: object) -> list[dict[str, Any]]:
    """Ask for JSON; returns the queries."""
    document = command("--library", library, "similar", "--json", *arguments).document
    assert list(document) == ["encoder", "queries"]
    assert document["encoder"] == default_id()
    return list(document["queries"])


def test_document(command: Command, library: Path, first_run: FirstRun) -> None:
    """A query's document has every key, complete lists, and numbers that are not rounded."""
    (query,) = similar(command, library, "-k", 100, first_run.collection.song(0))
    assert list(query) == QUERY
    assert (query["path"], query["track_id"], query["error"]) == (str(first_run.collection.song(0)), 1, None)
    assert {tuple(entry) for entry in query["genres"]} == {("genre", "probability")}
    assert {tuple(entry) for entry in query["moods"]} == {("mood", "probability")}
    assert {tuple(entry) for entry in query["valence"]} == {("valence", "probability")}
    assert {tuple(entry) for entry in query["centroids"]} == {("genre", "distance", "kind")}
    assert {tuple(entry) for entry in query["matches"]} == {tuple(MATCH)}
    assert (len(query["genres"]), len(query["moods"]), len(query["matches"])) == (len(LABELS), len(MOODS), MUSIC - 1)
    assert any(match["similarity"] != round(match["similarity"], 5) for match in query["matches"])


def test_failed_keeps_its_place(command: Command, library: Path, tmp_path: Path) -> None:
    """Of several queries a failed one keeps its place with its reason, the others are answered, and the code is 1."""
    (tmp_path / "bad.mp3").write_bytes(b"bad")
    outcome = command("--library", library, "similar", "--json", 1, tmp_path / "none.wav", 999, tmp_path / "bad.mp3", 2)
    assert outcome.code == 1
    queries = outcome.document["queries"]
    assert [query["track_id"] for query in queries] == [1, None, None, None, 2]
    assert [query["path"] for query in queries[1:4]] == [str(tmp_path / "none.wav"), None, str(tmp_path / "bad.mp3")]
    for query in queries[1:4]:
        assert list(query) == QUERY
        assert query["error"]
        assert "\n" not in query["error"]
        assert [query[key] for key in QUERY[3:]] == [[]] * len(QUERY[3:])
    assert all(query["error"] is None and query["matches"] for query in (queries[0], queries[4]))
    assert outcome.err.count("engine: ") == 3


def test_readable(command: Command, library: Path, first_run: FirstRun) -> None:
    """The answer for people shows the track, its genres and moods, and five neighbours with their ids."""
    outcome = command("--library", library, "similar", first_run.collection.song(0))
    assert outcome.code == 0
    assert str(first_run.collection.song(0)) in outcome.out
    assert [f"  {rank}. " in outcome.out for rank in (1, 5, 6)] == [True, True, False]
    assert outcome.out.count("id:") == 5


def test_all_failed(command: Command, library: Path) -> None:
    """When every query failed the code is still 1, with one line for each."""
    outcome = command("--library", library, "similar", "none.wav", "id:999")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (1, "", 2)


def test_quiet_answers(command: Command, library: Path) -> None:
    """Quiet does not silence answers or errors."""
    outcome = command("--quiet", "--library", library, "similar", 1, 999)
    assert outcome.out
    assert "999" in outcome.err


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


def test_search(command: Command, library: Path) -> None:
    """A search lists tracks that hold all words, also when given as one argument; none is no failure."""
    document = command("--library", library, "search", "--json", "jazz", "band").document
    assert list(document) == ["tracks"]
    assert [list(track) for track in document["tracks"]] == [["track_id", "path", "artist", "title", "album"]] * 2
    assert command("--library", library, "search", "--json", "jazz band").document == document
    nothing = command("--library", library, "search", "nonsense")
    assert (nothing.code, nothing.out) == (0, "")
    assert command("--library", library, "search", "--json", "nonsense").document == {"tracks": []}


def test_stats(command: Command, library: Path) -> None:
    """Stats count tracks, failures and signatures by encoder."""
    document = command("--library", library, "stats", "--json").document
    encoder = {"encoder": default_id(), "coverage": "windows", "tracks": MUSIC}
    assert document == {"tracks": MUSIC, "failed": 0, "encoders": [encoder]}
    assert f"{MUSIC} tracks, 0 failed files" in command("--library", library, "stats").out


def test_encoders(command: Command) -> None:
    """The installed encoders are listed without a library, one of them the default."""
    document = command("encoders", "--json").document
    assert [entry["encoder"] for entry in document["encoders"] if entry["default"]] == [default_id()]
    assert "(default)" in command("encoders").out


def test_environment(command: Command, library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ENGINE_LIBRARY names the library; the option goes before it."""
    monkeypatch.setenv("ENGINE_LIBRARY", str(library))
    assert command("stats", "--json").document["tracks"] == MUSIC
    monkeypatch.setenv("ENGINE_LIBRARY", "/nowhere/at/all.db")
    assert command("stats").code == 3
    assert command("--library", library, "stats").code == 0


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


def test_json_is_utf8(command: Command, tmp_path: Path) -> None:
    """Letters beyond ASCII stand in the document as they are."""
    write_song(tmp_path / "a.wav", 1, artist="Sigur Rós")
    command("--library", tmp_path / "library.db", "index", tmp_path / "a.wav")
    outcome = command("--library", tmp_path / "library.db", "search", "--json", "rós")
    assert "Sigur Rós" in outcome.out
    assert json.loads(outcome.out)["tracks"][0]["artist"] == "Sigur Rós"
