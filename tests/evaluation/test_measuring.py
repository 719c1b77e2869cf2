"""Metrics of an encoder by data set and task (`measure`): which metrics, on which clips."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.datasets.clip_embeddings import clip_windows
from engine.datasets.clips import Clip, ClipSamples
from engine.errors import TrainingError
from engine.evaluation.measure import ALL_CLIPS, UNNAMED, Predictions, Section, describe_inputs, measure, predict
from engine.models.labels import GENRES, MOODS
from tests.training.conftest import SmallEncoder

CLIPS = 24


def clip(i: int, dataset: str = "one", genres: str = "", mood: str | None = None) -> Clip:
    """A clip by an artist of two clips."""
    return Clip(Path(f"{i}.wav"), "valid", f"artist {i // 2}", dataset, frozenset(genres.split()), mood)


def answers(count: int = CLIPS, seed: int = 0) -> Predictions:
    """Random predictions."""
    random = np.random.default_rng(seed)
    signatures = random.standard_normal((count, 6))
    signatures /= np.linalg.norm(signatures, axis=1, keepdims=True)
    genres, moods = (random.dirichlet(np.ones(len(names)), count) for names in (GENRES, MOODS))
    return Predictions(signatures, genres, moods, 1.0)


def found(clips: list[Clip], given: Predictions | None = None) -> dict[tuple[str, str], Section]:
    """Sections by data set and task."""
    sections = measure(given or answers(len(clips)), clips, GENRES, MOODS)
    by_name = {(section.dataset, section.task): section for section in sections}
    assert len(by_name) == len(sections)
    return by_name


def names(section: Section) -> list[str]:
    """What a section's figures are called."""
    return [figure.name for figure in section.figures]


def test_every_data_set_has_its_own_figures() -> None:
    """Genres and moods are measured in each data set on its labelled clips; neighbours in each, and among all."""
    clips = [clip(i, "one", ("jazz", "rock")[i % 2], ("happy", "tense")[i // 8]) for i in range(16)]
    clips += [clip(i, "two", ("pop", "")[i % 2]) for i in range(16, CLIPS)]
    sections = found(clips)
    tasks = {
        "one": ("genre", "mood", "valence", "neighbours"),
        "two": ("genre", "neighbours"),
        ALL_CLIPS: ("neighbours",),
    }
    assert list(sections) == [(dataset, task) for dataset, listed in tasks.items() for task in listed]
    assert sections["one", "genre"].clips.tolist() == list(range(16))
    assert sections["two", "genre"].clips.tolist() == list(range(16, CLIPS, 2))
    assert sections["one", "valence"].clips.tolist() == list(range(8))
    shown = ["accuracy", "macro precision", "macro recall", "macro F1", "ROC AUC", "log loss"]
    assert names(sections["one", "genre"]) == [*shown, "precision at 5", "precision at 10"]
    assert names(sections["one", "neighbours"]) == ["same artist within 5"]
    assert names(sections[ALL_CLIPS, "neighbours"]) == ["same artist within 5", "hub skewness", "orphans"]


def test_one_data_set_is_all_clips() -> None:
    """Without names of data sets the clips are one; with one name there is no second section of the same clips."""
    clips = [clip(i, "", ("jazz", "rock")[i % 2]) for i in range(CLIPS)]
    assert list(found(clips)) == [(ALL_CLIPS, "genre"), (ALL_CLIPS, "neighbours")]
    assert list(found([replace(c, dataset="one") for c in clips])) == [("one", "genre"), (ALL_CLIPS, "neighbours")]
    assert (UNNAMED, "genre") in found([*clips[:-2], *(replace(c, dataset="one") for c in clips[-2:])])


def test_only_labels_of_the_data_set_compete() -> None:
    """The likeliest label counts among those that the data set has; a clip of several labels is right with any."""
    clips = [clip(0, genres="jazz"), clip(1, genres="rock"), clip(2, genres="rock jazz")]
    given = answers(3)
    given.genres[:] = 0.01
    given.genres[:, GENRES.index("metal")] = 0.7  # no clip is metal
    for i, genre in enumerate(("jazz", "jazz", "rock")):
        given.genres[i, GENRES.index(genre)] = 0.15
    given.genres[:] /= given.genres.sum(axis=1, keepdims=True)
    section = found(clips, given)["one", "genre"]
    assert section.figures[0].value == pytest.approx(2 / 3)
    assert section.classification is not None
    assert section.classification.names == ("jazz", "rock")


def test_one_label_is_no_choice() -> None:
    """If all clips have one label, all names compete, and precision, which would be 1, is left out."""
    given = answers(4)
    given.genres[:] = np.eye(len(GENRES))[[0, 0, 0, GENRES.index("jazz")]]
    section = found([clip(i, genres="jazz") for i in range(4)], given)["one", "genre"]
    assert section.figures[0].value == 0.25
    assert not {"precision at 5", "ROC AUC"} & set(names(section))


def test_valence_is_three_moods() -> None:
    """Sad, neutral and happy are sad, calm and happy, renormalised; tense clips and predictions do not count."""
    clips = [clip(i, mood=mood) for i, mood in enumerate(("sad", "calm", "happy", "tense"))]
    given = answers(4)
    given.moods[:] = [[0.1, 0.6, 0.2, 0.1], [0.1, 0.6, 0.1, 0.2], [0.1, 0.6, 0.2, 0.1], [0.1, 0.6, 0.2, 0.1]]
    section = found(clips, given)["one", "valence"]
    assert section.classification is not None
    assert section.classification.names == ("sad", "neutral", "happy")
    np.testing.assert_allclose(section.classification.probabilities[0], [0.5, 0.25, 0.25])
    assert section.classification.predicted.tolist() == [0, 1, 0]
    assert (section.figures[0].value, section.figures[0].clips) == (pytest.approx(2 / 3), 3)


def test_other_moods_have_no_valence() -> None:
    """An encoder of other moods is measured on them, and has no valence."""
    clips = [clip(i, mood=("happy", "angry")[i % 2]) for i in range(6)]
    given = answers(6)
    given = Predictions(given.signatures, given.genres, given.moods[:, :2] / given.moods[:, :2].sum(1)[:, None], 1.0)
    sections = measure(given, clips, GENRES, ("angry", "happy"))
    assert {section.task for section in sections} == {"mood", "neighbours"}


def test_predictions_are_those_of_indexing(valid: ClipSamples, small_encoder: SmallEncoder) -> None:
    """Signatures and probabilities are the encoder's outputs for a track's windows."""
    encoder = small_encoder().eval()
    seen: list[int] = []
    given = predict(encoder, valid, lambda: seen.append(1))
    assert len(seen) == len(valid)
    for i in (0, 5):
        with torch.inference_mode():
            expected = encoder.summarise(encoder.vectors_of(clip_windows(valid, i, encoder.plan)))
        np.testing.assert_allclose(given.signatures[i], expected.signature, atol=1e-5)
        np.testing.assert_allclose(given.genres[i], expected.genres, atol=1e-5)
        np.testing.assert_allclose(given.moods[i], expected.moods, atol=1e-5)


def test_answers_that_are_not_finite_are_refused(valid: ClipSamples, small_encoder: SmallEncoder) -> None:
    """Weights that have overflown are an error that names a clip."""
    encoder = small_encoder().eval()
    with torch.no_grad():
        encoder.genre_head.bias[3] = float("nan")
    with pytest.raises(TrainingError, match=r"output for 0\.wav is not finite"):
        predict(encoder, valid)


def test_inputs_are_described_by_mean_and_deviation(valid: ClipSamples, small_encoder: SmallEncoder) -> None:
    """A clip's row is the mean and the deviation of each mel band over all of its windows."""
    encoder = small_encoder().eval()
    rows = describe_inputs(encoder, valid)
    mel = encoder.front_end(clip_windows(valid, 2, encoder.plan))["mel"].double()  # (W, bands, T)
    expected = torch.cat([mel.mean(dim=(0, 2)), mel.std(dim=(0, 2), correction=0)])
    assert rows.shape == (len(valid), 2 * mel.shape[1])
    np.testing.assert_allclose(rows[2], expected, atol=1e-4)
