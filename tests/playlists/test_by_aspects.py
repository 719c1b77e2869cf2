"""Playlists, paths and maps by aspects (engine.playlists.compose, engine.map.library_map)."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import Engine
from engine.errors import InvalidError

BY = {"rhythm": 2, "timbre": 1}


def test_a_radio_is_of_the_nearest_by_aspects(shared: Engine) -> None:
    """A radio holds the tracks that `similar` finds by the same aspects."""
    radio = shared.playlist([1], 5, by=BY)
    assert {track.track_id for track in radio.tracks} == {
        match.track_id for match in shared.similar(1, 5, by=BY).matches
    }


def test_a_path_by_aspects_joins_its_ends(shared: Engine) -> None:
    """A path by aspects has different tracks from end to end, and steps measured by these aspects."""
    path = shared.path(1, 2, 6, by="harmony")
    ids = [track.track_id for track in path.tracks]
    assert (ids[0], ids[-1], len(set(ids))) == (1, 2, 6)
    (likeness,) = shared.explain_aspects(ids[0], ids[1], "harmony").aspects
    assert path.tracks[1].similarity == pytest.approx(likeness.similarity, abs=5e-3)


def test_a_map_by_aspects_has_all_tracks(shared: Engine, tmp_path: Path) -> None:
    """A map by rhythm places the same tracks as a map by signatures, elsewhere, and draws them."""
    plain, rhythm = shared.map(), shared.map(tmp_path / "map.png", by="rhythm")
    assert [point.track_id for point in plain.points] == [point.track_id for point in rhythm.points]
    assert plain.points != rhythm.points
    assert (tmp_path / "map.png").stat().st_size > 10_000


def test_weights_are_checked(shared: Engine) -> None:
    """An invalid weight is refused by each of them."""
    for ask in (
        lambda: shared.playlist([1], by={"rhythm": -1}),
        lambda: shared.path(1, 2, by="rhythm=nan"),
        lambda: shared.map(by=""),
    ):
        with pytest.raises(InvalidError):
            ask()
