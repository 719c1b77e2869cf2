"""The shipped encoder's answer to a few synthetic chords is the one on file."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from golden import GOLDEN, chords, embed_chords

from engine.models.encoder import TrackEmbedding
from engine.models.shipped import default_id

SAME_COSINE = 0.9999
TOLERANCE = 2e-3  # of shares: processors round differently


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    """The answer on file."""
    with np.load(GOLDEN, allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def embedding() -> TrackEmbedding:
    """Today's answer."""
    return embed_chords()


def test_golden_file_is_of_the_shipped_weights(golden: dict[str, np.ndarray]) -> None:
    """New weights come with a new golden file; if this fails, run `python scripts/golden.py`."""
    assert str(golden["encoder"]) == default_id()


def test_signature_is_the_one_on_file(golden: dict[str, np.ndarray], embedding: TrackEmbedding) -> None:
    """Front-end, network and pooling still give the signature that was written down."""
    assert golden["signature"] @ embedding.signature.numpy() > SAME_COSINE


@pytest.mark.parametrize("name", ["attention", "genres", "moods"])
def test_shares_are_those_on_file(golden: dict[str, np.ndarray], embedding: TrackEmbedding, name: str) -> None:
    """Attention, genres and moods are still what was written down."""
    np.testing.assert_allclose(getattr(embedding, name).numpy(), golden[name], atol=TOLERANCE)


def test_golden_chords_ask_something(golden: dict[str, np.ndarray]) -> None:
    """The answer on file is an opinion: attention differs between the chords, and so do the genres."""
    assert np.abs(chords()).max() < 1
    assert np.ptp(golden["attention"]) > 5 * TOLERANCE
    assert np.ptp(golden["genres"]) > 20 * TOLERANCE
