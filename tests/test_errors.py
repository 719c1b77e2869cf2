"""Each class of error comes from a real case, and every error about a name or a value carries a hint of one line."""

from __future__ import annotations

import os
import pickle
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import engine.db.dialects.sqlite
from engine import (
    AudioError,
    BusyError,
    DeviceError,
    EncoderError,
    Engine,
    EngineError,
    Filters,
    InvalidError,
    LibraryError,
    NotFoundError,
    OutputError,
    QueryError,
    Ranking,
    Span,
    UnavailableError,
)
from engine.errors import brief, visible
from tests.conftest import Collection, FirstRun

Ask = Callable[[Engine], Any]
NOT_FOUND: dict[str, Ask] = {
    "id": lambda library: library.similar(999),
    "id as text": lambda library: library.classify("id:999"),
    "file": lambda library: library.explain("/nowhere/song.mp3"),
    "NUL": lambda library: library.similar("a\0b"),
    "words": lambda library: library.similar("search:nothing of the kind"),
    "no words": lambda library: library.similar("search:"),
    "artist": lambda library: library.similar("artist:Nobody"),
    "album": lambda library: library.playlist(["album:Nothing"]),
    "filtered artist": lambda library: library.similar(1, filters=Filters(artists=("Band 99",))),
    "filtered genre": lambda library: library.similar(1, filters=Filters(genres=("xx",))),
    "filtered mood": lambda library: library.similar(1, filters=Filters(not_moods=("bored",))),
    "filtered album": lambda library: library.similar(1, filters=Filters(not_albums=("None",))),
    "order": lambda library: library.order(["/nowhere/a.mp3"]),
    "remove": lambda library: library.remove(["/nowhere/a.mp3"]),
    "features": lambda library: library.audio_features(999),
    "history": lambda library: library.recommend("/nowhere/history.csv"),
    "plays": lambda library: library.heard_recently("/nowhere/history.csv"),
    "picture's folder": lambda library: library.explain(1, "/nowhere/at/all.png"),
}
INVALID: dict[str, Ask] = {
    "id of 0": lambda library: library.similar(-1),
    "empty name": lambda library: library.similar(""),
    "no name of a file": lambda library: library.similar("\ud800"),
    "folder": lambda library: library.similar("/"),
    "device": lambda library: library.similar("/dev/zero"),
    "k": lambda library: library.similar(1, 0),
    "k of groups": lambda library: library.similar_groups("artist", [1], k=0),
    "group": lambda library: library.similar_groups("label", [1]),
    "k without duplicates": lambda library: library.similar(1, 0, no_duplicates=True),
    "empty span": lambda library: library.similar(1, at=Span(5, 5)),
    "late span": lambda library: library.similar(1, at=Span(500, 520)),
    "nothing liked": lambda library: library.similar_to([], [1]),
    "seeds that cancel out": lambda library: library.similar_to([1], [1]),
    "diversity": lambda library: library.similar(1, ranking=Ranking(diverse=2)),
    "variety": lambda library: library.similar(1, ranking=Ranking(variety=-1)),
    "seed": lambda library: library.similar(1, ranking=Ranking(variety=0.3, seed=-1)),
    "years": lambda library: library.similar(1, filters=Filters(years=(2000, 1990))),
    "tracks of an artist": lambda library: library.similar(1, filters=Filters(per_artist=0)),
    "n": lambda library: library.playlist([1], 0),
    "n of a path": lambda library: library.path(1, 2, 1),
    "same stop": lambda library: library.path(1, 2, 5, via=[1]),
    "artist as an end": lambda library: library.path(1, "artist:Band 1"),
    "nothing to order": lambda library: library.order([]),
    "playlist's name": lambda library: library.save_playlist(library.playlist([1], 2), "list.txt"),
    "days": lambda library: library.heard_recently(days=-1),
    "n to recommend": lambda library: library.recommend(n=0),
    "kind": lambda library: library.duplicates("same_key"),
    "threshold": lambda library: library.genres(0),
    "picture's name": lambda library: library.explain(1, "picture.jpg"),
    "map's name": lambda library: library.map("map.txt"),
    "map's method": lambda library: library.map(method="svd"),
    "map's dims": lambda library: library.map(dims=4),
    "probability": lambda library: library.write_tags([], minimum=2),
    "words without end": lambda library: library.search([f"word{i}" for i in range(10_000)]),
}


def has_hint(error: EngineError) -> bool:
    """Whether an error's line is its message and then its hint, each without a line break."""
    assert error.hint
    assert "\n" not in error.message + error.hint
    return str(error) == f"{error.message}; {error.hint}"


@pytest.mark.parametrize("ask", NOT_FOUND.values(), ids=NOT_FOUND)
def test_not_found(shared: Engine, ask: Ask) -> None:
    """A name that stands for nothing is not found, and the hint says where to look."""
    with pytest.raises(NotFoundError) as caught:
        ask(shared)
    assert has_hint(caught.value)


@pytest.mark.parametrize("ask", INVALID.values(), ids=INVALID)
def test_invalid(shared: Engine, ask: Ask) -> None:
    """A value that makes no sense is invalid, and the hint names a valid one or another way."""
    with pytest.raises(InvalidError) as caught:
        ask(shared)
    assert has_hint(caught.value)


def test_names_with_line_breaks(shared: Engine) -> None:
    """A line break in a name reaches neither the message nor the hint."""
    for ask in (
        lambda: shared.similar("two\nlines"),
        lambda: shared.similar("search:two\nlines"),
        lambda: shared.similar("artist:two\nlines"),
        lambda: shared.similar(1, filters=Filters(genres=("two\nlines",))),
        lambda: shared.save_playlist(shared.playlist([1], 2), "two\nlines.txt"),
        lambda: shared.explain(1, "two\nlines.jpg"),
    ):
        with pytest.raises(QueryError) as caught:
            ask()
        assert has_hint(caught.value)


def test_busy(own: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that another process writes is busy, not broken."""
    monkeypatch.setattr(engine.db.dialects.sqlite, "BUSY_SECONDS", 0.05)
    with Engine.open(own.library) as library:
        other = sqlite3.connect(own.library, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BusyError) as caught:
            library.remove([1])
        other.close()
        assert has_hint(caught.value)
        assert library.remove([1]) == 1


def test_unavailable(own: Collection, tmp_path: Path) -> None:
    """A missing library, a missing folder to write into, and a library that vanished are unavailable."""
    with pytest.raises(UnavailableError) as missing:
        Engine.open(tmp_path / "none.db", create=False)
    with Engine.open(own.library) as library:
        with pytest.raises(UnavailableError) as folder:
            library.map(tmp_path / "none" / "map.html")
        with pytest.raises(UnavailableError) as export:
            library.export(tmp_path / "none" / "signatures.npz")
        own.library.unlink()
        with pytest.raises(UnavailableError) as vanished:
            library.remove([1])
    assert all(has_hint(caught.value) for caught in (missing, folder, export, vanished))


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_read_only(own: Collection) -> None:
    """A library that may only be read answers, and is unavailable to a writer."""
    own.library.chmod(0o400)
    with Engine.open(own.library) as library:
        assert library.search("band")
        with pytest.raises(UnavailableError) as caught:
            library.remove([1])
    assert has_hint(caught.value)


def test_opening(first_run: FirstRun, tmp_path: Path) -> None:
    """Each wrong value at opening has a hint: encoder, device, threads, precision, coverage, another file."""
    (tmp_path / "other").write_bytes(b"no library" * 100)
    cases: list[tuple[type[EngineError], dict[str, Any]]] = [
        (EncoderError, {"encoder": "nonsense"}),
        (EncoderError, {"encoder": str(tmp_path / "other")}),
        (DeviceError, {"device": "abacus"}),
        (DeviceError, {"threads": 0}),
        (DeviceError, {"precision": "int8"}),
        (LibraryError, {"coverage": "half"}),
        (LibraryError, {"path": tmp_path / "other"}),
        (LibraryError, {"path": tmp_path}),
    ]
    for kind, wrong in cases:
        with pytest.raises(kind) as caught:
            Engine.open(**{"path": first_run.collection.library, **wrong})
        assert has_hint(caught.value)


LONG = "x" * 300
PLACES: dict[str, Callable[[Engine, Path], Any]] = {
    "export": lambda library, folder: library.export(folder / f"{LONG}.npz"),
    "map": lambda library, folder: library.map(folder / f"{LONG}.html"),
    "map's folder": lambda library, folder: library.map(folder / LONG / "map.html"),
    "picture": lambda library, folder: library.explain(1, folder / f"{LONG}.png"),
    "picture's folder": lambda library, folder: library.explain(1, folder / LONG / "a.png"),
    "backup": lambda library, folder: library.backup(folder / LONG),
    "restored": lambda _, folder: Engine.restore(folder / LONG, folder / "new.db"),
    "restored to": lambda library, folder: Engine.restore(library.database.path, folder / f"{LONG}.db"),
    "library": lambda _, folder: Engine.open(folder / f"{LONG}.db", create=True),
    "encoder": lambda library, folder: Engine.open(library.database.path, encoder=str(folder / f"{LONG}.safetensors")),
    "playlist": lambda library, folder: library.save_playlist(library.playlist([1], 3), folder / f"{LONG}.m3u8"),
    "file": lambda library, folder: library.similar(folder / LONG),
    "artist": lambda library, _: library.similar(f"artist:{LONG}"),
    "group": lambda library, _: library.similar_to([1], [f"album:{LONG}"]),
}


@pytest.mark.parametrize("name", PLACES)
def test_names_longer_than_any_file(shared: Engine, tmp_path: Path, name: str) -> None:
    """A name that the file system refuses gets one line wherever a name is given."""
    with pytest.raises(EngineError) as caught:
        PLACES[name](shared, tmp_path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_other_kinds_of_output(engine: Engine, own: Collection) -> None:
    """A file of another kind is not replaced, and the hint says so."""
    with pytest.raises(OutputError) as caught:
        engine.export(own.song(0))
    assert has_hint(caught.value)


def test_sound_too_short(shared: Engine, tmp_path: Path) -> None:
    """The hint of an error about sound stays a hint when the query reports it."""
    from tests.audio import tone, write_audio

    write_audio(tmp_path / "short.wav", tone(440, 0.05))
    with pytest.raises(QueryError) as caught:
        shared.similar(tmp_path / "short.wav")
    assert isinstance(caught.value.__cause__, AudioError)
    assert has_hint(caught.value)


def test_message_and_hint() -> None:
    """An error's text is its message and its hint; both survive pickling, and a hint may be missing."""
    error = pickle.loads(pickle.dumps(NotFoundError("no track 5", hint="search first")))
    assert (error.message, error.hint, str(error)) == ("no track 5", "search first", "no track 5; search first")
    assert (EngineError("alone").hint, str(EngineError("alone"))) == (None, "alone")


def test_foreign_texts() -> None:
    """A foreign text is cut to one line, and shown without the characters that a terminal obeys."""
    assert brief("two\nlines " + "x" * 1_000_000) == "two lines " + "x" * 290 + "…"
    assert visible("\x1b[2J\u202eab", keep="") == "\\x1b[2J\\u202eab"
    assert visible("a\nb\tc", keep="\n") == "a\nb\\tc"
