"""`--csv`, and tables on a terminal."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sysconfig
from pathlib import Path

import pytest

from engine.cli.tables import print_csv, print_table
from engine.db import NewTrack, open_database, upsert_track
from engine.util.text import counted
from tests.cli.conftest import Command
from tests.conftest import FirstRun

ODD = {"artist": 'A, "B" and\r\nC', "title": "100 %; 'x'\n", "album": " "}


def library_of(path: Path, *tracks: tuple[bytes, dict[str, str]]) -> Path:
    """A library of tracks with these paths and tags, and no signatures."""
    with open_database(path, create=True) as database, database.write() as connection:
        for name, tags in tracks:
            upsert_track(connection, NewTrack(name, 1, 1, name, 9.0, **tags))  # type: ignore[arg-type]
    return path


def records(text: str) -> list[dict[str, str]]:
    """What a reader of CSV makes of it; every line must end as RFC 4180 wants."""
    assert text.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_round_trip(command: Command, tmp_path: Path) -> None:
    """Commas, quotes and line breaks come back as they were; bytes that are not UTF-8 as U+FFFD; none as nothing."""
    library = library_of(tmp_path / "x.db", (b'/m/caf\xe9, "two"\nlines.wav', ODD), (b"/m/z.wav", {"title": "Z"}))
    outcome = command("--library", library, "search", "--csv", "wav")
    first, second = sorted(records(outcome.out), key=lambda record: record["track_id"])
    assert list(first) == ["track_id", "path", "artist", "title", "album"]
    assert first == {"track_id": "1", "path": '/m/caf\ufffd, "two"\nlines.wav', **ODD}
    assert second == {"track_id": "2", "path": "/m/z.wav", "artist": "", "title": "Z", "album": ""}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"])
def test_formulas(command: Command, tmp_path: Path, start: str) -> None:
    """What a spreadsheet would run gets an apostrophe before it; JSON keeps it as it is."""
    artist = f'{start}HYPERLINK("x")'
    library = library_of(tmp_path / "x.db", (b"/m/a.wav", {"artist": artist, "title": f"a{start}"}))
    (record,) = records(command("--library", library, "search", "--csv", "wav").out)
    assert (record["artist"], record["title"]) == (f"'{artist}", f"a{start}")
    document = command("--library", library, "search", "--json", "wav").document
    assert document["tracks"][0]["artist"] == artist


def test_nothing(command: Command, tmp_path: Path) -> None:
    """A search that finds nothing prints the heading alone."""
    library = library_of(tmp_path / "x.db", (b"/m/a.wav", {}))
    assert command("--library", library, "search", "--csv", "nonsense").out == "track_id,path,artist,title,album\r\n"


def test_similar(command: Command, first_run: FirstRun) -> None:
    """The records of several queries are the matches of the JSON, with what was asked; a failed query has none."""
    asked = ("--library", first_run.collection.library, "similar", "-k", 3, 1, 2, 999)
    outcome, document = command(*asked, "--csv"), command(*asked, "--json").document
    expected = [
        {"query": query["path"], **{key: "" if value is None else str(value) for key, value in match.items()}}
        for query in document["queries"]
        for match in query["matches"]
    ]
    assert len(expected) == 6
    assert records(outcome.out) == expected
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        (["playlist", 1, "-n", 4], "tracks"),
        (["playlist", "--from", 1, "--to", 2, "-n", 4], "tracks"),
        (["explain", 1], "windows"),
        (["genres"], "genres"),
        (["search", "song"], "tracks"),
    ],
)
def test_same_as_json(command: Command, first_run: FirstRun, asked: list[object], key: str) -> None:
    """The records of a list are those of the JSON: the same things in the same order, whole."""
    library = first_run.collection.library
    rows = records(command("--library", library, *asked, "--csv").out)
    expected = command("--library", library, *asked, "--json").document[key]
    assert len(rows) == len(expected) > 1
    for row, item in zip(rows, expected, strict=True):
        same = {name: value for name, value in item.items() if not isinstance(value, list | dict)}
        assert {name: row[name] for name in same} == {n: "" if v is None else str(v) for n, v in same.items()}


def test_history(command: Command, first_run: FirstRun, tmp_path: Path) -> None:
    """Recommendations have the columns of the JSON, with scores that are not rounded."""
    (tmp_path / "h.csv").write_text("time,path,event\n2026-01-02,id:1,like\n")
    asked = ("--library", first_run.collection.library, "--quiet", "recommend", "--history", tmp_path / "h.csv")
    rows = records(command(*asked, "--csv", "-n", 3).out)
    assert rows == [
        {name: str(value) for name, value in track.items()}
        for track in command(*asked, "--json", "-n", 3).document["tracks"]
    ]


def test_pairs(command: Command, first_run: FirstRun) -> None:
    """Every pair of windows is a record, and their contributions sum to the cosine."""
    asked = ("--library", first_run.collection.library, "explain", 1, 2)
    rows, document = records(command(*asked, "--csv").out), command(*asked, "--json").document
    assert len(rows) == len(document["pairs"])
    assert sum(float(row["contribution"]) for row in rows) == pytest.approx(document["cosine"], abs=1e-5)


def test_groups(command: Command, first_run: FirstRun) -> None:
    """Artists in place of tracks are records of their own kind."""
    rows = records(command("--library", first_run.collection.library, "similar", "--group", "artist", 1, "--csv").out)
    assert list(rows[0]) == ["query", "rank", "artist", "album", "similarity", "tracks", "track_id", "path"]
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4", "5"]


def test_classes(command: Command, first_run: FirstRun) -> None:
    """A track is a record with the likeliest of each kind; one that is not there has none."""
    asked = ("--library", first_run.collection.library, "classify", 1, 999, 2)
    outcome = command(*asked, "--csv")
    first, second = records(outcome.out)
    document = command(*asked, "--json").document["queries"][0]
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert (first["track_id"], second["track_id"]) == ("1", "2")
    assert first["genre"] == document["genres"][0]["genre"]
    assert float(first["genre_probability"]) == document["genres"][0]["probability"]
    assert first["nearest_centroid"] == document["centroids"][0]["genre"]


@pytest.mark.parametrize(
    "asked",
    [
        ["search", "x"], ["similar", "1"], ["classify", "1"], ["explain", "1"], ["genres"], ["map", "--out", "x.png"],
        ["playlist", "1"], ["recommend", "--db"],
    ],
)  # fmt: skip
def test_one_format(command: Command, tmp_path: Path, asked: list[str]) -> None:
    """JSON and CSV at once is wrong use."""
    outcome = command("--library", tmp_path / "none.db", *asked, "--json", "--csv")
    assert (outcome.code, outcome.out) == (2, "")
    assert "--csv" in outcome.err


def test_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers are neither rounded nor marked as formulas."""
    print_csv(("a", "b"), [{"a": -0.1234567890123456, "b": None}])
    assert capsys.readouterr().out == "a,b\r\n-0.1234567890123456,\r\n"


def test_in_a_pipe(command: Command, tmp_path: Path) -> None:
    """In a pipe a track is a line with whole texts and no heading."""
    library = library_of(tmp_path / "x.db", (b"/m/" + b"a" * 200 + b".wav", {"artist": "B" * 200, "title": "\x1b[2JC"}))
    outcome = command("--library", library, "search", "wav")
    assert len(outcome.out.splitlines()) == 1
    assert "B" * 200 in outcome.out
    assert "a" * 200 in outcome.out
    assert "\x1b" not in outcome.out


def on_a_terminal(*arguments: str) -> list[str]:
    """The lines that `engine` prints on a terminal of 70 columns."""
    ours, theirs = os.openpty()
    command = [str(Path(sysconfig.get_path("scripts")) / "engine"), *arguments]
    subprocess.run(command, stdout=theirs, env={**os.environ, "COLUMNS": "70", "NO_COLOR": "1"}, check=True)
    os.close(theirs)
    printed = os.read(ours, 65536).decode("utf-8")
    os.close(ours)
    return printed.split("\r\n")


def test_playlist_on_a_terminal(first_run: FirstRun) -> None:
    """A playlist has columns on a terminal, numbers to the right, and a row for each track."""
    library = str(first_run.collection.library)
    heading, *rows = on_a_terminal("--library", library, "--quiet", "playlist", "1", "-n", "12")
    assert heading.split() == ["SIMILAR", "ARTIST", "TITLE", "ID"]
    assert [row.split()[0] for row in rows if row] == [str(number) for number in range(1, 13)]
    assert {row[:2] for row in rows[:9]} == {f" {number}" for number in range(1, 10)}


def test_similar_on_a_terminal(first_run: FirstRun) -> None:
    """The matches of a query have columns on a terminal, best first, no wider than it is."""
    lines = on_a_terminal("--library", str(first_run.collection.library), "similar", "1", "-k", "3")
    start = next(i for i, line in enumerate(lines) if line.split()[:1] == ["SIMILAR"])
    heading, *rows = lines[start : start + 4]
    assert heading.split() == ["SIMILAR", "GENRE", "ARTIST", "TITLE", "ID"]
    assert [row.split()[0] for row in rows] == ["1", "2", "3"]
    assert all(row.index("Band") == heading.index("ARTIST") for row in rows)
    assert max(map(len, rows)) <= 70


def test_on_a_terminal(tmp_path: Path) -> None:
    """On a terminal the columns have headings and stand below each other, and no row is longer than a line."""
    long = (b"/m/" + b"a" * 200 + b"/end.wav", {"artist": "B" * 90, "title": "音楽" * 30})
    library = library_of(tmp_path / "x.db", long, (b"/m/short.wav", {"artist": "C", "title": "T"}))
    heading, first, second = on_a_terminal("--library", str(library), "search", "wav")[:3]
    assert heading.split() == ["ID", "ARTIST", "TITLE", "ALBUM", "PATH"]
    assert "…" in first
    assert first.endswith("/end.wav")
    assert second.index("C") == heading.index("ARTIST") == first.index("B")
    assert max(len(line) + sum(character in "音楽" for character in line) for line in (heading, first, second)) <= 70


@pytest.mark.parametrize("columns", [30, 40, 60])
def test_narrow_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """In a narrow terminal names are cut before numbers, and the lines fit."""
    monkeypatch.setenv("COLUMNS", str(columns))
    rows = [(1, "0.738", "A band of many words", "A title of many words", 123456), (20, "-0.020", "B", "C", 7)]
    print_table(("", "similar", "artist", "title", "id"), rows)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    assert lines[1].split()[:2] == ["1", "0.738"]
    assert lines[1].endswith("123456")
    assert lines[2].split()[:2] == ["20", "-0.020"]


def test_counts_of_one(command: Command, tmp_path: Path) -> None:
    """One of a thing is not called by its plural."""
    library = library_of(tmp_path / "x.db", (b"/m/a.wav", {}))
    assert command("--library", library, "stats").out == "1 track, 0 failed files\n"
    assert counted(2, "track") == "2 tracks"
