"""Named variants of clips, with which papers enlarge their training data: each clip once more, changed in one way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.models.encoder import SAMPLE_RATE
from engine.training.augment.waveform import augment_waveform
from engine.training.augment.waveform_settings import WaveformAugmentation

# Meng et al. (ICFF-Net), section 2.1: uniform noise at a random level; 1.5 s to the left; 0.9 or 1.1 times as long.
SETTINGS = {
    "noise": WaveformAugmentation(noise=1.0),
    "shift": WaveformAugmentation(shift_seconds=1.5, extremes=True),
    "stretch": WaveformAugmentation(stretch=(0.9, 1.1), extremes=True),
}


@dataclass(frozen=True)
class Variant:
    """A change of clips before the front-end.

    For an encoder with a second source, the second source is changed and the first is not (Meng et al. change the 1-D
    input).

    Attributes:
        name: For example "shift-0"; empty for unchanged clips. Part of cache file names, so it must determine `change`.
        change: Maps windows (W, L) and the number of the clip to windows (W, L).
    """

    name: str = ""
    change: Callable[[Tensor, int], Tensor] = lambda windows, _: windows


ORIGINAL = Variant()


def named_variant(name: str, seed: int) -> Variant:
    """Return the variant of one of SETTINGS; all windows of a clip are changed alike, by draws from seed and number."""
    settings = SETTINGS[name]

    def change(windows: Tensor, clip: int) -> Tensor:
        return torch.stack(
            [augment_waveform(w, SAMPLE_RATE, settings, np.random.default_rng([seed, clip])) for w in windows]
        )

    return Variant(f"{name}-{seed}", change)
