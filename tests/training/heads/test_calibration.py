"""Calibration: a head that is too unsure, or too sure, says how often it is right."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from engine.models.attention_cnn import AttentionCNN
from engine.training.heads.calibration import HeldOutClips, calibrate, calibration_error, cross_fitted_error

CLASSES, CLIPS = 4, 2000


def held_out(seed: int = 0) -> tuple[nn.Linear, HeldOutClips]:
    """A head whose probabilities are right, and clips whose labels are drawn from them."""
    random = torch.Generator().manual_seed(seed)
    head = nn.Linear(CLASSES, CLASSES)
    nn.init.eye_(head.weight)
    nn.init.zeros_(head.bias)
    raw = 1.5 * torch.randn(CLIPS, CLASSES, generator=random)
    labels = torch.multinomial(raw.softmax(dim=1), 1, generator=random)[:, 0]
    allowed = nn.functional.one_hot(labels, CLASSES).bool()
    return head, HeldOutClips(raw, allowed, torch.ones_like(allowed))


@pytest.mark.parametrize("factor", [0.3, 4.0])
def test_a_scale_that_is_wrong_is_found(factor: float) -> None:
    """A head scaled by a factor is scaled back by its inverse, and then errs by less than 0.05."""
    head, clips = held_out()
    with torch.no_grad():
        head.weight *= factor
    assert calibration_error(AttentionCNN(), head, clips) > 0.1
    assert cross_fitted_error(AttentionCNN(), head, clips, np.arange(CLIPS) % 50) < 0.05
    assert calibrate(AttentionCNN(), head, clips) == pytest.approx(1 / factor, rel=0.15)
    assert calibration_error(AttentionCNN(), head, clips) < 0.05


def test_rankings_stay() -> None:
    """The likeliest label is the same before and after."""
    head, clips = held_out(1)
    before = head(clips.raw).argmax(dim=1)
    with torch.no_grad():
        head.weight *= 3
    calibrate(AttentionCNN(), head, clips)
    assert torch.equal(head(clips.raw).argmax(dim=1), before)


def test_without_labels_nothing_changes() -> None:
    """Clips without labels leave the head as it is."""
    head, clips = held_out()
    empty = HeldOutClips(clips.raw, torch.zeros_like(clips.allowed), clips.known)
    assert calibrate(AttentionCNN(), head, empty) == 1.0
    assert torch.equal(head.weight, torch.eye(CLASSES))
