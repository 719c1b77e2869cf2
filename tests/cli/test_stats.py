"""`engine stats`: totals, and the library that the environment names."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.models.weights_files import default_id
from tests.cli.conftest import Command
from tests.conftest import GENRES

MUSIC = len(GENRES)


def test_stats(command: Command, library: Path) -> None:
    """Stats count tracks, failures and signatures by encoder."""
    document = command("--library", library, "stats", "--json").document
    encoder = {"encoder": default_id(), "coverage": "windows", "tracks": MUSIC}
    assert document == {"tracks": MUSIC, "failed": 0, "encoders": [encoder]}
    assert f"{MUSIC} tracks, 0 failed files" in command("--library", library, "stats").out


def test_environment(command: Command, library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ENGINE_LIBRARY names the library; the option goes before it."""
    monkeypatch.setenv("ENGINE_LIBRARY", str(library))
    assert command("stats", "--json").document["tracks"] == MUSIC
    monkeypatch.setenv("ENGINE_LIBRARY", "/nowhere/at/all.db")
    assert command("stats").code == 3
    assert command("--library", library, "stats").code == 0
