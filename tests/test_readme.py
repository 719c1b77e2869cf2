"""The README's example is run as it stands."""

import doctest
from pathlib import Path

import numpy as np
import pytest

from tests.audio import tone, write_audio

README = Path(__file__).parents[1] / "README.md"
SAMPLE_RATE = 22_050


def test_the_example_prints_what_the_readme_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who copies the README's program gets the README's output."""
    (tmp_path / "music").mkdir()
    rng = np.random.default_rng(0)
    for name, samples in (
        ("a-220", tone(220, 5, SAMPLE_RATE)),
        ("a-222", tone(222, 5, SAMPLE_RATE)),
        ("noise", rng.normal(0, 0.1, 5 * SAMPLE_RATE).astype(np.float32)),
    ):
        write_audio(tmp_path / "music" / f"{name}.flac", samples, SAMPLE_RATE)
    monkeypatch.chdir(tmp_path)
    outcome = doctest.testfile(str(README), module_relative=False)
    assert outcome.attempted > 1
    assert outcome.failed == 0
