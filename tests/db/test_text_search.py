"""Text search: every word, in any field, without case and accents, best first, kept in step with the tracks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, event

from engine.db import Database, NewTrack, relocate, remove_tracks, search, text_search, upsert_track
from engine.db.dialects import SQLITE
from engine.errors import InvalidError

NewTracks = Callable[..., NewTrack]


def ids(connection: Connection, *words: str, limit: int | None = None) -> list[int]:
    """The ids that a search finds."""
    return [track.id for track in search(connection, words, limit)]


@pytest.fixture(params=["indexed", "scanned"])
def filled(
    request: pytest.FixtureRequest, database: Database, new_track: NewTracks, monkeypatch: pytest.MonkeyPatch
) -> Database:
    """Five tracks, in a library with the FTS5 tables and in one without."""
    if request.param == "scanned":
        monkeypatch.setattr(text_search, "_is_indexed", lambda _: False)
    tags = (
        {"artist": "Energy 52", "title": "Café del Mar", "year": 1993},
        {"artist": "周杰倫", "title": "夜曲", "genre": "C-Pop"},
        {"artist": "Café Tacvba", "title": "Ingrata", "album": "Re"},
        {"artist": "Sigur Rós", "title": "Hoppípolla", "album": "Takk...", "year": 2005},
        {"artist": "いきものがかり", "title": "ありがとう"},
    )
    paths = (b"/music/a.mp3", b"/music/b.mp3", b"/music/energy/c.mp3", b"/music/d.mp3", b"/music/e.mp3")
    with database.write() as connection:
        for number, (path, known) in enumerate(zip(paths, tags, strict=True)):
            upsert_track(connection, new_track(path, content_hash=bytes([number]) * 20, **known))
    return database


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["cafe"], [3, 1]),
        (["CAFÉ"], [3, 1]),
        (["cafe", "energy"], [1, 3]),  # both in title and artist before one of them in the path
        (["hoppipolla"], [4]),
        (["ppipol"], [4]),
        (["夜曲"], [2]),
        (["夜"], [2]),
        (["曲"], [2]),
        (["がと"], [5]),
        (["1993"], [1]),
        (["ac"], [3]),
        (["C-POP"], [2]),
        (["..."], [4]),
        (["del mar"], [1]),
        (["cafe", "nothing"], []),
        (['"'], []),
        (["%"], []),
        (["*"], []),
        (["NEAR(a b)"], []),
        (["title:x OR 1"], []),
    ],
)
def test_words(filled: Database, words: list[str], found: list[int]) -> None:
    """Words are found in any field and part of one; marks of a query language stand for themselves."""
    with filled.read() as connection:
        assert ids(connection, *words) == found
        assert ids(connection, *words, limit=1) == found[:1]


def test_no_words_are_all_tracks(filled: Database) -> None:
    """Without words every track is found, as many as asked for."""
    with filled.read() as connection:
        assert sorted(ids(connection)) == [1, 2, 3, 4, 5]
        assert (len(ids(connection, limit=2)), ids(connection, limit=0)) == (2, [])


def test_changes_are_followed(filled: Database, new_track: NewTracks) -> None:
    """New tags, moves and removals are found, and nothing else."""
    with filled.write() as connection:
        upsert_track(connection, new_track(b"/music/a.mp3", artist="Moby", title="Porcelain"))
        relocate(connection, b"/music/energy", b"/music/power")
        remove_tracks(connection, [4])
    with filled.read() as connection:
        assert ids(connection, "porcelain") == [1]
        assert ids(connection, "power") == [3]
        assert (ids(connection, "energy"), ids(connection, "hoppipolla"), ids(connection, "del mar")) == ([], [], [])


def test_an_index_answers(database: Database, new_track: NewTracks) -> None:
    """Where the FTS5 tables hold every row, words of three characters and shorter ones are looked up in them."""
    statements: list[str] = []
    with database.write() as connection:
        upsert_track(connection, new_track(b"/music/a.mp3", title="Café"))
        event.listen(connection, "before_cursor_execute", lambda *words: statements.append(words[2]))
        assert (len(ids(connection, "cafe")), len(ids(connection, "ca"))) == (1, 1)
    assert any("search_trigrams MATCH" in statement for statement in statements)
    assert any("search_words MATCH" in statement for statement in statements)


def test_too_many_words(filled: Database) -> None:
    """More words than a query may have are refused in words."""
    with filled.read() as connection, pytest.raises(InvalidError, match="at most 100 words"):
        ids(connection, *(f"word{number}" for number in range(101)))


def test_index_catches_up_with_writes_without_fts5(
    database: Database, new_track: NewTracks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A SQLite without FTS5 reads and writes a library that has the index; the next write with FTS5 rebuilds it."""
    with database.write() as connection:
        upsert_track(connection, new_track(b"/music/a.mp3", title="Porcelain"))
        upsert_track(connection, new_track(b"/music/b.mp3", title="Ingrata"))
    with monkeypatch.context() as patched:
        patched.setattr(type(SQLITE), "indexes_text", lambda _: False)
        with database.write() as connection:
            upsert_track(connection, new_track(b"/music/a.mp3", title="Everloving"))
            assert (ids(connection, "everlov"), ids(connection, "porcel"), ids(connection, "ingr")) == ([1], [], [2])
    with database.read() as connection:
        assert (ids(connection, "everlov"), ids(connection, "porcel")) == ([1], [])
    with database.write() as connection:
        upsert_track(connection, new_track(b"/music/c.mp3", title="Takk"))
        assert text_search._is_indexed(connection)
        assert (ids(connection, "everlov"), ids(connection, "porcel"), ids(connection, "takk")) == ([1], [], [3])
