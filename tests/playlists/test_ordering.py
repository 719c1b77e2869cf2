"""The places of a path: where they lie, and how they are shared among legs. `test_compose` tests whole paths."""

from __future__ import annotations

import numpy as np
import pytest

from engine.playlists.ordering import Places


def on_circle(*degrees: float) -> np.ndarray:
    """Unit vectors of a plane at some angles: (N, 2)."""
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def test_places_divide_the_arc() -> None:
    """Two places between vectors at right angles lie at 30 and 60 degrees, on the circle."""
    stops = on_circle(0, 90)
    places = Places.between(stops, 2)
    assert places.legs == (2,)
    np.testing.assert_allclose(places.weights @ stops, on_circle(30, 60), atol=1e-6)


def test_legs_share_places_by_angle() -> None:
    """A leg of twice the angle gets twice the places, each between its own stops, in order."""
    stops = on_circle(0, 90, 45)
    places = Places.between(stops, 6)
    assert places.legs == (4, 2)
    np.testing.assert_allclose(places.weights @ stops, on_circle(18, 36, 54, 72, 75, 60), atol=1e-6)
    assert (places.weights >= 0).all()
    assert (np.count_nonzero(places.weights, axis=1) == 2).all()


@pytest.mark.parametrize(("end", "expected"), [(0, [[1, 0]] * 3), (180, [[0.5, 0], [0, 0], [-0.5, 0]])])
def test_stops_without_a_circle(end: float, expected: list[list[float]]) -> None:
    """Between equal stops all places are there; between opposite ones they lie on the line through the middle."""
    stops = on_circle(0, end)
    np.testing.assert_allclose(Places.between(stops, 3).weights @ stops, expected, atol=1e-6)


def test_no_places() -> None:
    """A path of its stops alone has no places, a leg for each pair."""
    assert Places.between(on_circle(0, 90, 45), 0).legs == (0, 0)
