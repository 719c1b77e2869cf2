"""Front-end features of clips, kept on disk: a second epoch, or a second training, reads no audio."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from engine.errors import TrainingError
from engine.models.encoder import Encoder
from engine.training.clips import ClipSamples
from engine.training.state import write_safetensors
from engine.training.tracks import planned_windows

CHUNK = 8  # windows that go through a front-end at once


@dataclass(frozen=True)
class Variant:
    """A way to vary clips before the front-end hears them; the name, which files carry, must say all of it.

    Attributes:
        name: For example "shift-1.5"; empty for the clips as they are.
        change: Windows (W, L), number of the clip -> windows (W, L).
    """

    name: str = ""
    change: Callable[[Tensor, int], Tensor] = lambda windows, _: windows


ORIGINAL = Variant()


def clip_features(
    source: ClipSamples, index: int, encoder: Encoder, cache: Path, variant: Variant = ORIGINAL
) -> dict[str, Tensor]:
    """Features (S, ...), float16, of the windows that indexing would read of a clip, from the cache where they are.

    Files are named by the clip's file, the front-end's settings, the plan, and the variant.

    Raises:
        TrainingError: They cannot be written.
    """
    plan = encoder.plan
    parts = [source.key(index), encoder.front_end_key(), f"{plan.count}x{plan.seconds:g}", variant.name]
    target = cache / ("-".join(part for part in parts if part) + ".safetensors")
    with suppress(SafetensorError, OSError):  # not there yet, or damaged
        return load_file(target)
    features = _computed(variant.change(planned_windows(source, index, plan), index), encoder)
    write_safetensors(target, features, {})
    return features


@torch.inference_mode()
def _computed(windows: Tensor, encoder: Encoder) -> dict[str, Tensor]:
    chunks = [encoder.front_end(part) for part in windows.split(CHUNK)]
    return {name: torch.cat([chunk[name] for chunk in chunks]).half().contiguous() for name in chunks[0]}


def available_bytes(folder: Path) -> int:
    """Free space for features; raises TrainingError where the folder cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        status = os.statvfs(folder)
    except OSError as error:
        raise TrainingError(f"cannot keep features in {folder}: {error}; choose another --cache") from error
    return status.f_bavail * status.f_frsize
