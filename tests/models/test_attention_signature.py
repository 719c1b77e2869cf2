"""Paper 3's encoder: received attention against torch's own attention, and its alternative score.

Covers `layers.scoring`, too.
"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine.models.attention_signature import AttentionSignature, AttentionSignatureConfig
from engine.models.checkpoint import build
from engine.models.layers import scoring
from engine.models.layers.scoring import ReceivedAttention, ScoreKind
from tests.models.conftest import MakeTrack

DIM, HEADS, TOKENS = 64, 4, 10
SMALL = AttentionSignatureConfig(token_seconds=1.0, widths=(8, 16), frame_dim=24, stem=8, dim=DIM)


def reference_received(layer: ReceivedAttention, vectors: torch.Tensor) -> torch.Tensor:
    """Attention received (B, S), relative to 1 / S, from the weights that torch's multi-head attention reports."""
    D = vectors.shape[2]
    weight = torch.cat([layer.query.weight, layer.key.weight, torch.eye(D)])
    bias = torch.cat([layer.query.bias, torch.zeros(2 * D)])
    sequence = vectors.transpose(0, 1)  # (S, B, D)
    _, weights = F.multi_head_attention_forward(
        sequence, sequence, sequence, D, layer.heads, weight, bias, None, None, False, 0.0, torch.eye(D), None
    )
    assert weights is not None  # (B, queries, keys), averaged over heads
    return weights.mean(dim=1) * vectors.shape[1]


@pytest.mark.parametrize("tokens", [1, 2, TOKENS, 600])
def test_received_attention_is_multi_head_attention(tokens: int) -> None:
    """A token receives the mean, over heads and queries, of torch's attention weights on it, relative to 1 / S."""
    torch.manual_seed(1)
    layer = ReceivedAttention(DIM, HEADS, TOKENS)
    vectors = 2 * torch.randn(3, tokens, DIM)
    with torch.no_grad():
        found, expected = layer.received(vectors), reference_received(layer, vectors)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found.sum(dim=1), torch.full((3,), float(tokens)), atol=1e-3, rtol=0)


@pytest.mark.parametrize("kind", ["received", "attention", "mean"])
def test_silent_tokens_do_not_count(kind: ScoreKind) -> None:
    """Tokens that do not speak have no weight, and the rest are weighed as if the silent ones were not there."""
    torch.manual_seed(6)
    layer = ReceivedAttention(DIM, HEADS, TOKENS, kind)
    vectors = torch.randn(2, TOKENS, DIM)
    audible = torch.ones(2, TOKENS, dtype=torch.bool)
    audible[:, 7:] = False
    with torch.no_grad():
        masked, short = layer(vectors, audible).softmax(dim=1), layer(vectors[:, :7]).softmax(dim=1)
    assert (masked[:, 7:] == 0).all()
    if kind != "mean":  # whose scores shrink with the number of tokens
        torch.testing.assert_close(masked[:, :7], short, atol=1e-6, rtol=1e-5)


def test_weights_do_not_depend_on_length() -> None:
    """A track played ten times over gives each token a tenth of its weight."""
    torch.manual_seed(7)
    layer = ReceivedAttention(DIM, HEADS, TOKENS)
    vectors = torch.randn(1, TOKENS, DIM)
    with torch.no_grad():
        once, tenfold = layer(vectors).softmax(dim=1), layer(vectors.repeat(1, 10, 1)).softmax(dim=1)
    torch.testing.assert_close(tenfold[:, :TOKENS], once / 10, atol=1e-6, rtol=1e-5)


def test_centring_keeps_the_weights(make_track: MakeTrack) -> None:
    """Taking a mean off every vector leaves each token's weight where it was."""
    torch.manual_seed(8)
    encoder = AttentionSignature(SMALL).eval()
    windows = make_track(encoder.plan.samples, 6)
    before = encoder.summarise(encoder.vectors_of(windows))
    mean = torch.randn(DIM)
    encoder.centre(mean)
    after = encoder.summarise(encoder.vectors_of(windows))
    np.testing.assert_allclose(after.attention, before.attention, atol=1e-5)
    np.testing.assert_allclose(after.segment_vectors, before.segment_vectors - mean.numpy(), atol=1e-4)


def test_chunks_of_queries_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparing three queries at a time gives the scores of comparing all at once."""
    torch.manual_seed(2)
    layer = ReceivedAttention(DIM, HEADS, TOKENS)
    vectors = torch.randn(2, 20, DIM)
    with torch.no_grad():
        whole = layer(vectors)
        monkeypatch.setattr(scoring, "QUERY_CHUNK", 3)
        torch.testing.assert_close(layer(vectors), whole, atol=1e-6, rtol=1e-5)


def test_attention_singles_tokens_out() -> None:
    """A token that all queries look for receives more attention than the rest."""
    layer = ReceivedAttention(DIM, 1, TOKENS)
    torch.nn.init.zeros_(layer.query.weight)
    torch.nn.init.zeros_(layer.query.bias)
    torch.nn.init.eye_(layer.key.weight)
    with torch.no_grad():
        layer.query.bias[0] = 20.0  # every query asks for the first direction
    vectors = torch.randn(1, TOKENS, DIM, generator=torch.Generator().manual_seed(3))
    vectors[0, :, 0] = 0
    vectors[0, 7, 0] = 3.0
    with torch.no_grad():
        shares = layer(vectors).softmax(dim=1)[0]
    assert shares.argmax() == 7
    assert shares[7] > 0.9


def test_order_of_tokens_does_not_matter(make_track: MakeTrack) -> None:
    """Attention has no positions: windows in another order give the same signature and the same weights, reordered."""
    torch.manual_seed(4)
    encoder = AttentionSignature(SMALL).eval()
    windows = make_track(encoder.plan.samples, 6)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    plain, shuffled = (encoder.summarise(encoder.vectors_of(w)) for w in (windows, windows[order]))
    np.testing.assert_allclose(shuffled.signature, plain.signature, atol=1e-5)
    np.testing.assert_allclose(shuffled.attention, plain.attention[order], atol=1e-5)


def test_linear_score_weighs_each_token_by_itself(make_track: MakeTrack) -> None:
    """With score="linear" a token's score does not depend on the other tokens, with attention it does."""
    torch.manual_seed(5)
    scores = {}
    for score in ("linear", "attention"):
        encoder = build("attention_signature", {"token_seconds": 1.0, "widths": [8, 16], "score": score}).eval()
        vectors = torch.randn(1, 6, encoder.dim)
        with torch.no_grad():
            scores[score] = encoder.score(vectors)[0, :3] - encoder.score(vectors[:, :3])[0]
    assert scores["linear"].abs().max() < 1e-5
    assert scores["attention"].abs().max() > 1e-2


def test_a_token_is_four_seconds_and_there_are_ten() -> None:
    """The default plan is the paper's (section 2.2): ten tokens of four seconds."""
    plan = AttentionSignature(AttentionSignatureConfig()).plan
    assert (plan.seconds, plan.count, plan.samples) == (4.0, 10, 88_200)
