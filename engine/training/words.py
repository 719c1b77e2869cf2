"""Fit the word head: each word by itself, to two teachers' probabilities and to the moods that people gave clips.

A word's target is the largest answer among its sources (`engine.models.vocabulary`): MusiCNN's tags and YAMNet's
classes are probabilities already, and a head that minimises cross-entropy against them is calibrated to them in the
mean. AllMusic moods are yes or no, and known of the 4Q clips only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.models.encoder import Encoder
from engine.models.vocabulary import WORDS, Word
from engine.training.trunk_space import TrunkSpace

ITERATIONS = 120


@dataclass(frozen=True, eq=False)
class WordExamples:
    """What a word head is fitted on.

    Attributes:
        raw: Segment vectors or un-normalised signatures, (N, D).
        targets: Probabilities, (N, V).
        known: Which words these examples say something about, (V,).
    """

    raw: Tensor
    targets: Tensor
    known: Tensor


def taught(raw: Tensor, musicnn: Tensor, yamnet: Tensor, words: Sequence[Word] = WORDS) -> WordExamples:
    """Examples from the teachers: MusiCNN's tags (N, 50) and YAMNet's classes (N, 521), as probabilities."""
    columns = []
    for word in words:
        sources = [musicnn[:, list(word.musicnn)], yamnet[:, list(word.yamnet)]]
        answers = torch.cat(sources, dim=1)
        columns.append(answers.amax(dim=1) if answers.shape[1] else raw.new_zeros(len(raw)))
    known = torch.tensor([bool(word.musicnn or word.yamnet) for word in words])
    return WordExamples(raw, torch.stack(columns, dim=1).float(), known)


def labelled(raw: Tensor, moods: Sequence[Sequence[str]], words: Sequence[Word] = WORDS) -> WordExamples:
    """Examples from clips (N) whose moods, as their data set spells them, are all known."""
    targets = torch.tensor([[word.mood_word in given for word in words] for given in moods]).float()
    known = torch.tensor([word.mood_word is not None for word in words])
    return WordExamples(raw, targets, known)


def fit_words(encoder: Encoder, examples: Sequence[WordExamples], penalties: Sequence[float]) -> float:
    """Fit the head for WORDS on several kinds of examples; returns the loss, without the penalty.

    Args:
        encoder: Gets a word head.
        examples: Each kind counts the same, whatever their number. A word that several kinds know counts for each.
        penalties: L2 of each kind, on the words that it alone knows; the largest of its kinds' on the others.
    """
    space = TrunkSpace(encoder, examples[-1].raw)
    examples = [replace(kind, raw=space.of(kind.raw)) for kind in examples]
    encoder.add_words(tuple(word.word for word in WORDS))
    head = encoder.word_head
    torch.nn.init.zeros_(head.weight)
    penalty = torch.zeros(len(WORDS))
    for kind, strength in zip(examples, penalties, strict=True):
        penalty = torch.where(kind.known, penalty.clamp_min(strength), penalty)
    with torch.no_grad():  # the prior of each word: the optimiser starts where nothing is known of the sound
        priors = torch.full((len(WORDS),), 1e-4)
        for kind in examples:
            priors = torch.where(kind.known, kind.targets.mean(dim=0).clamp(1e-4, 0.99), priors)
        head.bias.copy_(priors.logit())
    scale = torch.cat([kind.raw for kind in examples]).std()
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def data_loss() -> Tensor:
        losses = [
            F.binary_cross_entropy_with_logits(head(kind.raw)[:, kind.known], kind.targets[:, kind.known])
            for kind in examples
        ]
        return torch.stack(losses).sum()

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = data_loss() + (penalty[:, None] * (head.weight * scale).square()).sum() / (2 * len(WORDS))
        loss.backward()
        return loss

    optimizer.step(closure)
    with torch.no_grad():
        loss = data_loss().item()
    space.move(head)
    return loss
