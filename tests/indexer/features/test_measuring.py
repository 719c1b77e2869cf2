"""Measuring a library's tracks: only what is missing, whatever some files are like."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine import AudioFeatures, Engine, IndexProgress, QueryError
from tests.conftest import GENRES, Collection

MUSIC = 6  # of the collection's songs, which take a quarter of a second each


@pytest.fixture
def own(own: Collection) -> Collection:
    """A copy of the collection with fewer songs; the library knows the others, too."""
    for number in range(MUSIC, len(GENRES)):
        own.song(number).unlink()
    return own


def test_measure(engine: Engine, own: Collection) -> None:
    """Every track is measured once: a second run opens none of them."""
    steps: list[IndexProgress] = []
    report = engine.measure(own.folder, steps.append)
    assert (report.measured, report.failed, report.interrupted) == (MUSIC, [], False)
    assert [step.done for step in steps] == list(range(1, MUSIC + 1))
    assert all(step.total == MUSIC for step in steps)
    for number in range(MUSIC):
        found = engine.audio_features(own.song(number))
        assert found is not None
        assert found.loudness is not None
        assert -60 < found.loudness < 0
    for number in range(MUSIC):
        own.song(number).chmod(0o000)
    assert engine.measure([own.folder], steps.append).measured == 0
    assert len(steps) == MUSIC


def test_part(engine: Engine, own: Collection) -> None:
    """Only what lies below the paths given is measured; a later run adds the rest."""
    assert engine.measure([own.song(0), own.song(1)]).measured == 2
    assert engine.audio_features(own.song(2)) is None
    assert engine.measure(own.folder).measured == MUSIC - 2
    assert engine.measure(own.folder.parent / "elsewhere").measured == 0


def test_bad_files(engine: Engine, own: Collection) -> None:
    """A damaged file and one that changed give a line each, one that is gone none; the others are measured."""
    damaged, status = own.song(0), own.song(0).stat()
    damaged.write_bytes(b"\0" * status.st_size)
    os.utime(damaged, ns=(status.st_atime_ns, status.st_mtime_ns))
    own.song(1).write_bytes(own.song(2).read_bytes())
    own.song(3).unlink()
    report = engine.measure(own.folder)
    assert report.measured == MUSIC - 3
    assert [Path(failed.path).name for failed in report.failed] == ["song00.wav", "song01.wav"]
    assert "index it again" in report.failed[1].reason
    assert all("\n" not in failed.reason for failed in report.failed)
    assert engine.audio_features(0 + 1) is None
    assert engine.measure(own.folder).failed == report.failed


def test_stopped(engine: Engine, own: Collection) -> None:
    """A run stopped by Ctrl-C keeps what it measured, and the next one does the rest."""

    def stop(progress: IndexProgress) -> None:
        if progress.done == 3:
            raise KeyboardInterrupt

    report = engine.measure(own.folder, stop)
    assert (report.measured, report.interrupted) == (3, True)
    assert engine.measure(own.folder).measured == MUSIC - 3


def test_content_changed(engine: Engine, own: Collection) -> None:
    """A file with other content is no longer what was measured, and is measured anew once it was indexed."""
    engine.measure(own.folder)
    before = engine.audio_features(1)
    own.song(0).write_bytes(own.song(1).read_bytes())
    assert engine.audio_features(own.song(0)) is None
    engine.index(own.folder)
    assert engine.audio_features(1) is None
    assert engine.measure(own.folder).measured == 1
    assert engine.audio_features(1) == engine.audio_features(2) != before


def test_outside(engine: Engine, tmp_path: Path) -> None:
    """A file outside the library has no features; an unknown track is an error."""
    (tmp_path / "other.wav").write_bytes(b"x")
    assert engine.audio_features(tmp_path / "other.wav") is None
    with pytest.raises(QueryError):
        engine.audio_features(999)


def test_values(engine: Engine, own: Collection) -> None:
    """What is kept is what the file gives."""
    from engine.indexer.features.audio_features import measure

    engine.measure(own.song(5))
    found = engine.audio_features(own.song(5))
    assert isinstance(found, AudioFeatures)
    assert found == measure(own.song(5))
