"""Files of settings: what is no small regular file is refused, and never waited for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.util.small_files import MOST_BYTES, read_small_text


def test_read(tmp_path: Path) -> None:
    """A small text comes as it is; pipes, devices, folders and large files are errors."""
    path = tmp_path / "a.toml"
    path.write_text("name = 'café'\n", "utf-8")
    assert read_small_text(path) == "name = 'café'\n"
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "large").open("wb") as handle:
        handle.truncate(MOST_BYTES + 1)
    for other in (tmp_path, tmp_path / "pipe", tmp_path / "large", tmp_path / "none", Path("/dev/zero")):
        with pytest.raises(OSError):  # noqa: PT011 (their texts are the system's)
            read_small_text(other)
    with pytest.raises(ValueError, match="null"):
        read_small_text(tmp_path / "a\0b")
