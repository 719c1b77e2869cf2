"""SpecAugment masks (Park et al. 2019, section 2): random spans of frames and bands replaced by the window's mean."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from torch import Tensor

from engine.training.augment.waveform_settings import WaveformAugmentation


def augment_features(
    features: dict[str, Tensor],
    settings: WaveformAugmentation,
    rng: np.random.Generator,
    names: Collection[str] | None = None,
) -> dict[str, Tensor]:
    """Mask spans of frames and bands, window by window.

    Masks are filled with the window's mean, which corresponds to Park's zero for features of zero mean. Widths are
    uniform between zero and the maximum. The masks of a window cover the same shares of time and bands in all
    modalities, so that none reveals a span masked in another. (torchaudio's masks draw from torch's global generator.)

    Args:
        features: Front-end features by modality; spectrograms are (W, F, T).
        settings: Number and width of the masks.
        rng: Draws their places.
        names: Modalities that are spectrograms; by default all three-dimensional ones. Others are not masked.

    Returns:
        New tensors for masked modalities, the given ones for others. The arguments are not modified.
    """
    if not settings.time_masks and not settings.frequency_masks:
        return features
    spectrograms = [name for name, values in features.items() if (values.ndim == 3 if names is None else name in names)]
    if not spectrograms:
        return features
    masked = {name: features[name].clone() for name in spectrograms}
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
    """Return a mask on an axis of `size`, from two draws in [0, 1): width and place."""
    width = int(draw[0] * (int(widest * size) + 1))
    start = int(draw[1] * (size - width + 1))
    return slice(start, start + width)
