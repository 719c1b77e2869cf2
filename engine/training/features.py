"""Front-end features of clips, kept on disk: a second epoch, or a second training, reads no audio."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from engine.datasets.clips import ClipSamples
from engine.models.encoder import Encoder
from engine.training.state import write_safetensors
from engine.training.tracks import planned_windows


@dataclass(frozen=True)
class Variant:
    """A way to vary clips before the front-end hears them; the name, which files carry, must say all of it.

    Where an encoder hears a second source, that one is varied and the first is not (paper 4 varies its 1-D input).

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
    features = _computed(planned_windows(source, index, plan), index, encoder, variant)
    write_safetensors(target, features, {})
    return features


@torch.inference_mode()
def _computed(windows: Tensor, index: int, encoder: Encoder, variant: Variant) -> dict[str, Tensor]:
    second = encoder.second_source(windows)
    if second is None:
        features = encoder.front_end(variant.change(windows, index))
    else:
        features = encoder.front_end(windows, variant.change(second, index))
    return {name: values.half().contiguous() for name, values in features.items()}
