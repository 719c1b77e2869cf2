"""Judged excerpts on disk: mixtures that the teacher has heard, once, for the training of any encoder.

A patient, consistent teacher (Beyer et al. 2022) judges the very excerpt that a student hears. Judging is dearer than
learning, so every excerpt is kept beside what was said of it, cut into windows of each of JUDGED_SECONDS.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap
from torch import Tensor

from engine.datasets.clips import PCM_SCALE, ClipSamples
from engine.datasets.music import Halves, MusicSamples
from engine.db.places import make_private_folder
from engine.errors import TrainingError
from engine.models.encoder import SAMPLE_RATE
from engine.models.teacher import FEATURES, SAMPLE_RATE as TEACHER_RATE, TAGS, Teacher
from engine.training.augment.spectral import Augmentation, Drawable, draw_patch, render
from engine.util.atomic_files import ANYTHING, replacing

EXCERPT_SECONDS = 12
EXCERPT_SAMPLES = EXCERPT_SECONDS * SAMPLE_RATE
JUDGED_SECONDS = (3, 4)
JUDGED_AT_ONCE = 8  # windows: the teacher's fastest batch on a CPU
BATCH = 8  # excerpts between two notes of how far the judging is
PEAK = 0.5  # of full scale that TARGET_RMS is stored at, so that peaks are seldom cut: -18 dBFS becomes -24


@dataclass(frozen=True)
class Judgements:
    """What the teacher said of a batch of windows: its features, standardised (B, 200), and its tags (B, 50)."""

    features: Tensor
    tags: Tensor


class Excerpts:
    """Judged excerpts in a folder: int16 samples, and the teacher's answers by window length.

    Args:
        folder: Made by `judge_excerpts`.

    Raises:
        TrainingError: The folder holds none, or other arrays.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            note = json.loads((folder / "judged.json").read_text("utf-8"))
            self.count, self.made_of = int(note["count"]), note.get("made_of")
            self._audio = np.load(folder / "audio.npy", mmap_mode="r", allow_pickle=False)
            self._features = {s: np.load(folder / f"features{s}.npy", allow_pickle=False) for s in JUDGED_SECONDS}
            self._tags = {s: np.load(folder / f"tags{s}.npy", allow_pickle=False) for s in JUDGED_SECONDS}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TrainingError(f"expected judged excerpts in {folder}, cannot read them: {error}") from error
        known = self._features[JUDGED_SECONDS[0]][: self.count].reshape(-1, FEATURES).astype(np.float32)
        self._mean, self._std = known.mean(axis=0), known.std(axis=0).clip(1e-3)

    def __len__(self) -> int:
        return self.count

    def read(self, excerpts: np.ndarray, starts: np.ndarray, length: int) -> Tensor:
        """`length` samples (B, L) from `starts` of the excerpts with these numbers."""
        return cut(self._audio, excerpts, starts, length) / PEAK

    def judgements(self, excerpts: np.ndarray, windows: np.ndarray, seconds: float) -> Judgements:
        """What the teacher said of window number `windows` of `seconds` each of the excerpts with these numbers.

        Longer windows than it judged get the mean of what it said of the parts.

        Raises:
            TrainingError: No judged length divides `seconds`, or it does not divide the excerpt.
        """
        unit = judged_unit(seconds)
        parts = round(seconds / unit)
        at = windows[:, None] * parts + np.arange(parts)  # (B, parts)
        features = self._features[unit][excerpts[:, None], at].astype(np.float32).mean(axis=1)
        tags = self._tags[unit][excerpts[:, None], at].astype(np.float32).mean(axis=1)
        return Judgements(torch.from_numpy((features - self._mean) / self._std), torch.from_numpy(tags))


def cut(audio: np.ndarray, rows: np.ndarray, starts: np.ndarray, length: int) -> Tensor:
    """`length` samples (B, L), float32, from `starts` of these rows of int16 audio."""
    parts = [audio[row, start : start + length] for row, start in zip(rows, starts, strict=True)]
    return torch.from_numpy(np.stack(parts).astype(np.float32) / PCM_SCALE)


def judged_unit(seconds: float) -> int:
    """The judged window length of which `seconds` is a multiple; raises TrainingError where there is none."""
    for unit in reversed(JUDGED_SECONDS):
        if seconds % unit == 0 and EXCERPT_SECONDS % seconds == 0:
            return unit
    raise TrainingError(
        f"expected segments of 3, 4, 6 or 12 seconds to learn from a teacher, found {seconds:g}",
        hint="train without one",
    )


def judge_excerpts(
    folder: Path,
    teacher: Teacher,
    source: ClipSamples,
    count: int,
    augmentation: Augmentation,
    seed: int,
    on_batch: Callable[[int], None] = lambda _: None,
    music: MusicSamples | None = None,
) -> Excerpts:
    """Fill `folder` with `count` judged excerpts, or go on with what is there; more than that stay.

    Half of them come from `music` where there is some.

    Raises:
        TrainingError: The folder holds excerpts of other clips or settings, or cannot be written.
    """
    made_of = {"seed": seed, "clips": _fingerprint(source), **asdict(augmentation)}
    if music:
        made_of["music"] = music.fingerprint()[:16]
    try:
        make_private_folder(folder)
        done = _done(folder, made_of)
        on_batch(min(done, count))
        if done < count:
            drawn_from = Halves(source, music) if music else source
            _judge(folder, teacher, drawn_from, range(done, count), made_of, augmentation, on_batch)
    except OSError as error:
        raise TrainingError(
            f"cannot write judged excerpts to {folder}: {error}", hint="free space, or choose another"
        ) from error
    return Excerpts(folder)


def _fingerprint(source: ClipSamples) -> str:
    names = [(clip.path.name, source.length(i)) for i, clip in enumerate(source.clips)]
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()[:16]


def _done(folder: Path, made_of: dict) -> int:
    note = folder / "judged.json"
    if not note.exists():
        return 0
    try:
        found = json.loads(note.read_text("utf-8"))
    except ValueError as error:
        raise TrainingError(f"{note} is damaged: {error}", hint="remove the folder to judge anew") from error
    if found.get("made_of") != made_of:
        raise TrainingError(f"{folder} holds excerpts of other clips, seed or settings", hint="choose another folder")
    return int(found["count"])


def _judge(
    folder: Path, teacher: Teacher, source: Drawable, numbers: range, made_of: dict, augmentation: Augmentation,
    on_batch: Callable[[int], None],
) -> None:  # fmt: skip
    shapes: dict[str, tuple[tuple[int, ...], type]] = {"audio": ((EXCERPT_SAMPLES,), np.int16)}
    for seconds in JUDGED_SECONDS:
        windows = EXCERPT_SECONDS // seconds
        shapes |= {
            f"features{seconds}": ((windows, FEATURES), np.float16),
            f"tags{seconds}": ((windows, TAGS), np.float16),
        }
    arrays = {name: room(folder / f"{name}.npy", numbers.stop, *shape) for name, shape in shapes.items()}
    for first in range(numbers.start, numbers.stop, BATCH):
        batch = range(first, min(first + BATCH, numbers.stop))
        draws = [np.random.default_rng([made_of["seed"], number]) for number in batch]
        heard = render([draw_patch(source, EXCERPT_SAMPLES, augmentation, rng) for rng in draws], EXCERPT_SAMPLES)
        pcm = (heard.student * PEAK).clamp(-1, 1) * PCM_SCALE
        arrays["audio"][batch.start : batch.stop] = pcm.round().numpy().astype(np.int16)
        for seconds in JUDGED_SECONDS:
            features, tags = _answers(teacher, heard.teacher.reshape(-1, seconds * TEACHER_RATE))
            windows = EXCERPT_SECONDS // seconds
            arrays[f"features{seconds}"][batch.start : batch.stop] = features.view(len(batch), windows, -1).numpy()
            arrays[f"tags{seconds}"][batch.start : batch.stop] = tags.view(len(batch), windows, -1).numpy()
            arrays[f"features{seconds}"].flush()
            arrays[f"tags{seconds}"].flush()
        with replacing(folder / "judged.json", ANYTHING) as handle:
            handle.write(json.dumps({"count": batch.stop, "made_of": made_of}).encode())
        on_batch(len(batch))


@torch.inference_mode()
def _answers(teacher: Teacher, windows: Tensor) -> tuple[Tensor, Tensor]:
    patches = [teacher.log_mel(part) for part in windows.split(JUDGED_AT_ONCE)]
    with torch.autocast("cpu", torch.bfloat16):
        answers = [teacher(part) for part in patches]
    features, tags = (torch.cat(column) for column in zip(*answers, strict=True))
    return features.half(), tags.half()


def _known_room(path: Path, shape: tuple[int, ...], kind: type) -> np.ndarray:
    """The array in a file that is there, or TrainingError where it is none of ours: it is not to be written over."""
    with suppress(ValueError, EOFError):
        old: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        if old.dtype == kind and old.shape[1:] == shape:
            return old
    raise TrainingError(f"expected judged excerpts in {path}, found another file", hint="choose another folder")


def room(path: Path, rows: int, shape: tuple[int, ...], kind: type) -> np.memmap:
    """An array file with room for `rows`, what an earlier, shorter one held kept."""
    if path.exists():
        old = _known_room(path, shape, kind)
        if len(old) >= rows:
            return open_memmap(path, "r+")
        grown = path.with_suffix(".part")
        room = open_memmap(grown, "w+", kind, (rows, *shape))
        room[: len(old)] = old
        room.flush()
        grown.replace(path)
        return room
    return open_memmap(path, "w+", kind, (rows, *shape))
