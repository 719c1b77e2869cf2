"""`explain` and `genres`: what scripts rely on, and what people see."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.audio import tone, write_audio
from tests.cli.conftest import Command
from tests.conftest import Collection, FirstRun, write_song

WINDOWS = 10
MOMENT = ["start", "end", "weight", "genre", "tags"]
GENRE = ["genre", "kind", "tracks", "nearest", "attention"]
ATTENTION = ["centre", "first_third", "last_third", "first_occurrence_share"]


def test_track_document(command: Command, library: Path) -> None:
    """A track's document has its duration, all windows in time order, and its moments, heaviest first."""
    document = command("--library", library, "explain", "--json", 1).document
    assert list(document) == ["duration", "windows", "moments"]
    assert len(document["windows"]) == WINDOWS
    assert {tuple(entry) for entry in (*document["windows"], *document["moments"])} == {tuple(MOMENT)}
    assert sum(window["weight"] for window in document["windows"]) == pytest.approx(1, abs=1e-9)


def test_pair_document(command: Command, library: Path) -> None:
    """A pair's document has every pair of windows, whose contributions sum to the cosine."""
    document = command("--library", library, "explain", "--json", 1, "id:5").document
    assert list(document) == ["cosine", "similarity", "pairs"]
    assert len(document["pairs"]) == WINDOWS**2
    assert {tuple(pair) for pair in document["pairs"]} == {("a", "b", "contribution")}
    assert {tuple(span) for pair in document["pairs"] for span in (pair["a"], pair["b"])} == {("start", "end")}
    assert sum(pair["contribution"] for pair in document["pairs"]) == pytest.approx(document["cosine"], abs=1e-9)


def test_track_for_people(command: Command, library: Path, first_run: FirstRun) -> None:
    """The answer for people names the track and its length, and lists moments and windows with times and shares."""
    outcome = command("--library", library, "explain", first_run.collection.song(0))
    assert outcome.code == 0
    assert f"{first_run.collection.song(0)}" in outcome.out
    assert "(track 1)" in outcome.out
    assert "0:05.2 long, 10 windows" in outcome.out
    assert outcome.out.count("0:00.0-0:04.0") >= 1
    assert all(len(line) <= 80 for line in outcome.out.splitlines()[1:])


def test_pair_for_people(command: Command, library: Path) -> None:
    """The answer for people shows the cosine and the ten largest pairs of windows."""
    outcome = command("--library", library, "explain", 1, 5)
    assert outcome.code == 0
    assert "the sum over 100 pairs" in outcome.out
    lines = outcome.out.splitlines()
    assert sum(line.startswith("    0:0") for line in lines) == 10
    assert lines[-1].split()[0] == "together"
    assert all(len(line) <= 80 for line in lines[2:])


def test_one_window(command: Command, tmp_path: Path, library: Path) -> None:
    """A track of one window is shown as such."""
    write_audio(tmp_path / "short.wav", tone(440, 1.5, 22_050), 22_050)
    assert "0:01.5 long, 1 window" in command("--library", library, "explain", tmp_path / "short.wav").out


@pytest.mark.parametrize("asked", [["nowhere.wav"], ["999"], ["1", "nowhere.wav"], ["id:0", "1"], [""]])
def test_unknown(command: Command, library: Path, asked: list[str]) -> None:
    """A track that is not there exits 1 with one line, with and without --json."""
    for options in ([], ["--json"]):
        outcome = command("--library", library, "explain", *options, *asked)
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (1, "", 1)


@pytest.mark.parametrize("asked", [[], ["1", "2", "3"], ["1", "2", "--plot", "x.png"], ["1", "--coverage", "half"]])
def test_usage(command: Command, library: Path, asked: list[str]) -> None:
    """No track, three, or a picture of two exit 2."""
    assert command("--library", library, "explain", *asked).code == 2


def test_other_coverage(command: Command, library: Path, first_run: FirstRun) -> None:
    """What the library does not hold with a coverage is heard; it is not stored."""
    song = first_run.collection.song(0)
    document = command("--library", library, "explain", "--json", "--coverage", "full", song).document
    assert [(w["start"], round(w["end"], 1)) for w in document["windows"]] == [(0.0, 4.0)]
    assert command("--library", library, "stats", "--json").document["encoders"][0]["coverage"] == "windows"


def test_picture(command: Command, own: Collection, tmp_path: Path) -> None:
    """--plot writes a picture and says so; while the drive is away it exits 1 with one line, and only then."""
    picture = tmp_path / "why.png"
    outcome = command("--library", own.library, "explain", 1, "--plot", picture)
    assert (outcome.code, str(picture) in outcome.out, picture.read_bytes()[:4]) == (0, True, b"\x89PNG")
    picture.unlink()
    shutil.rmtree(own.folder)
    outcome = command("--library", own.library, "explain", 1, "--plot", picture)
    assert (outcome.code, outcome.out, outcome.err.count("\n"), picture.exists()) == (1, "", 1, False)
    assert command("--library", own.library, "explain", 1).code == 0


def test_damaged_windows(command: Command, own: Collection) -> None:
    """A track whose stored windows are damaged is one failed question, which names it; others are answered."""
    with sqlite3.connect(own.library) as connection:
        connection.execute("UPDATE segments SET vectors = x'00' WHERE signature_id = 1")
    outcome = command("--library", own.library, "explain", 1, 2)
    assert (outcome.code, outcome.out, outcome.err.count("\n"), "track 1 " in outcome.err) == (1, "", 1, True)
    assert command("--library", own.library, "explain", 2, 3).code == 0


def test_hostile_names(command: Command, tmp_path: Path) -> None:
    """Control sequences in a file's name or a genre tag do not reach the terminal."""
    (tmp_path / "music").mkdir()
    for number in range(10):
        write_song(tmp_path / "music" / f"{number}\x1b[2J.wav", number, "Evil\x07 Genre")
    library = tmp_path / "library.db"
    command("--library", library, "index", tmp_path / "music")
    for asked in (["explain", "1"], ["explain", "1", "2"], ["genres", "--threshold", "2"]):
        outcome = command("--library", library, *asked)
        assert outcome.code == 0
        assert not {"\x1b[2J", "\x07"} & {outcome.out[i : i + n] for n in (1, 4) for i in range(len(outcome.out))}


def test_genres_document(command: Command, library: Path) -> None:
    """The document of genres has each genre, a square table in their order, and equations of four different ones."""
    document = command("--library", library, "genres", "--json", "--threshold", 0.9).document
    assert list(document) == ["genres", "distances", "equations"]
    names = [genre["genre"] for genre in document["genres"]]
    assert {tuple(genre) for genre in document["genres"]} == {tuple(GENRE)}
    assert {tuple(genre["attention"]) for genre in document["genres"]} == {tuple(ATTENTION)}
    assert {value for genre in document["genres"] for value in genre["attention"].values()} == {None}
    assert all(len(genre["nearest"]) == 2 for genre in document["genres"])
    assert [len(row) for row in document["distances"]] == [len(names)] * len(names)
    assert {tuple(equation) for equation in document["equations"]} == {("a", "b", "c", "d", "error")}
    for equation in document["equations"]:
        four = {equation[place] for place in "abcd"}
        assert len(four) == 4
        assert four <= set(names)
        assert equation["error"] < 0.9


def test_genres_for_people(command: Command, library: Path) -> None:
    """The answer for people fits a terminal and says what is not measurable."""
    outcome = command("--library", library, "genres", "--threshold", 0.9)
    assert outcome.code == 0
    assert "rock           library       10" in outcome.out
    assert "not measurable" in outcome.out
    assert "distances (1 - cosine)" in outcome.out
    assert " more: --json" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 84
    assert "no genre equation" in command("--library", library, "genres", "--threshold", 0.01).out


def test_genres_pictures(command: Command, library: Path, tmp_path: Path) -> None:
    """--plot names a folder for three pictures; a file in its place exits 1."""
    folder = tmp_path / "pictures"
    outcome = command("--library", library, "genres", "--plot", folder)
    assert (outcome.code, str(folder) in outcome.out, len(list(folder.iterdir()))) == (0, True, 3)
    (tmp_path / "file").write_bytes(b"mine")
    outcome = command("--library", library, "genres", "--plot", tmp_path / "file")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (1, "", 1)


@pytest.mark.parametrize("threshold", ["0", "-1", "x", "nan"])
def test_genres_usage(command: Command, library: Path, threshold: str) -> None:
    """A threshold that is no number above 0 is refused."""
    outcome = command("--library", library, "genres", "--threshold", threshold)
    assert outcome.code in (1, 2)
    assert outcome.out == ""


def test_empty_library(command: Command, tmp_path: Path) -> None:
    """A library without tracks answers with what ships; a library that is not there exits 3."""
    (tmp_path / "music").mkdir()
    assert command("--library", tmp_path / "library.db", "index", tmp_path / "music").code == 0
    document = command("--library", tmp_path / "library.db", "genres", "--json").document
    assert {(genre["kind"], genre["tracks"]) for genre in document["genres"]} == {("reference", 0)}
    for asked in (["genres"], ["explain", "1"]):
        assert command("--library", tmp_path / "none.db", *asked).code == 3


@pytest.mark.parametrize("name", ["explain", "genres"])
def test_help(command: Command, name: str) -> None:
    """Both commands explain themselves."""
    assert "Usage: engine" in command(name, "--help").out
