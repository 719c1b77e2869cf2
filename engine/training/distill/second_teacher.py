"""Outputs of a second teacher, YAMNet, for stored excerpts, in the same folder as the first teacher's.

YAMNet reads the stored excerpts, so a folder labelled by MusiCNN alone can be extended at any time. It labels one patch
per full second; the output for a window is the mean over the patches that begin in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.special import expit
from torch import Tensor

from engine.errors import TrainingError
from engine.models.yamnet import FEATURES, PATCH_SAMPLES, SAMPLE_RATE as YAMNET_RATE, WORDS, Yamnet
from engine.training.distill.excerpts import EXCERPT_SAMPLES, EXCERPT_SECONDS, Excerpts
from engine.training.distill.make_excerpts import EXCERPTS_AT_ONCE, open_rows
from engine.util.atomic_files import ANYTHING, replacing

PATCHES = EXCERPT_SECONDS  # one begins at every full second
STATISTICS_EXCERPTS = 2048  # subsample for means, deviations, and occurring words
STATISTICS_SECONDS = 3  # window length of these statistics
MIN_DEVIATION = 0.02  # of a feature's square root; avoids amplifying features that hardly vary
OCCURRENCE_THRESHOLD = 0.2  # a word occurs if some window gives it a higher probability
FILES = {"features": "yamnet_features.npy", "logits": "yamnet_logits.npy"}
NOTE = "yamnet.json"


@dataclass(frozen=True)
class SecondTeacherTargets:
    """YAMNet's outputs for B windows.

    Attributes:
        features: Square roots of its features, standardised, (B, 1024).
        words: Probabilities, (B, 521).
        occurring: Words that occur in the excerpts at all, boolean, (521,); others carry no information.
    """

    features: Tensor
    words: Tensor
    occurring: Tensor


class SecondTeacher:
    """YAMNet's stored outputs for the excerpts of a folder, memory-mapped.

    Args:
        folder: Labelled by `run_second_teacher`.
        count: Number of excerpts used in training.

    Raises:
        TrainingError: The folder has fewer outputs, or other arrays.
    """

    def __init__(self, folder: Path, count: int) -> None:
        try:
            self._features, self._logits = (
                np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in FILES.values()
            )
        except (OSError, ValueError) as error:
            raise TrainingError(f"expected YAMNet's outputs in {folder}, cannot read them: {error}") from error
        shapes = (self._features.shape[1:], self._logits.shape[1:])
        if shapes != ((PATCHES, FEATURES), (PATCHES, WORDS)) or min(len(self._features), len(self._logits)) < count:
            raise TrainingError(
                f"expected YAMNet's outputs for {count} excerpts in {folder}, found other arrays",
                hint=f"remove {NOTE} there to label again",
            )
        self._measure_statistics(count)

    def targets(self, excerpts: np.ndarray, windows: np.ndarray, seconds: float) -> SecondTeacherTargets:
        """Return the targets of window number `windows`, of `seconds` (whole) each, of the excerpts numbered so."""
        features, words = self._means(excerpts, windows, round(seconds))
        return SecondTeacherTargets(
            torch.from_numpy((features - self._mean) / self._deviation), torch.from_numpy(words), self._occurring
        )

    def _measure_statistics(self, count: int) -> None:
        chosen = np.unique(np.linspace(0, count - 1, min(count, STATISTICS_EXCERPTS)).round().astype(int))
        windows = EXCERPT_SECONDS // STATISTICS_SECONDS
        rows, numbers = np.repeat(chosen, windows), np.tile(np.arange(windows), len(chosen))
        features, words = self._means(rows, numbers, STATISTICS_SECONDS)
        self._mean, self._deviation = features.mean(axis=0), features.std(axis=0).clip(MIN_DEVIATION)
        occurring = words.max(axis=0) > OCCURRENCE_THRESHOLD
        self._occurring = torch.from_numpy(occurring if occurring.any() else ~occurring)

    def _means(self, excerpts: np.ndarray, windows: np.ndarray, seconds: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean square roots of features (B, 1024) and mean probabilities (B, 521) over each window's patches."""
        at = (excerpts[:, None], windows[:, None] * seconds + np.arange(seconds))  # (B, seconds)
        features = np.sqrt(np.maximum(self._features[at].astype(np.float32), 0)).mean(axis=1)
        words = expit(self._logits[at].astype(np.float32)).mean(axis=1)
        return features, words


def run_second_teacher(
    excerpts: Excerpts, yamnet: Yamnet, on_batch: Callable[[int], None] = lambda _: None
) -> SecondTeacher:
    """Run YAMNet on the excerpts that it has not labelled yet, and store its outputs in their folder.

    Raises:
        TrainingError: The outputs cannot be written, or existing ones are damaged.
    """
    folder = excerpts.folder
    try:
        done = _existing_count(excerpts)
        on_batch(min(done, len(excerpts)))
        if done < len(excerpts):
            _label(excerpts, yamnet, range(done, len(excerpts)), on_batch)
    except OSError as error:
        raise TrainingError(
            f"cannot write YAMNet's outputs to {folder}: {error}", hint="free space, or choose another"
        ) from error
    return SecondTeacher(folder, len(excerpts))


def yamnet_patches(samples: Tensor) -> np.ndarray:
    """Resample excerpts (B, EXCERPT_SAMPLES) to YAMNet's rate and cut them into (B, PATCHES, PATCH_SAMPLES)."""
    length = EXCERPT_SECONDS * YAMNET_RATE
    spectrum = torch.fft.rfft(samples)[:, : length // 2 + 1]
    waveform = (torch.fft.irfft(spectrum, n=length) * (length / EXCERPT_SAMPLES)).clamp(-1, 1)
    return waveform.view(len(samples), PATCHES, YAMNET_RATE)[:, :, :PATCH_SAMPLES].numpy()


def _existing_count(excerpts: Excerpts) -> int:
    """Return the number of labelled excerpts; 0 if the excerpts have been replaced since."""
    note = excerpts.folder / NOTE
    if not note.exists():
        return 0
    try:
        found = json.loads(note.read_text("utf-8"))
        return int(found["count"]) if found["made_of"] == excerpts.made_of else 0
    except (ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{note} is damaged: {error}", hint="remove it to label again") from error


def _label(excerpts: Excerpts, yamnet: Yamnet, numbers: range, on_batch: Callable[[int], None]) -> None:
    features, logits = (
        open_rows(excerpts.folder / name, numbers.stop, (PATCHES, width), np.float16)
        for name, width in zip(FILES.values(), (FEATURES, WORDS), strict=True)
    )
    for first in range(numbers.start, numbers.stop, EXCERPTS_AT_ONCE):
        rows = np.arange(first, min(first + EXCERPTS_AT_ONCE, numbers.stop))
        patches = yamnet_patches(excerpts.read(rows, np.zeros_like(rows), EXCERPT_SAMPLES))
        outputs = yamnet(patches.reshape(-1, PATCH_SAMPLES))
        for array, output in zip((features, logits), outputs, strict=True):
            array[rows] = output.reshape(len(rows), PATCHES, -1)
            array.flush()
        with replacing(excerpts.folder / NOTE, ANYTHING) as handle:
            handle.write(json.dumps({"count": int(rows[-1]) + 1, "made_of": excerpts.made_of}).encode())
        on_batch(len(rows))
