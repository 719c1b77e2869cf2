"""A part of a track, heard by itself."""

from __future__ import annotations

import math
import os

import numpy as np

from engine.db import get_signature
from engine.db.text import displayable, fs_name
from engine.errors import AudioError, QueryError
from engine.explain.explanation import Span
from engine.search.query_vector import Query
from engine.search.references import Embedding, ResolvedTrack, TrackName, resolve
from engine.search.results import Seed
from engine.session import LibrarySession

SHORTEST = 0.5  # seconds; less says nothing


def query_from_excerpt(session: LibrarySession, name: TrackName, at: Span) -> Query:
    """What a part of a track sounds like: from the file, in as many windows as the part has room for.

    Where the file is out of reach, the stored windows that overlap the part stand in.

    Raises:
        QueryError: There is no such track, the part is none of it or shorter than 0.5 s, or it cannot be heard.
    """
    if not (at.start >= 0 and at.end - at.start >= SHORTEST and math.isfinite(at.end)):
        raise QueryError(f"expected a part of {SHORTEST} s or more, found {at.start:g} s to {at.end:g} s")
    with session.database.read() as connection:
        question = resolve(connection, name)
    heard = _from_file(session, question, at) if os.path.exists(question.path) else _from_stored(session, question, at)  # noqa: PTH110 (bytes)
    track_id = question.track.id if question.track else None
    tracks = (question.track,) if question.track else ()
    return Query(heard, (Seed(track_id, fs_name(question.path), 1),), tracks)


def _from_file(session: LibrarySession, question: ResolvedTrack, at: Span) -> Embedding:
    from engine.indexer.audio.decode import AudioFile
    from engine.indexer.audio.reading import plan_starts
    from engine.indexer.audio.samples import stack
    from engine.indexer.pipeline.encoding import DecodedTrack, encode_batch
    from engine.models.encoder import SAMPLE_RATE

    encoder = session.encoder()
    plan, length = encoder.plan, at.end - at.start
    count = min(plan.count, max(1, math.ceil(length / plan.seconds)))
    starts = [at.start + start for start in plan_starts(length, plan.seconds, count)]
    try:
        with AudioFile.open(question.path) as audio:
            windows = audio.cut(starts, min(plan.seconds, length), SAMPLE_RATE, True)
            if not any(len(window) >= SHORTEST * SAMPLE_RATE for window in windows):
                raise QueryError(
                    f"{displayable(question.path)}: expected sound from {at.start:g} s to {at.end:g} s, found "
                    f"{audio.duration():.1f} s of it in all; name an earlier part"
                )
            decoded = DecodedTrack({}, length, starts, stack(windows, plan.samples))
        encoded = encode_batch(encoder, [decoded])[0]
    except AudioError as error:
        raise QueryError(f"{displayable(question.path)}: {error}") from error
    return Embedding(encoded.vector, encoded.genres, encoded.moods, encoded.words, _itself(question))


def _from_stored(session: LibrarySession, question: ResolvedTrack, at: Span) -> Embedding:
    with session.database.read() as connection:
        stored = question.track and get_signature(connection, question.track.id, session.encoder_id, session.coverage)
    if not stored:
        raise QueryError(f"{displayable(question.path)}: the file is out of reach, and the library has not heard it")
    import torch

    plan = session.encoder().plan
    chosen = np.flatnonzero((stored.starts < at.end) & (stored.starts + plan.segment_seconds > at.start))
    if not len(chosen):
        raise QueryError(
            f"{displayable(question.path)}: the file is out of reach, and no stored window lies in {at.start:g} s to "
            f"{at.end:g} s; name a longer part"
        )
    summary = session.encoder().summarise(torch.from_numpy(stored.vectors[chosen]))
    signature, genres, moods, words = (
        part.numpy() for part in (summary.signature, summary.genres, summary.moods, summary.words)
    )
    return Embedding(signature, genres, moods, words, _itself(question))


def _itself(question: ResolvedTrack) -> frozenset[int]:
    return frozenset([question.track.id] if question.track else [])
