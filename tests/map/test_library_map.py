"""`Engine.map`: every track has a place, and the file is whole or not there."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from engine import Engine, LibraryError, MapPoint, QueryError
from tests.map.conftest import Made

VECTORS = np.random.default_rng(0).normal(size=(12, 256))  # as long as the default encoder's signatures


def page_data(file: Path) -> dict[str, object]:
    """The data block of a page."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', file.read_text("utf-8"), re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def test_points(made: Made) -> None:
    """Every track has one point, by id; a plane has no z; distances are those between the signatures' projections."""
    with Engine.open(made(VECTORS)) as engine:
        plane, space = engine.map(), engine.map(dims=3)
        again = engine.map()
    assert list(asdict(plane)) == ["method", "explained_variance", "points"]
    assert [point.track_id for point in plane.points] == list(range(1, 13))
    assert all(point.z is None for point in plane.points)
    assert all(isinstance(point.z, float) for point in space.points)
    assert plane == again
    assert plane.explained_variance is not None
    assert space.explained_variance is not None
    assert 0 < plane.explained_variance < space.explained_variance < 1


def test_other_methods(made: Made) -> None:
    """Only PCA explains variance."""
    with Engine.open(made(VECTORS)) as engine:
        found = engine.map(method="tsne")
    assert (found.method, found.explained_variance, len(found.points)) == ("tsne", None, 12)


def test_page(made: Made, tmp_path: Path) -> None:
    """The page tells each track's tags, the genre that is heard where there is no tag, and a file's name as title."""
    tags = [
        {"artist": "A", "title": "T", "genre": "Rock; Live", "year": 1987},
        {"path": b"/music/caf\xe9\n.flac", "genre": "Whale Song"},
    ]
    with Engine.open(made(VECTORS[:3], tags, heard="jazz")) as engine:
        engine.map(tmp_path / "map.HTML")
    data = page_data(tmp_path / "map.HTML")
    assert data["titles"] == ["T", "caf\ufffd\\n.flac", "2.flac"]
    assert data["predicted"] == "011"
    assert data["years"] == [1987, 0, 0]
    assert data["ids"] == [1, 2, 3]
    genre = data["groupings"][0]  # type: ignore[index]
    assert [genre["values"][code] for code in genre["codes"]] == ["rock", "jazz", "jazz"]


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("tracks", [1, 2, 12])
def test_files(made: Made, tmp_path: Path, tracks: int, dims: int) -> None:
    """Both kinds of file are written for a library of any size, and nothing else is left."""
    library = made(VECTORS[:tracks], [{"artist": "A$ $x^ 音楽", "genre": "_x$"}] * tracks)
    (tmp_path / "out").mkdir()
    with Engine.open(library) as engine:
        for ending in ("html", "png"):
            assert len(engine.map(tmp_path / "out" / f"map.{ending}", dims=dims).points) == tracks
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["map.html", "map.png"]
    height, width, _ = imread(tmp_path / "out" / "map.png").shape
    assert 1200 < width < 1800
    assert 800 < height < 1300


def test_picture_has_colours(made: Made, tmp_path: Path) -> None:
    """Each genre has a colour of its own in the picture, and the picture is the same each time."""
    library = made(VECTORS, [{"genre": "rock"}] * 4 + [{"genre": "jazz"}] * 4 + [{"genre": "metal"}] * 4)
    with Engine.open(library) as engine:
        engine.map(tmp_path / "a.png")
        engine.map(tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    pixels = imread(tmp_path / "a.png")[..., :3].reshape(-1, 3)
    saturated = pixels[np.ptp(pixels, axis=1) > 0.3]
    kinds, counts = np.unique(np.round(saturated * 255).astype(int), axis=0, return_counts=True)
    assert len(kinds[counts > 100]) == 3


@pytest.mark.parametrize("name", ["map", "map.txt", "map.html.gz", "", ".html/x"])
def test_wrong_ending(made: Made, tmp_path: Path, name: str) -> None:
    """A file of another kind is refused before anything is computed or written."""
    with Engine.open(made(VECTORS)) as engine, pytest.raises(QueryError, match=r"ends in \.html or \.png"):
        engine.map(tmp_path / name if name else "")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("map")] == []


@pytest.mark.parametrize("name", ["none/map.html", "folder.html"])
def test_nowhere(made: Made, tmp_path: Path, name: str) -> None:
    """A folder that is not there, or a folder's own name, is refused in one line that names it."""
    (tmp_path / "folder.html").mkdir()
    with Engine.open(made(VECTORS)) as engine, pytest.raises(LibraryError, match="folder"):
        engine.map(tmp_path / name)


def test_unwritable(made: Made) -> None:
    """Where nothing can be written, the error names the file and a way out."""
    with (
        Engine.open(made(VECTORS)) as engine,
        pytest.raises(LibraryError, match=r"cannot write /proc/map\.png.*choose"),
    ):
        engine.map("/proc/map.png")


def test_old_file_stays(made: Made, tmp_path: Path) -> None:
    """What cannot be placed leaves the file as it was, and no other beside it."""
    file = tmp_path / "map.html"
    file.write_text("<!doctype html>old")
    with Engine.open(made(VECTORS[:2])) as engine, pytest.raises(QueryError, match="pca"):
        engine.map(file, method="umap")
    assert file.read_text() == "<!doctype html>old"
    assert not list(tmp_path.glob(".*"))


def test_empty(tmp_path: Path) -> None:
    """An empty library says how to fill it."""
    with Engine.open(tmp_path / "library.db") as engine, pytest.raises(LibraryError, match="engine index"):
        engine.map(tmp_path / "map.html")
    assert not (tmp_path / "map.html").exists()


def test_point_is_plain() -> None:
    """A point is what the JSON of the command holds."""
    assert asdict(MapPoint(3, 0.5, -1.0, None)) == {"track_id": 3, "x": 0.5, "y": -1.0, "z": None}
