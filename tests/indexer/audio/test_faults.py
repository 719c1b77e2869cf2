"""Files that cannot be read for a while: tracks stay, with all that was done with them, and are read again."""

from __future__ import annotations

import builtins
import errno
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine import Engine, Play
from engine.db import add_plays, list_plays
from engine.errors import AudioError
from engine.indexer.audio.faults import is_passing
from tests.audio import write_audio
from tests.conftest import GENRES, RATE, Collection, write_song

PASSING = [errno.EACCES, errno.EIO, errno.EMFILE, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT, errno.ENOMEM]


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, int | None], None]:
    """A function that lets the system refuse to open one file, with an error of its own, until it gets None."""
    refused: dict[bytes, int] = {}
    real_open, real_os_open = builtins.open, os.open

    def check(path: object) -> None:
        code = refused.get(os.fsencode(path)) if isinstance(path, str | bytes | os.PathLike) else None
        if code is not None:
            raise OSError(code, os.strerror(code), path)

    def opening(path: object, *args: object, **kwargs: object) -> object:
        check(path)
        return real_open(path, *args, **kwargs)  # type: ignore[call-overload]

    def opening_low(path: object, *args: object, **kwargs: object) -> int:
        check(path)
        return real_os_open(path, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "open", opening)
    monkeypatch.setattr(os, "open", opening_low)

    def refuse_one(path: Path, code: int | None) -> None:
        refused.pop(os.fsencode(path), None)
        if code is not None:
            refused[os.fsencode(path)] = code

    return refuse_one


def track_id_of(engine: Engine, path: Path) -> int | None:
    """The id of a file's track."""
    return engine.locate(path)[1]


def like(engine: Engine, track_id: int) -> None:
    """Note that a track was liked."""
    with engine._session.database.write() as connection:
        add_plays(connection, [Play(100.0, "like", track_id)])


def plays(engine: Engine) -> list[Play]:
    """What the library holds of them."""
    with engine._session.database.read() as connection:
        return list_plays(connection)


@pytest.mark.parametrize("code", PASSING)
def test_touched_and_refused(
    engine: Engine, own: Collection, refuse: Callable[[Path, int | None], None], code: int
) -> None:
    """A touched file that cannot be read keeps its track, id, plays and answers, and heals in the next run."""
    song = own.song(2)
    track_id = track_id_of(engine, song)
    assert track_id is not None
    like(engine, track_id)
    before = engine.similar(track_id, 3).matches
    os.utime(song, (1, 1))
    refuse(song, code)
    (failed,) = engine.index(own.folder).failed
    assert failed.path == str(song)
    assert "its track is unchanged" in failed.reason
    held = engine.stats()
    assert (held.tracks, held.failed, [entry.path for entry in held.failures]) == (len(GENRES), 1, [str(song)])
    assert engine.similar(song, 3).matches == before
    assert (track_id_of(engine, song), plays(engine)) == (track_id, [Play(100.0, "like", track_id)])
    refuse(song, None)
    report = engine.index(own.folder)
    assert (report.failed, report.failed_before, report.unchanged) == ([], [], len(GENRES))
    assert (track_id_of(engine, song), engine.stats().failed) == (track_id, 0)


@pytest.mark.parametrize("kept", [0, 30, 2000])
def test_half_copied(engine: Engine, own: Collection, kept: int) -> None:
    """A track whose file is only half there answers as before, is tried in each run, and heals with the file."""
    song = own.song(2)
    track_id = track_id_of(engine, song)
    assert track_id is not None
    whole, before = song.read_bytes(), engine.similar(track_id, 3).matches
    song.write_bytes(whole[:kept])
    for _ in range(2):
        assert [entry.path for entry in engine.index(own.folder).failed] == [str(song)]
        assert engine.similar(track_id, 3).matches == before
    song.write_bytes(whole)
    assert engine.index(own.folder).failed == []
    assert (track_id_of(engine, song), engine.stats().failed) == (track_id, 0)


def test_track_that_became_no_sound(engine: Engine, own: Collection) -> None:
    """A track without an extension whose file became a text stays, and has failed."""
    song = write_song(own.folder / "plain.wav", 30).rename(own.folder / "plain")
    engine.index(own.folder)
    track_id = track_id_of(engine, song)
    song.write_text("milk, eggs")
    (failed,) = engine.index(own.folder).failed
    assert failed.reason.startswith("no sound")
    assert track_id_of(engine, song) == track_id


@pytest.mark.parametrize("ending", [".wav", ""])
def test_passing_fault_of_a_new_file(
    engine: Engine, own: Collection, refuse: Callable[[Path, int | None], None], ending: str
) -> None:
    """A file that could not be read for a moment fails in each run, without retry, and is a track once it can be."""
    songs = [
        write_song(own.folder / "made.wav", 30 + code).rename(own.folder / f"new {code}{ending}") for code in PASSING
    ]
    for song, code in zip(songs, PASSING, strict=True):
        refuse(song, code)
    for _ in range(2):
        report = engine.index(own.folder)
        assert (sorted(entry.path for entry in report.failed), report.failed_before) == (sorted(map(str, songs)), [])
        assert report.passed_over == 0
    for song in songs:
        refuse(song, None)
    assert engine.index(own.folder).new == len(PASSING)
    assert engine.stats().failed == 0


def test_own_fault_sticks(engine: Engine, own: Collection) -> None:
    """A new file that is damaged fails once, and is then listed until it changes."""
    (own.folder / "broken.mp3").write_bytes(b"milk, eggs" * 100)
    assert len(engine.index(own.folder).failed) == 1
    again = engine.index(own.folder)
    assert (again.failed, len(again.failed_before)) == ([], 1)


def test_silenced_track_is_tried_again(engine: Engine, own: Collection) -> None:
    """A file of zeros, as a copy that has just begun may be, keeps its track."""
    track_id = track_id_of(engine, own.song(2))
    write_audio(own.song(2), np.zeros(RATE * 5, np.float32), RATE)
    assert "silence" in engine.index(own.folder).failed[0].reason
    assert track_id_of(engine, own.song(2)) == track_id


def test_removed_and_moved_over_keep_plays(engine: Engine, own: Collection) -> None:
    """Plays of a track that was pruned, or that another file was moved over, come back with its content."""
    first, second = (track_id_of(engine, own.song(number)) for number in (0, 1))
    assert first is not None
    assert second is not None
    like(engine, first)
    like(engine, second)
    contents = [own.song(number).read_bytes() for number in (0, 1)]
    own.song(5).rename(own.song(0))
    own.song(1).unlink()
    report = engine.index(own.folder, prune=True)
    assert (report.moved, report.pruned, plays(engine)) == (1, 1, [])
    for number, content in enumerate(contents):
        (own.folder / f"again{number}.wav").write_bytes(content)
    assert engine.index(own.folder).new == 2
    ids = {track_id_of(engine, own.folder / f"again{number}.wav") for number in (0, 1)}
    assert {play.track_id for play in plays(engine)} == ids


def test_what_passes() -> None:
    """Faults around a file pass, whatever they are wrapped in; FFmpeg's word about a file's content does not."""
    wrapped = AudioError("cannot be read")
    wrapped.__cause__ = PermissionError(errno.EACCES, "Permission denied")
    assert is_passing(wrapped)
    assert is_passing(MemoryError())
    assert is_passing(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"))
    assert not is_passing(RuntimeError("shapes do not fit"))
    assert not is_passing(OSError(errno.EINVAL, "Invalid argument"))
    assert not is_passing(AudioError("the file is empty"))
    assert not is_passing(None)
