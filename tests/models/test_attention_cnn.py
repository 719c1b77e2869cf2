"""The attention CNN against its poster: the mel image, pooling, depth, and the attention vector."""

import pytest
import torch
from torch import nn

from engine.models.attention_cnn import AttentionCNN, AttentionCNNConfig, MapAttention, SliceCNN

SMALL = {"widths": (4, 8, 8, 16), "dim": 12}


def test_a_slice_is_an_image_of_128_by_128() -> None:
    """Three seconds give the paper's (128, 128)."""
    encoder = AttentionCNN()
    assert encoder.front_end(torch.randn(2, encoder.plan.samples))["mel"].shape == (2, 128, 128)


def test_the_last_map_has_the_papers_shape() -> None:
    """Four convolutions of 64 to 512 channels end at 4 x 4 after both pools."""
    cnn = SliceCNN(AttentionCNNConfig()).eval()
    convolutions = [module.out_channels for module in cnn.convolutions if isinstance(module, nn.Conv2d)]
    assert convolutions == [64, 128, 256, 512]
    assert cnn.last_map(torch.randn(1, 128, 128)).shape == (1, 512, 4, 4)


def test_both_pools_are_averaged() -> None:
    """Pool4Combined is the mean of what average and max pooling give of the same map."""
    maps = {}
    for pool in ("average", "max", "both"):
        torch.manual_seed(0)
        cnn = SliceCNN(AttentionCNNConfig(pool=pool, **SMALL)).eval()  # type: ignore[arg-type]
        maps[pool] = cnn.last_map(torch.randn(2, 128, 128, generator=torch.Generator().manual_seed(1)))
    torch.testing.assert_close(maps["both"], (maps["average"] + maps["max"]) / 2)
    assert (maps["max"] - maps["average"]).min() >= 0
    assert (maps["max"] - maps["average"]).max() > 0


def test_attention_weighs_positions() -> None:
    """Weights over positions sum to one and are not all alike; the vector is the positions' weighted sum."""
    torch.manual_seed(0)
    attention, x = MapAttention(16), torch.randn(3, 16, 4, 4)
    weights = attention.weights(x)
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(3))
    assert weights.std(dim=1).min() > 1e-3
    torch.testing.assert_close(attention(x), torch.einsum("bp,bcp->bc", weights, x.flatten(2)))


@pytest.mark.parametrize("widths", [(4, 8, 8), (4, 8, 8, 16), (4, 8, 8, 16, 16)])
@pytest.mark.parametrize("attention", [True, False])
def test_three_to_five_layers_with_and_without_attention(widths: tuple[int, ...], attention: bool) -> None:
    """The study's networks: each gives vectors; attention adds one vector to what is projected."""
    encoder = AttentionCNN(AttentionCNNConfig(widths=widths, attention=attention, dim=12)).eval()
    vectors = encoder.embed(encoder.front_end(torch.randn(2, encoder.plan.samples)))
    assert vectors.shape == (2, 12)
    positions = encoder.cnn.project.in_features // widths[-1]
    assert positions in ((65, 17, 5) if attention else (64, 16, 4))
