"""`duplicates`: its document, its lines, its exit codes."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import Engine
from engine.indexer.features import chromaprint
from tests.audio import write_audio
from tests.cli.conftest import Command
from tests.conftest import RATE, Collection, FirstRun, make_song


@pytest.fixture(scope="module", autouse=True)
def _no_fpcalc() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chromaprint, "PROGRAM", "fpcalc-of-this-test")
        yield


@pytest.fixture(scope="module")
def made(first_run: FirstRun, tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """The collection with two more files of its first song, fingerprinted. Only copy it: `library` does."""
    made = first_run.collection.copied(tmp_path_factory.mktemp("duplicates"))
    write_audio(made.folder / "again\x1b[31m.flac", make_song(0)[RATE // 2 :] * 0.7, RATE)
    write_audio(made.folder / "again.mp3", make_song(0), RATE, bitrate=96_000)
    with Engine.open(made.library, device="cpu") as engine:
        engine.index(made.folder)
        engine.duplicates()
    return made


@pytest.fixture
def library(made: Collection, tmp_path: Path) -> Collection:
    """A copy that a test may change."""
    return made.copied(tmp_path)


def test_document(command: Command, library: Collection) -> None:
    """The document holds groups and nothing else, each file with id, path, codec and bit rate, the best first."""
    outcome = command("--library", library.library, "duplicates", "--json")
    assert (outcome.code, list(outcome.document)) == (0, ["groups"])
    group = next(group for group in outcome.document["groups"] if group["kind"] == "same_recording")
    assert list(group) == ["kind", "score", "tracks"]
    assert 0.5 < group["score"] <= 1
    assert [list(track) for track in group["tracks"]] == [["track_id", "path", "codec", "bitrate", "partial"]] * 3
    paths = [Path(track["path"]).name for track in group["tracks"]]
    assert paths == ["song00.wav", "again\x1b[31m.flac", "again.mp3"]
    assert [track["codec"] for track in group["tracks"]] == ["pcm_s16le", "flac", "mp3"]
    assert group["tracks"][2]["bitrate"] == 96_000


def test_table(command: Command, library: Collection) -> None:
    """--csv has a line for each file, with the number and the kind of its group."""
    outcome = command("--library", library.library, "duplicates", "--kind", "same_recording", "--csv")
    rows = list(csv.DictReader(outcome.out.splitlines()))
    assert [(row["group"], row["kind"], row["codec"]) for row in rows] == [
        ("1", "same_recording", codec) for codec in ("pcm_s16le", "flac", "mp3")
    ]


def test_lines(command: Command, library: Collection) -> None:
    """A line a file below a line a group, without control characters; the summary goes to standard error."""
    outcome = command("--library", library.library, "duplicates", "--kind", "same_recording")
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0].startswith("same recording  0.")
    assert lines[0].endswith("3 files")
    assert "\x1b" not in outcome.out
    assert [line.split()[0] for line in lines[1:4]] == ["pcm_s16le", "flac", "mp3"]
    assert "96 kbit/s" in lines[3]
    assert "1 group of the same recording" in outcome.err
    quiet = command("--library", library.library, "--quiet", "duplicates", "--kind", "same_recording")
    assert (quiet.out, quiet.err) == (outcome.out, "")


def test_partial(command: Command, library: Collection) -> None:
    """A file that lacks a part is listed last and called partial, on the terminal, in the table and in the document."""
    song = make_song(70, 9)
    write_audio(library.folder / "whole.mp3", song, RATE, bitrate=96_000)
    write_audio(library.folder / "part.flac", song[: RATE * 5], RATE)
    with Engine.open(library.library, device="cpu") as engine:
        engine.index(library.folder)
    arguments = ("--library", library.library, "duplicates", "--kind", "same_recording")
    groups = command(*arguments, "--json").document["groups"]
    (tracks,) = (group["tracks"] for group in groups if "whole.mp3" in group["tracks"][0]["path"])
    assert [(Path(track["path"]).name, track["partial"]) for track in tracks] == [
        ("whole.mp3", False), ("part.flac", True)
    ]  # fmt: skip
    lines = [line for line in command(*arguments).out.splitlines() if "part.flac" in line or "whole.mp3" in line]
    assert [line.endswith("  partial") for line in lines] == [False, True]
    rows = list(csv.DictReader(command(*arguments, "--csv").out.splitlines()))
    assert {row["partial"] for row in rows if row["path"].endswith("part.flac")} == {"True"}


def test_left_out(command: Command, library: Collection) -> None:
    """A file that is away is one line on standard error; the answer stands, with exit code 1."""
    (library.folder / "again.mp3").unlink()
    outcome = command("--library", library.library, "duplicates", "--kind", "same_recording", "--json")
    assert outcome.code == 1
    assert [len(group["tracks"]) for group in outcome.document["groups"]] == [2]
    left = [line for line in outcome.err.splitlines() if line.startswith("left out: ")]
    assert len(left) == 1
    assert "again.mp3: cannot be opened" in left[0]


def test_similar_without_duplicates(command: Command, library: Collection) -> None:
    """`similar --no-duplicates` leaves out what is the same recording as the query or as a better match."""
    mine, copies = library.song(0), {"again\x1b[31m.flac", "again.mp3"}

    def matched(*arguments: object) -> list[str]:
        document = command("--library", library.library, "similar", "--json", "-k", 50, *arguments).document
        return [Path(match["path"]).name for match in document["queries"][0]["matches"]]

    assert set(matched(mine)) > copies
    assert not set(matched(mine, "--no-duplicates")) & copies
    other = matched("--like", library.song(1), "--no-duplicates")
    assert mine.name in other
    assert not set(other) & copies


def test_nothing_to_compare(command: Command, tmp_path: Path) -> None:
    """A library that is not there, or empty, is one line and exit code 3; a wrong kind is usage."""
    assert command("--library", tmp_path / "none.db", "duplicates").code == 3
    with Engine.open(tmp_path / "empty.db"):
        pass
    outcome = command("--library", tmp_path / "empty.db", "duplicates", "--json")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (3, "", 1)
    assert command("--library", tmp_path / "empty.db", "duplicates", "--kind", "same").code == 2
