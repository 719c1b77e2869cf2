"""Inputs that once broke something: each is read, or refused in one short line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine import Engine
from engine.errors import EngineError
from engine.playlists.m3u8 import read_playlist
from engine.study.plan import read_study

CORPUS = Path(__file__).parents[1] / "corpus"
LONGEST_LINE = 1_500
READERS: dict[str, Callable[[Engine, Path], object]] = {
    "histories": lambda engine, path: engine.recommend(path, 3),
    "playlists": lambda _, path: read_playlist(path),
    "studies": lambda _, path: read_study(path),
}
FILES = sorted(path.relative_to(CORPUS) for kind in READERS for path in (CORPUS / kind).glob("*"))


@pytest.mark.parametrize("path", FILES, ids=str)
def test_each_is_read_or_refused(shared: Engine, path: Path) -> None:
    """A reader answers, or raises one of Engine's errors with one line that a terminal can show."""
    line = ""
    try:
        READERS[path.parts[0]](shared, CORPUS / path)
    except EngineError as error:
        line = str(error)
    assert "\n" not in line
    assert len(line) < LONGEST_LINE
