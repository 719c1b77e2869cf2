"""All pictures of a report: which are drawn of which section, and under which names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.maps import FEWEST, Map, draw_clips, pca_map, standardised, tsne_map
from engine.evaluation.measure import ALL, Section
from engine.evaluation.plots import TrainingStep, draw_confusion, draw_maps, draw_roc, draw_training

MAPPED = ("genre", "mood")  # valence is mood by other names


@dataclass(frozen=True)
class Drawn:
    """A picture in the report's folder.

    Attributes:
        file: Its name.
        caption: What it shows.
        dataset, task: The section that it belongs to; both "training" for the curves of the training.
    """

    file: str
    caption: str
    dataset: str
    task: str


@dataclass(frozen=True, eq=False)
class Views:
    """What maps are drawn from: a row for each of N clips.

    Attributes:
        inputs: What the network is given, (N, F), or None.
        signatures: (N, D).
        datasets: N names.
    """

    inputs: NDArray[np.float64] | None
    signatures: NDArray[np.float64]
    datasets: Sequence[str]


class Gallery:
    """Draws into a folder, and remembers what it has drawn in `drawn`.

    Args:
        folder: Where the files go; it exists.
        views: Of the evaluated clips.
        tsne: Whether to draw t-SNE maps beside those of PCA: about a second for 200 clips.
    """

    def __init__(self, folder: Path, views: Views, *, tsne: bool) -> None:
        self.folder, self.views, self.tsne = folder, views, tsne
        self.drawn: list[Drawn] = []
        self._maps: dict[bytes, list[list[Map]]] = {}  # by clips: genre and mood are often of the same ones

    def draw_history(self, history: Sequence[TrainingStep]) -> None:
        """The curves of a training, where there are any."""
        if history:
            path = self._path("training", "training", "curves", "losses, learning rate and valid accuracy by step")
            draw_training(path, f"Training, steps {history[0].step} to {history[-1].step}", history)

    def draw_section(self, section: Section) -> None:
        """Confusion, ROC curves and maps of one section."""
        found = section.classification
        if found is None:
            return
        what = f"{section.dataset}: {section.task}"
        count = f"{len(section.clips)} clips"
        if len(found.names) > 1:
            path = self._path(section.dataset, section.task, "confusion", "labels and what they were taken for")
            draw_confusion(path, f"{what}, {count}, accuracy {found.figures[0].value:.2f}", found)
        if (found.allowed.any(axis=0) & ~found.allowed.all(axis=0)).any():
            path = self._path(section.dataset, section.task, "roc", "each label against the rest")
            draw_roc(path, f"{what}, {count}", found)
        if section.task in MAPPED:
            single = found.allowed.sum(axis=1) == 1
            labels = [found.names[i] if alone else None for i, alone in zip(found.truth, single, strict=True)]
            self._draw_maps(section, what, labels, found.names)

    def draw_everything(self) -> None:
        """Maps of all clips by data set, where there are several: what they differ in that is no label."""
        if len(set(self.views.datasets)) > 1:
            everyone = np.arange(len(self.views.signatures))
            section = Section(ALL, "neighbours", (), everyone)
            names = sorted(set(self.views.datasets))
            self._draw_maps(section, f"{ALL}, by data set", self.views.datasets, names)

    def _draw_maps(self, section: Section, what: str, labels: Sequence[str | None], names: Sequence[str]) -> None:
        if len(section.clips) < FEWEST:
            return
        chosen = draw_clips(len(section.clips))
        kept = [labels[i] for i in chosen]
        for kind, maps in zip(("pca", "tsne"), self._planes(section.clips[chosen]), strict=False):
            method = {"pca": "principal components", "tsne": "t-SNE"}[kind]
            caption = f"{method} of what the network is given and of the signatures"
            title = f"{what}, {method} of {len(chosen)} clips"
            draw_maps(self._path(section.dataset, section.task, kind, caption), title, maps, kept, names)

    def _planes(self, clips: NDArray[np.intp]) -> list[list[Map]]:
        """PCA maps, then t-SNE maps, each of the inputs (where given) and of the signatures."""
        key = clips.tobytes()
        if key not in self._maps:
            views = [("signatures", self.views.signatures[clips])]
            if self.views.inputs is not None:
                views.insert(0, ("what the network is given", standardised(self.views.inputs[clips])))
            planes = [[pca_map(values, title) for title, values in views]]
            if self.tsne:
                planes.append([tsne_map(values, title) for title, values in views])
            self._maps[key] = planes
        return self._maps[key]

    def _path(self, dataset: str, task: str, kind: str, caption: str) -> Path:
        """A file's path under a name that any system can hold and no other picture has; notes it as drawn."""
        words = (dataset, task, kind) if dataset != task else (task, kind)
        stem = "-".join(re.sub(r"[^a-z0-9]+", "-", word.casefold()).strip("-")[:40] or "x" for word in words)
        taken = {drawn.file for drawn in self.drawn}
        numbered = (f"{stem}{'' if i == 1 else f'-{i}'}.png" for i in range(1, len(taken) + 2))
        file = next(name for name in numbered if name not in taken)
        self.drawn.append(Drawn(file, f"{dataset}, {task}: {caption}", dataset, task))
        return self.folder / file
