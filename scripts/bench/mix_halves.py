"""Halves of whole tracks by mixes of aspects: `scripts/bench/mix_halves.py LIBRARY.db FOLDER ... [--out DIR]`.

Every audio file below a FOLDER of 60 s or more is decoded and cut into two halves, each read in the default encoder's
windows. For each half, the halves of all tracks are ranked: is the other half of its track the nearest, or among the
five nearest? LIBRARY.db provides the typical tags and the spread of each aspect (`engine.search.aspect_view`). With
the table: 95 % intervals of the difference from the signature, from 2,000 samples of tracks with replacement.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from mixes import MIXES
from numpy.typing import NDArray
from reporting import report

from engine import Engine
from engine.errors import AudioError
from engine.indexer.aspects.descriptors import aspects_of
from engine.indexer.aspects.kinds import KINDS
from engine.indexer.audio.decode import AudioFile
from engine.indexer.audio.formats import has_media_extension
from engine.indexer.audio.reading import place_in
from engine.indexer.features.describing import SAMPLE_RATE
from engine.indexer.pipeline.encoding import TrackEncoder
from engine.search.aspect_view import AspectView
from engine.search.aspect_weights import ASPECTS, MOOD, TIMBRE, AspectWeights
from engine.search.mood_vectors import mood_vector

SHORTEST = 60.0  # seconds of a track
SAMPLES = 2_000

Floats = NDArray[np.float32]


def main() -> None:
    """Parse, read, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", type=Path)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    paths = sorted(path for folder in arguments.folders for path in folder.rglob("*") if path.is_file())
    with Engine.open(arguments.library, create=False, device="cpu") as library:
        view = library._session.view()
        encoder = TrackEncoder(view.encoder())
        halves: dict[str, list[Floats]] = {name: [] for name in ASPECTS}
        for path in filter(lambda path: has_media_extension(os.fsencode(path)), paths):
            for half in _halves(path, SAMPLE_RATE):
                starts = place_in(half, encoder.plan.seconds, encoder.plan.count, SAMPLE_RATE, "sound")
                cuts = [half[round(start * SAMPLE_RATE) :][: encoder.plan.samples] for start in starts]
                windows = np.stack([np.pad(cut, (0, encoder.plan.samples - len(cut))) for cut in cuts])
                found, embedded = aspects_of(windows), encoder.embed(starts, windows)
                halves[TIMBRE].append(embedded.signature)
                halves[MOOD].append(mood_vector(view, embedded.moods, embedded.words))
                for aspect, kind in KINDS.items():
                    halves[aspect].append(found[kind])
        vectors = {name: np.array(rows) for name, rows in halves.items()}
        rows, ranks = [], dict[str, NDArray[np.int64]]()
        for by in MIXES:
            ranks[by] = _ranks(_likeness(AspectView(view, AspectWeights.of(by)), vectors))
            rows.append({"by": by} | _figures(ranks[by], ranks[MIXES[0]]))
            print(rows[-1], flush=True)
    report("halves", rows, arguments.out, tracks=len(vectors[TIMBRE]) // 2)


def _halves(path: Path, sample_rate: int) -> Iterator[Floats]:
    """Yield the two halves of a track, or nothing for a short or broken one."""
    try:
        with AudioFile.open(path) as audio:
            samples = np.concatenate([np.zeros(0, np.float32), *audio.blocks(30.0, sample_rate)])
    except AudioError as error:
        print(f"{path.name}: {error}", flush=True)
        return
    if len(samples) >= SHORTEST * sample_rate:
        yield from np.array_split(samples, 2)


def _likeness(view: AspectView, vectors: dict[str, Floats]) -> Floats:
    """Return the weighted mean of cosines (N, N), with the weights of `AspectView`."""
    found: Any = sum(share * (vectors[name] @ vectors[name].T) for name, share in view._shares.items())
    np.fill_diagonal(found, -np.inf)
    return found  # type: ignore[no-any-return]


def _ranks(likeness: Floats) -> NDArray[np.int64]:
    """Return the rank of each half's other half, from 1."""
    rows = np.arange(len(likeness))
    own = likeness[rows, rows ^ 1]
    found: NDArray[np.int64] = 1 + (likeness > own[:, None]).sum(axis=1)
    return found


def _figures(ranks: NDArray[np.int64], plain: NDArray[np.int64]) -> dict[str, Any]:
    random = np.random.default_rng(0)
    found: dict[str, Any] = {}
    for name, most in (("nearest", 1), ("among five", 5)):
        hits = (ranks <= most).reshape(-1, 2).mean(axis=1)
        gain = hits - (plain <= most).reshape(-1, 2).mean(axis=1)
        means = gain[random.integers(len(gain), size=(SAMPLES, len(gain)))].mean(axis=1)
        low, high = np.quantile(means, (0.025, 0.975))
        found |= {name: float(hits.mean()), f"{name}, against the signature": f"{low:+.3f} to {high:+.3f}"}
    return found


if __name__ == "__main__":
    main()
