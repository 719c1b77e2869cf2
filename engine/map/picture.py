"""The map as a picture, coloured by genre."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from engine.map.colours import COLOURS, INK, Grouping, groupings
from engine.map.results import Sheet
from engine.util.plotting import canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INCHES = (10.5, 7.5)
MARKERS = ("o", "s", "^", "D", "P")  # the page's shapes
BLACK, OTHER, NONE = "#1B1D21", "#9AA0A9", "#C3C7CE"


def draw_picture(handle: BinaryIO, sheet: Sheet) -> None:
    """Write a PNG with the legend outside the map."""
    with canvas(handle, INCHES) as figure:
        _draw(figure, sheet, groupings(sheet.tracks)[0])


def _draw(figure: Figure, sheet: Sheet, genre: Grouping) -> None:
    coordinates = sheet.places.coordinates  # (N, dims)
    deep = coordinates.shape[1] == 3
    axes: Any = figure.add_subplot(projection="3d" if deep else None)
    area = float(np.clip(2500 / len(coordinates) ** 0.6, 1.5, 40))  # of a marker, square points
    edge = {"edgecolors": "#00000070", "linewidths": 0.25 if area > 4 else 0}
    for order, (label, chosen, colour, marker) in enumerate(_layers(genre)):
        places = coordinates[chosen].T
        axes.scatter(*places, s=area, c=colour, marker=marker, alpha=0.85, label=label, zorder=9 - order / 9, **edge)
    figure.suptitle(sheet.title, x=0.01, ha="left", fontweight="bold")
    for side, name in zip("xyz", _axis_names(sheet), strict=False):
        axes.set(**{f"{side}label": name, f"{side}ticklabels" if deep else f"{side}ticks": []})
    if deep:
        axes.set_aspect("equal")
        for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
            axis.set_pane_color("#F8F8F8")
            axis.set_tick_params(length=0)
    else:
        axes.set_aspect("equal", adjustable="datalim")
    for mark in figure.legend(loc="outside right upper", title="genre (tracks)").legend_handles:
        if mark is not None:
            mark.set_sizes([40])  # type: ignore[attr-defined]


def _layers(genre: Grouping) -> list[tuple[str, NDArray[np.bool_], str, str]]:
    """Return the layers, uppermost first: label, tracks (N,), colour, marker; empty ones left out."""
    codes = np.array(genre.codes)
    layers = []
    for code, name in enumerate(genre.values[: genre.coloured]):
        colour = BLACK if COLOURS[code] == INK else COLOURS[code]
        layers.append((name, codes == code, colour, MARKERS[code % len(MARKERS)]))
    layers.append((f"{len(genre.values) - genre.coloured} others", codes >= genre.coloured, OTHER, "o"))
    layers.append(("no genre", codes < 0, NONE, "o"))
    # a leading space: matplotlib hides labels that begin with an underscore
    return [(f" {name} ({chosen.sum():,})", chosen, *look) for name, chosen, *look in layers if chosen.any()]


def _axis_names(sheet: Sheet) -> list[str]:
    if sheet.places.shares is None:
        return [f"{sheet.method} {i + 1} (no unit)" for i in range(sheet.places.coordinates.shape[1])]
    return [f"component {i + 1} ({share:.0%} of the variance)" for i, share in enumerate(sheet.places.shares)]
