"""The check of the separation: its figures, and that separating helps."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import separation

from demo_music.styles import collection
from engine.models.separator import make_separator

TITLES = ("Hat Trick", "Slow Eclipse", "Scarborough Fair", "Late Rent")  # jazz, metal, folk, blues


class Unchanged:
    """A separator that takes nothing out."""

    def accompaniment(self, windows: torch.Tensor) -> torch.Tensor:
        """The mix."""
        return windows


def test_sdr_is_in_decibels() -> None:
    """Noise of a tenth of the amplitude is 20 dB below; half the amplitude leaves 6 dB."""
    true = torch.randn(10_000, generator=torch.Generator().manual_seed(0))
    assert separation.sdr(true, true + 0.1 * true.flip(0)) == pytest.approx(20, abs=0.01)
    assert separation.sdr(true, true / 2) == pytest.approx(6.02, abs=0.01)


def test_separating_helps_on_average() -> None:
    """The accompaniment that is separated from rendered pieces is at least 1 dB nearer to the true one than the mix."""
    songs = [song for song in collection() if song.title in TITLES]
    gains = [separation.separate(song, make_separator()).gain for song in songs]
    assert len(gains) == len(TITLES)
    assert separation.mean(gains) > 1


def test_taking_nothing_out_gains_nothing() -> None:
    """A separator that returns the mix has the mix's own SDR."""
    found = separation.separate(collection()[0], Unchanged())
    assert found.gain == 0
    assert found.mix == found.separated != 0
