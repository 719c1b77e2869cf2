"""Pictures of classification results and maps as PNG files; each class has its own colour and marker or dash."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import auc, roc_curve

from engine.evaluation.classification import ClassificationResult
from engine.evaluation.maps import Map
from engine.util.plotting import COLOURS, DASHES, GREY, INK, MARKERS, PALE, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SEVERAL = "several labels"


def draw_confusion(path: Path, title: str, result: ClassificationResult) -> None:
    """Draw the confusion matrix: counts, and the share of each row as colour and per cent."""
    counts = result.confusion
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / totals.clip(1)
    side = 3.0 + 0.62 * len(counts)
    with canvas(path, (side + 1.2, side)) as figure:
        axes = figure.add_subplot()
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        _annotate_cells(axes, counts, shares)
        names = [f"{name} ({total})" for name, total in zip(result.names, totals[:, 0], strict=True)]
        axes.set_xticks(range(len(counts)), result.names, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(counts)), names)
        axes.set(xlabel="predicted label", ylabel="true label (clips)", title=title)
        _outline_cells(axes, len(counts))
        bar = figure.colorbar(image, ax=axes, shrink=0.7, pad=0.02, format="{x:.0%}")
        bar.set_label("share of the row")
        bar.outline.set_visible(False)


def draw_roc(path: Path, title: str, result: ClassificationResult) -> None:
    """Draw one ROC curve per label against the rest; labels without positives or negatives are left out."""
    with canvas(path, (7.9, 5.4)) as figure:
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, zorder=1)
        axes.annotate("chance", (0.55, 0.5), color=GREY)
        for i, name in enumerate(result.names):
            truth = result.allowed[:, i]
            if truth.any() and not truth.all():
                false, true, _ = roc_curve(truth, result.probabilities[:, i])
                label = f"{legend_text(name)}: AUC {auc(false, true):.2f}, {truth.sum()} clips"
                axes.plot(false, true, color=colour_of(i), linestyle=DASHES[i % len(DASHES)], label=label)
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal", title=title)
        axes.set(xlabel="false positive rate", ylabel="true positive rate")
        figure.legend(loc="outside right upper", title="label against the rest")


def draw_maps(path: Path, title: str, maps: Sequence[Map], labels: Sequence[str | None], names: Sequence[str]) -> None:
    """Draw several maps of the same clips side by side, coloured by label.

    Args:
        path: The PNG file.
        title: Title of the picture.
        maps: Maps of the same N clips.
        labels: N labels; None, for a clip of several labels, is drawn grey and behind the others.
        names: All labels, in the order of their colours.
    """
    with canvas(path, (1.8 + 5.2 * len(maps), 5.4)) as figure:
        panels = figure.subplots(1, len(maps), squeeze=False)[0]
        for axes, plane in zip(panels, maps, strict=True):
            _scatter(axes, plane.points, labels, names)
            axes.set(xlabel=plane.axes[0], ylabel=plane.axes[1])
            axes.set_title(plane.title, fontsize=11, fontweight="normal")
            axes.set(xticks=[], yticks=[])
        figure.suptitle(title, fontsize=12, fontweight="bold", x=0.01, ha="left")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right upper", markerscale=1.4)


def _annotate_cells(axes: Axes, counts: NDArray[np.intp], shares: NDArray[np.float64]) -> None:
    for (i, j), count in np.ndenumerate(counts):
        if count:
            colour = "white" if shares[i, j] > 0.55 else INK
            for text, rise, size in ((f"{count}", 4, 10), (f"{shares[i, j]:.0%}", -9, 7)):
                axes.annotate(
                    text, (j, i), xytext=(0, rise), textcoords="offset points",
                    ha="center", va="center", color=colour, fontsize=size,
                )  # fmt: skip


def _outline_cells(axes: Axes, size: int) -> None:
    edges = np.arange(size + 1) - 0.5
    axes.spines[:].set_visible(False)
    axes.set_xticks(edges, minor=True)
    axes.set_yticks(edges, minor=True)
    axes.grid(which="minor", color="#DDE5EE", linewidth=0.6)
    axes.tick_params(which="both", length=0)


def _scatter(axes: Axes, points: NDArray[np.float64], labels: Sequence[str | None], names: Sequence[str]) -> None:
    known = np.array([label or "" for label in labels])
    several = np.array([label is None for label in labels])
    if several.any():
        label = f"{SEVERAL} ({several.sum()})"
        axes.scatter(points[several, 0], points[several, 1], 9, PALE, linewidths=0, label=label)
    for i, name in enumerate(names):
        chosen = (known == name) & ~several
        if not chosen.any():
            continue
        x, y = points[chosen].T
        label, marker = f"{legend_text(name)} ({chosen.sum()})", MARKERS[i % len(MARKERS)]
        axes.scatter(x, y, 22, colour_of(i), marker=marker, alpha=0.85, linewidths=0, label=label)


def legend_text(label: str) -> str:
    """Return a label for a legend; matplotlib would omit one that begins with an underscore."""
    return f" {label}" if label.startswith("_") else label


def colour_of(i: int) -> str:
    """Return the colour of class number `i`."""
    return COLOURS[i % len(COLOURS)]
