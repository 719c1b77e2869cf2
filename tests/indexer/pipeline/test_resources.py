"""Memory stays flat for long and wide files, and nothing is left behind (figures: `scripts/bench/resources.py`)."""

from __future__ import annotations

import gc
import os
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest

from engine import Engine
from engine.indexer.pipeline.decoders import Decoders
from engine.indexer.pipeline.decoding import read_stretches, read_windows
from tests.audio import tone, write_audio
from tests.conftest import RATE, Collection, write_song

FLAT_MB = 40  # by which the largest memory may differ


def peak_mb(decoders: Decoders) -> int:
    """MB that the one process of a pool has held at most."""
    (process,) = [*decoders._idle, *decoders._busy]
    lines = Path(f"/proc/{process._process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) >> 10


def peaks(path: Path) -> tuple[int, int]:
    """The largest memory of a process that reads ten windows of a file, and of one that reads all of it."""
    with Decoders(1) as decoders:
        decoders.call(read_windows, os.fsencode(path), 4.0, 10, RATE, "sound")
        few = peak_mb(decoders)
    with Decoders(1) as decoders:
        for _ in decoders.stream(read_stretches, os.fsencode(path), 4.0, RATE, 8):
            whole = peak_mb(decoders)
    return few, whole


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured on Linux only")
def test_memory_is_flat(tmp_path: Path) -> None:
    """Forty minutes, and eight channels at 192 kHz, take hardly more memory than a minute of one channel."""
    short = tmp_path / "short.mp3"
    write_audio(short, tone(440, 60, RATE), RATE)
    long = tmp_path / "long.mp3"
    long.write_bytes(short.read_bytes() * 40)  # frames of MP3 follow each other without a container
    wide = tmp_path / "wide.wav"
    write_audio(wide, np.stack([tone(110 * (i + 1), 20, 192_000, 0.1) for i in range(8)], axis=1), 192_000)
    expected = peaks(short)
    for path in (long, wide):
        for peak, usual in zip(peaks(path), expected, strict=True):
            assert peak < usual + FLAT_MB, path.name


def held() -> tuple[int, int, set[str]]:
    """Descriptors, threads and temporary files of this process."""
    gc.collect()
    names = {each.name for each in Path(tempfile.gettempdir()).iterdir()}
    return len(list(Path("/proc/self/fd").iterdir())), threading.active_count(), names


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors are counted on Linux only")
def test_many_openings_leave_nothing(own: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a hundred openings there is no descriptor, thread or file more than after the first."""

    def ask() -> None:
        with Engine.open(own.library, device="cpu") as engine:
            assert engine.similar(1, k=1).matches

    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))  # others write into the usual one
    ask()
    files, before = set(own.library.parent.iterdir()), held()
    for _ in range(100):
        ask()
    assert held() == before
    assert set(own.library.parent.iterdir()) == files


def test_other_files(tmp_path: Path) -> None:
    """A folder of files that are no music is passed over, and not read again by the next run."""
    folder = tmp_path / "others"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number}.txt").write_text("no music" * (number % 3))
    write_song(folder / "song.wav", 1)
    with Engine.open(tmp_path / "library.db", device="cpu") as engine:
        first, again = engine.index(folder), engine.index(folder)
    assert (first.new, first.passed_over, first.failed) == (1, 300, [])
    assert (again.unchanged, again.passed_over, again.new) == (1, 300, 0)
