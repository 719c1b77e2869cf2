"""Heads fitted in the trunk's space answer the same behind the map."""

import torch
from torch import nn

from engine.models.checkpoint import build
from engine.training.heads.trunk_space import TrunkSpace


def test_a_moved_head_answers_the_same() -> None:
    """A head that reads trunk-space signatures gives the same logits once moved, on signatures behind the map."""
    torch.manual_seed(0)
    encoder = build("attention_cnn")
    metric = encoder.add_metric()
    with torch.no_grad():
        metric.weight += 0.1 * torch.randn_like(metric.weight)
        metric.bias += torch.randn_like(metric.bias)
    embedded = torch.randn(30, encoder.dim)
    raw = encoder.mapped(embedded).detach()
    space = TrunkSpace(encoder, raw)
    torch.testing.assert_close(space.from_signatures(raw), embedded - embedded.mean(dim=0), atol=1e-3, rtol=0)
    head = nn.Linear(encoder.dim, 5)
    expected = head(space.from_signatures(raw)).detach()
    space.move(head)
    torch.testing.assert_close(head(raw).detach(), expected, atol=1e-3, rtol=0)


def test_without_a_map_nothing_moves() -> None:
    """Without a map the trunk's space is where signatures lie already."""
    encoder = build("attention_cnn")
    raw = torch.randn(4, encoder.dim)
    assert torch.equal(TrunkSpace(encoder, raw).from_signatures(raw), raw)
