"""MG-CAM against its paper: the cepstrum, the fixed nodes, mutual attention, Softplus, and the triplet loss.

Covers `layers.normalisation`, too.
"""

import librosa
import numpy as np
import pytest
import scipy.fft
import torch
from torch import nn

from engine.models.encoder import SAMPLE_RATE
from engine.models.layers.normalisation import LocalResponseNorm
from engine.models.losses import acl_triplet_loss
from engine.models.mg_cam import FLOOR, MGCAM, CepstrumBranch, MGCAMConfig, mutual_attention, mutual_weights
from tests.audio import stft

SMALL = {"widths": (4, 8, 8, 8, 4), "mfcc_widths": (4, 8, 8), "width": 16}


def features(encoder: MGCAM, count: int = 2) -> dict[str, torch.Tensor]:
    """What the front-end makes of noise."""
    noise = torch.randn(count, encoder.plan.samples, generator=torch.Generator().manual_seed(0))
    return encoder.front_end(0.1 * noise)


def test_the_cepstrum_is_that_of_equations_9_to_12() -> None:
    """MFCC of the pre-emphasised sound: Hamming frames, mel energies, natural logarithm, cosine transform."""
    encoder = MGCAM()
    config = encoder.config
    sound = 0.1 * torch.randn(encoder.plan.samples, generator=torch.Generator().manual_seed(0))
    found = encoder.front_end(sound[None])["mfcc"][0]
    level = (sound * 0.125 / sound.square().mean().sqrt()).numpy()
    emphasised = np.append(level[:1], level[1:] - config.pre_emphasis * level[:-1])
    n = np.arange(config.n_fft)
    hamming = 0.54 - 0.46 * np.cos(2 * np.pi * n / (config.n_fft - 1))
    spectrum = stft(emphasised, config.n_fft, config.hop_length, hamming, pad="constant")
    edges = librosa.mel_frequencies(config.n_mels + 2, fmin=0, fmax=SAMPLE_RATE / 2, htk=True)
    mel = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=config.n_fft, n_mels=config.n_mels, htk=True)
    mel *= (edges[2:] - edges[:-2])[:, None] / 2  # triangles of height 1, not of area 1
    energies = np.log(np.maximum(mel @ np.abs(spectrum) ** 2, FLOOR))
    expected = scipy.fft.dct(energies, axis=0, norm="ortho")[: config.n_mfcc, : found.shape[1]]
    np.testing.assert_allclose(found.numpy(), expected, atol=2e-3, rtol=1e-3)


def test_the_enhancement_nodes_are_drawn_once_and_not_trained() -> None:
    """Equation 20's weights are equal in every network whatever the global seed, no parameters, and kept in weights."""
    torch.manual_seed(1)
    first = CepstrumBranch(MGCAMConfig())
    torch.manual_seed(2)
    second = CepstrumBranch(MGCAMConfig())
    assert torch.equal(first.enhancement, second.enhancement)
    assert not any("enhancement" in name for name, _ in first.named_parameters())
    assert "enhancement" in first.state_dict()


def test_mutual_attention_exchanges_the_modalities() -> None:
    """Equations 21 and 22 as read here: a mixture of the other's positions, whose weights are not constant."""
    generator = torch.Generator().manual_seed(0)
    own, other = torch.randn(2, 5, 16, generator=generator), torch.randn(2, 3, 16, generator=generator)
    weights = mutual_weights(own, other)
    assert weights.shape == (2, 5, 3)
    torch.testing.assert_close(weights.sum(dim=2), torch.ones(2, 5))
    assert weights.std(dim=2).min() > 0.01
    torch.testing.assert_close(mutual_attention(own, other), torch.einsum("bpq,bqd->bpd", weights, other))
    assert mutual_attention(own, torch.zeros_like(other)).abs().max() == 0


@pytest.mark.parametrize("fusion", ["mutual", "concat"])
def test_fusion_lets_one_modality_weigh_the_other(fusion: str) -> None:
    """A change in the spectrogram alone reaches both halves of the vector with mutual attention, one without."""
    torch.manual_seed(0)
    encoder = MGCAM(MGCAMConfig(fusion=fusion, dropout=0.0, **SMALL)).train()  # type: ignore[arg-type]
    encoder.standardise = nn.BatchNorm1d(encoder.dim).eval()
    heard = features(encoder)
    before = encoder.embed(heard)
    change = encoder.embed(heard | {"spectrogram": heard["spectrogram"] + torch.randn(heard["spectrogram"].shape)})
    by_half = (change - before).detach().view(2, 2, -1).abs().amax(dim=(0, 2))
    assert (by_half > 1e-6).tolist() == ([True, True] if fusion == "mutual" else [True, False])


@pytest.mark.parametrize("modality", ["spectrogram", "mfcc"])
def test_one_modality_hears_that_one_only(modality: str) -> None:
    """Table 1's single modalities make no features of the other, and half the vector."""
    encoder = MGCAM(MGCAMConfig(modality=modality, **SMALL)).eval()  # type: ignore[arg-type]
    heard = features(encoder)
    assert list(heard) == [modality]
    assert encoder.embed(heard).shape == (2, encoder.dim)
    assert encoder.dim == 16


def test_softplus_probabilities_are_normalised() -> None:
    """Probabilities are Softplus of the head's outputs (equation 24) by their sum; softmax is the alternative."""
    raw = torch.randn(4, 256, generator=torch.Generator().manual_seed(0))
    encoder = MGCAM(MGCAMConfig(softplus_beta=2.0))
    outputs = torch.log1p(torch.exp(2.0 * encoder.genre_head(raw))) / 2.0  # eq 8
    found = encoder.logits(encoder.genre_head, raw).softmax(dim=1)
    torch.testing.assert_close(found, outputs / outputs.sum(dim=1, keepdim=True))
    plain = MGCAM(MGCAMConfig(classifier="softmax"))
    torch.testing.assert_close(plain.logits(plain.mood_head, raw), plain.mood_head(raw))


def test_response_normalisation_is_that_of_equation_4() -> None:
    """It is torch's own layer, whose alpha is divided by the neighbourhood's size."""
    x = torch.randn(2, 7, 5, 6, generator=torch.Generator().manual_seed(0))
    for size, k, alpha, beta in ((5, 1.0, 1.0, 0.5), (3, 2.0, 0.3, 0.75)):
        expected = nn.LocalResponseNorm(size, alpha * size, beta, k)(x)
        torch.testing.assert_close(LocalResponseNorm(7, size, k, alpha, beta)(x), expected)


def test_the_triplet_loss_is_that_of_equation_26() -> None:
    """Three clips, one triplet an anchor: weights by how hard each is, and nothing once all are far enough."""
    points = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8]])
    classes = torch.tensor([[True, False], [True, False], [False, True]])
    near, far, between = ((points[i] - points[j]).norm() for i, j in ((0, 1), (0, 2), (1, 2)))
    gaps = torch.stack([near - far, near - between])
    weights = gaps.softmax(dim=0)
    expected = (weights * (gaps + 0.5).clamp_min(0)).sum()
    torch.testing.assert_close(acl_triplet_loss(5 * points, classes, 0.5), expected, atol=1e-4, rtol=1e-4)
    apart = torch.tensor([[1.0, 0.0], [1.0, 0.001], [-1.0, 0.0]])
    assert acl_triplet_loss(apart, classes, 0.5) == 0


def test_no_triplet_is_no_loss() -> None:
    """A batch of one class, or without labels, gives zero with a gradient, not NaN."""
    points = torch.randn(3, 4, requires_grad=True)
    for classes in (torch.ones(3, 1, dtype=torch.bool), torch.zeros(3, 2, dtype=torch.bool)):
        loss = acl_triplet_loss(points, classes, 0.2)
        loss.backward()
        assert loss == 0


def test_the_triplet_term_can_be_switched_off() -> None:
    """With weight zero the encoder adds no loss of its own."""
    raw, genres = torch.randn(4, 256), torch.eye(4, 15, dtype=torch.bool)
    assert MGCAM(MGCAMConfig(triplet=0.0)).own_loss(raw, genres) is None
    assert MGCAM().own_loss(raw, genres) is not None
