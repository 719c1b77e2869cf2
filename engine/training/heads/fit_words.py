"""Fit the word head: an independent logistic regression per word, to two teachers' probabilities.

A word's target is the larger of its sources' outputs (`engine.models.vocabulary`): MusiCNN's tags and YAMNet's classes.
Both are probabilities, and a head with a bias that minimises cross-entropy against them matches their mean: the
gradient of the bias, mean(sigmoid(z) - target), is zero at the minimum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.models.encoder import Encoder
from engine.models.vocabulary import WORDS, Word
from engine.training.distill.excerpts import EXCERPT_SAMPLES, EXCERPT_SECONDS, Excerpts
from engine.training.distill.second_teacher import SecondTeacher
from engine.training.heads.trunk_space import TrunkSpace

PENALTY = 0.02  # L2
MAX_EXCERPTS = 3000
ITERATIONS = 120  # of L-BFGS
UNKNOWN_PROBABILITY = 1e-4  # predicted for words without a source, and the least prior of the others
MAX_PRIOR = 0.99


@dataclass(frozen=True, eq=False)
class WordExamples:
    """Training examples of the word head.

    Attributes:
        raw: Segment vectors or un-normalised signatures, (N, D).
        targets: Probabilities, (N, V).
        known: Words that the examples have targets for, boolean, (V,).
    """

    raw: Tensor
    targets: Tensor
    known: Tensor


def word_examples(encoder: Encoder, excerpts: Excerpts, second: SecondTeacher) -> WordExamples:
    """Return the mean segment vectors of at most MAX_EXCERPTS excerpts, with both teachers' outputs as targets."""
    rows = np.random.default_rng(0).choice(len(excerpts), min(MAX_EXCERPTS, len(excerpts)), replace=False)
    raw, musicnn, yamnet = [], [], []
    for row in np.sort(rows):
        index = np.array([row])
        start = np.zeros_like(index)
        raw.append(_mean_vector(encoder, excerpts.read(index, start, EXCERPT_SAMPLES)))
        musicnn.append(excerpts.targets(index, start, EXCERPT_SECONDS).tags)
        yamnet.append(second.targets(index, start, EXCERPT_SECONDS).words)
    return examples_from_teachers(torch.stack(raw), torch.cat(musicnn), torch.cat(yamnet))


def examples_from_teachers(raw: Tensor, musicnn: Tensor, yamnet: Tensor, words: Sequence[Word] = WORDS) -> WordExamples:
    """Combine the probabilities of MusiCNN's tags (N, 50) and YAMNet's classes (N, 521) into targets of words."""
    columns = []
    for word in words:
        outputs = torch.cat([musicnn[:, list(word.musicnn)], yamnet[:, list(word.yamnet)]], dim=1)
        columns.append(outputs.amax(dim=1) if outputs.shape[1] else raw.new_zeros(len(raw)))
    known = torch.tensor([bool(word.musicnn or word.yamnet) for word in words])
    return WordExamples(raw, torch.stack(columns, dim=1).float(), known)


def fit_words(encoder: Encoder, examples: WordExamples, penalty: float = PENALTY) -> float:
    """Add a head for WORDS to the encoder and fit it; return the loss without the penalty."""
    space = TrunkSpace(encoder, examples.raw)
    raw = space.from_signatures(examples.raw)
    known, targets = examples.known, examples.targets[:, examples.known]
    encoder.add_words(tuple(word.word for word in WORDS))
    head = encoder.word_head
    priors = torch.full((len(WORDS),), UNKNOWN_PROBABILITY)
    priors[known] = targets.mean(dim=0).clamp(UNKNOWN_PROBABILITY, MAX_PRIOR)
    torch.nn.init.zeros_(head.weight)
    with torch.no_grad():
        head.bias.copy_(priors.logit())  # start from the prior of each word
    scale = raw.std()  # makes the penalty independent of the vectors' scale
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def data_loss() -> Tensor:
        return F.binary_cross_entropy_with_logits(head(raw)[:, known], targets)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = data_loss() + penalty * (head.weight[known] * scale).square().sum() / (2 * len(WORDS))
        loss.backward()
        return loss

    optimizer.step(closure)
    with torch.no_grad():
        loss = data_loss().item()
    space.move(head)
    return loss


@torch.inference_mode()
def _mean_vector(encoder: Encoder, samples: Tensor) -> Tensor:
    """Mean of an excerpt's segment vectors: (1, L) -> (D,)."""
    windows = samples if encoder.plan.segments > 1 else samples.view(-1, encoder.plan.samples)
    return encoder.mapped(encoder.embed(encoder.front_end(windows))).mean(dim=0).clone()
