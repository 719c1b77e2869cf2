"""Encoders, fresh and shipped, and tracks of windows to give them."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.models.checkpoint import build, load_encoder
from engine.models.encoder import SAMPLE_RATE, Encoder
from engine.models.registry import ARCHITECTURES
from engine.models.weights_files import find_encoder

MakeTrack = Callable[..., Tensor]
SMALLER = {"icff_net": {"segments": 3}}  # blocks of 9 s in place of 21


@pytest.fixture(scope="session")
def make_track() -> MakeTrack:
    """A function that makes windows (count, samples) of a track: other tones in each window, decaying, over noise."""

    def make(samples: int, count: int, seed: int = 0) -> Tensor:
        random = np.random.default_rng(seed)
        time = np.arange(samples) / SAMPLE_RATE
        pitches = random.uniform(80, 2000, (count, 4, 1))
        tones = (np.sin(2 * np.pi * pitches * time) * np.exp(-random.uniform(0, 3, (count, 4, 1)) * time)).sum(axis=1)
        noise = random.standard_normal((count, samples)) * random.uniform(0.01, 0.3, (count, 1))
        return torch.from_numpy(0.1 * tones + 0.1 * noise).float()

    return make


@pytest.fixture(scope="session", params=ARCHITECTURES)
def fresh(request: pytest.FixtureRequest, make_track: MakeTrack) -> Encoder:
    """Each architecture, untrained; its batch norms know some music, so that vectors differ as trained ones do."""
    torch.manual_seed(0)
    encoder = build(request.param, SMALLER.get(request.param, {})).train()
    with torch.no_grad():
        for module in encoder.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                module.momentum = 1.0
        features = encoder.front_end(make_track(encoder.plan.samples, 8, seed=99))
        encoder.embed(features)
    return encoder.eval()


@pytest.fixture(scope="session")
def shipped() -> Encoder:
    """The encoder that a new library gets."""
    return load_encoder(find_encoder())
