"""Augmentation: effects on waveforms and spectra, masks, codec round trips, and named variants of clips."""
