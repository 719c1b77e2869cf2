"""Centroids are the mean of a genre's signatures if enough are tagged, else those that ship."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.db import SignatureMatrix
from engine.indexer.vectors.memory import MemorySnapshot
from engine.models.labels import GENRES
from engine.search.centroids import MINIMUM_TRACKS, MOST_TRACKS, Centroid, distances, genre_members, make_centroids

D = 16
NO_REFERENCE = np.zeros((len(GENRES), D), np.float32)


def units(count: int, seed: int = 0) -> NDArray[np.float32]:
    """Random unit rows (count, D)."""
    rows = np.random.default_rng(seed).standard_normal((count, D))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def made(
    tags: dict[int, str], vectors: NDArray[np.float32], reference: NDArray[np.float32] = NO_REFERENCE
) -> dict[str, Centroid]:
    """Centroids by genre of tracks 1, 2, ..."""
    return {each.genre: each for each in make_centroids(by_tag(tags), snapshot(vectors), reference)}


def by_tag(tags: dict[int, str]) -> dict[str, NDArray[np.int64]]:
    """Track ids by tag, as the library gives them."""
    return {tag: np.array([i for i, own in tags.items() if own == tag]) for tag in tags.values()}


def snapshot(vectors: NDArray[np.float32]) -> MemorySnapshot:
    """A library in which tracks 1, 2, ... have these signatures."""
    track_ids = np.arange(1, len(vectors) + 1, dtype=np.int64)
    return MemorySnapshot.of(SignatureMatrix(track_ids, track_ids, vectors))


def test_mean() -> None:
    """A library's centroid is the normalised mean of its tagged tracks only."""
    vectors = units(15)
    rock = made(dict.fromkeys(range(1, 11), "Rock"), vectors)["rock"]
    mean = vectors[:10].mean(axis=0)
    assert np.allclose(rock.vector, mean / np.linalg.norm(mean), atol=1e-6)
    assert rock.kind == "library"


@pytest.mark.parametrize(
    ("tagged", "kind"), [(MINIMUM_TRACKS, "library"), (MINIMUM_TRACKS - 1, "reference"), (0, "reference")]
)
def test_threshold(tagged: int, kind: str) -> None:
    """The tenth tagged track makes a genre's centroid the library's own; below, the shipped one stands."""
    reference = units(len(GENRES), seed=1)
    found = made(dict.fromkeys(range(1, tagged + 1), "jazz"), units(20), reference)
    assert found["jazz"].kind == kind
    assert len(found) == len(GENRES)
    assert all(centroid.kind == "reference" for genre, centroid in found.items() if genre != "jazz")


def test_no_reference() -> None:
    """A genre without tagged tracks and without a shipped centroid has none."""
    assert made({1: "rock"}, units(3)) == {}


def test_tagged_without_signature() -> None:
    """Tracks that this encoder has not heard do not count towards the ten."""
    tags = dict.fromkeys(range(1, 21), "rock")
    assert "rock" not in made(tags, units(9))
    assert "rock" in made(tags, units(10))


def test_own_names() -> None:
    """A tag outside the table gets a centroid of its own from ten tracks on, whatever its case and its neighbours."""
    spellings = ["Whale Song", "WHALE SONG", "whale song; Rock", " Whale Song / Live at home "]
    tags = {i: spellings[i % 4] for i in range(1, 11)}
    assert set(made(tags, units(10))) == {"whale song"}
    del tags[10]
    assert made(tags, units(10)) == {}


def test_members() -> None:
    """A track counts for each genre that its tag names, once; an empty tag for none."""
    members = genre_members(by_tag({1: "Rock; Jazz/Rock", 2: "Jazz", 4: "", 5: " ; / ,"}))
    assert {genre: sorted(ids) for genre, ids in members.items()} == {"rock": [1], "jazz": [1, 2]}


def test_an_encoders_own_genres() -> None:
    """Reference centroids carry the encoder's names; tags that name none of them keep theirs from ten tracks on."""
    reference = units(2, seed=1)
    tags = {**dict.fromkeys(range(1, 11), "K-Pop"), **dict.fromkeys(range(11, 21), "Bebop")}
    found = make_centroids(by_tag(tags), snapshot(units(20)), reference, ("jazz_blues", "k-pop"))
    kinds = {centroid.genre: centroid.kind for centroid in found}
    assert kinds == {"jazz_blues": "reference", "k-pop": "library", "jazz": "library"}


def test_opposites() -> None:
    """Signatures that cancel out leave the shipped centroid in place, never one that is not a number."""
    half = units(5)
    reference = units(len(GENRES), seed=1)
    rock = made(dict.fromkeys(range(1, 11), "rock"), np.concatenate([half, -half]), reference)["rock"]
    assert rock.kind == "reference"
    assert np.isfinite(rock.vector).all()


def test_huge_genre() -> None:
    """Of a genre of a large library a part is enough: its centroid is that of the whole, nearly, each time the same."""
    vectors = units(3 * MOST_TRACKS) + 0.3
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    tags = dict.fromkeys(range(1, len(vectors) + 1), "rock")
    rock, again = made(tags, vectors)["rock"].vector, made(tags, vectors)["rock"].vector
    mean = vectors.mean(axis=0)
    assert rock @ (mean / np.linalg.norm(mean)) > 0.999
    assert np.array_equal(rock, again)


def test_distances() -> None:
    """Distances are 1 - cosine, nearest first: 0 to itself, 2 to its opposite."""
    vector = units(1)[0]
    across = np.zeros(D, np.float32)
    across[:2] = -vector[1], vector[0]
    across /= np.linalg.norm(across)
    found = distances(
        vector,
        [Centroid("b", -vector, "library"), Centroid("c", across, "reference"), Centroid("a", vector, "library")],
    )
    assert [entry.genre for entry in found] == ["a", "c", "b"]
    assert [entry.distance for entry in found] == pytest.approx([0, 1, 2], abs=1e-6)
