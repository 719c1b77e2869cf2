"""Shared parts of pictures: an accessible palette, a canvas, PNG output, label placement.

The ten colours are those of Petroff 2021 ("Accessible Color Sequences for Data Visualization"). matplotlib draws
without a display and without changing the settings of a host program.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidError, NotFoundError, QueryError, reason_of
from engine.util.atomic_files import PICTURE, check_output, replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 150
COLOURS = (
    "#3f90da", "#ffa90e", "#bd1f01", "#832db6", "#94a4a2", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
MARKERS = ("o", "^", "s", "D", "v", "P", "X")  # seven: 70 distinct pairs of colour and shape
DASHES = ("-", "--", ":")
INK, GREY, PALE = "#222222", "#9A9A9A", "#D4D4D4"
STYLE: Any = {
    "text.parse_math": False,  # names may contain dollars
    "font.size": 10,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}
ANGLES = np.deg2rad([0, 180, 90, 270, 45, 135, 315, 225])  # directions of a label from its point, best first
REACHES = (9, 16, 26, 38, 52, 68, 90)  # distances, points
LEADER = 12  # distance from which a leader line is drawn


def picture_path(name: str | os.PathLike[str]) -> Path:
    """Validate the path of a picture before the work for it begins.

    Raises:
        QueryError: It does not end in .png, is a folder, or its folder is missing.
        OutputError: A file of another kind exists there.
    """
    path = Path(name)
    if path.suffix.casefold() != ".png" or "\0" in os.fspath(path):
        raise InvalidError(
            f"expected a picture's name that ends in .png, found {os.fspath(name)!r}",
            hint="name it picture.png, for example",
        )
    if os.path.isdir(path):  # noqa: PTH112 (`Path.is_dir` fails for names that are too long)
        raise InvalidError(f"expected a picture's name, found the folder {path}", hint="name a file in it")
    if not os.path.isdir(path.absolute().parent):  # noqa: PTH112
        raise NotFoundError(
            f"expected a folder to put the picture in, found no {path.absolute().parent}", hint="make it"
        )
    try:
        check_output(path, PICTURE)
    except OSError as error:
        raise QueryError(f"cannot write the picture {path}: {reason_of(error)}", hint="choose another place") from error
    return path


def picture_folder(name: str | os.PathLike[str]) -> Path:
    """Validate a folder for pictures, creating it if needed.

    Raises:
        QueryError: It cannot be created.
    """
    path = Path(name)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:  # ValueError: NUL in the name
        reason = reason_of(error)
        raise QueryError(
            f"expected a folder to put pictures in, cannot make {os.fspath(name)!r}: {reason}",
            hint="choose another place",
        ) from error
    return path


@contextmanager
def saved(path: Path, inches: tuple[float, float]) -> Iterator[Figure]:
    """Yield a blank figure, written to a PNG file atomically at the end.

    Raises:
        QueryError: The file cannot be written.
    """
    try:
        with replacing(path, PICTURE) as handle, canvas(handle, inches) as figure:
            yield figure
    except OSError as error:
        raise QueryError(f"cannot write the picture {path}: {reason_of(error)}", hint="choose another place") from error


@contextmanager
def canvas(target: Path | BinaryIO, inches: tuple[float, float]) -> Iterator[Figure]:
    """Yield a blank matplotlib figure, written to `target` at the end."""
    import matplotlib  # takes half a second to import
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # scripts that the font lacks
        figure = Figure(figsize=inches, dpi=DOTS_PER_INCH, layout="constrained")
        FigureCanvasAgg(figure)
        yield figure
        with nullcontext(target) if not isinstance(target, Path) else replacing(target, PICTURE) as handle:
            figure.savefig(handle, format="png", dpi=DOTS_PER_INCH, bbox_inches="tight", pad_inches=0.15)


def place_labels(axes: Axes, points: NDArray[np.float64], names: Sequence[str], size: float = 9) -> None:
    """Label points without covering a point or another label, as far as there is room.

    Call it last: anything drawn later is ignored.

    Args:
        axes: With their final limits.
        points: (N, 2), in the axes' plane coordinates (of a 3-D plot: as projected).
        names: N labels.
        size: Font size in points.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # fixes the position of points
    scale = figure.dpi / 72
    anchors = axes.transData.transform(points)  # (N, 2), pixels
    taken = [_box(anchor, np.full(2, 10 * scale)) for anchor in anchors]
    crowded = np.argsort([np.sort(np.linalg.norm(anchors - anchor, axis=1))[:3].sum() for anchor in anchors])
    for i in crowded:
        text = axes.annotate(
            names[i], tuple(points[i]), (0, 0), textcoords="offset points", ha="center", va="center", fontsize=size,
            color=INK, annotation_clip=False, in_layout=False, zorder=5,
        )  # fmt: skip
        extent = text.get_window_extent()
        wide = np.array([extent.width, extent.height]) + 2 * scale
        others = np.array([box for j, box in enumerate(taken) if j != i])
        reach, offset = _free_place(anchors[i], wide, others, scale)
        text.set_position(tuple(offset / scale))
        if reach >= LEADER:
            line = {"arrowstyle": "-", "color": GREY, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 3}
            axes.annotate(
                "", tuple(points[i]), tuple(offset / scale), textcoords="offset points", arrowprops=line,
                annotation_clip=False, in_layout=False, zorder=1,
            )  # fmt: skip
        taken.append(_box(anchors[i] + offset, wide))


def _free_place(
    anchor: NDArray[np.float64], wide: NDArray[np.float64], taken: NDArray[np.float64], scale: float
) -> tuple[float, NDArray[np.float64]]:
    """Return the nearest free offset (pixels) of a label, and its reach; else the one with the least overlap."""
    best, least = (REACHES[0], np.zeros(2)), np.inf
    for reach in REACHES:
        for angle in ANGLES:
            towards = np.array([np.cos(angle), np.sin(angle)])
            offset = towards * (reach * scale + np.abs(towards) * wide / 2)
            covered = _overlap(_box(anchor + offset, wide), taken)
            if covered < least:
                best, least = (reach, offset), covered
            if covered == 0:
                return best
    return best


def _box(centre: NDArray[np.float64], wide: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([centre - wide / 2, centre + wide / 2])  # left, bottom, right, top


def _overlap(box: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Return the area that a box shares with others (N, 4), in square pixels."""
    if not len(others):
        return 0.0
    shared = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    return float(shared.clip(0).prod(axis=1).sum())
