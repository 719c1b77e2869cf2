"""Exports (`engine.manage.export`): what is refused before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import Engine
from engine.errors import UnavailableError


@pytest.mark.parametrize("name", ["a" * 300 + ".npz", "a" * 300 + "/a.npz", "loop/a.npz"])
def test_names_that_cannot_be(shared: Engine, tmp_path: Path, name: str) -> None:
    """A name that the file system cannot hold is a documented error with a hint, and nothing is written."""
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UnavailableError, match="cannot write") as refused:
        shared.export(tmp_path / name)
    assert refused.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["loop"]


def test_a_target_that_cannot_be_examined(shared: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A target below a folder that is closed to this user is a documented error with a hint."""

    def refuse(path: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", refuse)
        with pytest.raises(UnavailableError, match="Permission denied") as refused:
            shared.export(tmp_path / "closed" / "a.npz")
    assert refused.value.hint
