"""The embedding of a track: read from the library, or computed from the file."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from engine import embedding
from engine.db import Signature, Track, get_signature, tracks_by_hash
from engine.db.text import displayable
from engine.errors import AudioError, QueryError
from engine.indexer.audio.identity import content_hash
from engine.search.references import ResolvedTrack, TrackName, resolve
from engine.session import LibraryView


@dataclass(frozen=True, eq=False)
class Segments:
    """The S segments of a track, in the order in which the encoder read them.

    Attributes:
        duration_seconds: Of the whole track.
        starts: (S,), seconds.
        attention: (S,), sums to 1.
        vectors: h, (S, D), not normalised; rounded to float16 if they come from the library.
    """

    duration_seconds: float
    starts: NDArray[np.float32]
    attention: NDArray[np.float32]
    vectors: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Embedding:
    """The encoder's output for a query.

    Attributes:
        signature: Unit vector, (D,).
        genres, moods: Probabilities, (G,) and (M,).
        words: Probabilities, (V,); empty for an encoder without words.
        identical_ids: Track ids of the query itself and of byte-identical files.
    """

    signature: NDArray[np.float32]
    genres: NDArray[np.float32]
    moods: NDArray[np.float32]
    words: NDArray[np.float32]
    identical_ids: frozenset[int]


@dataclass(frozen=True, eq=False)
class TrackEmbedding(Embedding):
    """The embedding of one track, with its segments."""

    segments: Segments


@dataclass(frozen=True, eq=False)
class EmbeddedTrack:
    """A resolved track and its embedding."""

    resolved: ResolvedTrack
    embedding: TrackEmbedding


def embed(view: LibraryView, name: TrackName, *, segments: bool = True) -> EmbeddedTrack:
    """Resolve a track's name and return its embedding.

    Args:
        view: The library.
        name: A file, inside or outside the library, or an id.
        segments: Whether to read the segments of a stored embedding; without, S is 0.

    Raises:
        QueryError: There is no such track, or its file gives no signature.
    """
    with view.read() as connection:
        resolved = resolve(connection, name)
        stored = load_embedding(connection, view, resolved, segments=segments)
    return EmbeddedTrack(resolved, stored or embed_file(view, resolved))


def load_embedding(
    connection: Connection, view: LibraryView, resolved: ResolvedTrack, *, segments: bool = True
) -> TrackEmbedding | None:
    """Load a track's stored embedding; None if absent or the file changed. Without `segments`, S is 0."""
    track = resolved.track
    if track is None or resolved.stale:
        return None
    stored = get_signature(connection, track.id, view.encoder_id, view.coverage, windows=segments)
    if stored is None:
        return None
    identical = {twin.id for twin in tracks_by_hash(connection, track.content_hash)}
    return _from_library(stored, identical | {track.id}, track)


def embed_file(view: LibraryView, resolved: ResolvedTrack) -> TrackEmbedding:
    """Return a file's embedding: the stored one of a byte-identical file, or that of the decoded sound.

    A track whose file changed and cannot be read now keeps its earlier embedding.

    Raises:
        QueryError: The file gives no signature, and the library holds none of it.
    """
    try:
        digest = content_hash(resolved.path)
        with view.read() as connection:
            twins = tracks_by_hash(connection, digest)
            identical = {twin.id for twin in twins} | ({resolved.track.id} if resolved.track else set())
            for twin in twins:
                if twin.id == resolved.track_id:
                    continue  # its stored signature is that of the bytes before
                stored = get_signature(connection, twin.id, view.encoder_id, view.coverage)
                if stored is not None:
                    return _from_library(stored, identical, twin)
        return _decoded(view, resolved.path, identical)
    except AudioError as error:
        with view.read() as connection:
            earlier = load_embedding(connection, view, replace(resolved, stale=False))
        if earlier is not None:
            return earlier
        raise QueryError(f"{displayable(resolved.path)}: {error.message}", hint=error.hint) from error


def _decoded(view: LibraryView, path: bytes, identical: set[int]) -> TrackEmbedding:
    from engine.indexer.pipeline.encoding import TrackEncoder  # stored signatures need no torch

    view.decoders.start()  # while the encoder loads
    track = TrackEncoder(view.encoder()).embed_file(path, view.coverage, view.decoders)
    return _with_segments(track.embedding, identical, track.duration_seconds)


def _from_library(stored: Signature, identical: set[int], track: Track) -> TrackEmbedding:
    return _with_segments(stored.embedding, identical, track.duration_seconds)


def _with_segments(found: embedding.TrackEmbedding, identical: set[int], duration_seconds: float) -> TrackEmbedding:
    segments = Segments(duration_seconds, found.starts, found.attention, found.segment_vectors)
    return TrackEmbedding(found.signature, found.genres, found.moods, found.words, frozenset(identical), segments)
