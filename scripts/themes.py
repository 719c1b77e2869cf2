"""Measure whether attention finds a theme: `scripts/themes.py CLIPS.csv [--encoders NAME...] [--split valid]`.

Twenty tracks of about two minutes are made: twelve seconds of a clip, the theme, three times, with fillers of five to
twenty seconds before, between and after: noise, hum, applause and near silence, at up to the theme's level
(`engine.training.pooling.interruptions`). The table shows for each encoder the share of the segments that lie within a
theme, and the share of the attention that they get: the mean over tracks, and the lowest of them. A segment of which
half is theme counts for half.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.datasets.clips import ClipSamples
from engine.datasets.loading import read_dataset
from engine.datasets.planned_windows import attend, padded, planned_windows
from engine.models.checkpoint import load_encoder
from engine.models.encoder import SAMPLE_RATE, Encoder
from engine.models.weights_files import find_encoder, shipped_ids
from engine.training.pooling.interruptions import synthesise

TRACKS = 20
THEME_SECONDS = 12
REPETITIONS = 3
FILLER_SECONDS = (5, 20)
CLIP_START = 5  # seconds into the clip

Samples = NDArray[np.float32]


def main() -> None:
    """Parse, make the tracks, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--encoders", nargs="+", default=[name.partition("@")[0] for name in shipped_ids()])
    parser.add_argument("--split", default="valid")
    parser.add_argument("--cache", type=Path, default=Path(".engine-cache"))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    clips = [clip for clip in read_dataset(arguments.data).clips if clip.split == arguments.split]
    chosen = ClipSamples([clips[i] for i in rng.choice(len(clips), TRACKS, replace=False)], arguments.cache)
    fillers = synthesise(FILLER_SECONDS[1] * SAMPLE_RATE, arguments.seed)
    tracks = [make_track(_theme(chosen, index), fillers, rng) for index in range(len(chosen))]
    print(f"{len(tracks)} tracks\n\n| encoder | segments in a theme | their attention | lowest |\n|---|---|---|---|")
    for name in arguments.encoders:
        encoder = load_encoder(find_encoder(name))
        shares = np.array([theme_shares(encoder, *track) for track in tracks])
        print(f"| {name} | {shares[:, 0].mean():.2f} | {shares[:, 1].mean():.2f} | {shares[:, 1].min():.2f} |")


def make_track(theme: Samples, fillers: list[Samples], rng: np.random.Generator) -> tuple[Samples, NDArray[np.bool_]]:
    """Return samples (n,) with the theme REPETITIONS times between fillers, and which of them are theme (n,)."""
    level = np.sqrt(np.mean(theme**2))
    parts, marks = [], []
    for number in range(2 * REPETITIONS + 1):
        is_theme = number % 2 == 1
        part = theme if is_theme else _filler(fillers, level, rng)
        parts.append(part)
        marks.append(np.full(len(part), is_theme))
    return np.concatenate(parts), np.concatenate(marks)


def theme_shares(encoder: Encoder, samples: Samples, is_theme: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the share of theme among a track's segments, and their share of the attention."""
    plan = encoder.plan
    windows = planned_windows(samples, plan)
    marks = np.stack([padded(is_theme[start : start + plan.samples], plan.samples) for start in windows.starts])
    length = plan.samples // plan.segments
    theme = marks[:, : length * plan.segments].reshape(-1, length).mean(axis=1)
    weights = attend(encoder, encoder.vectors_of(windows.samples), windows)
    return float(theme.mean()), float(weights @ theme)


def _theme(clips: ClipSamples, index: int) -> Samples:
    return clips.read(index, CLIP_START * SAMPLE_RATE, THEME_SECONDS * SAMPLE_RATE)


def _filler(fillers: list[Samples], level: float, rng: np.random.Generator) -> Samples:
    seconds = rng.uniform(*FILLER_SECONDS)
    filler = fillers[rng.integers(len(fillers))][: round(seconds * SAMPLE_RATE)]
    loudest = np.sqrt(np.mean(filler**2))
    return filler * min(1.0, level / max(loudest, 1e-9))


if __name__ == "__main__":
    main()
