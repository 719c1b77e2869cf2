"""Masks on spectrograms (SpecAugment, Park et al. 2019, section 2): spans of frames and of bands that are hidden."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from torch import Tensor

from engine.training.augment.waveform import Augmentations


def augment_features(
    features: dict[str, Tensor],
    settings: Augmentations,
    rng: np.random.Generator,
    names: Collection[str] | None = None,
) -> dict[str, Tensor]:
    """Hide spans of frames and of bands, window by window.

    A mask is filled with its window's mean: what Park's zero is to features of zero mean. Widths are drawn evenly from
    nothing to the greatest. A window's masks cover the same shares of time, and of bands, in all modalities: what one
    hides, another does not tell. (torchaudio's masks draw from torch's global generator, so these are our own.)

    Args:
        features: By modality, a front-end's answer; spectrograms are (W, F, T).
        settings: How many masks, how wide.
        rng: Draws where.
        names: Which modalities are spectrograms; by default all of three dimensions. Others pass untouched.

    Returns:
        New tensors where something may be masked, the same ones elsewhere; the given ones are not changed.
    """
    if not settings.time_masks and not settings.frequency_masks:
        return features
    shown = [name for name, values in features.items() if (values.ndim == 3 if names is None else name in names)]
    if not shown:
        return features
    masked = {name: features[name].clone() for name in shown}
    for windows in zip(*masked.values(), strict=True):  # one window of each modality: (F, T), views
        frames, bands = (rng.random((count, 2)) for count in (settings.time_masks, settings.frequency_masks))
        for image in windows:
            mean = image.mean()
            for draw in frames:
                image[:, _span(draw, settings.time_width, image.shape[1])] = mean
            for draw in bands:
                image[_span(draw, settings.frequency_width, image.shape[0])] = mean
    return features | masked


def _span(draw: np.ndarray, widest: float, size: int) -> slice:
    """A mask on an axis of `size`, from two draws in [0, 1): of its width and of its place."""
    width = int(draw[0] * (int(widest * size) + 1))
    start = int(draw[1] * (size - width + 1))
    return slice(start, start + width)
