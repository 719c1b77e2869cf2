"""Pictures of the genres' centroids in two and three principal components, and of the nearest genres.

Source: Sridhar 2024, figures 3 to 6.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidError
from engine.genres.results import GenreRelations, GenreSummary
from engine.util.plotting import COLOURS, GREY, INK, MARKERS, picture_folder, place_labels, saved

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEWEST = 4  # genres: fewer do not span three components
PLANE, SPACE, NEAREST = "genres-2d.png", "genres-3d.png", "genres-nearest.png"
VIEWS = ((22, -60), (22, 30))  # degrees of elevation and azimuth
ORDINALS = ("first", "second", "third")
NEAR, SECOND = COLOURS[6], COLOURS[0]
ROOM = 1.3  # radii of the circle, room for the names

Floats = NDArray[np.float64]


def draw_genres(name: str | os.PathLike[str], relations: GenreRelations, vectors: Floats) -> None:
    """Draw genres-2d.png, genres-3d.png and genres-nearest.png into a folder, creating it if needed.

    Args:
        name: The folder.
        relations: Of G genres.
        vectors: Their unit centroids, (G, D).

    Raises:
        QueryError: There are fewer than `FEWEST` genres, or the pictures cannot be written.
    """
    if len(vectors) < FEWEST:
        raise InvalidError(
            f"expected {FEWEST} genres or more to draw, found {len(vectors)}", hint="leave out the pictures"
        )
    folder = picture_folder(name)
    from sklearn.decomposition import PCA

    model = PCA(3, svd_solver="full")
    points = model.fit_transform(vectors)  # (G, 3)
    shares = np.nan_to_num(model.explained_variance_ratio_)  # identical centroids have no variance
    axes = [f"{which} component ({share:.0%} of the variance)" for which, share in zip(ORDINALS, shares, strict=True)]
    with saved(folder / PLANE, (9.5, 7.5)) as figure:
        _draw_plane(figure, relations.genres, points, axes)
    with saved(folder / SPACE, (15, 7)) as figure:
        _draw_space(figure, relations.genres, points, axes, float(shares.sum()))
    with saved(folder / NEAREST, (10, 9)) as figure:
        _draw_nearest(figure, relations)


def _draw_plane(figure: Any, genres: tuple[GenreSummary, ...], points: Floats, names: list[str]) -> None:
    axes = figure.add_subplot()
    axes.axhline(0, color="#E6E6E6", linewidth=1, zorder=0)
    axes.axvline(0, color="#E6E6E6", linewidth=1, zorder=0)
    for i, genre in enumerate(genres):
        axes.scatter(*points[i, :2], **_dot(i, genre))
    axes.set(xlabel=names[0], ylabel=names[1], title=f"Centroids of {len(genres)} genres, principal components")
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.12)
    _legend(figure, genres)
    place_labels(axes, points[:, :2], [genre.genre for genre in genres], 10)


def _draw_space(
    figure: Any, genres: tuple[GenreSummary, ...], points: Floats, names: list[str], explained: float
) -> None:
    from mpl_toolkits.mplot3d import proj3d

    floor = points[:, 2].min() - 0.1 * np.ptp(points[:, 2])
    panels = [figure.add_subplot(1, 2, i, projection="3d", elev=e, azim=a) for i, (e, a) in enumerate(VIEWS, 1)]
    for axes in panels:
        for i, genre in enumerate(genres):
            x, y, z = points[i]
            axes.plot([x, x], [y, y], [floor, z], color=GREY, linewidth=0.7, zorder=1)
            axes.scatter(x, y, z, depthshade=False, **_dot(i, genre))
        axes.set_zlim(floor, None)
        axes.set(xlabel=names[0], ylabel=names[1], zlabel=names[2])
        axes.tick_params(labelsize=7)
        axes.set_box_aspect(None, zoom=1.05)
    title = f"Centroids of {len(genres)} genres, three components ({explained:.0%} of the variance), from two sides"
    figure.suptitle(title, fontsize=12, fontweight="bold", x=0.01, ha="left")
    _legend(figure, genres)
    figure.draw_without_rendering()  # fixes the projection
    for axes in panels:
        x, y, _ = proj3d.proj_transform(*points.T, axes.get_proj())
        place_labels(axes, np.stack([x, y], axis=1), [genre.genre for genre in genres])


def _draw_nearest(figure: Any, relations: GenreRelations) -> None:
    """Draw genres on a circle, near ones adjacent, with an arrow from each to its two nearest."""
    from matplotlib.lines import Line2D

    genres, distances = relations.genres, np.array(relations.distances)
    names = [genre.genre for genre in genres]
    angles = np.pi / 2 - 2 * np.pi * np.argsort(_round_order(distances)) / len(genres)
    places = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    axes = figure.add_subplot()
    for i, genre in enumerate(genres):
        for rank, near in enumerate(genre.nearest):
            j = names.index(near)
            mutual = genres[j].nearest[rank : rank + 1] == (genre.genre,)
            if i < j or not mutual:  # one line with two heads: two dashed lines would fill each other's gaps
                _draw_arrow(axes, places[i], places[j], rank, mutual)
        axes.scatter(*places[i], **_dot(i, genre) | {"s": 130})
        _write_around(axes, places[i], genre.genre, float(distances[i][names.index(genre.nearest[0])]))
    axes.set(xlim=(-ROOM, ROOM), ylim=(-1.12, 1.12), aspect="equal")
    axes.axis("off")
    axes.set_title("The two nearest genres of each (1 - cosine to the nearest)")
    lines = [Line2D([], [], color=NEAR, linewidth=2.2), Line2D([], [], color=SECOND, linewidth=1.3, linestyle="--")]
    figure.legend(lines, ["to the nearest", "to the second nearest"], loc="outside lower center", ncols=2)


def _draw_arrow(axes: Axes, start: Floats, end: Floats, rank: int, both: bool) -> None:
    heads = "<|-|>" if both else "-|>"
    turn = np.sign(start[0] * end[1] - start[1] * end[0]) or 1.0
    bend = -turn * (0.2, 0.35)[rank]  # towards the middle, past the genres between
    axes.annotate(
        "", tuple(end), tuple(start), zorder=2 - rank,
        arrowprops={
            "arrowstyle": f"{heads},head_width=0.28,head_length=0.6", "color": (NEAR, SECOND)[rank],
            "linewidth": (2.2, 1.3)[rank], "linestyle": ("-", (0, (5, 3)))[rank], "shrinkA": 9, "shrinkB": 10,
            "connectionstyle": f"arc3,rad={bend}",
        },
    )  # fmt: skip


def _write_around(axes: Axes, place: Floats, name: str, distance: float) -> None:
    x, y = place
    across = "left" if x > 0.15 else "right" if x < -0.15 else "center"
    along = "bottom" if y > 0.9 else "top" if y < -0.9 else "center"
    axes.annotate(
        f"{name} {distance:.2f}", (x, y), (13 * x, 13 * y), textcoords="offset points", ha=across, va=along,
        fontsize=11, color=INK,
    )  # fmt: skip


def _round_order(distances: Floats) -> NDArray[np.intp]:
    """Return an order with near genres adjacent: the optimally ordered leaves of an average-linkage tree."""
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    return leaves_list(linkage(squareform(distances), "average", optimal_ordering=True)).astype(np.intp)


def _dot(i: int, genre: GenreSummary) -> dict[str, Any]:
    """Return a genre's marker: a colour and shape of its own, hollow if its centroid is not the library's."""
    colour = COLOURS[i % len(COLOURS)]
    inside = colour if genre.kind == "library" else "white"
    return {"s": 70, "marker": MARKERS[i % len(MARKERS)], "facecolors": inside, "edgecolors": colour, "linewidths": 1.8}


def _legend(figure: Any, genres: tuple[GenreSummary, ...]) -> None:
    from matplotlib.lines import Line2D

    kinds = {"library": "from this library's tags", "reference": "ships with the encoder"}
    shown = [kind for kind in kinds if any(genre.kind == kind for genre in genres)]
    marks = [
        Line2D([], [], linestyle="", marker="o", markersize=8, color=GREY, markeredgewidth=1.8,
               markerfacecolor=GREY if kind == "library" else "white")
        for kind in shown
    ]  # fmt: skip
    figure.legend(marks, [kinds[kind] for kind in shown], loc="outside lower right", ncols=2, title="centroid")
