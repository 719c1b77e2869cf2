"""The map as one self-contained page of HTML: no network, no other file, no library.

Nothing in a tag can become markup: the data are a block of JSON without `<`, the script sets text only, and the page's
content security policy allows no other script.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.map.colours import COLOURS, Grouping, groupings
from engine.map.results import Sheet

SCRIPTS = ("points.js", "view.js", "page.js", "legend.js", "input.js")
ESCAPED = {character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
NOTES = {
    "tsne": "t-SNE: near points sound alike; distances between groups mean little.",
    "umap": "UMAP: near points sound alike; distances between groups mean little.",
}


def make_page(sheet: Sheet) -> bytes:
    """Return the whole page, UTF-8."""
    script = "\n".join(["(() => {", '"use strict";', *map(_part, SCRIPTS), "})();"])
    style = _part("page.css")
    filled = {
        "policy": f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'",
        "title": html.escape(sheet.title),
        "note": html.escape(note(sheet)),
        "style": style,
        "data": _json(_data(sheet)),
        "script": script,
    }
    page = re.sub(
        r"\{\{(\w+)\}\}", lambda found: filled[found[1]], _part("page.html")
    )  # one pass, so that placeholders in data stay
    return page.encode("utf-8")


def note(sheet: Sheet) -> str:
    """Describe the axes in one line."""
    if sheet.places.shares is None:
        return NOTES[sheet.method]
    shares = " + ".join(f"{share:.0%}" for share in sheet.places.shares)
    return f"Principal components: the axes keep {shares} of the variance between tracks."


def _part(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    """Return a hash source for a content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


def _json(document: dict[str, Any]) -> str:
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return re.sub("[<>&\u2028\u2029]", lambda found: ESCAPED[found[0]], text)


def _data(sheet: Sheet) -> dict[str, Any]:
    """Return the data of the page's script; see page.js."""
    return {
        "dims": sheet.places.coordinates.shape[1],
        "coordinates": _floats(_centred(sheet.places.coordinates)),
        "colours": COLOURS,
        "groupings": [_grouping(grouping) for grouping in groupings(sheet.tracks)],
        "ids": [track.track_id for track in sheet.tracks],
        "titles": [track.title for track in sheet.tracks],
        "years": [track.year or 0 for track in sheet.tracks],
        "predicted": "".join("01"[track.predicted] for track in sheet.tracks),
    }


def _grouping(grouping: Grouping) -> dict[str, Any]:
    return {
        "name": grouping.name,
        "values": grouping.values,
        "coloured": grouping.coloured,
        "codes": grouping.codes,
        "ordered": grouping.ordered,
    }


def _centred(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale coordinates into -1..1, centred at 0."""
    middle = (coordinates.min(axis=0) + coordinates.max(axis=0)) / 2
    return (coordinates - middle) / (np.abs(coordinates - middle).max() or 1.0)


def _floats(numbers: NDArray[np.float64]) -> str:
    return base64.b64encode(np.ascontiguousarray(numbers, "<f4").tobytes()).decode("ascii")
