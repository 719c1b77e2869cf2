"""Compare corrections for hubs: `scripts/hubness.py EXPORT.npz --data CLIPS.csv [--split valid]`.

EXPORT.npz is the output of `engine export` for a library with the clips. The script ranks all clips by cosine, by
mutual proximity (Schnitzer et al. 2012, eq 5, with independent normal distributions) and by local scaling as in
`engine.search.hubness`, and prints for each: precision at 5 by genre and by quadrant among clips of the same data set
by other artists, same-artist hits among the five nearest, skewness of the 10-occurrence, and the share of orphans.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, skew

from engine.datasets.clips import Clip
from engine.datasets.loading import read_dataset
from engine.search.hubness import LocalScale

Floats = NDArray[np.float32]
COLUMNS = ("p5 genre", "p5 quadrant", "artist hit 5", "hub skewness", "orphans")


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("export", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="valid")
    arguments = parser.parse_args()
    wanted = {str(clip.path): clip for clip in read_dataset(arguments.data).clips if clip.split == arguments.split}
    with np.load(arguments.export, allow_pickle=False) as stored:
        rows = [i for i, path in enumerate(stored["paths"]) if str(path) in wanted]
        clips = [wanted[str(stored["paths"][i])] for i in rows]
        signatures = stored["signatures"][rows]
    if not clips:
        raise SystemExit(f"expected clips of the split {arguments.split} in {arguments.export}, found none")
    print(f"{len(clips)} clips\n\n| order by | {' | '.join(COLUMNS)} |\n|---|{'---|' * len(COLUMNS)}")
    for name, closeness in ORDERS.items():
        figures = " | ".join(f"{value:.3f}" for value in measure(closeness(signatures), clips))
        print(f"| {name} | {figures} |")


def by_cosine(signatures: Floats) -> Floats:
    """Return the cosines, (N, N)."""
    return signatures @ signatures.T


def by_mutual_proximity(signatures: Floats) -> Floats:
    """Return the log probability that both are further from a random track than from each other, (N, N)."""
    distances = 1 - by_cosine(signatures)
    others = distances[~np.eye(len(distances), dtype=bool)].reshape(len(distances), -1)
    further: Floats = norm.logsf(distances, others.mean(axis=1)[:, None], others.std(axis=1)[:, None])
    return further + further.T


def by_local_scaling(signatures: Floats) -> Floats:
    """Return the closeness by which `engine similar` ranks, (N, N)."""
    scale, cosines = LocalScale(signatures), by_cosine(signatures)
    return np.stack([scale.closeness(own, signatures, row) for own, row in zip(signatures, cosines, strict=True)])


ORDERS: dict[str, Callable[[Floats], Floats]] = {
    "cosine": by_cosine,
    "mutual proximity": by_mutual_proximity,
    "local scaling": by_local_scaling,
}


def measure(closeness: Floats, clips: list[Clip]) -> list[float]:
    """Return the values of COLUMNS for a closeness matrix (N, N), in which larger is nearer."""
    closeness = closeness.copy()
    np.fill_diagonal(closeness, -np.inf)
    artists = np.array([clip.artist or f"\0{i}" for i, clip in enumerate(clips)])  # no artist's name contains NUL
    same = artists[:, None] == artists[None]
    nearest = np.argsort(-closeness, axis=1)
    queries = np.flatnonzero((same.sum(axis=1) > 1) & [bool(clip.artist) for clip in clips])
    hits = np.take_along_axis(same[queries], nearest[queries, :5], axis=1).any(axis=1)
    occurrence = np.bincount(nearest[:, :10].ravel(), minlength=len(clips))
    others = np.where(same, -np.inf, closeness)
    precisions = [_precision(others, clips, labels) for labels in (_genres, _mood)]
    return [*precisions, float(hits.mean()), float(skew(occurrence)), float((occurrence == 0).mean())]


def _precision(closeness: Floats, clips: list[Clip], labels: Callable[[Clip], frozenset[str]]) -> float:
    """Return the mean share of the five nearest of the same data set that share a label."""
    shares = []
    for dataset in sorted({clip.dataset for clip in clips}):
        pool = [i for i, clip in enumerate(clips) if clip.dataset == dataset and labels(clip)]
        for i in pool:
            near = [pool[j] for j in np.argsort(-closeness[i, pool])[:5] if np.isfinite(closeness[i, pool[j]])]
            if near:
                shares.append(np.mean([bool(labels(clips[i]) & labels(clips[j])) for j in near]))
    return float(np.mean(shares)) if shares else float("nan")


def _genres(clip: Clip) -> frozenset[str]:
    return frozenset(clip.genres)


def _mood(clip: Clip) -> frozenset[str]:
    return frozenset([clip.mood] if clip.mood else [])


if __name__ == "__main__":
    main()
