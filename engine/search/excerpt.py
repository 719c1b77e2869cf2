"""The query of an excerpt: a part of a track, embedded by itself."""

from __future__ import annotations

import math
import os

import numpy as np

from engine.db import get_signature
from engine.db.text import displayable
from engine.errors import AudioError, InvalidError, QueryError
from engine.search.query_vector import Query, QueryEmbedding
from engine.search.references import ResolvedTrack, TrackName, resolve
from engine.search.results import Seed, Span
from engine.session import LibraryView

SHORTEST = 0.5  # seconds


def query_from_excerpt(view: LibraryView, name: TrackName, span: Span) -> Query:
    """Return the query of a part of a track: from the file, in as many windows as fit.

    If the file cannot be found, the stored windows that overlap the part are used instead.

    Raises:
        QueryError: There is no such track, the part is outside it or shorter than 0.5 s, or it cannot be decoded.
    """
    if not (span.start >= 0 and span.end - span.start >= SHORTEST and math.isfinite(span.end)):
        raise InvalidError(
            f"expected a part of {SHORTEST} s or more, found {span.start:g} s to {span.end:g} s",
            hint="name a longer part",
        )
    with view.read() as connection:
        resolved = resolve(connection, name)
    embedding = _embedded(view, resolved, span)
    tracks = (resolved.track,) if resolved.track else ()
    return Query(embedding, (Seed(resolved.track_id, os.fsdecode(resolved.path), 1),), tracks, one_track=True)


def _embedded(view: LibraryView, resolved: ResolvedTrack, span: Span) -> QueryEmbedding:
    if view.embedder is not None:
        part = view.embedder.embed(resolved.path, (span.start, span.end))
        return QueryEmbedding(part.signature, part.genres, part.moods, part.words, _own_ids(resolved))
    reachable = os.path.exists(resolved.path)  # noqa: PTH110 (bytes)
    return _from_file(view, resolved, span) if reachable else _from_library(view, resolved, span)


def _from_file(view: LibraryView, resolved: ResolvedTrack, span: Span) -> QueryEmbedding:
    from engine.indexer.pipeline.decoding import read_excerpt
    from engine.indexer.pipeline.encoding import TrackEncoder
    from engine.models.encoder import SAMPLE_RATE

    view.decoders.start()  # while the encoder loads
    encoder = view.encoder()
    plan, length = encoder.plan, span.end - span.start
    count = min(plan.count, max(1, math.ceil(length / plan.seconds)))
    try:
        read = view.decoders.call(read_excerpt, resolved.path, span.start, span.end, plan.seconds, count, SAMPLE_RATE)
        if read.sound_seconds < SHORTEST:
            raise InvalidError(
                f"{displayable(resolved.path)}: the part from {span.start:g} s to {span.end:g} s has no sound: "
                f"the file is {read.duration_seconds:.1f} s long",
                hint="name an earlier part",
            )
        found = TrackEncoder(encoder).embed(read.starts, read.windows)
    except AudioError as error:
        raise QueryError(f"{displayable(resolved.path)}: {error.message}", hint=error.hint) from error
    return QueryEmbedding(found.signature, found.genres, found.moods, found.words, _own_ids(resolved))


def _from_library(view: LibraryView, resolved: ResolvedTrack, span: Span) -> QueryEmbedding:
    with view.read() as connection:
        stored = resolved.track and get_signature(connection, resolved.track.id, view.encoder_id, view.coverage)
    if not stored:
        raise QueryError(
            f"{displayable(resolved.path)}: the file cannot be found, and the library has no signature of it",
            hint="connect the disk that holds it",
        )
    import torch

    encoder = view.encoder()
    starts = stored.embedding.starts
    overlaps = (starts < span.end) & (starts + encoder.plan.segment_seconds > span.start)
    chosen = np.flatnonzero(overlaps)
    if not len(chosen):
        raise QueryError(
            f"{displayable(resolved.path)}: the file cannot be found, and no stored window lies in {span.start:g} s "
            f"to {span.end:g} s",
            hint="name an earlier or longer part",
        )
    part = encoder.summarise(torch.from_numpy(stored.embedding.segment_vectors[chosen]))
    return QueryEmbedding(part.signature, part.genres, part.moods, part.words, _own_ids(resolved))


def _own_ids(resolved: ResolvedTrack) -> frozenset[int]:
    return frozenset([resolved.track_id] if resolved.track_id is not None else [])
