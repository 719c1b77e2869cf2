"""Draw two encoders' attention: `scripts/attention_picture.py FILE... --before WEIGHTS.safetensors --out PICTURE.png`.

One panel a track: its level over time in grey, and each window's weight, by the earlier weights and by the default.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from engine.datasets.music import MusicSamples, UnlabelledTrack
from engine.indexer.audio.placement import BLOCK_SECONDS, audible_segments, block_levels, levels
from engine.indexer.audio.reading import place_in
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
        starts, weights = _attention(encoder, samples)
        middle = np.array(starts) + encoder.plan.seconds / 2 + (number - 0.5) * width
        axes.bar(middle, weights, width, color=COLOURS[number], label=name)
        largest.append(f"{name} {weights.max():.2f}")
    axes.set(xlim=(0, seconds), ylabel="weight", title=f"{title}: largest weight {', '.join(largest)}")


@torch.inference_mode()
def _attention(encoder: Encoder, samples: NDArray[np.float32]) -> tuple[list[float], NDArray[np.float32]]:
    """Return the starts of the windows in seconds, and their weights."""
    plan = encoder.plan
    starts = place_in(samples, plan.seconds, plan.count, SAMPLE_RATE, plan.placement)
    cuts = [samples[round(start * SAMPLE_RATE) :][: plan.samples] for start in starts]
    windows = np.stack([np.pad(cut, (0, plan.samples - len(cut))) for cut in cuts])
    audible = audible_segments(levels(windows)) if plan.placement == "sound" else np.ones(len(windows), bool)
    scores = encoder.score(encoder.vectors_of(torch.from_numpy(windows))[None], torch.from_numpy(audible)[None])[0]
    return starts, scores.softmax(dim=0).numpy()


if __name__ == "__main__":
    main()
