"""Which tracks carry a tag, and which are not music.

A track carries a tag if its z-score (`engine.search.tag_scores`) is at least 1: more than in five of six typical
tracks. A name may be any phrase of `phrases.json` that names tags, such as "strings" or "vocals".

With natural log-odds m of "music", s of "speech" and q of "silence", a track is not music if m < MIN_MUSIC_LOG_ODDS,
s - m > MAX_SPEECH_MARGIN or q - m > MAX_SILENCE_MARGIN. The three, set by hand on the sounds that follow, leave out two
of 2,419 clips of music (both are spoken) and none of 289 whole tracks, but 87 % of 542 sound effects, 85 % of 150
spoken dialogues and 7 of 10 loops of wind, rain and birds (`scripts/music_only.py`).
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from engine.db import word_batches
from engine.errors import NotFoundError
from engine.search.phrases import CARRIED_FROM, MIXTURE_FROM, Mixture, Phrase, table_of, words_in
from engine.search.results import TagCount
from engine.search.tag_columns import COLUMNS_FROM, tag_columns
from engine.search.tag_scores import Floats, Ids, logits, tag_head, tag_model
from engine.search.word_tags import UNINFORMATIVE
from engine.session import LibraryView

MUSIC, SPEECH, SILENCE = "music", "speech", "silence"
MIN_MUSIC_LOG_ODDS = -1.6  # a probability of 0.17
MAX_SPEECH_MARGIN, MAX_SILENCE_MARGIN = -1.2, -3.5
TYPO_RATIO = 0.6  # difflib's measure of similar words, 0 to 1


def carriers(view: LibraryView, names: Sequence[str]) -> Ids:
    """Return the ids of the tracks that carry any of some tags, ascending.

    Raises:
        NotFoundError: There is no such tag; the hint names the nearest.
    """
    view = view.encoded
    phrases = [_phrase(view, name) for name in names]
    found = [view.cached(f"carriers {phrase}", partial(_carriers, view, phrase)) for phrase in phrases]
    return np.unique(np.concatenate([np.zeros(0, np.int64), *found]))


def knows_music(view: LibraryView) -> bool:
    """Return whether the library's encoder distinguishes music from speech and silence."""
    return {MUSIC, SPEECH, SILENCE} <= set(view.file.words)


def not_music(view: LibraryView) -> Ids:
    """Return the ids of the tracks that are not music, ascending; a track without tags counts as music.

    Raises:
        NotFoundError: The encoder does not distinguish music from other sound.
    """
    if not knows_music(view):
        raise NotFoundError(
            f"the encoder {view.encoder_id} does not distinguish music from other sound", hint="leave out --music-only"
        )
    encoded = view.encoded
    return encoded.cached("not music", lambda: _not_music(encoded))


def count_carriers(view: LibraryView) -> tuple[TagCount, ...]:
    """Return the number of tracks that carry each of the encoder's tags, most frequent first; reads all stored words.

    Raises:
        QueryError: The encoder predicts no tags, or no track has any.
    """
    view.require_signatures()
    return view.cached("tag counts", lambda: _count(view))


def _phrase(view: LibraryView, name: str) -> Phrase:
    table, phrase = table_of(tag_model(view).tags), tuple(words_in(name))
    if phrase not in table.tags:
        known = {" ".join(each): each for each in table.tags}
        near = difflib.get_close_matches(" ".join(phrase), known, n=1, cutoff=TYPO_RATIO)
        hint = f"did you mean {near[0]!r}?" if near else "`engine tags` lists them"
        raise NotFoundError(f"there is no tag {name!r}", hint=hint)
    return phrase


def _carriers(view: LibraryView, phrase: Phrase) -> Ids:
    model = tag_model(view)
    table = table_of(model.tags)
    mixture: Mixture = table.tags[phrase]
    least = table.carried_from.get(phrase, CARRIED_FROM if len(mixture) == 1 else MIXTURE_FROM)
    positions = model.positions(tuple(tag for tag, _ in mixture))
    weights = np.array([weight for _, weight in mixture], np.float32)
    ids, found = _columns(view, positions)
    levels = (found - model.mean[positions]) / model.deviation[positions]
    return np.sort(ids[levels @ weights >= least])


def _not_music(view: LibraryView) -> Ids:
    positions = np.array([view.file.words.index(word) for word in (MUSIC, SPEECH, SILENCE)])
    ids, found = _columns(view, positions)
    music, speech, silence = found.T
    is_other = music < MIN_MUSIC_LOG_ODDS
    is_other |= (speech - music > MAX_SPEECH_MARGIN) | (silence - music > MAX_SILENCE_MARGIN)
    return np.sort(ids[is_other])


def _columns(view: LibraryView, positions: NDArray[np.intp]) -> tuple[Ids, Floats]:
    """Return the ids (N,) of all tracks with tags, and the log-odds (N, T) of some."""
    if view.snapshot.count > COLUMNS_FROM:
        return _from_signatures(view, positions)
    ids, found = [np.zeros(0, np.int64)], [np.zeros((0, len(positions)), np.float32)]
    with view.read() as connection:
        count = len(view.file.words)
        for batch in word_batches(connection, view.encoder_id, view.coverage, count, positions.tolist()):
            ids.append(batch.track_ids)
            found.append(logits(batch.probabilities))
    return np.concatenate(ids), np.concatenate(found)


def _from_signatures(view: LibraryView, positions: NDArray[np.intp]) -> tuple[Ids, Floats]:
    """Return the same from signatures and norms (derived in `engine.search.tag_scores`), without reading words."""
    head, columns = tag_head(view), tag_columns(view)
    ids, found = [np.zeros(0, np.int64)], [np.zeros((0, len(positions)), np.float32)]
    for batch in view.snapshot.batches():
        norms = columns.norms(batch.ids)
        tagged = np.isfinite(norms)
        along = batch.signatures @ head.weight[positions].T
        ids.append(batch.ids[tagged])
        found.append((norms[:, None] * along + head.bias[positions])[tagged])
    return np.concatenate(ids), np.concatenate(found)


def _count(view: LibraryView) -> tuple[TagCount, ...]:
    model = tag_model(view)
    counts = np.zeros(len(model.tags), np.int64)
    with view.read() as connection:
        for batch in word_batches(connection, view.encoder_id, view.coverage, len(model.tags)):
            levels = (logits(batch.probabilities) - model.mean) / model.deviation
            counts += (levels >= CARRIED_FROM).sum(axis=0)
    counted = [TagCount(tag, int(count)) for tag, count in zip(model.tags, counts, strict=True)]
    return tuple(sorted((each for each in counted if each.tag not in UNINFORMATIVE), key=lambda each: -each.tracks))
