"""Curves of a training as a PNG file: losses and learning rate by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import uniform_filter1d

from engine.evaluation.plots import colour_of, legend_text
from engine.util.plotting import INK, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SMOOTHING = 50  # losses are averaged over 1 / SMOOTHING of the steps


@dataclass(frozen=True)
class TrainingStep:
    """One step of a training.

    Attributes:
        step: Its number, from 1.
        losses: Losses by name, of this step alone.
        learning_rate: Learning rate of this step.
    """

    step: int
    losses: dict[str, float]
    learning_rate: float


def draw_training(path: Path, title: str, history: Sequence[TrainingStep]) -> None:
    """Draw losses and learning rate by step."""
    heights = [3, 1.2]
    with canvas(path, (9, 1.6 + sum(heights))) as figure:
        panels = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        _draw_losses(panels[0], history)
        panels[1].plot([step.step for step in history], [step.learning_rate for step in history], color=INK)
        panels[1].set(ylabel="learning rate", ylim=(0, None))
        panels[0].set_title(title)
        panels[-1].set_xlabel("step")
        panels[-1].locator_params(axis="x", integer=True)
        figure.align_ylabels(panels)
        figure.legend(loc="outside right upper", title="loss")


def _draw_losses(axes: Axes, history: Sequence[TrainingStep]) -> None:
    """Draw each loss smoothed, and unsmoothed in a pale colour."""
    names = list(dict.fromkeys(name for step in history for name in step.losses))
    lowest = np.inf
    for i, name in enumerate(names):
        steps, values = np.array([(step.step, step.losses[name]) for step in history if name in step.losses]).T
        width = max(1, len(values) // SMOOTHING)
        if width > 1:
            axes.plot(steps, values, color=colour_of(i), alpha=0.25, linewidth=0.7)
        axes.plot(steps, uniform_filter1d(values, width, mode="nearest"), color=colour_of(i), label=legend_text(name))
        lowest = min(lowest, values.min())
    if lowest > 0:
        _use_log_scale(axes)
    axes.set_ylabel("loss")


def _use_log_scale(axes: Axes) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
