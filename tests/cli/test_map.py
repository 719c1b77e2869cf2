"""`engine map`: what scripts rely on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Command
from tests.map.conftest import Made, made

__all__ = ["made"]
VECTORS = np.random.default_rng(0).normal(size=(6, 256))  # as long as the default encoder's signatures


def test_document(command: Command, made: Made, tmp_path: Path) -> None:
    """The document has every track's place, numbers that are not rounded, and stands beside the file."""
    out = tmp_path / "map.html"
    document = command("--library", made(VECTORS), "map", "--out", out, "--json").document
    assert list(document) == ["method", "explained_variance", "points"]
    assert document["method"] == "pca"
    assert 0 < document["explained_variance"] < 1
    assert [list(point) for point in document["points"]] == [["track_id", "x", "y", "z"]] * len(VECTORS)
    assert [point["z"] for point in document["points"]] == [None] * len(VECTORS)
    assert out.read_bytes().startswith(b"<!DOCTYPE html>")


def test_methods(command: Command, made: Made, tmp_path: Path) -> None:
    """A method without variance to explain says null; three dims have a z."""
    asked = ("map", "--method", "tsne", "--dims", 3, "--out", tmp_path / "map.png", "--json")
    document = command("--library", made(VECTORS), *asked).document
    assert (document["method"], document["explained_variance"]) == ("tsne", None)
    assert all(isinstance(point["z"], float) for point in document["points"])
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")


def test_readable(command: Command, made: Made, tmp_path: Path) -> None:
    """One line tells how many tracks lie where; quiet silences it."""
    library = made(VECTORS)
    outcome = command("--library", library, "map", "--out", tmp_path / "map.html")
    assert (outcome.code, outcome.out.count("\n")) == (0, 1)
    assert "6 tracks placed by pca" in outcome.out
    assert str(tmp_path / "map.html") in outcome.out
    quiet = command("--quiet", "--library", library, "map", "--out", tmp_path / "map.html")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--out", "map.txt"], 1, ".html or .png"),
        (["--out", "none/map.png"], 3, "folder none does not exist"),
        (["--out", "map.png", "--method", "svd"], 2, "svd"),
        (["--out", "map.png", "--dims", "4"], 2, "4"),
        ([], 2, "--out"),
    ],
)
def test_refused(
    command: Command,
    made: Made,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    """What cannot be drawn is refused with a reason, and nothing is written."""
    library = made(VECTORS)
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.glob("map*"))
    outcome = command("--library", library, "map", *arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err
    assert sorted(tmp_path.glob("map*")) == before
