"""Signatures: write them, read one with its segments, and list those present or missing by encoder.

`engine.db.vectors` reads them by the thousand. Shapes: D numbers in a signature, S windows in a track, V words of an
encoder.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, Select, bindparam, delete, exists, func, insert, select

from engine.db.dialects import dialect_of
from engine.db.schema import COVERAGES, segments, signatures, tracks, vector_indexes, words
from engine.db.text import Folder, displayable, portions
from engine.embedding import Floats, TrackEmbedding
from engine.errors import LibraryError, SignatureError

FLOAT = np.dtype("<f4")  # as stored; float32 on any machine once read
HALF = np.dtype("<f2")
UNIT_TOLERANCE = 1e-3  # of a signature's norm

# Made once: to make such a statement takes as long as to run it.
OF_ENCODER = (signatures.c.encoder == bindparam("encoder"), signatures.c.coverage == bindparam("coverage"))
ALONE = (
    select(signatures, words.c.probabilities.label("words"))
    .where(signatures.c.track_id == bindparam("track_id"), *OF_ENCODER)
    .outerjoin_from(signatures, words, words.c.signature_id == signatures.c.id)
)
WITH_SEGMENTS = ALONE.add_columns(
    segments.c.starts, segments.c.attention, segments.c.vectors.label("window_vectors")
).outerjoin(segments, segments.c.signature_id == signatures.c.id)
PREDICTIONS = select(signatures.c.track_id, signatures.c.genres, signatures.c.moods).where(
    signatures.c.track_id.in_(bindparam("track_ids", expanding=True)), *OF_ENCODER
)
WORDS = (
    select(signatures.c.track_id, words.c.probabilities)
    .where(signatures.c.track_id.in_(bindparam("track_ids", expanding=True)), *OF_ENCODER)
    .join_from(signatures, words, words.c.signature_id == signatures.c.id)
)


@dataclass(frozen=True, eq=False)
class Signature:
    """The embedding of one track by one encoder, as a row of the library.

    Attributes:
        track_id: The track.
        encoder: The encoder's id, `name@hash`.
        coverage: One of COVERAGES.
        embedding: The encoder's output.
    """

    track_id: int
    encoder: str
    coverage: str
    embedding: TrackEmbedding


@dataclass(frozen=True, eq=False)
class Prediction:
    """An encoder's predictions for a track: probabilities, in the order of the encoder's labels."""

    genres: Floats
    moods: Floats


@dataclass(frozen=True)
class EncoderCount:
    """How many tracks have a signature of an encoder, with one coverage."""

    encoder: str
    coverage: str
    tracks: int


@dataclass(frozen=True)
class VectorIndex:
    """Contents of the vector index file on disk."""

    file_digest: str
    last_signature_id: int  # every signature up to this id that was live when the file was written


def put_signature(connection: Connection, signature: Signature) -> int:
    """Write a signature, in place of the one that the track had of this encoder and coverage, and return its new id.

    Raises:
        LibraryError: The coverage is unknown, the shapes do not fit each other, a number is not finite, or the vector
            is not of unit norm.
    """
    blobs = _signature_blobs(signature)
    segment_blobs = _segment_blobs(signature)
    word_blob = _encode(signature, "words", HALF)
    key = {"track_id": int(signature.track_id), "encoder": signature.encoder, "coverage": signature.coverage}
    connection.execute(delete(signatures).filter_by(**key))
    written = connection.execute(insert(signatures).values(**key, **blobs))
    signature_id = int(written.inserted_primary_key[0])  # type: ignore[index]  # one row, so there is one
    connection.execute(insert(segments).values(signature_id=signature_id, **segment_blobs))
    if word_blob:
        connection.execute(insert(words).values(signature_id=signature_id, probabilities=word_blob))
    return signature_id


def get_signature(
    connection: Connection, track_id: int, encoder: str, coverage: str, *, windows: bool = True
) -> Signature | None:
    """Return a track's signature, with its windows (S is 0 without), or None; raises LibraryError when damaged."""
    key = {"track_id": int(track_id), "encoder": encoder, "coverage": coverage}
    row = connection.execute(WITH_SEGMENTS if windows else ALONE, key).one_or_none()
    return None if row is None else _signature(connection, row, windows)


def predictions(connection: Connection, encoder: str, coverage: str, track_ids: Iterable[int]) -> dict[int, Prediction]:
    """Return an encoder's predictions for tracks, by track id; tracks without a signature are left out.

    Raises:
        LibraryError: A row is damaged.
    """
    rows = _rows_of_tracks(connection, PREDICTIONS, encoder, coverage, track_ids)
    return {
        track_id: Prediction(decode(connection, track_id, genres, FLOAT), decode(connection, track_id, moods, FLOAT))
        for track_id, genres, moods in rows
    }


def words_of_tracks(connection: Connection, encoder: str, coverage: str, track_ids: Iterable[int]) -> dict[int, Floats]:
    """Return the probabilities (V,) of an encoder's words in these tracks, by track id; those without are left out.

    Raises:
        LibraryError: A row is damaged.
    """
    rows = _rows_of_tracks(connection, WORDS, encoder, coverage, track_ids)
    return {track_id: decode(connection, track_id, probabilities, HALF) for track_id, probabilities in rows}


def _rows_of_tracks(
    connection: Connection, statement: Select[Any], encoder: str, coverage: str, track_ids: Iterable[int]
) -> Iterator[Any]:
    """Yield a statement's rows for these tracks, in portions that SQLite takes."""
    for portion in portions(track_ids):
        yield from connection.execute(statement, {"track_ids": portion, "encoder": encoder, "coverage": coverage})


def missing_tracks(connection: Connection, encoder: str, coverage: str, below: Iterable[bytes] = (b"/",)) -> set[int]:
    """Return the ids of the tracks at or below some paths without a signature of this encoder and coverage."""
    has = (
        exists()
        .where(signatures.c.track_id == tracks.c.id)
        .where(signatures.c.encoder == encoder, signatures.c.coverage == coverage)
    )
    missing: set[int] = set()
    for path in below:
        there = Folder.of(path).condition(tracks.c.path)
        missing |= set(connection.execute(select(tracks.c.id).where(there, ~has)).scalars())
    return missing


def encoders(connection: Connection) -> list[EncoderCount]:
    """Return the number of tracks with signatures by encoder and coverage, sorted by both."""
    key = (signatures.c.encoder, signatures.c.coverage)
    counted = select(*key, func.count()).group_by(*key).order_by(*key)
    return [EncoderCount(*row) for row in connection.execute(counted)]


def get_vector_index(connection: Connection, encoder: str, coverage: str) -> VectorIndex | None:
    """Return the contents of the vector index file of an encoder and coverage; None when none was written."""
    columns = (vector_indexes.c.file_digest, vector_indexes.c.last_signature_id)
    row = connection.execute(select(*columns).filter_by(encoder=encoder, coverage=coverage)).one_or_none()
    return None if row is None else VectorIndex(*row)


def put_vector_index(connection: Connection, encoder: str, coverage: str, index: VectorIndex) -> None:
    """Record the contents of the vector index file of an encoder and coverage."""
    values = {
        "encoder": encoder,
        "coverage": coverage,
        "file_digest": index.file_digest,
        "last_signature_id": int(index.last_signature_id),
    }
    key = [vector_indexes.c.encoder, vector_indexes.c.coverage]
    connection.execute(dialect_of(connection).upsert(vector_indexes, key, values))


def decode(connection: Connection, track_id: int, blob: bytes | None, stored: np.dtype[Any]) -> Floats:
    """Return the finite numbers in a column, or raise LibraryError naming the track."""
    if blob is None or len(blob) % stored.itemsize:
        length = "nothing" if blob is None else f"{len(blob)} bytes"
        raise damaged(connection, track_id, f"expected numbers of {stored.itemsize} bytes, found {length}")
    numbers = np.frombuffer(blob, stored).astype(np.float32)
    if not np.isfinite(numbers).all():
        raise damaged(connection, track_id, "expected finite numbers")
    return numbers


def check_unit(connection: Connection, track_ids: Sequence[int], vectors: Floats) -> None:
    """Raise LibraryError naming the first of these tracks whose signature, a row of (N, D), is not of unit norm."""
    squares = np.einsum("nd,nd->n", vectors, vectors)
    wrong = np.flatnonzero(~(np.abs(np.sqrt(squares) - 1) <= UNIT_TOLERANCE))
    if len(wrong):
        found = f"expected a vector of unit norm, found norm {np.sqrt(squares[wrong[0]]):.3g}"
        raise damaged(connection, int(track_ids[wrong[0]]), found)


def damaged(connection: Connection, track_id: int, found: str) -> SignatureError:
    """Return the error for a stored signature that cannot be right."""
    path = connection.execute(select(tracks.c.path).where(tracks.c.id == int(track_id))).scalar_one_or_none()
    name = f"track {track_id}" + ("" if path is None else f" ({displayable(path)})")
    return SignatureError(f"the signature of {name} is damaged: {found}", hint="remove that track and index it again")


def _signature(connection: Connection, row: Row[Any], windows: bool) -> Signature:
    vector = decode(connection, row.track_id, row.vector, FLOAT)
    check_unit(connection, [row.track_id], vector[None])
    starts = decode(connection, row.track_id, row.starts if windows else b"", FLOAT)
    attention = decode(connection, row.track_id, row.attention if windows else b"", FLOAT)
    vectors = decode(connection, row.track_id, row.window_vectors if windows else b"", HALF)
    if len(attention) != len(starts) or len(vectors) != len(starts) * len(vector):
        sizes = (
            f"{len(starts)} starts, {len(attention)} attentions and {len(vectors)} numbers of {len(vector)} a window"
        )
        raise damaged(connection, row.track_id, f"found {sizes}")
    embedding = TrackEmbedding(
        signature=vector,
        genres=decode(connection, row.track_id, row.genres, FLOAT),
        moods=decode(connection, row.track_id, row.moods, FLOAT),
        starts=starts,
        attention=attention,
        segment_vectors=vectors.reshape(len(starts), len(vector)),  # (S, D)
        words=decode(connection, row.track_id, row.words or b"", HALF),
    )
    return Signature(row.track_id, row.encoder, row.coverage, embedding)


def _signature_blobs(signature: Signature) -> dict[str, bytes]:
    if signature.coverage not in COVERAGES:
        raise LibraryError(f"expected a coverage of {' or '.join(COVERAGES)}, found {signature.coverage!r}")
    vector = signature.embedding.signature
    norm = float(np.linalg.norm(vector))
    if vector.ndim != 1 or not abs(norm - 1) <= UNIT_TOLERANCE:  # NaN is not either
        found = f"shape {vector.shape}, norm {norm:.4g}"
        raise LibraryError(
            f"track {signature.track_id}: expected a vector of unit norm, found {found}", hint="normalise it first"
        )
    blobs = {name: _encode(signature, name, FLOAT) for name in ("genres", "moods")}
    return blobs | {"vector": _encode(signature, "signature", FLOAT)}


def _segment_blobs(signature: Signature) -> dict[str, bytes]:
    embedding = signature.embedding
    segments, dimensions = len(embedding.starts), len(embedding.signature)
    shapes = (embedding.starts.shape, embedding.attention.shape, embedding.segment_vectors.shape)
    expected = ((segments,), (segments,), (segments, dimensions))
    if shapes != expected:
        raise LibraryError(f"track {signature.track_id}: expected segments of shapes {expected}, found {shapes}")
    numbers = {name: _encode(signature, name, FLOAT) for name in ("starts", "attention")}
    return numbers | {"vectors": _encode(signature, "segment_vectors", HALF)}


def _encode(signature: Signature, name: str, stored: np.dtype[Any]) -> bytes:
    with np.errstate(over="ignore"):  # seen in the next line
        numbers = np.asarray(getattr(signature.embedding, name)).astype(stored)
    if not np.isfinite(numbers).all():
        found = f"expected finite {name} within {stored.name}, found others; nothing was stored"
        raise LibraryError(f"track {signature.track_id}: {found}")
    return numbers.tobytes()
