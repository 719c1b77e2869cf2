"""What a second teacher says of judged excerpts, kept beside what the first one said.

YAMNet hears the excerpts as they are stored, so a folder that was judged by MusiCNN alone can be judged again by it at
any time. It judges a patch at every full second; a window's answer is the mean over the patches that begin in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.errors import TrainingError
from engine.models.yamnet import FEATURES, PATCH_SAMPLES, SAMPLE_RATE as YAMNET_RATE, WORDS, Yamnet
from engine.training.distill.excerpts import BATCH, EXCERPT_SAMPLES, EXCERPT_SECONDS, Excerpts, room
from engine.util.atomic_files import ANYTHING, replacing

PATCHES = EXCERPT_SECONDS  # one begins at every full second
KNOWN_EXCERPTS = 2048  # that means and deviations are measured on, and which words occur
KNOWN_SECONDS = 3  # window length that they are measured at
LEAST_DEVIATION = 0.02  # of a feature's root: what hardly moves is not blown up
HEARD = 0.2  # probability in some window from which on a word counts as one that occurs
FILES = {"features": "yamnet_features.npy", "logits": "yamnet_logits.npy"}
NOTE = "yamnet.json"


@dataclass(frozen=True)
class SecondJudgements:
    """What YAMNet said of a batch of windows.

    Attributes:
        features: Roots of its features, standardised, (B, 1024).
        words: Their probabilities, (B, 521).
        heard: Which words occur in the excerpts at all, (521,): the others teach nothing.
    """

    features: Tensor
    words: Tensor
    heard: Tensor


class SecondOpinions:
    """YAMNet's answers to the judged excerpts of a folder, memory-mapped.

    Args:
        folder: Judged by `judge_again`.
        count: How many excerpts are learnt from.

    Raises:
        TrainingError: The folder holds fewer answers, or other arrays.
    """

    def __init__(self, folder: Path, count: int) -> None:
        try:
            self._features, self._logits = (
                np.load(folder / n, mmap_mode="r", allow_pickle=False) for n in FILES.values()
            )
        except (OSError, ValueError) as error:
            raise TrainingError(f"expected YAMNet's answers in {folder}, cannot read them: {error}") from error
        shapes = (self._features.shape[1:], self._logits.shape[1:])
        if shapes != ((PATCHES, FEATURES), (PATCHES, WORDS)) or min(len(self._features), len(self._logits)) < count:
            raise TrainingError(
                f"expected YAMNet's answers to {count} excerpts in {folder}, found other arrays",
                hint=f"remove {NOTE} there to judge anew",
            )
        known = np.unique(np.linspace(0, count - 1, min(count, KNOWN_EXCERPTS)).round().astype(int))
        windows = EXCERPT_SECONDS // KNOWN_SECONDS
        rows, numbers = np.repeat(known, windows), np.tile(np.arange(windows), len(known))
        features, words = self._means(rows, numbers, KNOWN_SECONDS)
        self._mean, self._deviation = features.mean(axis=0), features.std(axis=0).clip(LEAST_DEVIATION)
        heard = words.max(axis=0) > HEARD
        self._heard = torch.from_numpy(heard if heard.any() else ~heard)

    def judgements(self, excerpts: np.ndarray, windows: np.ndarray, seconds: float) -> SecondJudgements:
        """What was said of window number `windows` of `seconds` (whole) each of the excerpts with these numbers."""
        features, words = self._means(excerpts, windows, round(seconds))
        return SecondJudgements(
            torch.from_numpy((features - self._mean) / self._deviation), torch.from_numpy(words), self._heard
        )

    def _means(self, excerpts: np.ndarray, windows: np.ndarray, seconds: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean roots of features (B, 1024) and mean probabilities of words (B, 521) over each window's patches."""
        at = (excerpts[:, None], windows[:, None] * seconds + np.arange(seconds))  # (B, seconds)
        features = np.sqrt(np.maximum(self._features[at].astype(np.float32), 0)).mean(axis=1)
        words = (1 / (1 + np.exp(-self._logits[at].astype(np.float32)))).mean(axis=1)
        return features, words


def judge_again(excerpts: Excerpts, yamnet: Yamnet, on_batch: Callable[[int], None] = lambda _: None) -> SecondOpinions:
    """Let YAMNet judge what it has not yet judged of these excerpts; its answers are kept in their folder.

    Raises:
        TrainingError: The answers cannot be written, or what is there is damaged.
    """
    folder = excerpts.folder
    try:
        done = _done(excerpts)
        on_batch(min(done, len(excerpts)))
        if done < len(excerpts):
            _judge(excerpts, yamnet, range(done, len(excerpts)), on_batch)
    except OSError as error:
        raise TrainingError(
            f"cannot write YAMNet's answers to {folder}: {error}", hint="free space, or choose another"
        ) from error
    return SecondOpinions(folder, len(excerpts))


def patches_of(heard: Tensor) -> np.ndarray:
    """Excerpts (B, EXCERPT_SAMPLES) -> what YAMNet hears of them, (B, PATCHES, PATCH_SAMPLES)."""
    length = EXCERPT_SECONDS * YAMNET_RATE
    spectrum = torch.fft.rfft(heard)[:, : length // 2 + 1]
    waveform = (torch.fft.irfft(spectrum, n=length) * (length / EXCERPT_SAMPLES)).clamp(-1, 1)
    return waveform.view(len(heard), PATCHES, YAMNET_RATE)[:, :, :PATCH_SAMPLES].numpy()


def _done(excerpts: Excerpts) -> int:
    """How many are judged; none where the excerpts have since been made anew of something else."""
    note = excerpts.folder / NOTE
    if not note.exists():
        return 0
    try:
        found = json.loads(note.read_text("utf-8"))
        return int(found["count"]) if found["made_of"] == excerpts.made_of else 0
    except (ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{note} is damaged: {error}", hint="remove it to judge anew") from error


def _judge(excerpts: Excerpts, yamnet: Yamnet, numbers: range, on_batch: Callable[[int], None]) -> None:
    features, logits = (
        room(excerpts.folder / name, numbers.stop, (PATCHES, width), np.float16)
        for name, width in zip(FILES.values(), (FEATURES, WORDS), strict=True)
    )
    for first in range(numbers.start, numbers.stop, BATCH):
        rows = np.arange(first, min(first + BATCH, numbers.stop))
        patches = patches_of(excerpts.read(rows, np.zeros_like(rows), EXCERPT_SAMPLES))
        answers = yamnet(patches.reshape(-1, PATCH_SAMPLES))
        for array, answer in zip((features, logits), answers, strict=True):
            array[rows] = answer.reshape(len(rows), PATCHES, -1)
            array.flush()
        with replacing(excerpts.folder / NOTE, ANYTHING) as handle:
            handle.write(json.dumps({"count": int(rows[-1]) + 1, "made_of": excerpts.made_of}).encode())
        on_batch(len(rows))
