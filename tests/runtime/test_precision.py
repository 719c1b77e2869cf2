"""Precision: what "auto" means here, and that it answers as float32 does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from engine import DeviceError, Engine
from engine.runtime import precision as module
from engine.runtime.precision import PROBE, computes_in_bf16
from tests.conftest import Collection


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, on a processor that says that it computes in bf16."""
    monkeypatch.setattr(module, "default_cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    return tmp_path / "cache"


def test_unknown(tmp_path: Path) -> None:
    """Another word is an error that names the two."""
    with pytest.raises(DeviceError, match="expected a precision of auto or float32, found 'int8'"):
        Engine.open(tmp_path / "library.db", precision="int8")


def test_probe() -> None:
    """The trial runs to its end in a process of its own; bf16 is right on any processor, if slow."""
    assert subprocess.run([sys.executable, "-c", PROBE], timeout=120).returncode == 0


def test_liar(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor whose bf16 crashes computes in float32, and is tried once only."""
    monkeypatch.setattr(module, "PROBE", "import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    assert not computes_in_bf16("cpu")
    monkeypatch.setattr(module, "PROBE", "raise SystemExit(0)")
    assert not computes_in_bf16("cpu")
    assert [path.read_text() for path in cache.iterdir()] == ["fails"]


def test_cache_that_cannot_be_written(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the verdict cannot be kept, it is found out each time."""
    cache.write_text("a file where a folder should be")
    monkeypatch.setattr(module, "PROBE", "raise SystemExit(0)")
    assert computes_in_bf16("cpu")


def test_same_answers(own: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signatures in bf16 and in float32 are nearly one (a cosine above 0.999), and so are probabilities."""
    answers = []
    for reduced in (True, False):
        monkeypatch.setattr("engine.session.computes_in_bf16", lambda _, reduced=reduced: reduced)
        with Engine.open(own.folder.parent / f"{reduced}.db", device="cpu") as library:
            library.index(own.folder)
            library.export(own.folder.parent / f"{reduced}.npz")
        with np.load(own.folder.parent / f"{reduced}.npz", allow_pickle=False) as stored:
            answers.append(stored["signatures"])
    assert (answers[0] * answers[1]).sum(axis=1).min() > 0.999
    assert not np.array_equal(*answers)
