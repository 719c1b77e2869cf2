"""`engine similar`: the document, the readable answer, and failed queries."""

from __future__ import annotations

from pathlib import Path

from engine.models.labels import GENRES as LABELS, MOODS
from tests.cli.conftest import Command, similar
from tests.conftest import GENRES, FirstRun

MUSIC = len(GENRES)
QUERY = ["path", "track_id", "error", "genres", "moods", "valence", "centroids", "tags", "matches"]
MATCH = ["rank", "track_id", "path", "artist", "title", "album", "genre", "genre_source", "similarity"]


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
