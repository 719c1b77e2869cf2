"""Missing files: which paths are asked about, and that many folders take no longer than one."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from engine import Engine, IndexReport
from engine.db import FileState, NewTrack, open_database, upsert_track
from engine.db.text import Folder
from engine.errors import LibraryError
from engine.indexer.pipeline.pruning import Folders, find_vanished, refuse_prune

NAMES = [b"", b"a", b"a2", b"ab", b"a/b", b"a/b/c", b"a/b/c/d.mp3", b"b/a"]
PATHS = [b"/" + name for name in NAMES]


def calls(function: Callable[[], object]) -> int:
    """Return how many functions a function calls, in Python and in C: its work, whatever the machine is busy with."""
    count = 0

    def called(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


def tracks(number: int) -> dict[bytes, FileState]:
    """States of tracks whose files do not exist, each in a folder of its own."""
    return {b"/nowhere/%d/track.mp3" % each: FileState(each, 1, 1) for each in range(1, number + 1)}


@pytest.mark.parametrize("pair", list(itertools.combinations(PATHS, 2)))
def test_folders_hold_what_one_of_them_holds(pair: tuple[bytes, bytes]) -> None:
    """Several folders hold a path exactly if one of them does; without any, nothing is held."""
    for path in PATHS:
        assert Folders.of(pair).hold(path) == any(Folder.of(each).holds(path) for each in pair)
        assert not Folders.of([]).hold(path)


def test_relative_folder() -> None:
    """A relative path is refused, as by a single folder."""
    with pytest.raises(LibraryError, match="absolute"):
        Folders.of([b"/music", b"music"])


def test_vanished_below_roots_but_not_below_closed() -> None:
    """Paths below a root without a file have vanished, except at or below an unreadable one; whole components count."""
    known = {path: FileState(1, 1, 1) for path in (b"/no/a", b"/no/a/x", b"/no/ab", b"/no/b/c/x", b"/other/x")}
    assert find_vanished([b"/no"], known, []) == [b"/no/a", b"/no/a/x", b"/no/ab", b"/no/b/c/x"]
    assert find_vanished([b"/no/", b"/absent"], known, [b"/no/a", b"/no/b/c"]) == [b"/no/ab"]
    assert find_vanished([], known, []) == []


@pytest.mark.parametrize("name", ["roots", "closed", "refused"])
def test_work_of_many_folders(tmp_path: Path, name: str) -> None:
    """Twice the tracks and folders take twice the work, not four times."""
    files = [tmp_path / f"{number}.mp3" for number in range(400)]
    for file in files:
        file.touch()

    def work(number: int) -> int:
        known, folders = tracks(number), [os.fsencode(file) for file in files[:number]]
        ask: dict[str, Callable[[], object]] = {
            "roots": lambda: find_vanished(folders, known, []),
            "closed": lambda: find_vanished([b"/"], known, folders),
            "refused": lambda: refuse_prune(folders, [], known),
        }
        return calls(ask[name])

    assert work(400) < 2.5 * work(200)


def test_work_of_a_run_with_many_links(tmp_path: Path) -> None:
    """A run over twice the tracks and links out of the folder takes twice the work, and tells how many lie behind."""

    def work(number: int) -> int:
        folder = tmp_path / str(number)
        (folder / "music").mkdir(parents=True)
        (folder / "outside").mkdir()
        for each in range(number):
            (folder / "music" / f"link{each}").symlink_to("../outside")
        with open_database(folder / "library.db", create=True) as database, database.write() as connection:
            for each in range(0, number, 2):
                for name in (f"link{each}", f"link{each}x"):
                    path = os.fsencode(folder / "music" / name / "song.mp3")
                    upsert_track(connection, NewTrack(path, 1, 1, b"hash of " + path, 12.5))
        with Engine.open(folder / "library.db", device="cpu") as engine:
            reports: list[IndexReport] = []
            counted = calls(lambda: reports.append(engine.index(folder / "music")))
        assert reports[0].notes[0].startswith(f"{number} links, ")
        assert f"{number // 2} tracks behind them unchanged" in reports[0].notes[0]
        assert len(reports[0].vanished) == number // 2
        return counted

    work(4)  # what only a first run does
    assert work(200) < 2.5 * work(100)
