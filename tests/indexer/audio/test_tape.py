"""Stretches of decoded sound (`tape`): what was read before is not decoded again, and is the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.indexer.audio import tape
from engine.indexer.audio.decode import AudioFile
from engine.indexer.audio.tape import StretchCache
from tests.audio import chirp, write_audio

RATE = 22_050
STARTS = [0.0, 10.0, 20.0, 27.0]
MOVED = [0.5, 9.0, 18.0, 27.5]


@pytest.mark.parametrize("extension", [".wav", ".flac", ".mp3", ".m4a", ".ogg"])
@pytest.mark.parametrize("seeking", [True, False])
def test_overlapping_windows(tmp_path: Path, extension: str, seeking: bool) -> None:
    """Windows that overlap earlier ones are the same with and without cached stretches, also at the end of the file."""
    write_audio(tmp_path / f"a{extension}", chirp(30), 44_100)
    with AudioFile.open(tmp_path / f"a{extension}") as audio:
        fresh, cache = audio.cut(MOVED, 4.0, RATE, seeking), StretchCache()
        audio.cut(STARTS, 4.0, RATE, seeking, cache)
        again = audio.cut(MOVED, 4.0, RATE, seeking, cache)
    for a, b in zip(fresh, again, strict=True):
        common = min(len(a), len(b)) - round(0.02 * RATE)  # the resampler sees beyond
        assert abs(len(a) - len(b)) < 0.05 * RATE  # Vorbis ends its last packet at another sample after a seek
        np.testing.assert_allclose(a[:common], b[:common], atol=1e-3)


def test_held_stretches_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest stretches go when there are too many samples."""
    monkeypatch.setattr(tape, "CACHED_SAMPLES", 250)
    held = StretchCache()
    for begin in (0, 200, 400):
        held.add(begin, np.zeros(100, np.float32))
    assert held.at(50) is None
    assert [stretch.begin for at in (250, 450) if (stretch := held.at(at))] == [200, 400]
    assert held.next_after(150, 180) == 180
    assert held.next_after(150, 300) == 200
