"""TS-Resformer against its paper: the front-end, axis attention, and every switch of its ablations."""

import pytest
import torch
from torch import nn

from engine.models.layers.residual import ResidualBlock, SqueezeExcitation
from engine.models.ts_resformer import AxisAttention, TSResformer, TSResformerConfig, positions

SMALL = {"widths": (8, 8), "slice_seconds": 3.0, "n_mels": 32, "feed_forward": 32, "encoder_layers": 1, "dim": 24}


def small(**changes: object) -> TSResformer:
    """A small network with some switches set."""
    torch.manual_seed(0)
    return TSResformer(TSResformerConfig(**(SMALL | changes))).eval()  # type: ignore[arg-type]


def noise(encoder: TSResformer, count: int = 2) -> torch.Tensor:
    """Windows of noise."""
    return 0.1 * torch.randn(count, encoder.plan.samples, generator=torch.Generator().manual_seed(0))


def test_a_slice_is_128_by_512() -> None:
    """Twelve seconds give the paper's [128, 512]; other slice lengths as many frames a second."""
    encoder = TSResformer()
    assert encoder.front_end(noise(encoder, 1))["mel"].shape == (1, 128, 512)
    assert small().front_end(noise(small()))["mel"].shape == (2, 32, 128)


def test_the_z_score_makes_gain_irrelevant_and_silence_harmless() -> None:
    """Equation 2 divides by the deviation: a louder slice has the same features; silence has finite ones."""
    encoder = small()
    sound = noise(encoder)
    quiet, loud = (encoder.front_end(gain * sound)["mel"] for gain in (0.1, 3.0))
    torch.testing.assert_close(quiet, loud, atol=0.05, rtol=0)
    assert torch.isfinite(encoder.front_end(torch.zeros(1, encoder.plan.samples))["mel"]).all()


@pytest.mark.parametrize("axis", [2, 3])
def test_axis_attention_weighs_one_axis(axis: int) -> None:
    """Each place along the axis is scaled by one weight between 0 and 1, over channels and the other axis alike."""
    torch.manual_seed(0)
    x = torch.rand(2, 4, 32, 48) + 0.5
    ratio = AxisAttention(axis, x.shape[axis], 16)(x) / x
    others = [i for i in (1, 2, 3) if i != axis]
    assert ratio.std(dim=others).max() < 1e-5
    assert ratio.min() > 0
    assert ratio.max() < 1
    assert ratio.mean(dim=others).std() > 1e-3


def test_first_filters_have_the_papers_shapes() -> None:
    """6 x 2 along frequency and 2 x 10 along time, 32 channels each; the config changes them."""
    first = TSResformer().network.first
    assert first is not None
    shapes = [
        next(m for m in branch if isinstance(m, nn.Conv2d)) for branch in (first.along_frequency, first.along_time)
    ]
    assert [(m.out_channels, m.kernel_size) for m in shapes] == [(32, (6, 2)), (32, (2, 10))]
    for height, width in ((2, 2), (15, 2), (2, 15)):
        encoder = small(frequency_filter=(height, 2), time_filter=(2, width))
        assert encoder.embed(encoder.front_end(noise(encoder))).shape == (2, 24)


def test_switches_take_their_parts_away() -> None:
    """Without TF-attention, SE, or either branch, the modules are not there; the rest still gives vectors."""

    def has(encoder: TSResformer, kind: type) -> bool:
        return any(isinstance(module, kind) for module in encoder.modules())

    kinds = (AxisAttention, SqueezeExcitation, ResidualBlock, nn.TransformerEncoder)
    for changes, there in (
        ({}, (True, True, True, True)),
        ({"tf_attention": False}, (False, True, True, True)),
        ({"se": False}, (True, False, True, True)),
        ({"convolution": False}, (False, False, False, True)),
        ({"sequence": "none"}, (True, True, True, False)),
        ({"sequence": "lstm"}, (True, True, True, False)),
    ):
        encoder = small(**changes)
        assert tuple(has(encoder, kind) for kind in kinds) == there
        assert torch.isfinite(encoder.embed(encoder.front_end(noise(encoder)))).all()


@pytest.mark.parametrize("layers", [1, 3, 5])
def test_encoder_layers_are_counted(layers: int) -> None:
    """Table 4's one to five Transformer layers."""
    sequence = small(encoder_layers=layers).network.sequence
    assert sequence is not None
    assert isinstance(sequence.layers, nn.TransformerEncoder)
    assert len(sequence.layers.layers) == layers


@pytest.mark.parametrize("sequence", ["transformer", "lstm", "gru", "bigru"])
@pytest.mark.parametrize("arrangement", ["parallel", "serial"])
def test_every_sequence_in_both_arrangements(sequence: str, arrangement: str) -> None:
    """Tables 3 and 5: each sequence encoder beside or after the residual branch gives vectors that depend on order."""
    encoder = small(sequence=sequence, arrangement=arrangement)
    heard = encoder.front_end(noise(encoder))
    vectors = encoder.embed(heard)
    backwards = encoder.embed({"mel": heard["mel"].flip(2)})
    assert vectors.shape == (2, 24)
    assert (vectors - backwards).abs().max() > 1e-4


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"convolution": False, "sequence": "none"}, "without convolution"),
        ({"convolution": False, "arrangement": "serial"}, "without convolution"),
        ({"convolution": False, "sequence": "none", "arrangement": "serial"}, "without convolution"),
        ({"sequence": "none", "arrangement": "serial"}, "serial arrangement"),
        ({"sequence": "grru"}, "expected sequence .* found 'grru'"),
        ({"sequence": "grru", "arrangement": "serial"}, "expected sequence .* found 'grru'"),
        ({"arrangement": "sequential"}, "expected arrangement .* found 'sequential'"),
    ],
)
def test_settings_that_do_not_fit(changes: dict[str, object], reason: str) -> None:
    """Unknown choices, and branches that cannot work together, are refused."""
    with pytest.raises(ValueError, match=reason):
        small(**changes)


@pytest.mark.parametrize(
    ("sequence", "kind", "bidirectional"), [("lstm", nn.LSTM, False), ("gru", nn.GRU, False), ("bigru", nn.GRU, True)]
)
def test_recurrent_networks_are_what_they_are_called(sequence: str, kind: type, bidirectional: bool) -> None:
    """Table 5: each name builds its own network, of the Transformer's width."""
    found = small(sequence=sequence).network.sequence
    assert found is not None
    assert type(found.layers) is kind
    assert (found.layers.bidirectional, found.layers.hidden_size) == (bidirectional, 16 if bidirectional else 32)


def test_positions_are_sinusoids() -> None:
    """Even columns are sines, odd ones cosines, from one a step down to one in ten thousand."""
    table = positions(50, 8)
    steps = torch.arange(50.0)
    torch.testing.assert_close(table[:, 0], steps.sin())
    torch.testing.assert_close(table[:, 1], steps.cos())
    torch.testing.assert_close(table[:, 6], (steps / 1000).sin())
