"""Attention on whole tracks: `scripts/halves.py MUSIC... [--encoders NAME...] [--cache DIR]`.

Each track of 45 s or more below the MUSIC folders is cut into two halves, which are encoded as indexing encodes tracks
(windows between the first and last sound, silent segments without weight). Two tables are printed for each encoder:

1. whether the other half is the nearest of all other halves, or among the five nearest, with signatures pooled by
   attention, by its square root, and by the plain mean of the same windows; and the largest weight of the median half;
2. Spearman's correlation, over the segments of a half and averaged over halves, of the weight with a segment's level,
   its distance from the half's middle, its largest cosine to another segment (repetition), and the probability of
   vocals (encoders with words); and the share of weight of the first and last segment over an equal share.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.stats import spearmanr
from torch import Tensor

from engine.datasets.music import MusicSamples
from engine.datasets.planned_windows import attend, planned_windows
from engine.datasets.reading import read_music
from engine.models.checkpoint import load_encoder
from engine.models.encoder import Encoder
from engine.models.weights_files import find_encoder, shipped_ids

VOCALS = ("female vocals", "male vocals", "singing", "vocal music")
POOLINGS = ("attention", "square root", "mean")
FEWEST = 4  # segments for a correlation

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Half:
    """Segments of half a track.

    Attributes:
        vectors: h, (S, D).
        audible: Segments that may have weight, (S,).
        levels: RMS of each segment, (S,).
        weights: Attention, (S,).
    """

    vectors: Tensor
    audible: NDArray[np.bool_]
    levels: Floats
    weights: Floats


def main() -> None:
    """Parse, encode, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("music", nargs="+")
    parser.add_argument("--encoders", nargs="+", default=[name.partition("@")[0] for name in shipped_ids()])
    parser.add_argument("--cache", type=Path, default=Path(".engine-cache"))
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    music = read_music(arguments.music, [], arguments.cache, True)
    nearest, attended = [], []
    for name in arguments.encoders:
        encoder = load_encoder(find_encoder(name))
        halves = list(encode_halves(encoder, music))
        nearest.append([name, *_nearest_row(halves)])
        attended.append([name, *_attention_row(encoder, halves)])
    print(f"{len(music)} tracks, {2 * len(music)} halves; nearest / among five\n")
    _print_table(["encoder", *POOLINGS, "largest weight"], nearest)
    print()
    _print_table(["encoder", "level", "from the middle", "repetition", "vocals", "first and last"], attended)


@torch.inference_mode()
def encode_halves(encoder: Encoder, music: MusicSamples) -> Iterator[Half]:
    """Encode the two halves of each track, one after the other."""
    for index in range(len(music)):
        length = music.length(index)
        for start, stop in ((0, length // 2), (length // 2, length)):
            windows = planned_windows(music.read(index, start, stop - start), encoder.plan)
            vectors = encoder.vectors_of(windows.samples)
            weights = attend(encoder, vectors, windows).astype(np.float64)
            yield Half(vectors, windows.audible, windows.levels.astype(np.float64), weights)


def _nearest_row(halves: Sequence[Half]) -> list[str]:
    row = []
    for pooling in POOLINGS:
        ranks = _ranks(torch.stack([_signature(half, pooling) for half in halves]))
        row.append(f"{np.mean(ranks == 1):.3f} / {np.mean(ranks <= 5):.3f}")
    return [*row, f"{np.median([half.weights.max() for half in halves]):.3f}"]


def _signature(half: Half, pooling: str) -> Tensor:
    """Return the unit signature (D,)."""
    power = {"attention": 1.0, "square root": 0.5, "mean": 0.0}[pooling]
    weights = half.audible * half.weights**power
    return F.normalize(torch.from_numpy(weights / weights.sum()) @ half.vectors.double(), dim=0)


def _ranks(signatures: Tensor) -> NDArray[np.int64]:
    """Return the rank of each half's other half, 1 the nearest: signatures (2 N, D), halves of a track adjacent."""
    cosines = (signatures @ signatures.T).numpy()
    np.fill_diagonal(cosines, -np.inf)
    rows = np.arange(len(cosines))
    return 1 + (cosines > cosines[rows, rows ^ 1][:, None]).sum(axis=1)


@torch.inference_mode()
def _attention_row(encoder: Encoder, halves: Sequence[Half]) -> list[str]:
    columns: list[list[float]] = [[], [], [], [], []]
    vocal = [encoder.words.index(word) for word in VOCALS if word in encoder.words]
    for half in (each for each in halves if each.audible.sum() >= FEWEST):
        kept = half.audible
        unit = F.normalize(half.vectors[torch.from_numpy(kept)], dim=1)
        cosines = (unit @ unit.T).numpy()
        np.fill_diagonal(cosines, -1)
        weights, places = half.weights[kept], np.linspace(-1, 1, len(kept))[kept]
        columns[0].append(_correlation(weights, half.levels[kept]))
        columns[1].append(_correlation(weights, np.abs(places)))
        columns[2].append(_correlation(weights, cosines.max(axis=1)))
        if vocal:
            probabilities = encoder.word_probabilities(half.vectors)[:, vocal].amax(dim=1).numpy()
            columns[3].append(_correlation(weights, probabilities[kept]))
        columns[4].append(float(half.weights[[0, -1]].mean() * len(kept)))
    return [f"{np.nanmean(column):+.2f}" if column else "" for column in columns[:4]] + [f"{np.mean(columns[4]):.2f}"]


def _correlation(first: Floats, second: Any) -> float:
    return float(spearmanr(first, second).statistic) if np.ptp(first) and np.ptp(second) else np.nan


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print("| " + " | ".join(header) + " |\n|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
