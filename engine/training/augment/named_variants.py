"""Named variants of clips, as papers enlarge their training sides by: each clip once more, changed in one way."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from engine.models.encoder import SAMPLE_RATE
from engine.training.augment.waveform import Augmentations, augment_waveform
from engine.training.features import Variant

# Meng et al. (ICFF-Net), section 2.1: uniform noise at a random level, 1.5 s to the left, 0.9 or 1.1 times as long
SETTINGS = {
    "noise": Augmentations(noise=1.0),
    "shift": Augmentations(shift_seconds=1.5, extremes=True),
    "stretch": Augmentations(stretch=(0.9, 1.1), extremes=True),
}


def named_variant(name: str, seed: int) -> Variant:
    """One of SETTINGS, drawn for each clip by its number: all windows of a clip are changed alike."""
    settings = SETTINGS[name]

    def change(windows: Tensor, clip: int) -> Tensor:
        draws = (np.random.default_rng([seed, clip]) for _ in windows)
        return torch.stack(
            [augment_waveform(w, SAMPLE_RATE, settings, rng) for w, rng in zip(windows, draws, strict=True)]
        )

    return Variant(f"{name}-{seed}", change)
