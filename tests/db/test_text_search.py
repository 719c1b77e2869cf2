"""Text search: every word, in any field, without case and accents, best first, kept in step with the tracks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, event

from engine.db import Database, NewTrack, relocate, remove_tracks, search, text_search, upsert_track
from engine.db.dialects import SQLITE
from engine.db.text_search import fold_for_search
from engine.errors import InvalidError

BOLD_HELLO = "\U0001d407\U0001d41e\U0001d425\U0001d425\U0001d428"  # of mathematics
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
        (["\u0301"], []),
        (["\u00b4"], []),
        (["music/energy/c.mp3"], [3]),
        (["music/energy/d.mp3"], []),
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


def test_letters_of_any_style(filled: Database, new_track: NewTracks) -> None:
    """Letters that decompose into others are found by those, in either case."""
    assert fold_for_search(f"{BOLD_HELLO} №1 Brand™") == "hello no1 brandtm"
    with filled.write() as connection:
        title = f"{BOLD_HELLO}™"
        styled = upsert_track(connection, new_track(b"/music/styled.mp3", content_hash=b"s" * 20, title=title))
        assert ids(connection, "hello") == ids(connection, "HELLOtm") == [styled]


def test_short_words_rank_as_others(filled: Database, new_track: NewTracks) -> None:
    """A short word inside a title ranks before one that begins a folder's name, as longer words do."""
    with filled.write() as connection:
        folder = upsert_track(connection, new_track(b"/music/zq/x.mp3", content_hash=b"f" * 20, title="Z"))
        title = upsert_track(connection, new_track(b"/music/y.mp3", content_hash=b"t" * 20, title="Azq"))
        assert ids(connection, "zq") == [title, folder]
        assert ids(connection, "zq", limit=1) == [title]


@pytest.mark.parametrize("limit", [-1, 2**63])
def test_impossible_limits(filled: Database, limit: int) -> None:
    """A negative limit, and one that no database counts to, are refused."""
    with filled.read() as connection, pytest.raises(InvalidError, match="expected a limit"):
        ids(connection, "cafe", limit=limit)


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


def test_long_words_are_looked_up_by_their_beginning(database: Database, new_track: NewTracks) -> None:
    """Of a word of thousands of letters a few are looked up, since FTS5 holds an iterator for each trigram."""
    looked_up: list[str] = []
    with database.write() as connection:
        upsert_track(connection, new_track(b"/music/a.mp3", title="x" + "0" * 500))
        event.listen(connection, "before_cursor_execute", lambda *words: looked_up.extend(map(str, words[3])))
        assert len(ids(connection, "0" * 500)) == 1
        assert not ids(connection, "0" * 60_000)
    assert looked_up
    assert max(len(value) for value in looked_up if value.startswith("{")) < 100


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
