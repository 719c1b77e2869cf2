"""Second sources of recordings (the accompaniment, for icff_net): derived once, cached, and cut at the same places."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap

from engine.datasets.clips import MAX_CLIP_SECONDS, PCM_SCALE, DecodedAudio
from engine.errors import TrainingError
from engine.models.encoder import SAMPLE_RATE, Encoder
from engine.training.distill.excerpts import EXCERPT_SAMPLES, Excerpts
from engine.util.atomic_files import ANYTHING, replacing

EXCERPTS_AT_ONCE = 8


class SecondSourceSamples:
    """The second source of recordings, at the same sample positions as the recordings.

    Args:
        source: The recordings.
        encoder: Derives the second source of each recording as a whole, or in parts of at most MAX_CLIP_SECONDS.
        cache: Folder for the derived samples (int16).
        on_recording: Called after each recording, for progress.

    Raises:
        TrainingError: The derived samples cannot be written.
    """

    def __init__(
        self, source: DecodedAudio, encoder: Encoder, cache: Path, on_recording: Callable[[], None] = lambda: None
    ) -> None:
        self._arrays = []
        key = encoder.front_end_key()
        for index in range(len(source)):
            self._arrays.append(_load_or_derive(source, index, encoder, cache / f"{source.key(index)}-{key}.npy"))
            on_recording()

    def read(self, index: int, start: int, length: int) -> np.ndarray:
        """Return samples (length,), float32, from `start`, zero-padded at the end."""
        part = np.asarray(self._arrays[index][start : start + length], np.float32) / PCM_SCALE
        return np.pad(part, (0, length - len(part)))


def second_source_of_excerpts(
    excerpts: Excerpts, encoder: Encoder, on_block: Callable[[int], None] = lambda _: None
) -> np.ndarray | None:
    """Return the second source of all excerpts, (N, samples) int16, cached in their folder; None if there is none."""
    if not uses_second_source(encoder):
        return None
    target = excerpts.folder / f"second-{encoder.front_end_key()}.npy"
    if target.exists():
        cached = np.load(target, mmap_mode="r", allow_pickle=False)
        if len(cached) == len(excerpts):
            return cached
    partial = target.with_suffix(".part")
    derived = open_memmap(partial, "w+", np.int16, (len(excerpts), EXCERPT_SAMPLES))
    for first in range(0, len(excerpts), EXCERPTS_AT_ONCE):
        numbers = np.arange(first, min(first + EXCERPTS_AT_ONCE, len(excerpts)))
        second = encoder.second_source(excerpts.read(numbers, np.zeros_like(numbers), EXCERPT_SAMPLES))
        assert second is not None
        derived[numbers[0] : numbers[-1] + 1] = _to_pcm(second)
        on_block(len(numbers))
    derived.flush()
    partial.replace(target)
    return np.load(target, mmap_mode="r", allow_pickle=False)


def uses_second_source(encoder: Encoder) -> bool:
    """Return whether an encoder derives a second source from its windows."""
    return encoder.second_source(torch.zeros(1, encoder.plan.samples)) is not None


def _load_or_derive(source: DecodedAudio, index: int, encoder: Encoder, target: Path) -> np.ndarray:
    with suppress(OSError, ValueError, EOFError):  # missing or damaged
        return np.load(target, mmap_mode="r", allow_pickle=False)
    recording = torch.from_numpy(source.read(index, 0, source.length(index)))[None]
    parts = recording.tensor_split(math.ceil(source.length(index) / (MAX_CLIP_SECONDS * SAMPLE_RATE)), dim=1)
    derived = [second[0] for part in parts if (second := encoder.second_source(part)) is not None]
    try:
        with replacing(target, ANYTHING) as handle:
            np.save(handle, _to_pcm(torch.cat(derived)))
    except OSError as error:
        raise TrainingError(f"cannot write {target}: {error}", hint="free space or choose another --cache") from error
    return np.load(target, mmap_mode="r", allow_pickle=False)


def _to_pcm(samples: torch.Tensor) -> np.ndarray:
    return (samples.clamp(-1, 1) * PCM_SCALE).round().numpy().astype(np.int16)
