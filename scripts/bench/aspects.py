"""Rhythm, harmony and signature on synthetic sets with known answers: `scripts/bench/aspects.py [--out DIR]`.

20 grooves on five kits at three tempi, and 20 progressions on five instruments in four keys (`made_music.py`), 24 s
each, read in the default encoder's windows. For each piece, the others are ranked; precision at k is the share of the
first k with the same groove or progression, over all others, over those in another sound (kit, instrument), and over
those in another sound at another tempo or in another key. `--compare` adds other descriptors, standardised over the
synthetic set. Takes six minutes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from made_music import SAMPLE_RATE, MadePiece, made_grooves, made_progressions
from numpy.typing import NDArray
from reporting import report

from engine.indexer.aspects import harmony, rhythm
from engine.indexer.aspects.descriptors import KINDS, aspects_of
from engine.indexer.audio.reading import place_in
from engine.indexer.pipeline.encoding import TrackEncoder
from engine.models.checkpoint import load_encoder
from engine.models.weights_files import find_encoder

Floats = NDArray[np.float32]
Descriptor = Callable[[Floats], Floats]  # windows (W, L) -> numbers (F,)


@dataclass(frozen=True, eq=False)
class Described:
    """N pieces: their answers, sounds and variants, and the vectors of each descriptor (N, F)."""

    answers: NDArray[np.str_]
    sounds: NDArray[np.str_]
    variants: NDArray[np.str_]
    vectors: dict[str, Floats]


def main() -> None:
    """Parse, render, describe, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compare", action="store_true", help="other descriptors, too")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    rows = []
    others = {"grooves": RHYTHMS, "progressions": HARMONIES} if arguments.compare else {}
    for name, pieces in (("grooves", made_grooves()), ("progressions", made_progressions())):
        made = _described(pieces, others.get(name, {}))
        rows += [{"set": name, "by": by} | precisions(made, made.vectors[by]) for by in made.vectors]
        if name == "progressions" and arguments.compare:
            rows.append({"set": name, "by": "cross-chroma, best key"} | _scored(made, _best_key(made)))
    report("aspects", rows, arguments.out, pieces="300 and 400")


def _described(pieces: Iterable[MadePiece], others: dict[str, Descriptor]) -> Described:
    encoder = TrackEncoder(load_encoder(find_encoder()))
    plan, labels = encoder.plan, list[tuple[str, str, str]]()
    vectors: dict[str, list[Floats]] = {name: [] for name in ("signature", *KINDS, *others)}
    for piece in pieces:
        starts = place_in(piece.samples, plan.seconds, plan.count, SAMPLE_RATE, plan.placement)
        cuts = [piece.samples[round(start * SAMPLE_RATE) :][: plan.samples] for start in starts]
        windows = np.stack([np.pad(cut, (0, plan.samples - len(cut))) for cut in cuts])
        labels.append((piece.answer, piece.sound, piece.variant))
        vectors["signature"].append(encoder.embed(starts, windows).signature)
        found = aspects_of(windows)
        for aspect, kind in KINDS.items():
            vectors[aspect].append(found[kind])
        for name, describe in others.items():
            vectors[name].append(describe(windows))
    answers, sounds, variants = (np.array(column) for column in zip(*labels, strict=True))
    stacked = {name: np.array(rows) for name, rows in vectors.items()}
    return Described(
        answers, sounds, variants, stacked | {name: _standardised(stacked[name]) for name in others if name != CROSS}
    )


def precisions(made: Described, vectors: Floats) -> dict[str, float]:
    """Precision at 1 and 5 of the order by cosine of vectors (N, F)."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return _scored(made, unit @ unit.T)


def _scored(made: Described, likeness: Floats) -> dict[str, float]:
    same = made.answers[:, None] == made.answers
    other_sound = made.sounds[:, None] != made.sounds
    among = {
        "all": ~np.eye(len(likeness), dtype=bool),
        "other sound": other_sound,
        "other sound and tempo or key": other_sound & (made.variants[:, None] != made.variants),
    }
    found: dict[str, float] = {}
    for name, allowed in among.items():
        order = np.argsort(-np.where(allowed, likeness, -np.inf), axis=1, kind="stable")
        for k in (1, 5):
            found[f"{name}, p@{k}"] = float(np.take_along_axis(same, order[:, :k], axis=1).mean())
    return found


def _standardised(vectors: Floats) -> Floats:
    return (vectors - vectors.mean(axis=0)) / (vectors.std(axis=0) + 1e-6)


def _correlations(windows: Floats) -> NDArray[np.float64]:
    """Summed correlations of all pairs of bands (LAGS, 9), each over its bands' energies."""
    sums = np.sum([rhythm.correlations(window) for window in windows], axis=0)
    energy = np.sqrt(np.maximum(sums[0, :3], 1e-9))
    return sums / np.array([energy[b] * energy[c] for b, c in rhythm.PAIRS])


def _one_band(windows: Floats) -> NDArray[np.float64]:
    """The autocorrelation of the sum of all bands (LAGS, 1)."""
    total = np.sum([rhythm.correlations(window) for window in windows], axis=(0, 2))
    return (total / max(total[0], 1e-9))[:, None]


RHYTHMS: dict[str, Descriptor] = {
    "autocorrelation, log lags, one band": lambda w: rhythm.on_log_lags(_one_band(w)).reshape(-1),
    "autocorrelation, log lags, three bands": lambda w: rhythm.on_log_lags(_correlations(w)[:, :3]).reshape(-1),
    "correlations, log lags, all pairs": lambda w: rhythm.on_log_lags(_correlations(w)).reshape(-1),
    "scale transform, one band": lambda w: rhythm.scale_transform(_one_band(w)).reshape(-1),
    "scale transform, three bands": lambda w: rhythm.scale_transform(_correlations(w)[:, :3]).reshape(-1),
    "scale transform, all pairs": lambda w: rhythm.scale_transform(_correlations(w)).reshape(-1),
}


def _transformed(windows: Floats) -> Floats:
    """The magnitude of the 2D Fourier transform of each window's chroma, its lowest 4 x 12, the median of windows."""
    found = [np.abs(np.fft.fft2(harmony.chroma(window)))[:4] for window in windows]
    return np.median(found, axis=0).astype(np.float32).reshape(-1)


def _mean_chroma_steps(windows: Floats) -> Floats:
    """The frequency with which each pitch class follows another after 2 s: (144,)."""
    lag, total = 12, np.zeros((12, 12), np.float32)
    for window in windows:
        chroma = harmony.chroma(window)
        total += chroma[:-lag].T @ chroma[lag:]
    return total.reshape(-1)


def _raw_harmony(windows: Floats) -> Floats:
    sums = [harmony.harmony_sums(window) for window in windows]
    total = sums[0]
    for each in sums[1:]:
        total += each
    return harmony.harmony_features(total)


CROSS = "chroma steps, as they are"
HARMONIES: dict[str, Descriptor] = {
    "2D Fourier transform of chroma": _transformed,
    "products, not mapped": _raw_harmony,
    CROSS: _mean_chroma_steps,
}


def _best_key(made: Described) -> Floats:
    """The likeness of chroma steps at the best of twelve transpositions: (N, N)."""
    steps = made.vectors[CROSS].reshape(-1, 12, 12)
    steps = steps - steps.mean(axis=0)
    steps /= np.sqrt((steps**2).sum(axis=(1, 2), keepdims=True))
    flat = steps.reshape(len(steps), -1)
    turned = (np.roll(steps, (key, key), axis=(1, 2)).reshape(len(steps), -1) @ flat.T for key in range(12))
    best: Any = next(turned)
    for each in turned:
        best = np.maximum(best, each)
    return best


if __name__ == "__main__":
    main()
