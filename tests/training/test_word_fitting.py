"""The word head: what teachers say, and moods that people gave, come back as probabilities."""

from __future__ import annotations

import torch

from engine.models.checkpoint import build
from engine.models.vocabulary import WORDS
from engine.training.words import fit_words, labelled, taught

DIM = 16
SMALL = {"token_seconds": 1.0, "widths": [8], "frame_dim": 8, "stem": 4, "dim": DIM}
NAMES = [word.word for word in WORDS]


def test_words_come_back() -> None:
    """A word that the teachers hear in one direction, and a mood that people name in another, are told apart."""
    random = torch.Generator().manual_seed(0)
    raw, clips = torch.randn(400, DIM, generator=random), torch.randn(200, DIM, generator=random)
    piano, mood = (
        NAMES.index("piano"),
        next(word for word in WORDS if word.mood_word and not word.yamnet + word.musicnn),
    )
    yamnet = torch.full((400, 521), 0.01)
    yamnet[:, WORDS[piano].yamnet[0]] = torch.sigmoid(3 * raw[:, 0])
    moods = [[mood.mood_word] if value > 0 else [] for value in clips[:, 1].tolist()]
    encoder = build("attention_signature", SMALL)
    fit_words(encoder, [taught(raw, torch.full((400, 50), 0.02), yamnet), labelled(clips, moods)], [1e-3, 1e-2])  # type: ignore[arg-type]
    probe = torch.zeros(3, DIM)
    probe[1, 0], probe[2, 1] = 2, 2
    said = encoder.word_probabilities(probe).detach()
    assert said[1, piano] > 0.9 > 0.7 > said[0, piano]
    assert said[2, NAMES.index(mood.word)] > 0.8 > said[1, NAMES.index(mood.word)]
    assert said[0, NAMES.index("banjo")] < 0.05


def test_probabilities_match_the_teachers_in_the_mean() -> None:
    """Over the examples a word's mean probability is the teachers' mean: the head is calibrated to them."""
    random = torch.Generator().manual_seed(1)
    raw = torch.randn(500, DIM, generator=random)
    musicnn = torch.rand(500, 50, generator=random) ** 4
    yamnet = torch.rand(500, 521, generator=random) ** 8
    example = taught(raw, musicnn, yamnet)
    encoder = build("attention_signature", SMALL)
    fit_words(encoder, [example], [1e-2])
    said = encoder.word_probabilities(raw).detach()[:, example.known]
    torch.testing.assert_close(said.mean(dim=0), example.targets[:, example.known].mean(dim=0), atol=0.01, rtol=0)


def test_a_word_of_two_teachers_takes_the_surer() -> None:
    """A word that both teachers know has the larger of their answers as its target."""
    word = next(i for i, each in enumerate(WORDS) if each.musicnn and each.yamnet)
    musicnn, yamnet = torch.zeros(2, 50), torch.zeros(2, 521)
    musicnn[0, WORDS[word].musicnn[0]] = 0.4
    yamnet[0, WORDS[word].yamnet[0]], yamnet[1, WORDS[word].yamnet[0]] = 0.7, 0.1
    assert taught(torch.zeros(2, DIM), musicnn, yamnet).targets[:, word].tolist() == [
        0.699999988079071,
        0.10000000149011612,
    ]
