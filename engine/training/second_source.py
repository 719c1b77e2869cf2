"""A second waveform beside the first, for encoders that hear two: made once, cached, and cut at the same places."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap

from engine.datasets.clips import MAX_CLIP_SECONDS, PCM_SCALE, Decoded
from engine.errors import TrainingError
from engine.models.encoder import SAMPLE_RATE, Encoder
from engine.training.distill.excerpts import EXCERPT_SAMPLES, Excerpts
from engine.util.atomic_files import ANYTHING, replacing

BLOCK = 8  # excerpts whose second source is derived at once


class DerivedClips:
    """The second source of clips (for icff_net: the accompaniment), at the same sample positions as the clips.

    Args:
        source: The clips.
        encoder: Derives it, from each clip as a whole; from longer tracks in parts of up to two minutes.
        cache: Folder for the derived samples (int16).
        on_clip: Called after each clip, for progress.
    """

    def __init__(
        self, source: Decoded, encoder: Encoder, cache: Path, on_clip: Callable[[], None] = lambda: None
    ) -> None:
        self._arrays = []
        key = encoder.front_end_key()
        for index in range(len(source)):
            self._arrays.append(_derived(source, index, encoder, cache / f"{source.key(index)}-{key}.npy"))
            on_clip()

    def read(self, index: int, start: int, length: int) -> np.ndarray:
        """`length` samples (float32) of a clip's second source from `start`, padded with zeros at the end."""
        part = np.asarray(self._arrays[index][start : start + length], np.float32) / PCM_SCALE
        return np.pad(part, (0, length - len(part)))


def _derived(source: Decoded, index: int, encoder: Encoder, target: Path) -> np.ndarray:
    with suppress(OSError, ValueError, EOFError):  # not there yet, or damaged
        return np.load(target, mmap_mode="r", allow_pickle=False)
    track = torch.from_numpy(source.read(index, 0, source.length(index)))[None]
    parts = track.tensor_split(math.ceil(source.length(index) / (MAX_CLIP_SECONDS * SAMPLE_RATE)), dim=1)
    derived = [second[0] for part in parts if (second := encoder.second_source(part)) is not None]
    try:
        with replacing(target, ANYTHING) as handle:
            np.save(handle, _pcm(torch.cat(derived)))
    except OSError as error:
        raise TrainingError(f"cannot write {target}: {error}", hint="free space or choose another --cache") from error
    return np.load(target, mmap_mode="r", allow_pickle=False)


def derive_excerpts(
    excerpts: Excerpts, encoder: Encoder, on_block: Callable[[int], None] = lambda _: None
) -> np.ndarray | None:
    """The second source of all judged excerpts, (N, samples) int16, kept beside them; None where there is none."""
    if encoder.second_source(torch.zeros(1, EXCERPT_SAMPLES)) is None:
        return None
    target = excerpts.folder / f"second-{encoder.front_end_key()}.npy"
    if target.exists():
        known = np.load(target, mmap_mode="r", allow_pickle=False)
        if len(known) == len(excerpts):
            return known
    partial = target.with_suffix(".part")
    room = open_memmap(partial, "w+", np.int16, (len(excerpts), EXCERPT_SAMPLES))
    for first in range(0, len(excerpts), BLOCK):
        numbers = np.arange(first, min(first + BLOCK, len(excerpts)))
        second = encoder.second_source(excerpts.read(numbers, np.zeros_like(numbers), EXCERPT_SAMPLES))
        assert second is not None
        room[numbers[0] : numbers[-1] + 1] = _pcm(second)
        on_block(len(numbers))
    room.flush()
    partial.replace(target)
    return np.load(target, mmap_mode="r", allow_pickle=False)


def _pcm(samples: torch.Tensor) -> np.ndarray:
    return (samples.clamp(-1, 1) * PCM_SCALE).round().numpy().astype(np.int16)
