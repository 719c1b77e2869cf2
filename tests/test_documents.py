"""The JSON contract: keys in their order, and each optional key where it belongs and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine import Engine, EngineError, Playlist, QueryError, Ranking, Stats, TagReport, documents
from engine.indexer.pipeline.reports import FailedPath
from engine.search.results import Classification, QueryResult
from tests.conftest import GENRES, FirstRun

CLASSIFIED = ["path", "track_id", "error", "genres", "moods", "valence", "centroids", "tags"]
QUERY = [*CLASSIFIED, "matches"]
GROUPED = [*CLASSIFIED, "groups"]
PLAYED = ["track_id", "path", "artist", "title", "similarity"]
MOMENT = ["start", "end", "weight", "genre", "tags"]


def shape(value: Any) -> Any:
    """The keys of a document at every level: of a list those of its first element."""
    if isinstance(value, dict):
        return {key: shape(entry) for key, entry in value.items()}
    return [shape(value[0])] if isinstance(value, tuple | list) and value else None


def test_similar(shared: Engine) -> None:
    """A query has its classification and its matches, and no optional key."""
    document = documents.similar(shared.encoder, [shared.similar(1), shared.similar(2)])
    assert list(document) == ["encoder", "queries"]
    assert [query["track_id"] for query in document["queries"]] == [1, 2]
    for query in document["queries"]:
        assert list(query) == QUERY
    match = ["rank", "track_id", "path", "artist", "title", "album", "genre", "genre_source", "similarity"]
    assert [list(entry) for entry in document["queries"][0]["matches"]] == [match] * 5


def test_optional_keys_of_a_query(shared: Engine) -> None:
    """Several tracks add `seeds`, a drawn answer adds `seed`, and groups replace the matches."""
    combined = documents.query(shared.similar_to([1, 2], [3]))
    assert list(combined) == [*QUERY, "seeds"]
    assert [list(seed) for seed in combined["seeds"]] == [["track_id", "path", "sign"]] * 3
    drawn = documents.query(shared.similar(1, ranking=Ranking(variety=0.3, seed=7)))
    assert list(drawn) == [*QUERY, "seed"]
    assert drawn["seed"] == 7
    grouped = documents.query(shared.similar_groups("artist", [1]), grouped=True)
    assert [key for key in grouped if key != "seeds"] == GROUPED
    group = ["rank", "artist", "album", "similarity", "tracks", "track_id", "path"]
    assert list(grouped["groups"][0]) == group


@pytest.mark.parametrize("grouped", [False, True])
def test_failed_query(grouped: bool) -> None:
    """A failed query has its path, its id and its reason in one line; all its lists are empty."""
    failed = QueryResult.failed("/a.mp3", None, QueryError("no\nsuch file", hint="look elsewhere"))
    document = documents.query(failed, grouped=grouped)
    assert list(document) == (GROUPED if grouped else QUERY)
    assert (document["path"], document["track_id"]) == ("/a.mp3", None)
    assert document["error"] == "no such file; look elsewhere"
    assert set(list(document.values())[3:]) == {()}


def test_classifications(shared: Engine) -> None:
    """A classification has no matches, a failed one only its reason, and writing tags adds `tags` at the top."""
    failed = Classification.failed(None, 5, EngineError("no"))
    document = documents.classifications(shared.encoder, [shared.classify(1), failed])
    assert list(document) == ["encoder", "queries"]
    assert [list(query) for query in document["queries"]] == [CLASSIFIED] * 2
    assert document["queries"][1] == {**dict.fromkeys(CLASSIFIED, ()), "path": None, "track_id": 5, "error": "no"}
    report = shared.write_tags([shared.classify(14)], minimum=0)
    planned = documents.classifications(shared.encoder, [], report)
    assert list(planned) == ["encoder", "queries", "tags"]
    assert list(planned["tags"]) == ["changes", "kept", "unsure", "failed"]
    change = ["path", "track_id", "tag", "old", "new", "probability", "written"]
    assert [list(entry) for entry in planned["tags"]["changes"]] == [change] * 2
    assert documents.classifications("x", [], TagReport((), 0, 0, ()))["tags"]["changes"] == ()


def test_playlist(shared: Engine) -> None:
    """A radio has tracks only; a path and an order add `worst_step`, a drawn playlist adds `seed`."""
    radio = documents.playlist(shared.playlist([1], 3))
    assert shape(radio) == {"tracks": [dict.fromkeys(PLAYED)]}
    assert list(radio["tracks"][0]) == PLAYED
    assert list(documents.playlist(shared.path(1, 5, 4))) == ["tracks", "worst_step"]
    assert list(documents.playlist(shared.order([1, 5, 3]))) == ["tracks", "worst_step"]
    drawn = shared.playlist([1], 3, ranking=Ranking(variety=0.3, seed=7))
    assert list(documents.playlist(drawn)) == ["tracks", "seed"]
    assert documents.playlist(Playlist(())) == {"tracks": []}


def test_recommendations(shared: Engine, tmp_path: Path) -> None:
    """A recommended track has a score and a reason."""
    (tmp_path / "history.csv").write_text("time,path,event\n2026-01-02T03:04:05,id:1,like\n")
    document = documents.recommendations(shared.recommend(tmp_path / "history.csv", 2))
    assert list(document) == ["tracks"]
    assert [list(track) for track in document["tracks"]] == [[*PLAYED[:4], "score", "reason"]] * 2


def test_duplicates(shared: Engine) -> None:
    """A document of groups says nothing of files left out."""
    assert list(documents.duplicates(shared.duplicates())) == ["groups"]


def test_explanations(shared: Engine) -> None:
    """A track is windows and moments of one shape; a pair is a cosine and its parts."""
    document = documents.explanation(shared.explain(1))
    assert list(document) == ["duration", "windows", "moments"]
    assert {tuple(part) for part in (*document["windows"], *document["moments"])} == {tuple(MOMENT)}
    pair = documents.pair_explanation(shared.explain_pair(1, 2))
    assert list(pair) == ["cosine", "similarity", "pairs"]
    assert shape(pair["pairs"]) == [
        {"a": {"start": None, "end": None}, "b": {"start": None, "end": None}, "contribution": None}
    ]


def test_genre_relations(shared: Engine) -> None:
    """Distances are square, in the order of the genres."""
    document = documents.genre_relations(shared.genres())
    assert list(document) == ["genres", "distances", "equations"]
    assert list(document["genres"][0]) == ["genre", "kind", "tracks", "nearest", "attention"]
    assert {len(row) for row in document["distances"]} == {len(document["genres"])} == {len(document["distances"])}


def test_library_map(shared: Engine) -> None:
    """Every track has a point; a flat map has no z."""
    document = documents.library_map(shared.map())
    assert list(document) == ["method", "explained_variance", "points"]
    assert [list(point) for point in document["points"]] == [["track_id", "x", "y", "z"]] * len(GENRES)
    assert {point["z"] for point in document["points"]} == {None}


def test_tracks_stats_encoders(shared: Engine) -> None:
    """Found tracks, totals and encoders; `failures` is there only if a file failed."""
    found = documents.found_tracks(shared.search("jazz"))
    assert [list(track) for track in found["tracks"]] == [["track_id", "path", "artist", "title", "album"]] * 2
    held = documents.stats(shared.stats())
    assert list(held) == ["tracks", "failed", "encoders"]
    assert [list(entry) for entry in held["encoders"]] == [["encoder", "coverage", "tracks"]]
    failed = documents.stats(Stats(0, 1, (), (FailedPath("/a.mp3", "no sound"),)))
    assert failed["failures"] == ({"path": "/a.mp3", "reason": "no sound"},)
    assert documents.encoders(["a@1", "b@2"], "b@2") == {
        "encoders": [{"encoder": "a@1", "default": False}, {"encoder": "b@2", "default": True}]
    }


def test_every_document_is_json(shared: Engine, first_run: FirstRun) -> None:
    """Nothing in a document is NaN or of a type that JSON lacks."""
    song = first_run.collection.song(0)
    for document in (
        documents.similar(shared.encoder, [shared.similar(song)]),
        documents.genre_relations(shared.genres()),
        documents.library_map(shared.map()),
        documents.explanation(shared.explain(song)),
    ):
        assert json.loads(json.dumps(document, allow_nan=False))
