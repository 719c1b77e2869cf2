"""Fit the linear maps of rhythm and harmony: `scripts/fit_aspects.py MUSIC`.

MUSIC is a folder of clips of many genres; where it has a clips.csv with columns `file`, `split` and `audio`, original
recordings of the train split only. Writes indexer/aspects/maps.safetensors (`engine.indexer.aspects.descriptors`).
No label is used.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from engine.errors import AudioError
from engine.indexer.aspects.descriptors import KINDS, MAPS, AspectMeter
from engine.indexer.aspects.kinds import DIMENSIONS
from engine.indexer.audio.reading import read_track

ENDINGS = (".mp3", ".flac", ".ogg", ".opus", ".m4a", ".wav")
WINDOWS, SECONDS, SAMPLE_RATE = 10, 4.0, 22_050
LEAST_DEVIATION = 1e-6


def main() -> None:
    """Describe the clips, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("music", type=Path)
    parser.add_argument("--most", type=int, default=700, help="clips, drawn at random")
    arguments = parser.parse_args()
    features: dict[str, list[NDArray[np.float32]]] = {aspect: [] for aspect in KINDS}
    for windows in _windows(_clips(arguments.music)[: arguments.most]):
        meter = AspectMeter()
        meter.push(windows)
        raw = meter.raw()
        for aspect in KINDS:
            features[aspect].append(getattr(raw, aspect))
    maps = {name: array for aspect in KINDS for name, array in _fitted(aspect, np.array(features[aspect])).items()}
    count = len(features["rhythm"])
    save_file(maps, MAPS, {"tracks": str(count), "music": arguments.music.name})
    print(f"{MAPS.name}: fitted on {count} tracks")


def _windows(paths: Sequence[Path]) -> Iterator[NDArray[np.float32]]:
    for path in paths:
        try:
            yield read_track(path, SECONDS, WINDOWS, SAMPLE_RATE, "sound").windows
        except AudioError as error:
            print(f"{path}: {error.message}; left out", file=sys.stderr)


def _clips(music: Path) -> list[Path]:
    """Files in random order, always the same."""
    table = music / "clips.csv"
    if table.exists():
        with table.open(encoding="utf-8") as handle:
            rows = csv.DictReader(handle)
            found = [music / row["file"] for row in rows if row["split"] == "train" and row["audio"] == "original"]
    else:
        found = sorted(path for path in music.rglob("*") if path.suffix.lower() in ENDINGS)
    return [found[i] for i in np.random.default_rng(0).permutation(len(found))]


def _fitted(aspect: str, features: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """The map of raw features (N, F): mean, deviation, principal axes over the square root of their deviation."""
    mean, deviation = features.mean(axis=0), features.std(axis=0) + LEAST_DEVIATION
    _, lengths, axes = np.linalg.svd((features - mean) / deviation, full_matrices=False)
    spread = lengths[:DIMENSIONS] / np.sqrt(len(features))
    found = {"mean": mean, "deviation": deviation, "axes": axes[:DIMENSIONS].T / np.sqrt(spread)}
    return {f"{aspect}.{name}": np.ascontiguousarray(array, np.float32) for name, array in found.items()}


if __name__ == "__main__":
    main()
