"""`export`, `remove`, `relocate`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Command
from tests.conftest import GENRES, Collection

MUSIC = len(GENRES)


def test_export(command: Command, own: Collection, tmp_path: Path) -> None:
    """An export is written where it was asked for, loads without pickle, and its number of tracks is reported."""
    outcome = command("--library", own.library, "export", tmp_path / "out.npz")
    assert outcome.code == 0
    assert str(MUSIC) in outcome.out
    with np.load(tmp_path / "out.npz", allow_pickle=False) as arrays:
        assert len(arrays["ids"]) == MUSIC
    assert command("--quiet", "--library", own.library, "export", tmp_path / "out.npz").out == ""


@pytest.mark.parametrize("name", ["none/out.npz", "", ".", "a\udcff/x.npz"])
def test_export_nowhere(command: Command, own: Collection, tmp_path: Path, name: str) -> None:
    """An export that cannot be written exits 3 with one line."""
    target = tmp_path / name if name.endswith("npz") else name  # also a name that is not UTF-8
    outcome = command("--library", own.library, "export", target)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (3, "", 1)
    assert "unexpected" not in outcome.err


def test_remove(command: Command, own: Collection) -> None:
    """Tracks go by id and by path, and their files stay."""
    outcome = command("--library", own.library, "remove", 1, own.song(1))
    assert outcome.code == 0
    assert "2 tracks" in outcome.out
    assert command("--library", own.library, "stats", "--json").document["tracks"] == MUSIC - 2
    assert own.song(1).exists()


def test_remove_unknown(command: Command, own: Collection) -> None:
    """A wrong name exits 1, and nothing is removed."""
    outcome = command("--library", own.library, "remove", 1, 999)
    assert outcome.code == 1
    assert "999" in outcome.err
    assert command("--library", own.library, "stats", "--json").document["tracks"] == MUSIC


def test_relocate(command: Command, own: Collection) -> None:
    """A moved folder is followed, and the next index finds everything unchanged."""
    moved = own.folder.rename(own.folder.parent / "elsewhere")
    assert command("--library", own.library, "relocate", own.folder, moved).code == 0
    assert f"{MUSIC} unchanged" in command("--library", own.library, "index", moved).out


def test_relocate_to_nowhere(command: Command, own: Collection) -> None:
    """A new place that is not there exits 3, and says what to do."""
    outcome = command("--library", own.library, "relocate", own.folder, own.folder.parent / "nowhere")
    assert outcome.code == 3
    assert "move them there first" in outcome.err
