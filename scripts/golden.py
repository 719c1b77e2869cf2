"""Regenerates the golden signature: `python scripts/golden.py`, after new weights or a change of the front-end.

It writes what the shipped encoder says of synthetic chords to tests/models/golden_attention_signature.npz. The test
that reads it fails when the numbers move although the weights are the same.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from engine.models.checkpoint import load_encoder
from engine.models.encoder import SAMPLE_RATE, TrackEmbedding
from engine.models.shipped import default_id, find_encoder

GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "models" / "golden_attention_signature.npz"
WINDOWS, SECONDS = 4, 4
ROOTS_HZ = (220.0, 261.63, 174.61, 196.0)  # A minor, C, F, G: one chord a window
INTERVALS = ((0, 3, 7, 12), (0, 4, 7, 12), (0, 4, 7, 12), (0, 4, 7, 12))  # semitones
HARMONICS = 6


def chords() -> NDArray[np.float32]:
    """Windows (WINDOWS, SECONDS * SAMPLE_RATE): four chords, plucked twice a second; the same samples everywhere."""
    time = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    pluck = np.exp(-6 * (time % 0.5))
    windows = np.zeros((WINDOWS, len(time)))
    for window, root, intervals in zip(windows, ROOTS_HZ, INTERVALS, strict=True):
        for semitones in intervals:
            frequency = root * 2 ** (semitones / 12)
            for harmonic in range(1, HARMONICS + 1):
                window += np.sin(2 * np.pi * harmonic * frequency * time) / harmonic * pluck
    return (0.08 * windows).astype(np.float32)


def embed_chords() -> TrackEmbedding:
    """What the shipped encoder says of the chords."""
    encoder = load_encoder(find_encoder())
    return encoder.summarise(encoder.vectors_of(torch.from_numpy(chords())))


def main() -> None:
    """Write the golden file."""
    embedding = embed_chords()
    np.savez(
        GOLDEN,
        encoder=np.array(default_id()),
        signature=embedding.signature.numpy(),
        attention=embedding.attention.numpy(),
        genres=embedding.genres.numpy(),
        moods=embedding.moods.numpy(),
    )
    print(f"{GOLDEN} holds the answer of {default_id()}")


if __name__ == "__main__":
    main()
