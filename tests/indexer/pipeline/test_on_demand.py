"""The encoder is loaded when the first file is known to be sound, and not before."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine import EncoderError, Engine
from engine.indexer.pipeline.on_demand import EncoderOnDemand
from engine.models.encoder import Encoder
from tests.conftest import Collection

INDEX = """
import sys
from engine import Engine
with Engine.open(sys.argv[1], device="cpu") as engine:
    report = engine.index(sys.argv[2])
print(report.new, report.unchanged, report.moved, report.passed_over, len(report.failed), "torch" in sys.modules)
"""


def index(library: Path, folder: Path) -> list[str]:
    """Index in a process of its own: new, unchanged, moved, passed over, failed, and whether torch was loaded."""
    asked = [sys.executable, "-c", INDEX, str(library), str(folder)]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()


def test_nothing_new(own: Collection) -> None:
    """A run that finds every file known, touched or moved loads no torch; one with a new song does."""
    own.song(0).touch()
    own.song(1).rename(own.folder / "moved.wav")
    assert index(own.library, own.folder) == ["0", "15", "1", "0", "0", "False"]
    own.song(2).write_bytes(own.song(2).read_bytes()[:-400])
    assert index(own.library, own.folder) == ["1", "15", "0", "0", "0", "True"]


def test_no_music(tmp_path: Path) -> None:
    """A run over files that are no sound, whatever their names say, loads no torch."""
    folder = tmp_path / "others"
    folder.mkdir()
    (folder / "notes.txt").write_text("no music")
    (folder / "broken.mp3").write_bytes(b"no music at all" * 99)
    (folder / "empty.flac").touch()
    assert index(tmp_path / "library.db", folder) == ["0", "0", "0", "1", "2", "False"]


def test_failed_loading(own: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An encoder that cannot be loaded ends the run with one line; no file is blamed."""

    def load() -> Encoder:
        raise RuntimeError("no kernel\nfor this processor")

    with Engine.open(tmp_path / "fresh.db", device="cpu") as engine:
        monkeypatch.setattr(engine._session, "encoder", load)
        with pytest.raises(EncoderError, match="no kernel for this processor"):
            engine.index(own.folder)
        assert engine.stats().failed == 0


def test_loaded_once(shared: Engine) -> None:
    """Threads that need the encoder at the same time load it once."""
    calls, found = [], []

    def load() -> Encoder:
        calls.append(1)
        return shared._session.encoder()

    encoder = EncoderOnDemand(load)
    threads = [threading.Thread(target=lambda: found.append(encoder.for_worker())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    encoder.close()
    assert (len(calls), {id(each) for each in found}) == (1, {id(encoder.loaded)})
