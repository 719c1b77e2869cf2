"""Genres: centroids, distances, nearest, equations, statistics, pictures."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.image import imread
from numpy.typing import NDArray

from engine import Engine, LibraryError, QueryError
from engine.db import NewTrack, Signature, open_database, put_signature, upsert_track
from engine.embedding import TrackEmbedding
from engine.genres.relations import cosine_distances, genre_equations, nearest_genres
from engine.genres.results import GenreEquation
from engine.models.checkpoint import build
from engine.models.labels import GENRES as LABELS
from engine.models.weights_files import default_id
from tests.conftest import ROCKS, write_song
from tests.models.test_checkpoints import SMALL, write

D = 256
WINDOWS = 20
MakeLibrary = Callable[..., Path]


def units(count: int, seed: int = 0, dim: int = D) -> NDArray[np.float64]:
    """Random unit rows (count, dim)."""
    rows = np.random.default_rng(seed).standard_normal((count, dim))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def make_library(tmp_path: Path) -> MakeLibrary:
    """A function that makes a library of tagged tracks whose windows repeat after the tenth, weight on the first."""

    def make(tags: list[str | None], seconds: float = 240.0) -> Path:
        path = tmp_path / "made.db"
        genre_vectors = dict(zip(dict.fromkeys(tags), units(len(set(tags)), 1), strict=True))
        random = np.random.default_rng(2)
        with open_database(path, create=True) as database, database.write() as connection:
            for number, tag in enumerate(tags):
                name = b"/away/%d.flac" % number
                track_id = upsert_track(connection, NewTrack(name, 1, 1, name, seconds, genre=tag))
                vector = genre_vectors[tag] + 0.02 * random.standard_normal(D)
                half = units(WINDOWS // 2, number + 10)
                attention = np.full(WINDOWS, 0.5 / (WINDOWS - 1), np.float32)
                attention[0] = 0.5
                starts = np.linspace(0, seconds - 4, WINDOWS).astype(np.float32)
                embedding = TrackEmbedding(
                    (vector / np.linalg.norm(vector)).astype(np.float32),
                    np.full(15, 1 / 15, np.float32), np.full(4, 0.25, np.float32), starts, attention,
                    np.concatenate([half, half]).astype(np.float32),
                )  # fmt: skip
                put_signature(connection, Signature(track_id, default_id(), "windows", embedding))
        return path

    return make


def test_relations(shared: Engine) -> None:
    """Every genre with a centroid comes once, with its kind, its tracks, and its two nearest by the table."""
    found = shared.genres()
    names = [genre.genre for genre in found.genres]
    assert len(names) == len(set(names)) == len(found.distances)
    assert set(names) <= set(LABELS)
    by_name = {genre.genre: genre for genre in found.genres}
    assert (by_name["rock"].kind, by_name["rock"].tracks) == ("library", ROCKS)
    assert (by_name["jazz"].kind, by_name["jazz"].tracks) == ("reference", 2)
    assert by_name["blues"].tracks == 0
    table = np.array(found.distances)
    assert (np.diag(table) == 0).all()
    np.testing.assert_array_equal(table, table.T)
    assert (table >= 0).all()
    assert (table <= 2).all()
    for i, genre in enumerate(found.genres):
        order = [names[j] for j in np.argsort(table[i], kind="stable") if j != i]
        assert list(genre.nearest) == order[:2]


def test_distances_are_those_of_a_classification(shared: Engine) -> None:
    """The table holds 1 - cosine, as the distances of a track to the centroids do, of the same genres."""
    names = [genre.genre for genre in shared.genres().genres]
    assert sorted(names) == sorted(entry.genre for entry in shared.classify(1).centroids)
    vectors = units(4, dim=8)
    expected = [[0 if i == j else 1 - a @ b for j, b in enumerate(vectors)] for i, a in enumerate(vectors)]
    np.testing.assert_allclose(cosine_distances(vectors), expected, atol=1e-12)


def test_own_names_and_statistics(make_library: MakeLibrary) -> None:
    """A library's own genre follows the encoder's; attention is measured on whole tracks, and none is None."""
    path = make_library(["Whale Song"] * 12 + ["Jazz"] * 10 + ["Polka"] * 9)
    with Engine.open(path, device="cpu") as engine:
        found = engine.genres()
    assert [genre.genre for genre in found.genres][-1] == "whale song"
    by_name = {genre.genre: genre for genre in found.genres}
    assert "polka" not in by_name
    for name, tracks in (("whale song", 12), ("jazz", 10)):
        assert (by_name[name].kind, by_name[name].tracks) == ("library", tracks)
        attention = by_name[name].attention
        assert attention.first_third == pytest.approx(0.5 + 6 * 0.5 / 19, abs=1e-3)
        assert attention.last_third == pytest.approx(7 * 0.5 / 19, abs=1e-3)
        assert attention.first_occurrence_share == pytest.approx(0.5 + 9 * 0.5 / 19, abs=1e-3)
        assert attention.centre is not None
        assert 0 < attention.centre < 0.5
    assert by_name["rock"].attention.centre is None


def test_excerpts(make_library: MakeLibrary) -> None:
    """On excerpts of half a minute no statistic is measurable, and the rest is answered."""
    with Engine.open(make_library(["Jazz"] * 10, seconds=30.0), device="cpu") as engine:
        found = engine.genres()
    assert {value for genre in found.genres for value in vars(genre.attention).values()} == {None}
    assert {genre.kind for genre in found.genres if genre.genre == "jazz"} == {"library"}


def test_equations() -> None:
    """All equations of four different genres under the threshold, each with its error, b and d in their order."""
    names = ["a", "b", "c", "d", "e"]
    vectors = units(5, dim=3)
    pairs = [(i, j) for i in range(5) for j in range(i)]
    mean = np.mean([np.linalg.norm(vectors[i] - vectors[j]) for i, j in pairs])
    expected = {}
    for a, b, c, d in permutations(range(5), 4):
        error = np.linalg.norm(vectors[a] - vectors[b] + vectors[c] - vectors[d]) / mean
        if a < c and error < 0.7:
            expected[names[a], names[b], names[c], names[d]] = error
    found = {(e.a, e.b, e.c, e.d): e.error for e in genre_equations(names, vectors, 0.7)}
    assert 0 < len(expected) < 60
    assert found == pytest.approx(expected)
    everything = genre_equations(names, vectors, 100.0)
    assert len(everything) == 5 * 4 * 3 * 2 / 2
    assert [e.error for e in everything] == sorted(e.error for e in everything)


def test_an_exact_equation() -> None:
    """A parallelogram is an equation without error, in each of its four readings."""
    a, b = np.array([1.0, 0, 0]), np.array([0, 1.0, 0])
    turn = np.array([[-1.0, 0, 0], [0, -1, 0], [0, 0, 1]])
    found = genre_equations(["a", "b", "d", "c"], np.stack([a, b, turn @ a, turn @ b]), 0.01)
    assert {(e.a, e.b, e.c, e.d) for e in found} == {
        ("a", "b", "d", "c"), ("a", "c", "d", "b"), ("b", "a", "c", "d"), ("b", "d", "c", "a"),
    }  # fmt: skip
    assert all(isinstance(e, GenreEquation) and e.error < 1e-6 for e in found)


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_too_few_for_equations(count: int) -> None:
    """Fewer than four genres make no equation, and fewer than three have fewer than two nearest."""
    names = ["a", "b", "c"][:count]
    assert genre_equations(names, units(count, dim=4).reshape(count, 4), 9.0) == ()
    near = nearest_genres(names, cosine_distances(units(count, dim=4).reshape(count, 4)))
    assert [len(others) for others in near] == [max(0, count - 1)] * count


def test_all_alike() -> None:
    """Genres that lie in one place have no equations, and no error that is no number."""
    assert genre_equations(list("abcd"), np.tile(np.eye(1, 4), (4, 1)), 9.0) == ()


def test_threshold(shared: Engine) -> None:
    """A larger threshold lists the same equations and more; one that is not above 0 is refused."""
    few, more = shared.genres(1.0).equations, shared.genres(1.1).equations
    assert 0 < len(few) < len(more)
    assert more[: len(few)] == few
    assert all(equation.error < 1.0 for equation in few)
    for wrong in (0, -1, float("nan")):
        with pytest.raises(QueryError, match="threshold above 0"):
            shared.genres(wrong)


def test_empty(tmp_path: Path) -> None:
    """An empty library answers with the centroids that ship, of no tracks."""
    with Engine.open(tmp_path / "library.db", device="cpu") as engine:
        found = engine.genres()
    assert {(genre.kind, genre.tracks) for genre in found.genres} == {("reference", 0)}
    assert all(len(genre.nearest) == 2 for genre in found.genres)


@pytest.fixture
def without_centroids(tmp_path: Path) -> Path:
    """Weights that ship no centroid."""
    torch.manual_seed(0)
    write(tmp_path / "bare.safetensors", build("attention_signature", SMALL))
    return tmp_path / "bare.safetensors"


def test_no_centroid(tmp_path: Path, without_centroids: Path) -> None:
    """Where no genre has a centroid, that and what to do is said."""
    with (
        Engine.open(tmp_path / "library.db", encoder=str(without_centroids), device="cpu") as engine,
        pytest.raises(LibraryError, match=r"found none.*engine index"),
    ):
        engine.genres()


def test_pictures(shared: Engine, tmp_path: Path) -> None:
    """Three pictures are written into a folder, which is made where it is not there."""
    folder = tmp_path / "new" / "pictures"
    assert shared.genres(plot=folder) == shared.genres()
    assert sorted(file.name for file in folder.iterdir()) == ["genres-2d.png", "genres-3d.png", "genres-nearest.png"]
    assert all(imread(file).std() > 0.05 for file in folder.iterdir())


def test_no_place_for_pictures(shared: Engine, tmp_path: Path) -> None:
    """A file where the folder should be is refused and left as it was."""
    (tmp_path / "file").write_bytes(b"mine")
    for name in ("file", "file/below", "a\0"):
        with pytest.raises(QueryError, match="expected a folder"):
            shared.genres(plot=tmp_path / name)
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_too_few_for_pictures(tmp_path: Path, without_centroids: Path) -> None:
    """Fewer than four genres are not drawn, and no folder is made."""
    (tmp_path / "songs").mkdir()
    for number in range(10):
        write_song(tmp_path / "songs" / f"{number}.wav", number, "Jazz")
    with Engine.open(tmp_path / "library.db", encoder=str(without_centroids), device="cpu") as engine:
        engine.index(tmp_path / "songs")
        assert [(genre.genre, genre.nearest) for genre in engine.genres().genres] == [("jazz", ())]
        with pytest.raises(QueryError, match="expected 4 genres"):
            engine.genres(plot=tmp_path / "pictures")
    assert not (tmp_path / "pictures").exists()
