"""Chromaprint's program: asked safely, believed only when it answers as it should."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest

from engine.indexer.features import chromaprint
from engine.indexer.features.chromaprint import Chromaprint, ChromaprintError
from engine.indexer.features.fingerprint import SAMPLE_RATE
from tests.versions import melody

REAL = shutil.which("fpcalc")
SONG = melody(1, 5, SAMPLE_RATE)

Program: TypeAlias = Callable[[str], Path]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """A function that puts a program of a shell script's lines on PATH, first, as fpcalc."""

    def install(script: str) -> Path:
        folder = tmp_path / "programs"
        folder.mkdir(exist_ok=True)
        path = folder / "fpcalc"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        return path

    return install


def test_no_room_for_the_sound(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, or no folder for temporary files, is a failure of the program, not of the run."""
    path = program("exit 0")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(ChromaprintError, match="cannot be given the sound: No space left on device"):
        Chromaprint(str(path)).words(SONG)


def test_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no program there is no Chromaprint, and no error."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Chromaprint.find() is None


def test_asked(program: Program, tmp_path: Path) -> None:
    """The program is given the sound as a WAV and no file's name; its words come back, also where they are signed."""
    path = program(
        f'echo "$*" > {tmp_path}/asked; cat > {tmp_path}/sound.wav\n'
        """echo '{"duration": 5.0, "fingerprint": [1, 4294967295, -1, 0]}'"""
    )
    assert Chromaprint(str(path)).words(SONG).tolist() == [1, 2**32 - 1, 2**32 - 1, 0]
    assert (tmp_path / "asked").read_text() == "-raw -json -length 120 -\n"
    assert (tmp_path / "sound.wav").stat().st_size == 44 + 2 * len(SONG)


@pytest.mark.parametrize(
    "answer",
    [
        "echo hello",
        "true",
        "echo '[1, 2]'",
        """echo '{"fingerprint": "AQAA"}'""",
        """echo '{"fingerprint": [1e999]}'""",
        """echo '{"fingerprint": ["1"]}'""",
        """echo '{"fingerprint": [99999999999999999999]}'""",
        "head -c 100000 /dev/zero | tr '\\0' '['",
        "yes",
        "kill -9 $$",
        "exit 2",
    ],
)
def test_rubbish(program: Program, answer: str) -> None:
    """A program that prints something else, too much or nothing, or fails, is refused in one line that names it."""
    path = program(answer)
    with pytest.raises(ChromaprintError) as caught:
        Chromaprint.find()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("hang", ["sleep 600", "sleep 600 & sleep 600"])
def test_hanging(program: Program, monkeypatch: pytest.MonkeyPatch, hang: str) -> None:
    """A program that does not answer in time is killed, with what it has started, and refused."""
    monkeypatch.setattr(chromaprint, "TIMEOUT_SECONDS", 0.5)
    program(hang)
    with pytest.raises(ChromaprintError, match="no answer within"):
        Chromaprint.find()


def test_not_a_program(program: Program) -> None:
    """A file that cannot be run is refused in one line."""
    path = program("")
    path.write_bytes(b"#!/no/such/interpreter\n")
    with pytest.raises(ChromaprintError, match="cannot be run"):
        Chromaprint.find()


def test_too_little_sound(program: Program) -> None:
    """A sound of which the program says that it is too short has no words; one that it ends late on has them."""
    assert len(Chromaprint(str(program("exit 2"))).words(SONG)) == 0
    late = program("""echo '{"duration": 5.0, "fingerprint": [1, 2]}'; exit 3""")
    assert Chromaprint(str(late)).words(SONG).tolist() == [1, 2]


@pytest.mark.skipif(REAL is None, reason="fpcalc is not installed")
def test_real() -> None:
    """The real program gives eight words a second of a song and few of a second of it."""
    found = Chromaprint.find()
    assert found is not None
    words = found.words(np.tile(SONG, 4))
    assert 110 < len(words) < 170
    assert len(found.words(SONG[:SAMPLE_RATE])) == 0
