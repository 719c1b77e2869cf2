"""Pictures of a measurement, as PNG files. Each class has a colour and a shape or dash of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from sklearn.metrics import auc, roc_curve

from engine.evaluation.classification import Classification
from engine.evaluation.maps import Map
from engine.util.plotting import COLOURS, DASHES, GREY, INK, MARKERS, PALE, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OTHERS = "several labels"
SMOOTHED = 50  # parts of a training that a smoothed loss tells apart


@dataclass(frozen=True)
class TrainingStep:
    """One step of a training.

    Attributes:
        step: Its number, from 1.
        losses: By name.
        learning_rate: That it was taken with.
        accuracy: On the valid split, where it was measured after this step.
    """

    step: int
    losses: dict[str, float]
    learning_rate: float
    accuracy: float | None = None


def draw_confusion(path: Path, title: str, found: Classification) -> None:
    """What was taken for what: counts, and each row's shares as colour and per cent."""
    counts = found.confusion
    rows = counts.sum(axis=1, keepdims=True)
    shares = counts / rows.clip(1)
    side = 3.0 + 0.62 * len(counts)
    with canvas(path, (side + 1.2, side)) as figure:
        axes = figure.add_subplot()
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (i, j), count in np.ndenumerate(counts):
            if count:
                colour = "white" if shares[i, j] > 0.55 else INK
                for text, rise, size in ((f"{count}", 4, 10), (f"{shares[i, j]:.0%}", -9, 7)):
                    axes.annotate(
                        text, (j, i), xytext=(0, rise), textcoords="offset points",
                        ha="center", va="center", color=colour, fontsize=size,
                    )  # fmt: skip
        names = [f"{name} ({total})" for name, total in zip(found.names, rows[:, 0], strict=True)]
        axes.set_xticks(range(len(counts)), found.names, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(counts)), names)
        axes.set(xlabel="the encoder's answer", ylabel="label (clips)", title=title)
        axes.spines[:].set_visible(False)
        edges = np.arange(len(counts) + 1) - 0.5
        axes.set_xticks(edges, minor=True)
        axes.set_yticks(edges, minor=True)
        axes.grid(which="minor", color="#DDE5EE", linewidth=0.6)
        axes.tick_params(which="both", length=0)
        bar = figure.colorbar(image, ax=axes, shrink=0.7, pad=0.02, format="{x:.0%}")
        bar.set_label("share of the row")
        bar.outline.set_visible(False)


def draw_roc(path: Path, title: str, found: Classification) -> None:
    """One curve a label against the rest, its area in the legend; labels without both sides have none."""
    with canvas(path, (7.9, 5.4)) as figure:
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, zorder=1)
        axes.annotate("chance", (0.55, 0.5), color=GREY)
        for i, name in enumerate(found.names):
            truth = found.allowed[:, i]
            if truth.any() and not truth.all():
                false, true, _ = roc_curve(truth, found.probabilities[:, i])
                label = f"{_named(name)}: AUC {auc(false, true):.2f}, {truth.sum()} clips"
                axes.plot(false, true, color=_colour(i), linestyle=DASHES[i % len(DASHES)], label=label)
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal", title=title)
        axes.set(xlabel="false positive rate", ylabel="true positive rate")
        figure.legend(loc="outside right upper", title="label against the rest")


def draw_training(path: Path, title: str, history: Sequence[TrainingStep]) -> None:
    """Losses, learning rate and, where it was measured, valid accuracy, by step."""
    measured = [(step.step, step.accuracy) for step in history if step.accuracy is not None]
    heights = [3, 1.2, 1.6][: 3 if measured else 2]
    with canvas(path, (9, 1.6 + sum(heights))) as figure:
        panels = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        _draw_losses(panels[0], history)
        panels[1].plot([step.step for step in history], [step.learning_rate for step in history], color=INK)
        panels[1].set(ylabel="learning rate", ylim=(0, None))
        if measured:
            panels[2].plot(*zip(*measured, strict=True), color=COLOURS[0], marker="o", markersize=4)
            panels[2].set(ylabel="valid accuracy", ylim=(0, 1))
        panels[0].set_title(title)
        panels[-1].set_xlabel("step")
        panels[-1].locator_params(axis="x", integer=True)
        figure.align_ylabels(panels)
        figure.legend(loc="outside right upper", title="loss")


def draw_maps(path: Path, title: str, maps: Sequence[Map], labels: Sequence[str | None], names: Sequence[str]) -> None:
    """The same clips in several plane maps side by side, coloured by label.

    Args:
        path: The file.
        title: Above all.
        maps: Of the same N clips.
        labels: N of them; None, for a clip of several, is drawn grey and below the others.
        names: Labels in the order of their colours.
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


def _draw_losses(axes: Axes, history: Sequence[TrainingStep]) -> None:
    """Each loss as it was, pale, and smoothed over a fiftieth of the steps."""
    from matplotlib.ticker import LogLocator, NullFormatter

    names = list(dict.fromkeys(name for step in history for name in step.losses))
    lowest = np.inf
    for i, name in enumerate(names):
        at, values = np.array([(step.step, step.losses[name]) for step in history if name in step.losses]).T
        width = max(1, len(values) // SMOOTHED)
        if width > 1:
            axes.plot(at, values, color=_colour(i), alpha=0.25, linewidth=0.7)
        smooth = uniform_filter1d(values, width, mode="nearest")
        axes.plot(at, smooth, color=_colour(i), label=_named(name))
        lowest = min(lowest, values.min())
    if lowest > 0:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylabel("loss")


def _scatter(axes: Axes, points: NDArray[np.float64], labels: Sequence[str | None], names: Sequence[str]) -> None:
    known = np.array([label or "" for label in labels])
    rest = np.array([label is None for label in labels])
    if rest.any():
        label = f"{OTHERS} ({rest.sum()})"
        axes.scatter(points[rest, 0], points[rest, 1], 9, PALE, linewidths=0, label=label)
    for i, name in enumerate(names):
        chosen = (known == name) & ~rest
        if not chosen.any():
            continue
        x, y = points[chosen].T
        label, marker = f"{_named(name)} ({chosen.sum()})", MARKERS[i % len(MARKERS)]
        axes.scatter(x, y, 22, _colour(i), marker=marker, alpha=0.85, linewidths=0, label=label)


def _named(label: str) -> str:
    """A label as a legend takes it: matplotlib leaves out what begins with an underscore."""
    return f" {label}" if label.startswith("_") else label


def _colour(i: int) -> str:
    return COLOURS[i % len(COLOURS)]
