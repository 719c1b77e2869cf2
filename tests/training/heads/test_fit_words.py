"""The word head: the teachers' outputs come back as probabilities."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from engine.models.checkpoint import build
from engine.models.teacher import FEATURES, TAGS
from engine.models.vocabulary import WORDS
from engine.models.yamnet import FEATURES as SECOND_FEATURES, WORDS as SECOND_WORDS
from engine.training.distill.excerpts import EXCERPT_SAMPLES, EXCERPT_SECONDS, TARGET_SECONDS, Excerpts
from engine.training.distill.second_teacher import FILES, PATCHES, SecondTeacher
from engine.training.heads.fit_words import examples_from_teachers, fit_words, word_examples

DIM = 16
SMALL = {"token_seconds": 1.0, "widths": [8], "frame_dim": 8, "stem": 4, "dim": DIM}
NAMES = [word.word for word in WORDS]


def test_words_come_back() -> None:
    """A word that a teacher reports in one direction is predicted there and nowhere else; unknown words never are."""
    random = torch.Generator().manual_seed(0)
    raw = torch.randn(400, DIM, generator=random)
    piano = NAMES.index("piano")
    yamnet = torch.full((400, 521), 0.01)
    yamnet[:, WORDS[piano].yamnet[0]] = torch.sigmoid(3 * raw[:, 0])
    encoder = build("attention_signature", SMALL)
    fit_words(encoder, examples_from_teachers(raw, torch.full((400, 50), 0.02), yamnet), penalty=1e-3)
    probe = torch.zeros(2, DIM)
    probe[1, 0] = 2
    predicted = encoder.word_probabilities(probe).detach()
    assert predicted[1, piano] > 0.9 > 0.7 > predicted[0, piano]
    assert predicted[0, NAMES.index("banjo")] < 0.05
    unknown = [i for i, word in enumerate(WORDS) if not word.musicnn + word.yamnet]
    assert (predicted[:, unknown] < 1e-3).all()


def test_probabilities_match_the_teachers_in_the_mean() -> None:
    """Over the examples a word's mean probability is the teachers' mean: the head is calibrated to them."""
    random = torch.Generator().manual_seed(1)
    raw = torch.randn(500, DIM, generator=random)
    musicnn = torch.rand(500, 50, generator=random) ** 4
    yamnet = torch.rand(500, 521, generator=random) ** 8
    example = examples_from_teachers(raw, musicnn, yamnet)
    encoder = build("attention_signature", SMALL)
    fit_words(encoder, example, penalty=1e-2)
    said = encoder.word_probabilities(raw).detach()[:, example.known]
    torch.testing.assert_close(said.mean(dim=0), example.targets[:, example.known].mean(dim=0), atol=0.01, rtol=0)


def test_a_word_of_two_teachers_takes_the_larger() -> None:
    """A word that both teachers know has the larger of their outputs as its target."""
    word = next(i for i, each in enumerate(WORDS) if each.musicnn and each.yamnet)
    musicnn, yamnet = torch.zeros(2, 50), torch.zeros(2, 521)
    musicnn[0, WORDS[word].musicnn[0]] = 0.4
    yamnet[0, WORDS[word].yamnet[0]], yamnet[1, WORDS[word].yamnet[0]] = 0.7, 0.1
    assert examples_from_teachers(torch.zeros(2, DIM), musicnn, yamnet).targets[:, word].tolist() == [
        0.699999988079071,
        0.10000000149011612,
    ]


def test_examples_of_stored_excerpts_have_both_teachers_targets(tmp_path: Path) -> None:
    """Each excerpt gives the mean of its segment vectors, with the larger of both teachers' mean probabilities."""
    random, count = np.random.default_rng(0), 3
    np.save(tmp_path / "audio.npy", random.integers(-9000, 9000, (count, EXCERPT_SAMPLES)).astype(np.int16))
    for seconds in TARGET_SECONDS:
        for name, width in (("features", FEATURES), ("tags", TAGS)):
            values = random.random((count, EXCERPT_SECONDS // seconds, width)).astype(np.float16)
            np.save(tmp_path / f"{name}{seconds}.npy", values)
    for name, width in (("features", SECOND_FEATURES), ("logits", SECOND_WORDS)):
        np.save(tmp_path / FILES[name], random.standard_normal((count, PATCHES, width)).astype(np.float16))
    (tmp_path / "judged.json").write_text(json.dumps({"count": count, "made_of": {}}))
    excerpts, second = Excerpts(tmp_path), SecondTeacher(tmp_path, count)
    encoder = build("attention_signature", SMALL).eval()
    examples = word_examples(encoder, excerpts, second)
    assert examples.raw.shape == (count, DIM)
    rows = np.arange(count)
    windows = excerpts.read(rows, np.zeros_like(rows), EXCERPT_SAMPLES)[1].view(-1, encoder.plan.samples)
    torch.testing.assert_close(examples.raw[1], encoder.vectors_of(windows).mean(dim=0), atol=1e-4, rtol=1e-3)
    targets = (excerpts.targets(rows, rows * 0, EXCERPT_SECONDS), second.targets(rows, rows * 0, EXCERPT_SECONDS))
    piano = WORDS[NAMES.index("piano")]
    outputs = [targets[0].tags[:, list(piano.musicnn)], targets[1].words[:, list(piano.yamnet)]]
    torch.testing.assert_close(examples.targets[:, NAMES.index("piano")], torch.cat(outputs, dim=1).amax(dim=1))
