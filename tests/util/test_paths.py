"""Default places (`engine.util.paths`) of a user without a home directory, and caches that cannot be written."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from engine.datasets.reading import clip_cache
from engine.errors import UnavailableError
from engine.runtime import precision
from engine.util.paths import default_cache, default_library
from tests.cli.conftest import Command, command  # noqa: F401 (a fixture)
from tests.conftest import Collection


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """No HOME, no entry in the list of users, no XDG variable."""

    def nobody(_: int) -> pwd.struct_passwd:
        raise KeyError("uid not found")

    for name in [name for name in os.environ if name.startswith("XDG_") or name == "HOME"]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(pwd, "getpwuid", nobody)


@pytest.mark.usefixtures("homeless")
def test_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a home directory an error names the option of the library and of clips; the cache is absent."""
    with pytest.raises(UnavailableError, match="--library FILE or ENGINE_LIBRARY"):
        default_library()
    with pytest.raises(UnavailableError, match="--cache DIR"):
        clip_cache(None)
    assert default_cache() is None
    monkeypatch.setenv("ENGINE_LIBRARY", "/music/library.db")
    assert default_library() == Path("/music/library.db")


@pytest.mark.usefixtures("homeless")
def test_commands_without_a_home(command: Command, own: Collection) -> None:  # noqa: F811
    """Without a home directory a named library answers and is indexed; an unnamed one is refused in one line."""
    assert command("--library", own.library, "similar", own.song(0)).code == 0
    assert command("--library", own.library, "index", own.folder).code == 0
    outcome = command("stats")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (3, "", 1)
    assert "--library FILE" in outcome.err


@pytest.mark.parametrize("cache", [None, Path("/proc/no such place")])
def test_precision_without_a_cache(monkeypatch: pytest.MonkeyPatch, cache: Path | None) -> None:
    """The test of bf16 runs, and is repeated, where its result cannot be stored."""
    monkeypatch.setattr(precision, "default_cache", lambda: cache)
    monkeypatch.setattr(precision, "PROBE", "raise SystemExit(0)")
    assert precision._bf16_works()


@pytest.mark.parametrize("place", ["/proc/no such place", "a file"])
def test_clip_cache_that_cannot_be_made(tmp_path: Path, place: str) -> None:
    """A folder for clips that cannot be made is an error with its option."""
    (tmp_path / "a file").write_text("no folder")
    with pytest.raises(UnavailableError, match="--cache DIR"):
        clip_cache(str(tmp_path / place / "clips"))
