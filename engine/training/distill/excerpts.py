"""Excerpts on disk with a teacher's outputs: augmented mixtures, labelled once, for the training of any encoder.

A patient and consistent teacher (Beyer et al. 2022) labels exactly the excerpt that the student sees. Labelling costs
more than training on the result, so excerpts are stored with the teacher's outputs for windows of TARGET_SECONDS each.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.datasets.clips import PCM_SCALE
from engine.errors import TrainingError
from engine.models.encoder import SAMPLE_RATE
from engine.models.teacher import FEATURES

EXCERPT_SECONDS = 12
EXCERPT_SAMPLES = EXCERPT_SECONDS * SAMPLE_RATE
TARGET_SECONDS = (3, 4)  # lengths of the windows that the teacher labels
STORED_GAIN = 0.5  # stored samples have TARGET_RMS scaled by this (-18 becomes -24 dBFS), so peaks rarely clip
NOTE = "judged.json"


@dataclass(frozen=True)
class TeacherTargets:
    """The teacher's outputs for B windows: standardised features, (B, 200), and tag probabilities, (B, 50)."""

    features: Tensor
    tags: Tensor


class Excerpts:
    """Labelled excerpts in a folder: int16 samples, and the teacher's outputs by window length.

    Args:
        folder: Filled by `engine.training.distill.make_excerpts`.

    Raises:
        TrainingError: The folder has no excerpts, or other arrays.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            note = json.loads((folder / NOTE).read_text("utf-8"))
            self.count, self.made_of = int(note["count"]), note.get("made_of")
            self._audio = np.load(folder / "audio.npy", mmap_mode="r", allow_pickle=False)
            self._features = {s: np.load(folder / f"features{s}.npy", allow_pickle=False) for s in TARGET_SECONDS}
            self._tags = {s: np.load(folder / f"tags{s}.npy", allow_pickle=False) for s in TARGET_SECONDS}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TrainingError(f"expected labelled excerpts in {folder}, cannot read them: {error}") from error
        features = self._features[TARGET_SECONDS[0]][: self.count].reshape(-1, FEATURES).astype(np.float32)
        self._mean, self._std = features.mean(axis=0), features.std(axis=0).clip(1e-3)

    def __len__(self) -> int:
        return self.count

    def read(self, excerpts: np.ndarray, starts: np.ndarray, length: int) -> Tensor:
        """Return samples (B, length) from `starts` of the excerpts with these numbers."""
        return cut(self._audio, excerpts, starts, length) / STORED_GAIN

    def targets(self, excerpts: np.ndarray, windows: np.ndarray, seconds: float) -> TeacherTargets:
        """Return the targets of window number `windows`, of `seconds` each, of the excerpts with these numbers.

        Windows longer than the teacher's get the mean over their parts.

        Raises:
            TrainingError: See `target_seconds`.
        """
        unit = target_seconds(seconds)
        parts = round(seconds / unit)
        at = windows[:, None] * parts + np.arange(parts)  # (B, parts)
        features = self._features[unit][excerpts[:, None], at].astype(np.float32).mean(axis=1)
        tags = self._tags[unit][excerpts[:, None], at].astype(np.float32).mean(axis=1)
        return TeacherTargets(torch.from_numpy((features - self._mean) / self._std), torch.from_numpy(tags))


def cut(audio: np.ndarray, rows: np.ndarray, starts: np.ndarray, length: int) -> Tensor:
    """Return samples (B, length), float32, from `starts` of these rows of int16 audio."""
    parts = [audio[row, start : start + length] for row, start in zip(rows, starts, strict=True)]
    return torch.from_numpy(np.stack(parts).astype(np.float32) / PCM_SCALE)


def target_seconds(seconds: float) -> int:
    """Return the longest of TARGET_SECONDS that divides a segment of `seconds`.

    Raises:
        TrainingError: None does, or the segment does not divide the excerpt.
    """
    for unit in reversed(TARGET_SECONDS):
        if seconds % unit == 0 and EXCERPT_SECONDS % seconds == 0:
            return unit
    raise TrainingError(
        f"expected segments of 3, 4, 6 or 12 seconds to learn from a teacher, found {seconds:g}",
        hint="train without one",
    )
