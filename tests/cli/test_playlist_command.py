"""`playlist` and `recommend`: their documents, their files, what they refuse."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.conftest import FirstRun

KEYS = ["track_id", "path", "artist", "title", "similarity"]


@pytest.fixture
def library(first_run: FirstRun) -> Path:
    """The shared library; these commands only read."""
    return first_run.collection.library


def test_documents(command: Command, library: Path) -> None:
    """A radio leaves its seeds out; a path begins and ends where it should with n tracks; keys are those promised."""
    radio = command("--library", library, "playlist", "--json", "id:1", "artist:band 1", "-n", 5).document
    path = command("--library", library, "playlist", "--json", "--from", 1, "--to", 9, "-n", 5).document
    for document in (radio, path):
        assert list(document) == ["tracks"]
        assert [list(track) for track in document["tracks"]] == [KEYS] * 5
    assert not {track["track_id"] for track in radio["tracks"]} & {1, 2}
    listed = [track["track_id"] for track in path["tracks"]]
    assert (listed[0], listed[-1], len(set(listed))) == (1, 9, 5)


def test_files(command: Command, library: Path, tmp_path: Path) -> None:
    """A written playlist is put into order by the same command; what names nothing is told, with exit code 1."""
    out = tmp_path / "radio.m3u8"
    written = command("--library", library, "playlist", 1, "-n", 6, "--out", out, "--relative")
    assert (written.code, written.out) == (0, "")
    assert "6 tracks written" in written.err
    assert out.read_text("utf-8").count("song") == 6
    ordered = command("--library", library, "--quiet", "playlist", "--order", out, "--json")
    assert (ordered.code, ordered.err, len(ordered.document["tracks"])) == (0, "", 6)
    with out.open("a") as handle:
        handle.write("nowhere.mp3\nhttp://host/x.mp3\n")
    partly = command("--library", library, "--quiet", "playlist", "--order", out)
    assert (partly.code, partly.err.count("\n"), partly.out.count("\n")) == (1, 2, 6)


def test_fewer_than_asked(command: Command, library: Path, tmp_path: Path) -> None:
    """Where fewer tracks pass, the answer says so with code 0; an empty playlist replaces no file."""
    out = tmp_path / "list.m3u8"
    out.write_text("#EXTM3U old")
    path = command("--library", library, "playlist", "--from", 1, "--to", 2, "-n", 400)
    assert (path.code, path.out.count("\n")) == (0, 16)
    assert "16 of 400" in path.err
    nothing = command("--library", library, "playlist", 1, "--year", "1800", "--out", out)
    assert (nothing.code, nothing.out, out.read_text()) == (0, "", "#EXTM3U old")
    assert "nothing written" in nothing.err


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ((), "SEEDs, or --from"),
        ((1, "--from", 2, "--to", 3), "SEEDs, or --from"),
        (("--from", 2), "SEEDs, or --from"),
        ((1, "--relative"), "--out"),
        (("--from", 1, "--to", 2, "--diverse"), "belong to SEEDs"),
        (("--order", "x.m3u8", "-n", 3), "leave out -n"),
        (("--order", "x.m3u8", "--genre", "jazz"), "leave out -n"),
        ((1, "-n", 0), "x>=1"),
    ],
)
def test_wrong_use(command: Command, library: Path, arguments: tuple[object, ...], hint: str) -> None:
    """Options that make no sense together are a usage error."""
    outcome = command("--library", library, "playlist", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert hint in outcome.err


def test_one_line_each(command: Command, library: Path, tmp_path: Path) -> None:
    """What cannot be done is told in one line, with exit code 1, and no file of music is written over."""
    song = tmp_path / "song.wav"
    song.write_bytes(b"music")
    for arguments in (
        (1, "--out", song),
        ("--from", 1, "--to", 2, "-n", 1),
        ("--order", tmp_path / "none.m3u8"),
        (999,),
    ):
        outcome = command("--library", library, "playlist", *arguments)
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (1, "", 1)
    assert song.read_bytes() == b"music"


def test_recommend(command: Command, library: Path, tmp_path: Path) -> None:
    """Recommendations from a file, and from what was kept of it, are the same document; bad lines are told."""
    own = shutil.copy(library, tmp_path / "library.db")
    file = tmp_path / "history.csv"
    file.write_text("time,path,event\n2026-01-02T03:04:05,id:1,like\n2026-01-02,id:2,skip\n2026-01-02,none.mp3,play\n")
    found = command("--library", own, "--quiet", "recommend", "--history", file, "-n", 3, "--json")
    assert found.code == 0
    assert [list(track) for track in found.document["tracks"]] == [[*KEYS[:4], "score", "reason"]] * 3
    assert found.document["tracks"][0]["reason"] == "near Band 0 - Song 0, which you liked"
    assert "none.mp3" in found.err
    kept = command("--library", own, "recommend", "--history", file, "-n", 3, "--keep")
    assert "2 new events kept" in kept.err
    assert kept.out.count("which you liked") == 3
    again = command("--library", own, "--quiet", "recommend", "--db", "-n", 3, "--json")
    assert again.document == found.document
    assert again.err == ""


def test_recommend_needs_a_history(command: Command, library: Path, tmp_path: Path) -> None:
    """Neither or both sources are a usage error; a library without plays, and a file without columns, say so."""
    for wrong in ((), ("--history", "x.csv", "--db"), ("--db", "--keep")):
        assert command("--library", library, "recommend", *wrong).code == 2
    assert "play something first" in command("--library", library, "recommend", "--db").err
    (tmp_path / "h.csv").write_text("when,what\n")
    outcome = command("--library", library, "recommend", "--history", tmp_path / "h.csv")
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert "time, path, event missing" in outcome.err
