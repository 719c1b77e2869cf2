"""Draw two encoders' attention: `scripts/attention_picture.py FILE... --before WEIGHTS.safetensors --out PICTURE.png`.

One panel a track: its level over time in grey, and each window's weight, by the earlier weights and by the default.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from engine.datasets.music import MusicSamples, UnlabelledTrack
from engine.datasets.planned_windows import attend, planned_windows
from engine.indexer.audio.placement import BLOCK_SECONDS, block_levels
from engine.models.checkpoint import load_encoder
from engine.models.encoder import SAMPLE_RATE, Encoder
from engine.models.weights_files import find_encoder

LOWEST = -80.0  # decibels drawn
COLOURS = ("tab:orange", "tab:blue")
PANEL_INCHES = (11, 2.1)


def main() -> None:
    """Parse, encode, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--before", required=True)
    parser.add_argument("--cache", type=Path, default=Path(".engine-cache"))
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    encoders = {"before": load_encoder(find_encoder(arguments.before)), "now": load_encoder(find_encoder())}
    tracks = MusicSamples([UnlabelledTrack(path, 0) for path in arguments.files], arguments.cache)
    figure = Figure(figsize=(PANEL_INCHES[0], PANEL_INCHES[1] * len(tracks)), layout="constrained")
    panels = figure.subplots(len(tracks), 1, squeeze=False)[:, 0]
    for index, axes in enumerate(panels):
        samples = tracks.read(index, 0, tracks.length(index))
        _draw(axes, samples, encoders, tracks.tracks[index].path.stem)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    panels[-1].set_xlabel("seconds")
    figure.savefig(arguments.out, dpi=75)


def _draw(axes: Axes, samples: NDArray[np.float32], encoders: dict[str, Encoder], title: str) -> None:
    seconds = len(samples) / SAMPLE_RATE
    with np.errstate(divide="ignore"):
        decibels = np.maximum(20 * np.log10(block_levels(samples, SAMPLE_RATE)), LOWEST)
    level = axes.twinx()
    level.fill_between(np.arange(len(decibels)) * BLOCK_SECONDS, decibels, LOWEST, color="0.88")
    level.set(ylim=(LOWEST, 0), ylabel="level, dB")
    level.set_zorder(0)
    axes.set_zorder(1)
    axes.patch.set_visible(False)
    width, largest = seconds / 110, []
    for number, (name, encoder) in enumerate(encoders.items()):
        windows = planned_windows(samples, encoder.plan)
        weights = attend(encoder, encoder.vectors_of(windows.samples), windows)
        middle = np.array(windows.starts) / SAMPLE_RATE + encoder.plan.seconds / 2 + (number - 0.5) * width
        axes.bar(middle, weights, width, color=COLOURS[number], label=name)
        largest.append(f"{name} {weights.max():.2f}")
    axes.set(xlim=(0, seconds), ylabel="weight", title=f"{title}: largest weight {', '.join(largest)}")


if __name__ == "__main__":
    main()
