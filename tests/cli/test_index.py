"""`engine index`: its summary, its exit codes, what it refuses."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path

import pytest

from engine import Engine
from engine.cli.index import progress
from engine.db import Database
from engine.indexer.pipeline.reports import IndexProgress
from tests.cli.conftest import Command
from tests.conftest import GENRES, Collection, write_song

MUSIC = len(GENRES)


def test_first(command: Command, tmp_path: Path) -> None:
    """The first run makes the library and its folder, counts what is new, and exits 0."""
    write_song(tmp_path / "music.wav", 1)
    outcome = command("--library", tmp_path / "new" / "library.db", "index", tmp_path / "music.wav")
    assert outcome.code == 0
    assert "1 new, 0 unchanged, 0 moved, 0 failed" in outcome.out
    assert (tmp_path / "new" / "library.db").exists()


def test_nothing_new(command: Command, own: Collection) -> None:
    """A run that finds nothing new exits 0 and says so."""
    outcome = command("--library", own.library, "index", own.folder)
    assert (outcome.code, outcome.err) == (0, "")
    assert f"0 new, {MUSIC} unchanged" in outcome.out


def test_failed_once(command: Command, own: Collection) -> None:
    """A file that fails makes one run exit 1; unchanged, it is listed by the next, which exits 0; --retry exits 1."""
    (own.folder / "bad.mp3").write_bytes(b"bad")
    first = command("--library", own.library, "index", own.folder)
    assert first.code == 1
    assert first.err.count(f"failed: {own.folder / 'bad.mp3'}: ") == 1
    second = command("--library", own.library, "index", own.folder)
    assert (second.code, second.err) == (0, "")
    assert str(own.folder / "bad.mp3") in second.out
    assert command("--library", own.library, "index", "--retry", own.folder).code == 1


def test_without_sound(command: Command, own: Collection) -> None:
    """Texts and covers beside the music are no failures."""
    (own.folder / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(500))
    (own.folder / "notes.txt").write_text("notes")
    outcome = command("--library", own.library, "index", own.folder)
    assert outcome.code == 0
    assert "2 files without sound passed over" in outcome.out


def test_quiet(command: Command, own: Collection) -> None:
    """Quiet prints neither progress nor summary, and still every failure."""
    write_song(own.folder / "new.wav", 50)
    outcome = command("--quiet", "--library", own.library, "index", own.folder)
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    (own.folder / "bad.mp3").write_bytes(b"bad")
    outcome = command("--quiet", "--library", own.library, "index", own.folder)
    assert (outcome.code, outcome.out) == (1, "")
    assert "bad.mp3" in outcome.err


def test_missing_path(command: Command, own: Collection) -> None:
    """A path that is not there exits 1 and is named."""
    outcome = command("--library", own.library, "index", own.folder / "nowhere")
    assert outcome.code == 1
    assert "nowhere" in outcome.err


def test_prune(command: Command, own: Collection) -> None:
    """Vanished files are listed and kept, and pruned when asked."""
    own.song(0).unlink()
    listed = command("--library", own.library, "index", own.folder)
    assert listed.code == 0
    assert str(own.song(0)) in listed.out
    pruned = command("--library", own.library, "index", "--prune", own.folder)
    assert pruned.code == 0
    assert "1 pruned" in pruned.out
    assert command("--library", own.library, "stats", "--json").document["tracks"] == MUSIC - 1


def test_prune_refused(command: Command, own: Collection) -> None:
    """A root that is missing is not pruned, which exits 1 and names --force; with it, all go."""
    shutil.rmtree(own.folder)
    refused = command("--library", own.library, "index", "--prune", own.folder)
    assert refused.code == 1
    assert "--force" in refused.err
    assert command("--library", own.library, "stats", "--json").document["tracks"] == MUSIC
    command("--library", own.library, "index", "--prune", "--force", own.folder)
    assert command("--library", own.library, "stats", "--json").document["tracks"] == 0
    alone = command("--library", own.library, "index", "--force", own.folder)
    assert alone.code == 2
    assert "--force belongs to --prune" in alone.err


def test_full(command: Command, own: Collection) -> None:
    """The coverage that is asked for is the one that is stored, beside the other."""
    assert command("--library", own.library, "index", "--coverage", "full", own.song(0), own.song(1)).code == 0
    held = command("--library", own.library, "stats", "--json").document["encoders"]
    assert {entry["coverage"]: entry["tracks"] for entry in held} == {"full": 2, "windows": MUSIC}
    answer = command("--library", own.library, "similar", "--json", "--coverage", "full", own.song(0)).document
    assert [match["path"] for match in answer["queries"][0]["matches"]] == [str(own.song(1))]


def test_stopped(command: Command, own: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C exits 1 with one line and no traceback; what was stored stays, and the next run goes on."""
    for number in range(20, 30):
        write_song(own.song(number), number)
    write = Database.write
    calls = iter(range(100))

    def interrupt_later(database: Database):  # type: ignore[no-untyped-def]
        if next(calls) == 7:  # settings, the claim, roots, what tags were read by, three tracks, and then
            raise KeyboardInterrupt
        return write(database)

    monkeypatch.setattr(Database, "write", interrupt_later)
    outcome = command("--library", own.library, "index", own.folder)
    monkeypatch.undo()
    assert outcome.code == 1
    assert "run the same command again" in outcome.err
    with Engine.open(own.library) as engine:
        assert engine.stats().tracks == MUSIC + 3
    assert "7 new" in command("--library", own.library, "index", own.folder).out


@pytest.mark.parametrize(
    "arguments",
    [["index"], ["index", "--coverage", "half", "x"], ["--threads", "0", "index", "x"], ["index", "--nonsense", "x"]],
)
def test_usage(command: Command, arguments: list[str]) -> None:
    """Wrong use exits 2 and says how."""
    outcome = command(*arguments)
    assert outcome.code == 2
    assert outcome.err


def test_encoder_refused_first(command: Command, own: Collection) -> None:
    """An unknown encoder exits 3 before anything is read or written."""
    outcome = command("--library", own.library, "--encoder", "nonsense", "index", own.folder)
    assert (outcome.code, outcome.out) == (3, "")
    assert outcome.err.count("\n") == 1
    assert "attention_signature" in outcome.err


class Terminal(io.StringIO):
    """What a terminal shows."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
@pytest.mark.parametrize(("tags", "files"), [(100, 1000), (100, 100), (1, 100)])
def test_the_time_left_is_that_of_the_phase(
    monkeypatch: pytest.MonkeyPatch, stream: type[io.StringIO], tags: int, files: int
) -> None:
    """An hour of reading tags again does not count for the files that follow, in lines and on a terminal."""
    shown, now = stream(), 1000.0
    monkeypatch.setattr("sys.stderr", shown)
    monkeypatch.setattr("time.monotonic", lambda: now)
    monkeypatch.setattr("tqdm.std.time", lambda: now)
    with progress(quiet=False) as show:
        assert show is not None
        for seconds, done, total in ((3600, tags, tags), (0.5, 1, files), (10, 21, files)):
            now += seconds
            show(IndexProgress(done, total, "song.mp3"))
    minutes, seconds_left = re.findall(r"(?:(\d+):)?(\d+)(?: s left|,)", shown.getvalue())[-1]
    assert 60 * int(minutes or 0) + int(seconds_left) == pytest.approx((files - 21) / 2, rel=0.15)
