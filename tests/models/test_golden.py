"""Each shipped encoder's answer to a few synthetic chords is the one on file."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from golden import chords, embed_chords, golden_path

from engine.embedding import TrackEmbedding
from engine.models.weights_files import SHIPPED, find_encoder

SAME_COSINE = 0.9999
TOLERANCE = 2e-3  # of shares: processors round differently


@dataclass(frozen=True)
class Answers:
    """What an encoder said when it was written down, and what it says today."""

    name: str
    on_file: dict[str, np.ndarray]
    today: TrackEmbedding


@pytest.fixture(scope="module", params=SHIPPED)
def answers(request: pytest.FixtureRequest) -> Answers:
    """Both answers of each encoder."""
    with np.load(golden_path(request.param), allow_pickle=False) as arrays:
        return Answers(request.param, dict(arrays), embed_chords(request.param))


def test_golden_file_is_of_the_shipped_weights(answers: Answers) -> None:
    """New weights come with a new golden file; if this fails, run `python scripts/golden.py NAME`."""
    assert str(answers.on_file["encoder"]) == find_encoder(answers.name).id


def test_signature_is_the_one_on_file(answers: Answers) -> None:
    """Front-end, network and pooling still give the signature that was written down."""
    assert answers.on_file["signature"] @ answers.today.signature > SAME_COSINE


@pytest.mark.parametrize("name", ["attention", "genres", "moods"])
def test_shares_are_those_on_file(answers: Answers, name: str) -> None:
    """Attention, genres and moods are still what was written down."""
    np.testing.assert_allclose(getattr(answers.today, name), answers.on_file[name], atol=TOLERANCE)


def test_golden_chords_ask_something(answers: Answers) -> None:
    """The answer on file is an opinion: attention differs between the chords, and so do the genres."""
    assert np.abs(chords(2, 22_050)).max() < 1
    assert np.ptp(answers.on_file["attention"]) > TOLERANCE
    assert np.ptp(answers.on_file["genres"]) > 20 * TOLERANCE
