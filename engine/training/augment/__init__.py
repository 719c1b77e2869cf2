"""Augmentation: effects, waveform and spectral transforms, masks, codec round trips."""
