"""Radios, paths and orders, on a library of made signatures."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from engine import Engine, Playlist, QueryError
from engine.db import open_database, put_signature, upsert_track
from engine.playlists import paths
from engine.playlists.m3u8 import read_playlist
from engine.playlists.ordering import path_rows, smooth_order
from engine.search.filters import Filters
from engine.search.hubness import LocalScale
from engine.search.ranking import Ranking
from tests.audio import write_audio
from tests.conftest import RATE, Collection, make_song
from tests.search.test_ranking import TRACKS, D, new_track, signature

ARTISTS = ("Ada", "Ben", "Björk", None)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Sixty tracks around one direction."""
    folder = tmp_path_factory.mktemp("made")
    random = np.random.default_rng(4)
    centre = random.standard_normal(D)
    with open_database(folder / "library.db", create=True) as database, database.write() as connection:
        for i in range(TRACKS):
            vector = centre + random.standard_normal(D) * (1 + i / 10)
            put_signature(connection, signature(upsert_track(connection, new_track(i)), vector, 0, 0))
    with Engine.open(folder / "library.db", device="cpu") as opened:
        yield opened


def ids(playlist: Playlist) -> list[int | None]:
    """The tracks' ids, in play order."""
    return [track.track_id for track in playlist.tracks]


def unit(vectors: np.ndarray) -> np.ndarray:
    """The rows at length 1."""
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def steps(vectors: np.ndarray) -> np.ndarray:
    """Distances from each row to the next."""
    return 1 - np.einsum("nd,nd->n", vectors[:-1], vectors[1:])


def test_radio(library: Engine) -> None:
    """A radio is the nearest tracks without the seeds, begins with the nearest, and tells likeness to the seeds."""
    seeds = ["id:1", "id:2"]
    matches = library.similar_to(seeds, k=10).matches
    radio = library.playlist(seeds, 10)
    assert radio.tracks[0].track_id == matches[0].track_id
    assert {(track.track_id, track.similarity) for track in radio.tracks} == {
        (m.track_id, m.similarity) for m in matches
    }
    assert ids(radio) == ids(library.playlist(seeds, 10))
    varied = library.playlist(seeds, 10, ranking=Ranking(diverse=0.7))
    assert set(ids(varied)) != set(ids(radio))
    assert len(library.playlist(seeds, 10_000).tracks) == TRACKS - 2
    assert {ARTISTS[(i - 1) % 4] for i in ids(library.playlist(["artist:Ada"]))} == {"Ben", "Björk", None}
    assert ids(library.playlist(seeds, filters=Filters(years=(1960, 1962)))) != []
    assert ids(library.playlist(seeds, filters=Filters(years=(1800, 1801)))) == []


@settings(max_examples=60, deadline=None)
@given(st.integers(1, TRACKS), st.integers(1, TRACKS), st.integers(2, TRACKS + 20))
def test_path_exists(library: Engine, start: int, end: int, n: int) -> None:
    """A path begins and ends where it should, has the length asked (or all tracks), and no track twice."""
    found = ids(library.path(start, end, n))
    assert (found[0], found[-1]) == (start, end)
    assert len(found) == len(set(found)) == (1 if start == end else min(n, TRACKS))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.sampled_from(["any", "same", "opposite", "twins"]))
def test_path_rows(seed: int, count: int, kind: str) -> None:
    """Places are filled by different tracks also between twins, opposites, and where all tracks are alike."""
    random = np.random.default_rng(seed)
    vectors = unit(random.standard_normal((count, 8)))
    if kind == "twins":
        vectors[:] = vectors[0]
    start = unit(random.standard_normal(8))
    end = {"same": start, "opposite": -start}.get(kind, unit(random.standard_normal(8)))
    for places in (0, 1, count // 2, count):
        (rows,) = path_rows(np.stack([start, end]), vectors, places)
        assert len(set(rows)) == len(rows) == places


def test_path_goes_in_even_steps() -> None:
    """Where tracks lie along the way, steps are even; a path is far smoother than its tracks in another order."""
    random = np.random.default_rng(1)
    start, end = unit(random.standard_normal((2, 32)))
    at = random.uniform(0, 1, 2_000)[:, None]
    vectors = unit((1 - at) * start + at * end + random.standard_normal((2_000, 32)) * 0.08)
    (rows,) = path_rows(np.stack([start, end]), vectors, 18)
    path = steps(np.vstack([start, vectors[rows], end]))
    mixed = steps(np.vstack([start, vectors[random.permutation(rows)], end]))
    assert path.max() < 0.5 * mixed.max()
    assert path.std() / path.mean() < 0.5 * mixed.std() / mixed.mean()
    progress = vectors[rows] @ end - vectors[rows] @ start
    assert np.corrcoef(progress, np.arange(18))[0, 1] > 0.95


def clustered(count: int, clusters: int, near_the_middle: float) -> np.ndarray:
    """Unit vectors in clusters, a few of them drawn to the middle of all: these are near to everything."""
    random = np.random.default_rng(4)
    centres, middle = unit(random.standard_normal((clusters, 16))), unit(random.standard_normal(16))
    around = centres[random.integers(0, clusters, count)] + 0.14 * random.standard_normal((count, 16))
    return unit(around + (near_the_middle * random.uniform(0, 1, count) ** 3)[:, None] * middle)


def test_long_paths_do_not_jump() -> None:
    """The worst step of a path through most of the tracks is no worse than in the smoothest order of the same ones."""
    vectors = clustered(123, 12, 1.5)
    worst = []
    for ends in ([0, 1], [5, 40], [17, 99], [60, 61], [7, 120]):
        others = np.delete(np.arange(123), ends)
        path = vectors[[ends[0], *others[path_rows(vectors[ends], vectors[others], 98)[0]], ends[1]]]
        worst.append([steps(path).max(), steps(path[smooth_order(path)]).max()])
    in_path, in_order = np.median(worst, axis=0)
    assert in_path < in_order + 0.1


def test_hubs_do_not_fill_paths() -> None:
    """Local scaling takes the most used tracks out of paths: they stand in fewer, and more tracks are used at all."""
    vectors = clustered(1_500, 40, 1.5)
    scale = LocalScale(vectors[:500]).of
    random = np.random.default_rng(5)
    used = np.zeros((2, len(vectors)), int)
    for _ in range(20):
        ends = random.choice(len(vectors), 2, replace=False)
        others = np.delete(np.arange(len(vectors)), ends)
        for count, how in zip(used, (None, scale), strict=True):
            count[others[path_rows(vectors[ends], vectors[others], 20, how)[0]]] += 1
    plain, scaled = np.sort(used, axis=1)[:, ::-1]
    assert scaled[:10].sum() < 0.7 * plain[:10].sum()
    assert (scaled > 0).sum() > (plain > 0).sum()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, TRACKS), min_size=2, max_size=6, unique=True), st.integers(0, 40))
def test_path_over_points(library: Engine, points: list[int], more: int) -> None:
    """A path over points begins, ends and leads over them in their order, has the length asked, no track twice."""
    n = len(points) + more
    found = ids(library.path(points[0], points[-1], n, points[1:-1]))
    assert [track for track in found if track in points] == points
    assert (found[0], found[-1]) == (points[0], points[-1])
    assert len(found) == len(set(found)) == n


def test_points_share_a_path_by_distance() -> None:
    """The longer way between two points gets the more places, and each leg leads from its point to the next."""
    angles = np.linspace(0, np.pi / 2, 200)
    arc = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    stops = np.array([0, 150, 199])
    others = np.delete(np.arange(200), stops)
    legs = [others[rows] for rows in path_rows(arc[stops], arc[others], 20)]
    assert [len(leg) for leg in legs] == [15, 5]
    assert np.concatenate(legs).tolist() == sorted(np.concatenate(legs).tolist())


def test_large_libraries(library: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only what is near to the places is looked at, a path has its length, its filters and its cap on artists."""
    whole = library.path(1, 50, 6)
    monkeypatch.setattr(paths, "CONSIDERED_WHOLE", 0)
    monkeypatch.setattr(paths, "pool_size", lambda count: 10)
    near = library.path(1, 50, 6)
    assert (ids(near)[0], ids(near)[-1], len(set(ids(near)))) == (1, 50, 6)
    assert near.worst_step is not None
    assert whole.worst_step is not None
    assert near.worst_step == pytest.approx(whole.worst_step, abs=0.1)
    years = Filters(years=(1960, 1969))
    assert set(ids(library.path(1, 60, 8, filters=years))[1:-1]) <= set(range(11, 21))
    artists = [ARTISTS[(i - 1) % 4] for i in ids(library.path(1, 5, 40, filters=Filters(per_artist=3)))]
    assert [artists.count(name) for name in ARTISTS[:3]] == [3, 3, 3]


def test_worst_step(library: Engine) -> None:
    """A path and an order tell their least similarity from a track to the next; a radio and a lone track have none."""
    for made in (library.path(1, 50, 6), library.order([1, 9, 30, 2])):
        assert made.worst_step == min(track.similarity for track in made.tracks[1:])
    assert library.playlist([1], 5).worst_step is None
    assert library.path(3, 3).worst_step is None


def test_varied_playlists(library: Engine) -> None:
    """A seed gives the same radio and the same path again, others give others, and a fresh one is named."""
    for ask in (
        lambda variety, seed: library.playlist([1, 2], 8, ranking=Ranking(variety=variety, seed=seed)),
        lambda variety, seed: library.path(1, 50, 8, variety=variety, seed=seed),
    ):
        assert ids(ask(0.0, None)) == ids(ask(0.0, 4))
        assert ask(0.0, 4).seed is None
        assert len({tuple(ids(ask(0.7, seed))) for seed in range(6)}) > 3
        fresh = ask(0.7, None)
        assert fresh.seed is not None
        assert ask(0.7, fresh.seed) == fresh


def test_path_of_tracks_that_pass(library: Engine) -> None:
    """Filters choose what lies between; the ends need not pass. Too few that pass make the path shorter."""
    years = Filters(years=(1960, 1969))
    found = ids(library.path(1, 60, 8, filters=years))
    assert len(found) == 8
    assert set(found[1:-1]) <= set(range(11, 21))
    assert len(ids(library.path(1, 60, 25, filters=years))) == 12
    assert ids(library.path(1, 60, 25, filters=Filters(years=(1800, 1801)))) == [1, 60]
    artists = [ARTISTS[(i - 1) % 4] for i in ids(library.path(1, 5, 40, filters=Filters(per_artist=3)))]
    assert [artists.count(name) for name in ARTISTS[:3]] == [3, 3, 3]


def test_paths_that_cannot_be(library: Engine) -> None:
    """A path to itself is one track; to another it has two or more; an artist is no end of a path."""
    assert ids(library.path(3, "id:3", 1)) == ids(library.path(3, "id:3", 25)) == [3]
    assert "same track" in library.path(3, "id:3").notes[0]
    assert library.path(3, 4).notes == ()
    for via in ([3], [5, 4], [5, "id:5"]):
        with pytest.raises(QueryError, match="twice"):
            library.path(3, 4, 9, via)
    with pytest.raises(QueryError, match="4 or more"):
        library.path(3, 4, 3, [5, 6])
    assert ids(library.path(3, 4, 2)) == [3, 4]
    for start, end, n, hint in ((1, 2, 1, "2 or more"), (1, 2, 0, "1 or more"), ("artist:Ada", 2, 5, "one track")):
        with pytest.raises(QueryError, match=hint):
            library.path(start, end, n)
    with pytest.raises(QueryError, match="999"):
        library.path(1, 999)


def test_path_similarities(library: Engine) -> None:
    """Similarity in a path is to the track before, and 1 for the first."""
    path = library.path(1, 50, 6).tracks
    assert path[0].similarity == 1
    for before, after in pairwise(path):
        alone = library.similar(before.track_id, TRACKS, ranking=Ranking(hubs=True)).matches
        expected = next(match.similarity for match in alone if match.track_id == after.track_id)
        assert after.similarity == pytest.approx(expected, abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_smooth_order(seed: int, count: int) -> None:
    """An order holds every track once, keeps the first, and is no longer than the order given."""
    vectors = unit(np.random.default_rng(seed).standard_normal((count, 4)))
    order = smooth_order(vectors)
    assert order[0] == 0
    assert sorted(order) == list(range(count))
    assert order == smooth_order(vectors)


def test_smooth_order_finds_the_line() -> None:
    """Tracks along an arc are put back in their order, whatever order they come in, from an end on."""
    angles = np.linspace(0, np.pi / 2, 30)
    arc = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    mixed = np.concatenate([[0], 1 + np.random.default_rng(2).permutation(29)])
    assert mixed[smooth_order(arc[mixed])].tolist() == list(range(30))


def test_order(library: Engine) -> None:
    """A list comes back whole in a smoother order, its first track first; unknown and repeated entries are reported."""
    listed = [int(i) + 1 for i in np.random.default_rng(3).permutation(20)]
    ordered = library.order([f"id:{i}" for i in listed])
    assert ids(ordered)[0] == listed[0]
    assert sorted(ids(ordered)) == sorted(listed)
    assert ordered.problems == ()
    with_problems = library.order(["id:1", b"/nowhere.mp3", "id:2", 1])
    assert ids(with_problems) == [1, 2]
    assert ["nowhere" in with_problems.problems[0], "twice" in with_problems.problems[1]] == [True, True]
    for nothing in ([], ["id:999"]):
        with pytest.raises(QueryError):
            library.order(nothing)


def test_saved_playlist(library: Engine, tmp_path: Path) -> None:
    """A saved playlist names the tracks in their order, with their lengths."""
    path = library.path(1, 50, 6)
    assert library.save_playlist(path, tmp_path / "path.m3u8") == ()
    assert [part.decode() for part in read_playlist(tmp_path / "path.m3u8").paths] == [t.path for t in path.tracks]
    assert "#EXTINF:60,Ada - Title 0" in (tmp_path / "path.m3u8").read_text("utf-8")


def test_files_outside_the_library(engine: Engine, own: Collection, tmp_path: Path) -> None:
    """A file outside the library may end a path and stand in a list: it has no id, and its own tags."""
    outside = tmp_path / "outside.wav"
    write_audio(outside, make_song(77), RATE, tags={"artist": "Elsewhere", "title": "Far"})
    path = engine.path(outside, 3, 5).tracks
    assert (path[0].track_id, path[0].path, path[0].artist, path[0].title) == (None, str(outside), "Elsewhere", "Far")
    assert len({track.path for track in path}) == 5
    assert ids(engine.path(outside, outside, 5)) == [None]
    noise = tmp_path / "text.wav"
    noise.write_text("no sound")
    with pytest.raises(QueryError, match=r"text\.wav"):
        engine.path(3, noise)
    ordered = engine.order([own.song(1), outside, noise])
    assert ids(ordered) == [2, None]
    assert "text.wav" in ordered.problems[0]
    engine.save_playlist(ordered, tmp_path / "list.m3u8", relative=True)
    assert "#EXTINF:5,Elsewhere - Far\noutside.wav\n" in (tmp_path / "list.m3u8").read_text("utf-8")
