"""`engine index --features`."""

from __future__ import annotations

import os
from pathlib import Path

from engine import Engine
from tests.cli.conftest import Command
from tests.conftest import write_song


def test_features(command: Command, tmp_path: Path) -> None:
    """Indexing measures only when asked, only what is missing, and says how much."""
    music, library = tmp_path / "music", tmp_path / "library.db"
    music.mkdir()
    for seed in range(2):
        write_song(music / f"{seed}.wav", seed)
    assert "measured" not in command("--library", library, "index", music).out
    assert "2 measured, 0 not" in command("--library", library, "index", "--features", music).out
    write_song(music / "2.wav", 2)
    assert "1 measured, 0 not" in command("--library", library, "index", "--features", music).out
    with Engine.open(library, device="cpu") as engine:
        assert all(engine.audio_features(track_id) for track_id in (1, 2, 3))
    assert command("--quiet", "--library", library, "index", "--features", music).out == ""


def test_failure(command: Command, tmp_path: Path) -> None:
    """A file that cannot be measured gives one line and code 1; the others are measured."""
    music, library = tmp_path / "music", tmp_path / "library.db"
    music.mkdir()
    for seed in range(2):
        write_song(music / f"{seed}.wav", seed)
    command("--library", library, "index", music)
    status = (music / "0.wav").stat()
    (music / "0.wav").write_bytes(b"\0" * status.st_size)
    os.utime(music / "0.wav", ns=(status.st_atime_ns, status.st_mtime_ns))
    outcome = command("--library", library, "index", "--features", music)
    assert outcome.code == 1
    assert "1 measured, 1 not" in outcome.out
    assert [line for line in outcome.err.splitlines() if line.startswith("not measured: ")]
    assert outcome.err.count("0.wav") == 1
