"""`engine playlist`: its document, its files, and misuse."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Command

KEYS = ["track_id", "path", "artist", "title", "similarity"]


def test_documents(command: Command, library: Path) -> None:
    """A radio leaves its seeds out; a path begins and ends where it should with n tracks; keys are those promised."""
    radio = command("--library", library, "playlist", "--json", "id:1", "artist:band 1", "-n", 5).document
    path = command("--library", library, "playlist", "--json", "--from", 1, "--to", 9, "-n", 5).document
    assert (list(radio), list(path)) == (["tracks"], ["tracks", "worst_step"])
    assert path["worst_step"] == min(track["similarity"] for track in path["tracks"][1:])
    for document in (radio, path):
        assert [list(track) for track in document["tracks"]] == [KEYS] * 5
    assert not {track["track_id"] for track in radio["tracks"]} & {1, 2}
    listed = [track["track_id"] for track in path["tracks"]]
    assert (listed[0], listed[-1], len(set(listed))) == (1, 9, 5)


def test_files(command: Command, library: Path, tmp_path: Path) -> None:
    """A written playlist is put into order by the same command; entries without a track fail, with exit code 1."""
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


def test_paths(command: Command, library: Path) -> None:
    """A path leads over its points; its worst step is reported; so is a path from a track to itself."""
    over = command("--library", library, "playlist", "--from", 1, "--via", 5, "--via", 3, "--to", 9, "-n", 8, "--json")
    listed = [track["track_id"] for track in over.document["tracks"]]
    assert [track_id for track_id in listed if track_id in (1, 3, 5, 9)] == [1, 5, 3, 9]
    assert len(set(listed)) == 8
    assert f"worst step {over.document['worst_step']:.3f}" in over.err
    alone = command("--library", library, "playlist", "--from", 3, "--to", "id:3")
    assert (alone.code, alone.out.count("\n")) == (0, 1)
    assert "1 of 25 tracks: both ends are the same track" in alone.err
    assert "filters" not in alone.err


def test_variety(command: Command, library: Path) -> None:
    """A varied list names its seed, on standard error and in the document; that seed gives the list again."""
    for arguments in (
        ("playlist", 1, "-n", 5),
        ("playlist", "--from", 1, "--to", 9, "-n", 5),
        ("similar", 1, 2, "-k", 4),
    ):
        found = command("--library", library, *arguments, "--variety", "0.8", "--json")
        seed = found.document["queries"][0]["seed"] if arguments[0] == "similar" else found.document["seed"]
        assert f"--seed {seed}" in found.err
        again = command("--library", library, *arguments, "--variety", "0.8", "--seed", seed, "--json")
        assert again.document == found.document
        assert "--seed" not in again.err
        plain = command("--library", library, *arguments, "--json")
        assert "seed" not in (plain.document["queries"][0] if arguments[0] == "similar" else plain.document)
        assert command("--library", library, *arguments, "--variety", 0, "--json").document == plain.document


def test_exclusions_and_history(command: Command, library: Path, tmp_path: Path) -> None:
    """Exclusions and what was heard lately leave tracks out; unusable lines of a history are reported."""
    file = tmp_path / "history.csv"
    file.write_text("time;path;event\n1700000000000;id:3;play\n1690000000;id:4;like\n1700000000;none.mp3;play\n")

    def left(*arguments: object) -> set[int]:
        outcome = command("--library", library, "--quiet", "playlist", 1, "-n", 50, "--json", *arguments)
        assert outcome.code == 0
        return {track["track_id"] for track in outcome.document["tracks"]}

    everything = left()
    assert left("--history", file) == everything - {3}
    assert left("--history", file, "--again", 200) == everything - {3, 4}
    assert left("--not-artist", "band 4", "--not-artist", "Band 6") == everything - {5, 7}
    assert left("--not-genre", "rock").isdisjoint(range(1, 11))
    assert left("--not-path", library.parent / "music") == set()
    outcome = command("--library", library, "--quiet", "playlist", "--from", 1, "--to", 9, "-n", 4, "--history", file)
    assert (outcome.code, "none.mp3" in outcome.err) == (0, True)
    own = shutil.copy(library, tmp_path / "library.db")
    command("--library", own, "recommend", "--history", file, "--keep")
    kept = command("--library", own, "playlist", 1, "-n", 50, "--db", "--json").document["tracks"]
    assert {track["track_id"] for track in kept} == everything - {3}


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
        ((1, "--via", 2), "--from and --to"),
        ((1, "--seed", 2), "belongs to --variety"),
        ((1, "--again", 2), "--history or --db"),
        ((1, "--drift", "sadder", "--mix"), "--drift excludes --by and --mix"),
        ((1, "--drift", "sadder", "--by", "mood"), "--drift excludes --by and --mix"),
        ((1, "--history", "x.csv", "--db"), "choose one"),
        (("--order", "x.m3u8", "--variety"), "leave out -n"),
        (("--order", "x.m3u8", "--db"), "leave out -n"),
        (("--order", "x.m3u8", "--not-mood", "sad"), "leave out -n"),
    ],
)
def test_wrong_use(command: Command, library: Path, arguments: tuple[object, ...], hint: str) -> None:
    """Options that make no sense together are a usage error."""
    outcome = command("--library", library, "playlist", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert hint in outcome.err


def test_one_line_each(command: Command, library: Path, tmp_path: Path) -> None:
    """Each failure is one line, with exit code 1, and no file of music is written over."""
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
