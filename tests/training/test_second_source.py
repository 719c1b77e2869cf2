"""Second sources: derived once, cached, and cut at the same places as the clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.datasets.clips import ClipSamples
from engine.models.checkpoint import build
from engine.models.encoder import Encoder
from engine.training.second_source import SecondSourceSamples, uses_second_source
from tests.training.conftest import SmallEncoder

PCM_STEP = 1 / 32_767


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """A small encoder that reads the accompaniment beside the mix."""
    torch.manual_seed(0)
    return build("icff_net", {"widths": (4, 8, 8, 8, 8), "width": 8, "hidden": 8, "dim": 8}).eval()


def test_only_some_encoders_use_one(encoder: Encoder, small_encoder: SmallEncoder) -> None:
    """The accompaniment encoder has a second source; an encoder of the mix alone has none."""
    assert uses_second_source(encoder)
    assert not uses_second_source(small_encoder())
    assert not uses_second_source(build("icff_net", {"source": "mix"}))


def test_it_is_the_encoders_and_cached(encoder: Encoder, samples: ClipSamples, tmp_path: Path) -> None:
    """Samples are the encoder's second source of the whole clip; only a damaged cache file is derived anew."""
    done: list[int] = []
    first = SecondSourceSamples(samples, encoder, tmp_path, lambda: done.append(1))
    assert len(done) == len(samples)
    whole = torch.from_numpy(samples.read(0, 0, samples.length(0)))[None]
    expected = encoder.second_source(whole)
    assert expected is not None
    np.testing.assert_allclose(first.read(0, 500, 2000), expected[0, 500:2500].clamp(-1, 1).numpy(), atol=PCM_STEP)
    assert not first.read(0, samples.length(0), 10).any()
    damaged, *others = sorted(tmp_path.glob("*.npy"))
    before = {path: path.stat().st_mtime_ns for path in others}
    part = damaged.read_bytes()[:50]
    damaged.unlink()  # `first` still maps the old file
    damaged.write_bytes(part)
    again = SecondSourceSamples(samples, encoder, tmp_path)
    for index in range(len(samples)):
        np.testing.assert_array_equal(again.read(index, 0, 3000), first.read(index, 0, 3000))
    assert {path: path.stat().st_mtime_ns for path in others} == before
