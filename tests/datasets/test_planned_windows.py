"""Windows of a track in memory, and the attention over them."""

from __future__ import annotations

import numpy as np
import pytest

from engine.datasets.planned_windows import attend, planned_windows
from engine.models.encoder import SAMPLE_RATE, WindowPlan
from tests.training.conftest import SmallEncoder

SILENCE = np.zeros(4 * SAMPLE_RATE, np.float32)


def tone(seconds: int) -> np.ndarray:
    """A tone of full scale."""
    return np.sin(np.arange(seconds * SAMPLE_RATE) * 0.1).astype(np.float32)


def test_windows_lie_between_the_first_and_the_last_sound() -> None:
    """Silence at both ends is not read, except by plans of version 0.1."""
    track = np.concatenate([SILENCE, tone(6), SILENCE])
    placed, whole = (planned_windows(track, WindowPlan(1.0, 4, placement=kind)) for kind in ("sound", "whole"))
    assert [placed.starts[0] / SAMPLE_RATE, placed.starts[-1] / SAMPLE_RATE] == pytest.approx([4, 9], abs=0.11)
    assert whole.starts == pytest.approx(np.arange(4) * 13 / 3 * SAMPLE_RATE, abs=1)
    assert whole.audible.all()
    np.testing.assert_array_equal(placed.samples[1].numpy(), track[placed.starts[1] :][:SAMPLE_RATE])


def test_silent_windows_get_no_attention(small_encoder: SmallEncoder) -> None:
    """A window of silence between two of sound has no weight; the others share all of it."""
    encoder = small_encoder().eval()
    track = np.concatenate([tone(1), *[SILENCE] * 15, tone(1)])  # too far from sound for the window to be moved to it
    windows = planned_windows(track, WindowPlan(1.0, 3))
    weights = attend(encoder, encoder.vectors_of(windows.samples), windows)
    assert windows.audible.tolist() == [True, False, True]
    assert weights[1] == 0
    assert weights.sum() == pytest.approx(1)


def test_a_short_track_is_one_window_with_zeros_behind_it() -> None:
    """The part beyond the end is silence."""
    windows = planned_windows(tone(1), WindowPlan(3.0, 4))
    assert windows.samples.shape == (1, 3 * SAMPLE_RATE)
    assert not windows.samples[0, SAMPLE_RATE:].any()
