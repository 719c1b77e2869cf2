"""Making of labelled excerpts: draw augmented mixtures, run the teacher on them, and store both, resumably."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib.format import open_memmap
from torch import Tensor

from engine.datasets.clips import PCM_SCALE, ClipSamples, SampleCollection
from engine.datasets.music import BalancedPair, MusicSamples
from engine.db.places import make_private_folder
from engine.errors import TrainingError
from engine.models.teacher import FEATURES, SAMPLE_RATE as TEACHER_RATE, TAGS, Teacher
from engine.training.augment.spectral import RenderedExcerpts, SpectralAugmentation, draw_mixture, render
from engine.training.distill.excerpts import (
    EXCERPT_SAMPLES,
    EXCERPT_SECONDS,
    NOTE,
    STORED_GAIN,
    TARGET_SECONDS,
    Excerpts,
)
from engine.util.atomic_files import ANYTHING, replacing

TEACHER_WINDOWS_AT_ONCE = 8  # the fastest batch on a CPU
EXCERPTS_AT_ONCE = 8  # between two updates of the note on disk


def make_excerpts(
    folder: Path,
    teacher: Teacher,
    source: ClipSamples,
    *,
    count: int,
    augmentation: SpectralAugmentation,
    seed: int,
    music: MusicSamples | None = None,
    on_batch: Callable[[int], None] = lambda _: None,
) -> Excerpts:
    """Fill `folder` with `count` labelled excerpts, or add the missing ones; surplus ones remain.

    With `music`, half of the excerpts come from it.

    Raises:
        TrainingError: The folder has excerpts of other clips or settings, or cannot be written.
    """
    made_of: dict[str, Any] = {"seed": seed, "clips": _fingerprint(source), **asdict(augmentation)}
    if music:
        made_of["music"] = music.fingerprint()[:16]
    try:
        make_private_folder(folder)
        done = _existing_count(folder, made_of)
        on_batch(min(done, count))
        if done < count:
            maker = _ExcerptMaker(folder, teacher, BalancedPair(source, music) if music else source, augmentation)
            maker.fill(range(done, count), made_of, on_batch)
    except OSError as error:
        raise TrainingError(
            f"cannot write labelled excerpts to {folder}: {error}", hint="free space, or choose another"
        ) from error
    return Excerpts(folder)


def open_rows(path: Path, rows: int, shape: tuple[int, ...], kind: type) -> np.memmap:
    """Open or grow a memory-mapped array to `rows` rows, keeping existing ones.

    Raises:
        TrainingError: The file is not an array of this shape and type; it is not overwritten.
    """
    if not path.exists():
        return open_memmap(path, "w+", kind, (rows, *shape))
    existing = _existing_rows(path, shape, kind)
    if len(existing) >= rows:
        return open_memmap(path, "r+")
    partial = path.with_suffix(".part")
    grown = open_memmap(partial, "w+", kind, (rows, *shape))
    grown[: len(existing)] = existing
    grown.flush()
    partial.replace(path)
    return grown


@dataclass(frozen=True, eq=False)
class _ExcerptMaker:
    """Draws excerpts, runs the teacher on them, and stores both."""

    folder: Path
    teacher: Teacher
    source: SampleCollection
    augmentation: SpectralAugmentation

    def fill(self, numbers: range, made_of: dict[str, Any], on_batch: Callable[[int], None]) -> None:
        """Make the excerpts with these numbers; each is drawn from the seed and its number alone."""
        arrays = self._open_arrays(numbers.stop)
        for first in range(numbers.start, numbers.stop, EXCERPTS_AT_ONCE):
            batch = range(first, min(first + EXCERPTS_AT_ONCE, numbers.stop))
            draws = [np.random.default_rng([made_of["seed"], number]) for number in batch]
            spectra = [draw_mixture(self.source, EXCERPT_SAMPLES, self.augmentation, rng) for rng in draws]
            self._store(arrays, slice(batch.start, batch.stop), render(spectra, EXCERPT_SAMPLES))
            with replacing(self.folder / NOTE, ANYTHING) as handle:
                handle.write(json.dumps({"count": batch.stop, "made_of": made_of}).encode())
            on_batch(len(batch))

    def _open_arrays(self, rows: int) -> dict[str, np.memmap]:
        shapes: dict[str, tuple[tuple[int, ...], type]] = {"audio": ((EXCERPT_SAMPLES,), np.int16)}
        for seconds in TARGET_SECONDS:
            windows = EXCERPT_SECONDS // seconds
            shapes[f"features{seconds}"] = ((windows, FEATURES), np.float16)
            shapes[f"tags{seconds}"] = ((windows, TAGS), np.float16)
        return {name: open_rows(self.folder / f"{name}.npy", rows, *shape) for name, shape in shapes.items()}

    def _store(self, arrays: dict[str, np.memmap], rows: slice, rendered: RenderedExcerpts) -> None:
        pcm = (rendered.student * STORED_GAIN).clamp(-1, 1) * PCM_SCALE
        arrays["audio"][rows] = pcm.round().numpy().astype(np.int16)
        for seconds in TARGET_SECONDS:
            outputs = _run_teacher(self.teacher, rendered.teacher.reshape(-1, seconds * TEACHER_RATE))
            for name, output in zip((f"features{seconds}", f"tags{seconds}"), outputs, strict=True):
                arrays[name][rows] = output.view(len(pcm), EXCERPT_SECONDS // seconds, -1).numpy()
                arrays[name].flush()


@torch.inference_mode()
def _run_teacher(teacher: Teacher, windows: Tensor) -> tuple[Tensor, Tensor]:
    """Return features (N, 200) and tags (N, 50) of windows (N, L), float16."""
    patches = [teacher.log_mel(part) for part in windows.split(TEACHER_WINDOWS_AT_ONCE)]
    with torch.autocast("cpu", torch.bfloat16):
        outputs = [teacher(part) for part in patches]
    features, tags = (torch.cat(column) for column in zip(*outputs, strict=True))
    return features.half(), tags.half()


def _fingerprint(source: ClipSamples) -> str:
    names = [(clip.path.name, source.length(i)) for i, clip in enumerate(source.clips)]
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()[:16]


def _existing_count(folder: Path, made_of: dict[str, Any]) -> int:
    """Return the number of excerpts in `folder`; raise TrainingError if they were made of anything else."""
    note = folder / NOTE
    if not note.exists():
        return 0
    try:
        found = json.loads(note.read_text("utf-8"))
    except ValueError as error:
        raise TrainingError(f"{note} is damaged: {error}", hint="remove the folder to label again") from error
    if found.get("made_of") != made_of:
        raise TrainingError(f"{folder} holds excerpts of other clips, seed or settings", hint="choose another folder")
    return int(found["count"])


def _existing_rows(path: Path, shape: tuple[int, ...], kind: type) -> np.ndarray:
    with suppress(ValueError, EOFError):
        existing: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        if existing.dtype == kind and existing.shape[1:] == shape:
            return existing
    raise TrainingError(f"expected labelled excerpts in {path}, found another file", hint="choose another folder")
