"""Evaluate descriptions on labelled clips: `scripts/descriptions.py LIBRARY.db CLIPS.csv [--split valid]`.

LIBRARY.db holds the clips of a table with the columns file, dataset, split, genres and moods (several separated by
semicolons). For each label that four clips or more of a data set carry, and for each pair and each "one without the
other" that two or more fit, clips are ranked by several scores of the encoder's tags. The figures are means of average
precision; "chance" is the mean share of fitting clips. The last table chooses the z-score from which a tag is carried.
"""

from __future__ import annotations

import argparse
import csv
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from engine import Engine
from engine.models.vocabulary import MOOD_WORDS
from engine.search.tag_scores import all_norms, logits, tag_model

FEWEST, FEWEST_OF_TWO = 4, 2  # clips
GENRES = {
    "pop/rock": "rock", "rock": "rock", "blues": "blues", "country": "country", "pop": "pop", "disco": "disco",
    "electronic": "electronic", "classical": "classical", "metal": "metal", "hiphop": "hip-hop", "rap": "hip-hop",
    "jazz": "jazz", "reggae": "reggae", "latin": "latin", "r&b": "rnb", "folk": "folk",
}  # fmt: skip
THRESHOLDS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)

Floats = NDArray[np.float32]
Labels = dict[str, NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class Clips:
    """N clips of a data set: labels that are tags, and the probabilities, log-odds and z-scores (N, V) of tags."""

    labels: Labels
    tags: tuple[str, ...]
    scores: dict[str, Floats]

    def column(self, score: str, tag: str) -> Floats:
        """The scores (N,) of a tag."""
        return self.scores[score][:, self.tags.index(tag)]


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", type=Path)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--split", default="valid")
    arguments = parser.parse_args()
    with arguments.clips.open(newline="", encoding="utf-8") as table:
        rows = [row for row in csv.DictReader(table) if row["split"] == arguments.split]
    for dataset in sorted({row["dataset"] for row in rows}):
        clips = read_clips(arguments.library, [row for row in rows if row["dataset"] == dataset])
        if len(clips.labels) > 1:
            print(f"\n## {dataset}\n")
            print_precision(clips)
            print_thresholds(clips)


def read_clips(library: Path, rows: Sequence[dict[str, str]]) -> Clips:
    """Read the tags of the clips that a library holds, by the end of their paths."""
    with Engine.open(library, create=False, device="cpu") as engine:
        view = engine._session.view()
        ends = {"/".join(track.path.split("/")[-2:]): track.track_id for track in engine.search("")}
        rows = [row for row in rows if row["file"] in ends]
        ids = np.array([ends[row["file"]] for row in rows], np.int64)
        model, norms = tag_model(view), all_norms(view).of(ids)
        found = norms[:, None] * (view.snapshot.take(ids) @ model.head.weight.T) + model.head.bias
    labels: dict[str, set[int]] = {}
    for number, row in enumerate(rows):
        moods = [MOOD_WORDS.get(mood.strip(), mood.strip().casefold()) for mood in row["moods"].split(";")]
        genres = [GENRES.get(genre.strip().casefold(), "") for genre in row["genres"].split(";")]
        for label in {*moods, *genres} & set(model.tags):
            labels.setdefault(label, set()).add(number)
    masks = {label: np.isin(np.arange(len(rows)), list(held)) for label, held in labels.items() if len(held) >= FEWEST}
    p = 1 / (1 + np.exp(-found))
    z = (found - model.mean) / model.deviation
    slope = -np.logaddexp(0, -z)
    scores = {"p": p, "log p": np.log(p), "log-odds": logits(p), "z": z, "log sigma(z)": slope}
    return Clips(masks, model.tags, scores)


def print_precision(clips: Clips) -> None:
    """Print average precision of single labels, of pairs, and of one label without another."""
    names, labels = list(clips.scores), clips.labels
    one = list(labels)
    two = [(a, b) for a, b in itertools.combinations(one, 2) if (labels[a] & labels[b]).sum() >= FEWEST_OF_TWO]
    apart = [
        (a, b)
        for a, b in itertools.permutations(one, 2)
        if min((labels[a] & labels[b]).sum(), (labels[a] & ~labels[b]).sum()) >= FEWEST_OF_TWO
    ]
    print("| queries | number | chance | first tag alone | " + " | ".join(f"sum of {name}" for name in names) + " |")
    print("|" + "---|" * (len(names) + 4))
    fits = [labels[a] for a in one]
    _row("one label", fits, [clips.column("z", a) for a in one], [[clips.column(n, a) for a in one] for n in names])
    if two:
        sums = [[clips.column(n, a) + clips.column(n, b) for a, b in two] for n in names]
        _row("two labels", [labels[a] & labels[b] for a, b in two], [clips.column("z", a) for a, _ in two], sums)
    if apart:
        fits = [labels[a] & ~labels[b] for a, b in apart]
        print("\n| one without another, of " + f"{len(apart)} | average precision |\n|---|---|")
        print(f"| chance | {np.mean([fit.mean() for fit in fits]):.3f} |")
        for name, take in WITHOUT.items():
            made = [take(clips.column("z", a), clips.column("z", b)) for a, b in apart]
            print(f"| {name} | {_mean(fits, made):.3f} |")


def _log_sigmoid(z: Floats) -> Floats:
    return -np.logaddexp(0, -z)


WITHOUT: dict[str, Callable[[Floats, Floats], Floats]] = {
    "the first tag alone": lambda a, b: a,
    "z - z/4": lambda a, b: a - 0.25 * b,
    "z - z": lambda a, b: a - b,
    "z - max(0, z)": lambda a, b: a - np.maximum(0, b),
    "z - max(0, z - 1) / 2": lambda a, b: a - 0.5 * np.maximum(0, b - 1),
    "z - max(0, z - 1)": lambda a, b: a - np.maximum(0, b - 1),
    "log sigma(z) + log sigma(1 - z)": lambda a, b: _log_sigmoid(a) + _log_sigmoid(1 - b),
    "log sigma(z) - max(0, z - 1) / 2": lambda a, b: _log_sigmoid(a) - 0.5 * np.maximum(0, b - 1),
    "log sigma(z) - max(0, z - 1) / 4": lambda a, b: _log_sigmoid(a) - 0.25 * np.maximum(0, b - 1),
    "log sigma(z) - max(0, z - 1) / 8": lambda a, b: _log_sigmoid(a) - 0.125 * np.maximum(0, b - 1),
    "log sigma(z) - max(0, z - 1.5) / 4": lambda a, b: _log_sigmoid(a) - 0.25 * np.maximum(0, b - 1.5),
    "log sigma(z) - max(0, z - 1.5) / 2": lambda a, b: _log_sigmoid(a) - 0.5 * np.maximum(0, b - 1.5),
    "log sigma(z) - max(0, z - 2) / 2": lambda a, b: _log_sigmoid(a) - 0.5 * np.maximum(0, b - 2),
}


def _row(
    name: str, fits: Sequence[NDArray[np.bool_]], alone: Sequence[Floats], sums: Sequence[Sequence[Floats]]
) -> None:
    chance = np.mean([fit.mean() for fit in fits])
    figures = " | ".join(f"{_mean(fits, made):.3f}" for made in sums)
    print(f"| {name} | {len(fits)} | {chance:.3f} | {_mean(fits, alone):.3f} | {figures} |")


def _mean(fits: Sequence[NDArray[np.bool_]], scores: Sequence[Floats]) -> float:
    return float(np.mean([average_precision_score(fit, score) for fit, score in zip(fits, scores, strict=True)]))


def print_thresholds(clips: Clips) -> None:
    """Print precision, recall and F1 of the tags that clips carry from a z-score on, means over labels."""
    print("\n| carried from z | precision | recall | F1 |\n|---|---|---|---|")
    for least in THRESHOLDS:
        figures = []
        for label, fit in clips.labels.items():
            carried = clips.column("z", label) >= least
            hits = (carried & fit).sum()
            precision, recall = hits / max(1, carried.sum()), hits / fit.sum()
            figures.append((precision, recall, 2 * precision * recall / max(1e-9, precision + recall)))
        print(f"| {least:g} | " + " | ".join(f"{value:.3f}" for value in np.mean(figures, axis=0)) + " |")


if __name__ == "__main__":
    main()
