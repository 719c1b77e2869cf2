"""ICFF-Net against its paper: both branches' inputs, cross-attention that is alive, and what is switched."""

import pytest
import torch

from engine.models.encoder import SAMPLE_RATE
from engine.models.icff_net import CrossAttention, ICFFNet, ICFFNetConfig

SMALL = {"widths": (4, 4, 8, 8, 8), "width": 16, "hidden": 32, "dim": 24, "side": 128, "segments": 2}


def small(**changes: object) -> ICFFNet:
    """A small network with some switches set, of windows of two segments, that hears the mix."""
    torch.manual_seed(0)
    return ICFFNet(ICFFNetConfig(**(SMALL | {"source": "mix"} | changes))).eval()  # type: ignore[arg-type]


def noise(encoder: ICFFNet, count: int = 2) -> torch.Tensor:
    """Windows of noise."""
    return 0.1 * torch.randn(count, encoder.plan.samples, generator=torch.Generator().manual_seed(0))


def test_two_blocks_of_21_seconds_are_fourteen_segments() -> None:
    """The plan: two windows, each of seven segments of three seconds, in the order of time."""
    encoder = ICFFNet()
    assert (encoder.plan.seconds, encoder.plan.count, encoder.plan.segments) == (21.0, 2, 7)
    encoder = small()
    windows = noise(encoder)
    heard = encoder.front_end(windows)
    assert {name: len(values) for name, values in heard.items()} == {"mel": 4, "frames": 4, "spectra": 4}
    second_half = encoder.front_end(windows[:1, 3 * SAMPLE_RATE :])
    torch.testing.assert_close(heard["mel"][1], second_half["mel"][0])


def test_the_signal_branch_reads_frames_and_their_spectra() -> None:
    """x_t holds a tone's samples frame by frame; x_f peaks at the tone's bin (equation 1)."""
    encoder = small()
    time = torch.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    heard = encoder.signal_features(0.1 * torch.sin(2 * torch.pi * 1000 * time)[None])
    assert heard["frames"].shape == (1, 128, 1024)
    assert heard["spectra"].shape == (1, 128, 513)
    assert set(heard["spectra"].argmax(dim=2).flatten().tolist()) == {round(1000 * 1024 / SAMPLE_RATE)}
    torch.testing.assert_close(heard["frames"][0, 1, :512], heard["frames"][0, 0, 512:])


def test_cross_attention_is_not_dead() -> None:
    """Weights over the other source's tokens sum to one and differ from key to key, in both layers."""
    encoder = small()
    heard = encoder.front_end(noise(encoder))
    network = encoder.network
    two = network.project2(network.picture(heard["mel"]))
    one = network.one_dimensional(heard)
    assert two.shape[1] > 1
    assert one.shape[1] == 16
    assert network.second is not None
    for layer, own, other in ((network.first, two, one), (network.second, one, network.first(two, one))):
        weights = layer.weights(own, other)
        torch.testing.assert_close(weights.sum(dim=2), torch.ones(weights.shape[:2]))
        assert weights.std(dim=2).min() > 1e-3


def test_a_layer_adds_the_other_source_to_its_own() -> None:
    """Equations 6 and 10: u + alpha V, with alpha the scaled softmax of equation 5."""
    torch.manual_seed(0)
    layer, own, other = CrossAttention(8), torch.randn(2, 3, 8), torch.randn(2, 5, 8)
    query, key, value = own @ layer.query.weight.T, other @ layer.key.weight.T, other @ layer.value.weight.T
    alpha = (query @ key.transpose(1, 2) / 8**0.5).softmax(dim=2)
    torch.testing.assert_close(layer(own, other), alpha @ value + own)


@pytest.mark.parametrize("attention", ["interlaced", "cross"])
def test_interlaced_attention_answers_in_the_signals_tokens(attention: str) -> None:
    """u' has the tokens of the 1-D branch after the second layer, those of the picture after the first alone."""
    encoder = small(attention=attention)
    heard = encoder.front_end(noise(encoder))
    tokens = encoder.network.fuse(heard).shape[1]
    assert tokens == (16 if attention == "interlaced" else encoder.network.picture(heard["mel"]).shape[1])
    assert encoder.embed(heard).shape == (4, 24)


@pytest.mark.parametrize(("features", "names"), [("2d", ["mel"]), ("1d", ["frames", "spectra"])])
def test_one_source_hears_that_one_only(features: str, names: list[str]) -> None:
    """Section 4.4's single features: the front-end makes no others, and derives no accompaniment for a picture."""
    encoder = small(features=features, source="accompaniment")
    if features == "2d":
        assert encoder.second_source(noise(encoder)) is None
    else:
        encoder = small(features=features)
    heard = encoder.front_end(noise(encoder))
    assert list(heard) == names
    assert encoder.embed(heard).shape == (4, 24)


def test_the_accompaniment_takes_the_mixs_place_in_the_signal_branch() -> None:
    """A second source given beside the windows changes frames and spectra, and leaves the picture."""
    encoder = small()
    windows = noise(encoder)
    mix, other = encoder.front_end(windows), encoder.front_end(windows, windows.flip(1))
    torch.testing.assert_close(mix["mel"], other["mel"])
    assert (mix["frames"] - other["frames"]).abs().max() > 0.01
