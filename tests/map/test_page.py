"""The page: what is in it, and that nothing of a tag is ever more than text. How it looks is for eyes."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from importlib import resources
from typing import Any

import numpy as np
import pytest

from engine.map.colours import MOST, group, groupings
from engine.map.page import SCRIPTS, make_page
from engine.map.projection import Places
from engine.map.results import MapTrack, Sheet

HOSTILE = "</script><img src=x onerror=alert(1)><!--<script>&lt;'\"\u2028\u2029{{data}}"


class Page(HTMLParser):
    """A page as a browser reads it: its elements, and the text of each script and style."""

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(page.decode("utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts.append((self._open[-1], data))

    def text_of(self, tag: str) -> str:
        """What stands in all elements of one kind."""
        return "".join(text for where, text in self.texts if where == tag)

    @property
    def scripts(self) -> list[str]:
        """The text of each script, in order; a parser hands each of them over whole."""
        return [text for where, text in self.texts if where == "script"]

    @property
    def data(self) -> Any:
        """The page's data."""
        return json.loads(self.scripts[0], parse_constant=pytest.fail)


def sheet(tracks: int = 12, dims: int = 2, name: str = "library", **changes: Any) -> Sheet:
    """A map of some tracks, all with the same texts but for their ids."""
    fields = {
        "artist": "Band",
        "title": "Song",
        "genre": "jazz",
        "predicted": False,
        "mood": "calm",
        "year": 1987,
    } | changes
    places = Places(np.random.default_rng(0).normal(size=(tracks, dims)) * [5, 1, 1][:dims], None)
    return Sheet(name, "tsne", places, tuple(MapTrack(i + 1, **fields) for i in range(tracks)))


def test_loads_nothing() -> None:
    """The page names no address and no other file, and holds the elements that it needs once each."""
    page = make_page(sheet())
    assert not re.search(rb"https?:|\b(src|href|srcset|action)\s*=|url\(|@import|\bfetch\b|XMLHttp|WebSocket", page)
    found = [tag for tag, _ in Page(page).elements]
    assert not {"link", "img", "iframe", "object", "embed", "base", "form"} & set(found)
    assert [found.count(tag) for tag in ("script", "style", "title", "h1", "canvas")] == [2, 1, 1, 1, 1]


def test_policy() -> None:
    """The page's policy forbids everything but the one script and the one style that are in it, byte for byte."""
    page = Page(make_page(sheet(name=HOSTILE, artist=HOSTILE)))
    (policy,) = [
        attributes["content"] or ""
        for tag, attributes in page.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    hashes = [
        "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"
        for text in (page.scripts[1], page.text_of("style"))
    ]
    assert [part.split() for part in policy.split(";")] == [
        ["default-src", "'none'"],
        ["script-src", hashes[0]],
        ["style-src", hashes[1]],
        ["base-uri", "'none'"],
        ["form-action", "'none'"],
    ]
    named = [attributes for _, attributes in page.elements]
    assert not [key for attributes in named for key in attributes if key.startswith("on") or key == "style"]


@pytest.mark.parametrize("field", ["artist", "title", "genre", "mood", "name"])
def test_hostile(field: str) -> None:
    """Markup in a tag or a library's name adds no element and no script: it is text, and comes back as it was."""
    plain, page = Page(make_page(sheet())), Page(make_page(sheet(**{field: HOSTILE})))
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in plain.elements]
    assert page.scripts[1:] == plain.scripts[1:]
    if field == "name":
        assert page.text_of("title") == page.text_of("h1") == f"{HOSTILE}: 12 tracks"
        return
    assert not set("<>&\u2028\u2029") & set(page.scripts[0])
    values = {grouping["name"]: grouping["values"] for grouping in page.data["groupings"]}
    assert (page.data["titles"][0] if field == "title" else values[field][0]) == HOSTILE


def test_scripts_are_text_only() -> None:
    """The scripts write texts, never markup, and make no code from text."""
    for name in SCRIPTS:
        script = resources.files("engine.map").joinpath(name).read_text("utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|Function\(", script)
        assert not re.search(r"</?script|<!--", script)


@pytest.mark.parametrize("dims", [2, 3])
def test_coordinates(dims: int) -> None:
    """The page's coordinates are the map's, moved and scaled into -1 to 1 alike on all axes."""
    drawn = sheet(40, dims)
    data = Page(make_page(drawn)).data
    found = np.frombuffer(base64.b64decode(data["coordinates"]), "<f4").reshape(40, dims)
    assert data["dims"] == dims
    assert np.abs(found).max() == pytest.approx(1)
    whole = drawn.places.coordinates
    scale = np.ptp(whole, axis=0) / np.ptp(found, axis=0)
    assert scale == pytest.approx(scale[0])
    assert found * scale[0] - found[0] * scale[0] == pytest.approx(whole - whole[0], abs=1e-5)


@pytest.mark.parametrize("tracks", [1, 2])
def test_few(tracks: int) -> None:
    """A page of one track, or of two at one place, has finite coordinates and says how many there are."""
    drawn = Sheet("one", "pca", Places(np.zeros((tracks, 2)), (1.0, 0.0)), sheet(tracks).tracks)
    page = Page(make_page(drawn))
    assert np.isfinite(np.frombuffer(base64.b64decode(page.data["coordinates"]), "<f4")).all()
    assert page.text_of("title") == ("one: 1 track" if tracks == 1 else "one: 2 tracks")
    assert "100% + 0%" in page.text_of("p")


def test_groups() -> None:
    """The most frequent values come first and have a colour; equals by name; a track without a value has none."""
    names = [f"genre {i:02}" for i in range(MOST + 2)]
    values = [None, *(name for i, name in enumerate(names) for _ in range(2 if i == 11 else 1))]
    found = group("genre", values)
    assert found.values == (names[11], *names[:11])
    assert found.coloured == MOST
    assert [found.values[code] if code >= 0 else None for code in found.codes] == values


def test_years() -> None:
    """Years are grouped by decades in their order, whichever is the most frequent; no year is no decade."""
    tracks = [MapTrack(i, None, "x", None, False, None, year) for i, year in enumerate([2003, 1999, 2008, 987, None])]
    genre, _, _, decades = groupings(tracks)
    assert (decades.values, decades.codes) == (("980s", "1990s", "2000s"), (2, 1, 2, 0, -1))
    assert decades.ordered
    assert (genre.values, genre.coloured, set(genre.codes)) == ((), 0, {-1})


NEAREST = """
const random = (() => { let s = 7; return () => (s = (s * 16807) % 2147483647) / 2147483647; })();
for (const dims of [2, 3]) {
  const n = 3000, coordinates = Float32Array.from({ length: n * dims }, () => 2 * random() - 1);
  const points = new Points(coordinates, dims), view = new View(dims === 3);
  [view.width, view.height] = [900, 600];
  view.turn(0.4, -0.7);
  view.zoomAt(300, 200, 1.7, points.extent);
  points.project(view);
  const visible = Uint8Array.from({ length: n }, (_, i) => (i % 5 ? 3 : 0));
  const grid = new Grid(points, visible, view.width, view.height);
  for (let asked = 0; asked < 400; asked++) {
    const [x, y, reach] = [900 * random(), 600 * random(), 40 * random()];
    let best = -1, least = reach;
    for (let i = 0; i < n; i++) {
      const [px, py] = [points.x[i], points.y[i]];
      const away = Math.hypot(px - x, py - y);
      if (visible[i] && px >= 0 && py >= 0 && px < 900 && py < 600 && away <= least) [best, least] = [i, away];
    }
    if (grid.nearest(x, y, reach) !== best) throw new Error(`${dims}-D, ${asked}: ${best}`);
  }
  const [x, y] = [points.x[7], points.y[7]];
  view.zoomAt(x, y, 3, points.extent);
  points.project(view);
  if (Math.hypot(points.x[7] - x, points.y[7] - y) > 0.1) throw new Error("zooming moved what is under the pointer");
  view.centre(points.at(11));
  points.project(view);
  if (Math.hypot(points.x[11] - 450, points.y[11] - 300) > 0.1) throw new Error("not in the middle");
  for (let k = 1; dims === 3 && k < n; k++)
    if (points.level[points.order[k - 1]] > points.level[points.order[k]]) throw new Error("near before far");
}
const grey = makeStamp("disc", 4, [10, 20, 30], 1, 0, [0, 0, 0]);
const pixels = new Uint32Array(20 * 20);
putStamp(pixels, 20, 20, 10, 10, grey);
if (pixels[10 * 20 + 10] !== 0xff1e140a || pixels[0] !== 0) throw new Error("a mark's colour");
putStamp(pixels, 20, 20, 0, 19, grey);
putStamp(pixels, 20, 20, NaN, -400, grey);
if (pixels[19 * 20 + 19] !== 0) throw new Error("a mark reached the other edge");
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_script_runs() -> None:
    """The grid finds the point that looking at all finds; zoom holds its place; near points are drawn last."""
    parts = [resources.files("engine.map").joinpath(name).read_text("utf-8") for name in SCRIPTS[:2]]
    subprocess.run(["node", "-"], input="\n".join(['"use strict";', *parts, NEAREST]), text=True, check=True)
    whole = Page(make_page(sheet())).scripts[1]
    subprocess.run(["node", "--check", "-"], input=whole, text=True, check=True)
