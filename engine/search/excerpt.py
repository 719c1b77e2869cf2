"""A part of a track, heard by itself."""

from __future__ import annotations

import math
import os

import numpy as np

from engine.db import get_signature
from engine.db.text import named, shown
from engine.errors import AudioError, QueryError
from engine.explain.explanation import Span
from engine.search.query_vector import Sought
from engine.search.references import Heard, Question, TrackName, resolve
from engine.search.results import Seed
from engine.session import OpenLibrary

SHORTEST = 0.5  # seconds; less says nothing


def hear_moment(opened: OpenLibrary, name: TrackName, at: Span) -> Sought:
    """What a part of a track sounds like: from the file, in as many windows as the part has room for.

    Where the file is out of reach, the stored windows that overlap the part stand in.

    Raises:
        QueryError: There is no such track, the part is none of it or shorter than 0.5 s, or it cannot be heard.
    """
    if not (at.start >= 0 and at.end - at.start >= SHORTEST and math.isfinite(at.end)):
        raise QueryError(f"expected a part of {SHORTEST} s or more, found {at.start:g} s to {at.end:g} s")
    with opened.database.read() as connection:
        question = resolve(connection, name)
    heard = _from_file(opened, question, at) if os.path.exists(question.path) else _from_stored(opened, question, at)  # noqa: PTH110 (bytes)
    track_id = question.track.id if question.track else None
    tracks = (question.track,) if question.track else ()
    return Sought(heard, (Seed(track_id, named(question.path), 1),), tracks)


def _from_file(opened: OpenLibrary, question: Question, at: Span) -> Heard:
    from engine.indexer.audio.decode import AudioFile
    from engine.indexer.audio.reading import plan_starts
    from engine.indexer.audio.samples import stack
    from engine.indexer.pipeline.encoding import DecodedTrack, encode_batch
    from engine.models.encoder import SAMPLE_RATE

    encoder = opened.encoder()
    plan, length = encoder.plan, at.end - at.start
    count = min(plan.count, max(1, math.ceil(length / plan.seconds)))
    starts = [at.start + start for start in plan_starts(length, plan.seconds, count)]
    try:
        with AudioFile.open(question.path) as audio:
            windows = audio.cut(starts, min(plan.seconds, length), SAMPLE_RATE, True)
            if not any(len(window) >= SHORTEST * SAMPLE_RATE for window in windows):
                raise QueryError(
                    f"{shown(question.path)}: expected sound from {at.start:g} s to {at.end:g} s, found "
                    f"{audio.duration():.1f} s of it in all; name an earlier part"
                )
            decoded = DecodedTrack({}, length, starts, stack(windows, plan.samples))
        encoded = encode_batch(encoder, [decoded])[0]
    except AudioError as error:
        raise QueryError(f"{shown(question.path)}: {error}") from error
    return Heard(encoded.vector, encoded.genres, encoded.moods, encoded.words, _itself(question))


def _from_stored(opened: OpenLibrary, question: Question, at: Span) -> Heard:
    with opened.database.read() as connection:
        stored = question.track and get_signature(connection, question.track.id, opened.encoder_id, opened.coverage)
    if not stored:
        raise QueryError(f"{shown(question.path)}: the file is out of reach, and the library has not heard it")
    import torch

    plan = opened.encoder().plan
    chosen = np.flatnonzero((stored.starts < at.end) & (stored.starts + plan.segment_seconds > at.start))
    if not len(chosen):
        raise QueryError(
            f"{shown(question.path)}: the file is out of reach, and no stored window lies in {at.start:g} s to "
            f"{at.end:g} s; name a longer part"
        )
    summary = opened.encoder().summarise(torch.from_numpy(stored.vectors[chosen]))
    signature, genres, moods, words = (
        part.numpy() for part in (summary.signature, summary.genres, summary.moods, summary.words)
    )
    return Heard(signature, genres, moods, words, _itself(question))


def _itself(question: Question) -> frozenset[int]:
    return frozenset([question.track.id] if question.track else [])
