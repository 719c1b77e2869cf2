"""Regenerate golden signatures after new weights or a change of a front-end: `python scripts/golden.py NAME...`.

It writes the outputs of the named encoders, or with `--all` of every shipped one, for synthetic chords to
tests/models/golden_NAME.npz. The tests that read these files fail if outputs change although the weights are the same.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from engine.embedding import TrackEmbedding
from engine.models.checkpoint import load_encoder
from engine.models.encoder import SAMPLE_RATE
from engine.models.weights_files import SHIPPED, find_encoder

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "models"
MOST_WINDOWS = 4
ROOTS_HZ = (220.0, 261.63, 174.61, 196.0)  # A minor, C, F, G: one chord a second, another first in each window
INTERVALS = ((0, 3, 7, 12), (0, 4, 7, 12), (0, 4, 7, 12), (0, 4, 7, 12))  # semitones
HARMONICS = 6


def golden_path(name: str) -> Path:
    """Return the path of an encoder's golden file."""
    return FOLDER / f"golden_{name}.npz"


def chords(count: int, samples: int) -> NDArray[np.float32]:
    """Return windows (count, samples) of chords, one a second, plucked twice; the same samples on every machine."""
    second = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    pluck = np.exp(-6 * (second % 0.5))
    sounds = []
    for root, intervals in zip(ROOTS_HZ, INTERVALS, strict=True):
        pitches = [root * 2 ** (semitones / 12) * h for semitones in intervals for h in range(1, HARMONICS + 1)]
        amplitudes = [1 / h for _ in intervals for h in range(1, HARMONICS + 1)]
        sound = sum(a * np.sin(2 * np.pi * p * second) for a, p in zip(amplitudes, pitches, strict=True))
        sounds.append(0.08 * sound * pluck)
    seconds = -(-samples // SAMPLE_RATE)
    windows = [np.concatenate([sounds[(i + j // 4) % 4] for j in range(seconds)])[:samples] for i in range(count)]
    return np.stack(windows).astype(np.float32)


def embed_chords(name: str) -> TrackEmbedding:
    """Encode the chords with a shipped encoder."""
    encoder = load_encoder(find_encoder(name))
    windows = chords(min(MOST_WINDOWS, encoder.plan.count), encoder.plan.samples)
    return encoder.summarise(encoder.vectors_of(torch.from_numpy(windows)))


def main() -> None:
    """Write the golden files of the named encoders."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SHIPPED))
    parser.add_argument("--all", action="store_true", help="all of them")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - SHIPPED.keys())
    if bool(arguments.names) == arguments.all or unknown:
        parser.error(f"expected names of shipped encoders, or --all; found {', '.join(unknown) or 'none'}")
    for name in arguments.names or SHIPPED:
        embedding = embed_chords(name)
        np.savez(
            golden_path(name),
            encoder=np.array(find_encoder(name).id),
            signature=embedding.signature,
            attention=embedding.attention,
            genres=embedding.genres,
            moods=embedding.moods,
        )
        print(f"{golden_path(name).name} contains the outputs of {find_encoder(name).id}")


if __name__ == "__main__":
    main()
