"""Losses against values worked out by hand and against other libraries."""

import math

import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics.pairwise import cosine_similarity

from engine.models.losses import MetricLoss, relation_loss, set_loss


def batch(*shape: int, seed: int = 0) -> torch.Tensor:
    """Random numbers of a shape."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_one_allowed_label_is_cross_entropy() -> None:
    """With one allowed label a clip, the set loss is cross-entropy."""
    logits, target = batch(6, 4), torch.tensor([0, 3, 1, 1, 2, 0])
    expected = F.cross_entropy(logits, target)
    torch.testing.assert_close(set_loss(logits, F.one_hot(target, 4).bool()), expected)


def test_several_allowed_labels_add_their_probabilities() -> None:
    """Equal logits and two labels of four allowed: -log(1/2); all four allowed: nothing to learn."""
    allowed = torch.tensor([[True, True, False, False]])
    assert set_loss(torch.zeros(1, 4), allowed).item() == pytest.approx(math.log(2))
    assert set_loss(batch(3, 4), torch.ones(3, 4, dtype=torch.bool)).item() == pytest.approx(0, abs=1e-6)


def test_unlabelled_clips_do_not_count() -> None:
    """A clip without labels changes neither value nor gradient; a batch of such clips gives zero with a gradient."""
    logits = batch(3, 4).requires_grad_()
    allowed = torch.tensor([[True, False, False, False], [False] * 4, [False, True, False, False]])
    loss = set_loss(logits, allowed)
    torch.testing.assert_close(loss, set_loss(logits[[0, 2]], allowed[[0, 2]]))
    loss.backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    assert (logits.grad[1] == 0).all()
    nothing = set_loss(logits, torch.zeros(3, 4, dtype=torch.bool))
    nothing.backward()
    assert nothing.item() == 0


def test_relation_loss_compares_cosines() -> None:
    """It is the mean squared difference of the two spaces' cosine matrices, as scikit-learn computes these."""
    student, teacher = batch(5, 3, seed=1), batch(5, 7, seed=2)
    difference = cosine_similarity(student.numpy()) - cosine_similarity(teacher.numpy())
    assert relation_loss(student, teacher).item() == pytest.approx((difference**2).mean(), rel=1e-5)


def test_relation_loss_is_zero_for_the_same_geometry() -> None:
    """A rotated and scaled copy of the teacher's space costs nothing."""
    teacher = batch(6, 4, seed=3)
    rotation = torch.linalg.qr(batch(4, 4, seed=4)).Q
    assert relation_loss(3 * teacher @ rotation, teacher).item() == pytest.approx(0, abs=1e-10)


def supervised_contrastive(signatures: torch.Tensor, classes: list[int], temperature: float) -> float:
    """Khosla et al. 2020, equation 2, written as its sums."""
    z = F.normalize(signatures, dim=1).tolist()

    def similarity(i: int, j: int) -> float:
        return math.exp(sum(a * b for a, b in zip(z[i], z[j], strict=True)) / temperature)

    total = []
    for i, own in enumerate(classes):
        others = [j for j in range(len(classes)) if j != i]
        positives = [j for j in others if classes[j] == own]
        everything = sum(similarity(i, j) for j in others)
        total.append(-sum(math.log(similarity(i, p) / everything) for p in positives) / len(positives))
    return sum(total) / len(total)


def test_metric_loss_is_supervised_contrastive() -> None:
    """With one-hot labels and an empty memory, it is equation 2 of Khosla et al."""
    classes = [0, 1, 0, 2, 1, 2, 0]
    signatures, labels = batch(7, 5, seed=5), F.one_hot(torch.tensor(classes), 3).float()
    found = MetricLoss(5, 3, temperature=0.2)(signatures, labels, torch.arange(7))
    assert found.item() == pytest.approx(supervised_contrastive(signatures, classes, 0.2), rel=1e-4)


def test_metric_loss_remembers_past_batches() -> None:
    """Two batches, one after the other: the second is compared with both, the memory keeps the latest and no more."""
    signatures, labels = batch(8, 5, seed=6), F.one_hot(torch.arange(8) % 2, 2).float()
    clips = torch.arange(8)
    loss = MetricLoss(5, 2, capacity=6)
    loss(signatures[:4], labels[:4], clips[:4])
    found = loss(signatures[4:], labels[4:], clips[4:])
    z = F.normalize(signatures, dim=1)
    shares = (z[4:] @ z.T / 0.1).masked_fill(clips[4:, None] == clips, -torch.inf).log_softmax(dim=1)
    positive = (labels[4:] @ labels.T).bool() & (clips[4:, None] != clips)
    expected = torch.stack([-row[mask].mean() for row, mask in zip(shares, positive, strict=True)]).mean()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert loss.clips.tolist() == [4, 5, 6, 7, 0, 1]
    torch.testing.assert_close(loss.signatures, z[[4, 5, 6, 7, 0, 1]])


def test_a_clip_is_not_its_own_positive() -> None:
    """Two excerpts of one clip are neither positives nor candidates; a batch without positives costs nothing."""
    signatures, labels = batch(3, 5, seed=7).requires_grad_(), torch.eye(3)[[0, 0, 1]]
    loss = MetricLoss(5, 3)(signatures, labels, torch.tensor([4, 4, 9]))
    loss.backward()
    assert loss.item() == 0


def test_metric_loss_prefers_positives_nearby() -> None:
    """Clips that share a label cost less when they lie together than when they lie apart."""
    labels, clips = torch.eye(2)[[0, 0, 1, 1]], torch.arange(4)
    together = torch.tensor([[1.0, 0], [1, 0.1], [0, 1], [0.1, 1]])
    apart = together[[0, 2, 1, 3]]
    assert MetricLoss(2, 2)(together, labels, clips) < 0.1 * MetricLoss(2, 2)(apart, labels, clips)


def test_graded_positives_weigh_by_relation() -> None:
    """A pair with twice the shared weight pulls twice as much: the mean over positives is weighted by the relation."""
    z = F.normalize(batch(3, 4, seed=8), dim=1)
    labels = torch.tensor([[1.0, 1.0], [1.0, 1.0], [1.0, 0.0]])  # pair (0, 1) shares 2, pairs (0, 2) and (1, 2) share 1
    found = MetricLoss(4, 2, temperature=0.5)(z, labels, torch.arange(3))
    shares = (z @ z.T / 0.5).masked_fill(torch.eye(3).bool(), -torch.inf).log_softmax(dim=1)
    rows = [
        (2 * shares[0, 1] + shares[0, 2]) / 3,
        (2 * shares[1, 0] + shares[1, 2]) / 3,
        (shares[2, 0] + shares[2, 1]) / 2,
    ]
    torch.testing.assert_close(found, -torch.stack(rows).mean(), rtol=1e-4, atol=1e-5)
