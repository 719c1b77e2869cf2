"""The map in a browser, with 100,000 points. Covers parts/atlas.js, points.js, view.js, labels.js and views/map.js."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.server.page.conftest import until

POINTS = 100_000
GENRES = ["blues", "classical", "disco", "folk", "jazz", "metal", "pop", "rock"]
MOODS = ["calm", "happy", "sad", "tense"]
FRAMES = "Number(document.querySelector('.sky canvas').dataset.frames || 0)"


@pytest.fixture(scope="module")
def columns() -> str:
    """A map of clouds, one a genre; the ids of the first points are those of real tracks."""
    random = np.random.default_rng(5)
    genre = random.integers(0, len(GENRES), POINTS)
    centres = random.uniform(-0.7, 0.7, (len(GENRES), 2))
    places = centres[genre] + random.normal(0, 0.12, (POINTS, 2))
    return json.dumps(
        {
            "track_id": [index % 16 + 1 for index in range(POINTS)],
            "x": places[:, 0].round(5).tolist(),
            "y": places[:, 1].round(5).tolist(),
            "genres": GENRES,
            "genre": genre.tolist(),
            "moods": MOODS,
            "mood": random.integers(0, 4, POINTS).tolist(),
            "year": random.integers(1950, 2025, POINTS).tolist(),
            "added": random.integers(20_000, 20_500, POINTS).tolist(),
            "plays": random.poisson(0.4, POINTS).tolist(),
        }
    )


@pytest.fixture
def map_page(visit: Callable[..., Any], columns: str) -> Any:
    """The map of the synthetic columns, drawn."""
    page = visit()
    page.route("**/api/v1/map/points", lambda route: route.fulfill(body=columns, content_type="application/json"))
    page.evaluate("location.hash = '#/map'")
    until(page, f"document.querySelector('.sky canvas') && {FRAMES} > 0")
    return page


def middle(page: Any) -> tuple[float, float]:
    """The middle of the map in pixels."""
    box = page.locator(".glass").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_points_are_drawn_and_zoomed(map_page: Any) -> None:
    """Points have colours; the wheel zooms; years, days and plays have a scale as legend, with the unplayed apart."""
    x, y = middle(map_page)
    before = map_page.locator(".sky").screenshot()
    map_page.mouse.move(x, y)
    map_page.mouse.wheel(0, -600)
    map_page.wait_for_timeout(800)
    assert map_page.locator(".sky").screenshot() != before
    map_page.locator(".map-tools select").select_option("year")
    map_page.wait_for_selector(".legend-scale")
    assert "1950" in map_page.locator(".legend").text_content()
    for by, seen in (("added", "2024"), ("plays", "never played")):
        map_page.locator(".map-tools select").select_option(by)
        until(map_page, "seen => document.querySelector('.legend').textContent.includes(seen)", seen)


def test_hover_tells_and_click_plays(map_page: Any) -> None:
    """The point under the pointer tells its title; a click plays it."""
    x, y = middle(map_page)
    for step in range(40):
        map_page.mouse.move(x - 200 + 10 * step, y - 100 + 5 * step)
        if map_page.locator(".tip").count():
            break
        map_page.wait_for_timeout(60)
    title = map_page.locator(".tip b").text_content()
    map_page.mouse.down()
    map_page.mouse.up()
    map_page.wait_for_selector(".player-title")
    assert title.startswith("Song")


def test_a_lasso_makes_a_queue(map_page: Any) -> None:
    """Tracks inside a drawn loop are counted and queued."""
    x, y = middle(map_page)
    map_page.locator(".map-tools [aria-label=Lasso]").click()
    map_page.mouse.move(x - 250, y - 200)
    map_page.mouse.down()
    for dx, dy in ((250, -200), (250, 200), (-250, 200), (-250, -200)):
        map_page.mouse.move(x + dx, y + dy, steps=4)
    map_page.mouse.up()
    map_page.wait_for_selector(".map-selected")
    assert int("".join(filter(str.isdigit, map_page.locator(".map-selected b").text_content()))) > 100
    map_page.locator(".map-selected .button", has_text="Play").click()
    map_page.wait_for_selector(".player-title")


def test_the_keyboard_moves_the_map(map_page: Any) -> None:
    """Arrow keys move, plus zooms, Enter plays the track in the middle, 0 shows all."""
    map_page.locator(".glass").focus()
    for key in ("+", "+", "ArrowLeft", "ArrowUp", "0"):
        before = map_page.evaluate(FRAMES)
        map_page.keyboard.press(key)
        until(map_page, f"b => {FRAMES} > b", before)
    map_page.keyboard.press("Enter")
    map_page.wait_for_selector(".player-title")
