"""Front-end features of clips, cached on disk, so that a second epoch or training decodes no audio."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from engine.datasets.clip_embeddings import clip_windows
from engine.datasets.clips import ClipSamples
from engine.models.encoder import Encoder
from engine.training.augment.named_variants import ORIGINAL, Variant
from engine.training.state import write_safetensors


def clip_features(
    source: ClipSamples, index: int, encoder: Encoder, cache: Path, variant: Variant = ORIGINAL
) -> dict[str, Tensor]:
    """Return features (S, ...), float16, of the windows that indexing would read of a clip, cached by modality.

    Cache files are named by the clip's file, the front-end's settings, the window plan, and the variant.

    Raises:
        TrainingError: They cannot be written.
    """
    plan = encoder.plan
    parts = [source.key(index), encoder.front_end_key(), f"{plan.count}x{plan.seconds:g}", variant.name]
    target = cache / ("-".join(part for part in parts if part) + ".safetensors")
    with suppress(SafetensorError, OSError):  # missing or damaged
        return load_file(target)
    features = _compute(clip_windows(source, index, plan), index, encoder, variant)
    write_safetensors(target, features, {})
    return features


@torch.inference_mode()
def _compute(windows: Tensor, index: int, encoder: Encoder, variant: Variant) -> dict[str, Tensor]:
    second = encoder.second_source(windows)
    if second is None:
        features = encoder.front_end(variant.change(windows, index))
    else:
        features = encoder.front_end(windows, variant.change(second, index))
    return {name: values.half().contiguous() for name, values in features.items()}
