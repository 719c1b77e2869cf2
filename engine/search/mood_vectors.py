"""Mood as a vector: how much more, or less, than usual each mood word applies to a track.

z_t = (l_t - mean_t) / deviation_t of the log-odds l_t of the encoder's mood words (AllMusic's, as in the 4Q audio
emotion data set) over typical tracks as in `engine.search.tag_scores`; the first MOST_WORDS of them, scaled to unit
norm. For an encoder without words, the centred logarithms of its moods' probabilities.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.db import predictions, word_batches
from engine.errors import NotFoundError
from engine.models.vocabulary import WORDS
from engine.search.tag_scores import SMALLEST, TagModel, tag_model
from engine.session import LibraryView

MOST_WORDS = 64
TINY = 1e-9

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


def mood_matrix(view: LibraryView) -> tuple[Ids, Floats]:
    """Return track ids, ascending, and unit vectors (N, M) of every track with predictions."""
    if not view.file.words:
        with view.read() as connection:
            heads = len(view.file.genres), len(view.file.moods)
            found = predictions(connection, view.encoder_id, view.coverage, view.snapshot.ids.tolist(), heads)
        ids = np.array(sorted(found), np.int64)
        moods = np.array([found[track_id].moods for track_id in ids.tolist()], np.float32)
        return ids, _units(_centred(moods.reshape(len(ids), -1)))
    model = tag_model(view)
    found_ids, rows = [np.zeros(0, np.int64)], [np.zeros((0, len(mood_words(view.file.words))), np.float32)]
    with view.read() as connection:
        for batch in word_batches(connection, view.encoder_id, view.coverage, len(view.file.words)):
            found_ids.append(batch.track_ids)
            rows.append(_standardised(model, batch.probabilities))
    ids = np.concatenate(found_ids)
    order = np.argsort(ids)
    return ids[order], _units(np.concatenate(rows)[order])


def mood_vector(view: LibraryView, moods: Floats, words: Floats) -> Floats:
    """Return the unit vector (M,) of one track's predictions.

    Raises:
        QueryError: The encoder predicts words, and the track has none.
    """
    if not view.file.words:
        return _units(_centred(moods[None]))[0]
    if not len(words):
        raise NotFoundError("this track has no tags to compare moods by", hint="index it again: engine index PATH")
    return _units(_standardised(tag_model(view), words[None]))[0]


@cache
def mood_words(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of an encoder's words that are moods, at most MOST_WORDS."""
    moods = {word.word for word in WORDS if word.mood_word}
    return tuple(word for word in words if word in moods)[:MOST_WORDS]


def _standardised(model: TagModel, probabilities: Floats) -> Floats:
    places = model.positions(mood_words(model.tags))
    p = np.clip(probabilities[:, places], SMALLEST, 1 - 1e-3)
    found: Floats = (np.log(p / (1 - p)) - model.mean[places]) / model.deviation[places]
    return found


def _centred(moods: Floats) -> Floats:
    logs = np.log(np.maximum(moods, SMALLEST))
    return logs - logs.mean(axis=1, keepdims=True)


def _units(rows: Floats) -> Floats:
    return (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), TINY)).astype(np.float32)
