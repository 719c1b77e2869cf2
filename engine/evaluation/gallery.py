"""The pictures of a report: one set per section, with unique file names and captions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.maps import MIN_CLIPS, Map, pca_map, standardised, subsample, tsne_map
from engine.evaluation.measure import ALL_CLIPS, Section
from engine.evaluation.plots import draw_confusion, draw_maps, draw_roc
from engine.evaluation.training_curves import TrainingStep, draw_training

MAPPED_TASKS = ("genre", "mood")  # a map of valence would repeat that of mood


@dataclass(frozen=True)
class Picture:
    """A picture in a report's folder.

    Attributes:
        file: Its name.
        caption: A line for the report.
        dataset, task: Its section; both "training" for training curves.
    """

    file: str
    caption: str
    dataset: str
    task: str


@dataclass(frozen=True, eq=False)
class MapData:
    """Data of maps, one row per clip.

    Attributes:
        inputs: Description of the network's input, (N, F), or None.
        signatures: (N, D).
        datasets: N names.
    """

    inputs: NDArray[np.float64] | None
    signatures: NDArray[np.float64]
    datasets: Sequence[str]


class Gallery:
    """Draw pictures into a folder, and list them in `pictures`.

    Args:
        folder: An existing folder for the files.
        data: Data of all evaluated clips.
        tsne: Whether to draw t-SNE maps beside PCA maps: about a second for 200 clips.
    """

    def __init__(self, folder: Path, data: MapData, *, tsne: bool) -> None:
        self.folder, self.data, self.tsne = folder, data, tsne
        self.pictures: list[Picture] = []
        self._maps: dict[bytes, list[list[Map]]] = {}  # by clips, as genre and mood often share them

    def draw_history(self, history: Sequence[TrainingStep]) -> None:
        """Draw the curves of a training, if there are steps."""
        if history:
            path = self._path("training", "training", "curves", "losses and learning rate by step")
            draw_training(path, f"Training, steps {history[0].step} to {history[-1].step}", history)

    def draw_section(self, section: Section) -> None:
        """Draw the confusion matrix, ROC curves and maps of a section."""
        result = section.classification
        if result is None:
            return
        title = f"{section.dataset}: {section.task}"
        count = f"{len(section.clips)} clips"
        if len(result.names) > 1:
            path = self._path(section.dataset, section.task, "confusion", "labels against predictions")
            draw_confusion(path, f"{title}, {count}, accuracy {result.figures[0].value:.2f}", result)
        if (result.allowed.any(axis=0) & ~result.allowed.all(axis=0)).any():
            path = self._path(section.dataset, section.task, "roc", "each label against the rest")
            draw_roc(path, f"{title}, {count}", result)
        if section.task in MAPPED_TASKS:
            single = result.allowed.sum(axis=1) == 1
            labels = [result.names[i] if alone else None for i, alone in zip(result.truth, single, strict=True)]
            self._draw_maps(section, title, labels, result.names)

    def draw_datasets(self) -> None:
        """Map all clips coloured by data set, to reveal data-set bias."""
        names = sorted(set(self.data.datasets))
        if len(names) > 1:
            section = Section(ALL_CLIPS, "neighbours", (), np.arange(len(self.data.signatures)))
            self._draw_maps(section, f"{ALL_CLIPS}, by data set", self.data.datasets, names)

    def _draw_maps(self, section: Section, title: str, labels: Sequence[str | None], names: Sequence[str]) -> None:
        if len(section.clips) < MIN_CLIPS:
            return
        chosen = subsample(len(section.clips))
        chosen_labels = [labels[i] for i in chosen]
        for kind, maps in zip(("pca", "tsne"), self._maps_of(section.clips[chosen]), strict=False):
            method = {"pca": "principal components", "tsne": "t-SNE"}[kind]
            path = self._path(
                section.dataset, section.task, kind, f"{method} of the network's input and of the signatures"
            )
            draw_maps(path, f"{title}, {method} of {len(chosen)} clips", maps, chosen_labels, names)

    def _maps_of(self, clips: NDArray[np.intp]) -> list[list[Map]]:
        """Return PCA maps and, if enabled, t-SNE maps: each of the inputs (if given) and of the signatures."""
        key = clips.tobytes()
        if key not in self._maps:
            views = [("signatures", self.data.signatures[clips])]
            if self.data.inputs is not None:
                views.insert(0, ("network input", standardised(self.data.inputs[clips])))
            maps = [[pca_map(values, title) for title, values in views]]
            if self.tsne:
                maps.append([tsne_map(values, title) for title, values in views])
            self._maps[key] = maps
        return self._maps[key]

    def _path(self, dataset: str, task: str, kind: str, caption: str) -> Path:
        """Register a picture and return its path, under a unique name that every file system accepts."""
        words = (dataset, task, kind) if dataset != task else (task, kind)
        stem = "-".join(re.sub(r"[^a-z0-9]+", "-", word.casefold()).strip("-")[:40] or "x" for word in words)
        taken = {picture.file for picture in self.pictures}
        numbered = (f"{stem}{'' if i == 1 else f'-{i}'}.png" for i in range(1, len(taken) + 2))
        file = next(name for name in numbered if name not in taken)
        self.pictures.append(Picture(file, f"{dataset}, {task}: {caption}", dataset, task))
        return self.folder / file
