"""Calibration: a head that is too unsure, or too sure, says how often it is right."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from engine.models.attention_cnn import AttentionCNN
from engine.training.heads.calibration import (
    HeldOutClips,
    calibrate,
    calibration_error,
    cross_fitted_error,
    error_by_chance,
    predictions,
)

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
    assert calibration_error(*predictions(AttentionCNN(), head, clips)) > 0.1
    before = head.weight.clone()
    assert cross_fitted_error(AttentionCNN(), head, clips, np.arange(CLIPS) % 50).measured < 0.05
    assert torch.equal(head.weight, before)
    assert calibrate(AttentionCNN(), head, clips) == pytest.approx(1 / factor, rel=0.15)
    assert calibration_error(*predictions(AttentionCNN(), head, clips)) < 0.05


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
    assert cross_fitted_error(AttentionCNN(), head, empty, np.arange(CLIPS)).measured == 0.0


def test_error_is_the_gap_between_confidence_and_accuracy() -> None:
    """Two bins, sure by 0.3 too much and by 0.1 too little, err by their mean weighted by their clips."""
    confidence = np.array([0.95, 0.95, 0.65, 0.65, 0.65, 0.65])
    correct = np.array([1.0, 0.3, 1.0, 1.0, 0.5, 0.5])
    assert calibration_error(confidence, correct) == pytest.approx((2 * 0.3 + 4 * 0.1) / 6)


def test_few_clips_err_by_chance() -> None:
    """Right probabilities show an error of hundredths on a hundred clips, as much as chance gives, and less on many."""
    head, clips = held_out(2)
    confidence, correct = predictions(AttentionCNN(), head, clips)
    few = [calibration_error(confidence[i::20], correct[i::20]) for i in range(20)]
    assert np.mean(few) == pytest.approx(np.mean([error_by_chance(confidence[i::20]) for i in range(20)]), abs=0.015)
    assert error_by_chance(confidence) < 0.03 < error_by_chance(confidence[:100])
