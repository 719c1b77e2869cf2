"""`similar` with several seeds, filters, groups, a moment: what its options mean and refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.conftest import FirstRun


def test_seeds_document(command: Command, library: Path) -> None:
    """One query from several seeds has no path or id of its own, and names its seeds with their signs."""
    document = command(
        "--library", library, "similar", "--json", "-k", 3, "--like", "id:1", "--like", "artist:band 1", "--unlike", 3
    ).document
    (query,) = document["queries"]
    assert (query["path"], query["track_id"], query["error"]) == (None, None, None)
    assert [(seed["track_id"], seed["sign"]) for seed in query["seeds"]] == [(1, 1), (2, 1), (3, -1)]
    assert len(query["matches"]) == 3
    assert not {match["track_id"] for match in query["matches"]} & {1, 2, 3}
    assert "groups" not in query


def test_groups_document(command: Command, library: Path) -> None:
    """With --group, groups stand in place of matches."""
    (query,) = command("--library", library, "similar", "--json", "--group", "artist", 1).document["queries"]
    assert "matches" not in query
    assert [group["rank"] for group in query["groups"]] == [1, 2, 3, 4, 5]
    assert list(query["groups"][0]) == ["rank", "artist", "album", "similarity", "tracks", "track_id", "path"]
    shown = command("--library", library, "similar", "--group", "artist", 1).out
    assert shown.count("(1 track)") == 5


def test_filters(command: Command, library: Path) -> None:
    """Filters leave what meets them; where nothing does, the answer says so and the code is 0."""
    (query,) = command("--library", library, "similar", "--json", "--genre", "jazz", 1, "-k", 9).document["queries"]
    assert {match["genre"] for match in query["matches"]} == {"jazz"}
    nothing = command("--library", library, "similar", 1, "--year", "1900-1901")
    assert nothing.code == 0
    assert "none passes the filters" in nothing.out
    wrong = command("--library", library, "similar", 1, "--genre", "jaz")
    assert (wrong.code, wrong.out) == (1, "")
    assert "did you mean 'jazz'" in wrong.err


def test_moment(command: Command, first_run: FirstRun, library: Path) -> None:
    """A moment that is the whole track sounds like the track; one beyond its end is refused."""
    song = first_run.collection.song(2)
    (whole,) = command("--library", library, "similar", "--json", "-k", 3, song).document["queries"]
    (part,) = command("--library", library, "similar", "--json", "-k", 3, "--at", "0-5.2", song).document["queries"]
    assert [m["track_id"] for m in part["matches"]] == [m["track_id"] for m in whole["matches"]]
    beyond = command("--library", library, "similar", "--at", "1:05-1:02:03.5", song)
    assert beyond.code == 1
    assert "from 65 s to 3723.5 s has no sound: the file is 5.2 s long" in beyond.err


def test_never_measured(command: Command, library: Path) -> None:
    """To ask for a tempo where none was measured says how to measure it."""
    outcome = command("--library", library, "similar", "--tempo", "90-120", 1)
    assert (outcome.code, outcome.out) == (1, "")
    assert "engine index --features PATH" in outcome.err


@pytest.mark.parametrize(
    ("span", "all_pass"), [("0:05-0:06", True), ("5-", True), ("-0:00:05.5", True), ("1:05-", False)]
)
def test_duration(command: Command, library: Path, span: str, all_pass: bool) -> None:
    """Durations are minutes and seconds, or hours too; the collection's songs last 5.2 s."""
    (query,) = command("--library", library, "similar", "--json", "-k", 3, "--duration", span, 1).document["queries"]
    assert len(query["matches"]) == (3 if all_pass else 0)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ((), "TRACKs or --like"),
        ((1, "--like", 2), "TRACKs or --like"),
        (("--like", 1, "--at", "1-2"), "--at"),
        ((1, "--no-duplicates", "--group", "artist"), "--no-duplicates"),
        ((1, "--at", "2-1"), "1:05-1:20"),
        ((1, "--at", "x"), "1:05-1:20"),
        ((1, "--year", "nineteen"), "1970-1979"),
        ((1, "--duration", "-"), "2:00-6:30"),
        ((1, "--diverse", "2"), "0<=x<=1"),
        ((1, "--per-artist", "0"), "x>=1"),
        ((1, "--added-since", "yesterday"), "%Y-%m-%d"),
    ],
)
def test_wrong_use(command: Command, library: Path, arguments: tuple[object, ...], hint: str) -> None:
    """Options that make no sense are a usage error that shows how they are written."""
    outcome = command("--library", library, "similar", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert hint in outcome.err


def test_only_unlikes(command: Command, library: Path) -> None:
    """What is only unlike something is not searched for."""
    outcome = command("--library", library, "similar", "--unlike", 1)
    assert outcome.code == 1
    assert "add --like TRACK" in outcome.err
