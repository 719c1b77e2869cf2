"""The embedding of a track: read from the library, or computed from the file."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from engine.db import get_signature, ids_by_hash, tracks_by_hash
from engine.db.text import displayable
from engine.embedding import TrackEmbedding
from engine.errors import AudioError, QueryError
from engine.indexer.audio.identity import content_hash
from engine.models.numpy_heads import segment_seconds
from engine.search.references import ResolvedTrack, TrackName, resolve
from engine.session import LibraryView


@dataclass(frozen=True, eq=False)
class EmbeddedTrack:
    """A track and its embedding.

    Attributes:
        resolved: The track.
        embedding: The encoder's output; S is 0 if segments were not read.
        duration_seconds: Of the whole track; where another process computed the embedding, the end of its last segment.
        identical_ids: Ids of the track itself and of byte-identical files, as far as the library has them.
    """

    resolved: ResolvedTrack
    embedding: TrackEmbedding
    duration_seconds: float
    identical_ids: frozenset[int]


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
    return stored or embed_file(view, resolved)


def load_embedding(
    connection: Connection, view: LibraryView, resolved: ResolvedTrack, *, segments: bool = True
) -> EmbeddedTrack | None:
    """Load a track's stored embedding; None if absent or the file changed. Without `segments`, S is 0."""
    track = resolved.track
    if track is None or resolved.stale:
        return None
    stored = get_signature(connection, track.id, view.encoder_id, view.coverage, with_segments=segments)
    if stored is None:
        return None
    identical = ids_by_hash(connection, track.content_hash) | {track.id}
    return EmbeddedTrack(resolved, stored.embedding, track.duration_seconds, identical)


def embed_file(view: LibraryView, resolved: ResolvedTrack) -> EmbeddedTrack:
    """Return a file's embedding: the stored one of a byte-identical file, or that of the decoded sound.

    If a track's file changed and cannot be read now, its earlier embedding is returned.

    Raises:
        QueryError: The file gives no signature, and the library holds none of it.
    """
    try:
        digest = content_hash(resolved.path)
        with view.read() as connection:
            twins = tracks_by_hash(connection, digest)
            identical = frozenset(twin.id for twin in twins) | ({resolved.track.id} if resolved.track else set())
            for twin in twins:
                if twin.id == resolved.track_id:
                    continue  # its stored signature is that of the bytes before
                stored = get_signature(connection, twin.id, view.encoder_id, view.coverage)
                if stored is not None:
                    return EmbeddedTrack(resolved, stored.embedding, twin.duration_seconds, identical)
        return _decoded(view, resolved, identical)
    except AudioError as error:
        with view.read() as connection:
            earlier = load_embedding(connection, view, replace(resolved, stale=False))
        if earlier is not None:
            return earlier
        raise QueryError(f"{displayable(resolved.path)}: {error.message}", hint=error.hint) from error


def _decoded(view: LibraryView, resolved: ResolvedTrack, identical: frozenset[int]) -> EmbeddedTrack:
    if view.embedder is not None:
        embedding = view.embedder.embed(resolved.path)
        seconds = float(embedding.starts.max(initial=0)) + segment_seconds(view.file)
        return EmbeddedTrack(resolved, embedding, seconds, identical)
    from engine.indexer.pipeline.encoding import TrackEncoder  # stored signatures need no torch

    view.decoders.start()  # while the encoder loads
    track = TrackEncoder(view.encoder()).embed_file(resolved.path, view.coverage, view.decoders)
    return EmbeddedTrack(resolved, track.embedding, track.duration_seconds, identical)
