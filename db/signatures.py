"""Signatures: write them, read one with its segments, and list those present or missing by encoder.

`engine.db.vectors` reads them in bulk. Shapes: D numbers in a signature, S segments of a track, V words of an encoder.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, Select, bindparam, delete, exists, func, insert, select

from engine.db.dialects.types import unchecked
from engine.db.schema import COVERAGES, segments, signatures, tracks, words
from engine.db.text import Folder, displayable, portions
from engine.embedding import Floats, TrackEmbedding
from engine.errors import LibraryError, SignatureError

FLOAT = np.dtype("<f4")  # as stored; float32 on any machine once read
HALF = np.dtype("<f2")
UNIT_TOLERANCE = 1e-3  # of a signature's norm

# Compiled once: building such a statement takes as long as running it. `decode` checks the types of its blobs.
OF_ENCODER = (signatures.c.encoder == bindparam("encoder"), signatures.c.coverage == bindparam("coverage"))
ALONE = (
    select(
        unchecked(signatures.c.vector),
        unchecked(signatures.c.genres),
        unchecked(signatures.c.moods),
        unchecked(words.c.probabilities, "words"),
    )
    .select_from(signatures)
    .where(signatures.c.track_id == bindparam("track_id"), *OF_ENCODER)
    .outerjoin_from(signatures, words, words.c.signature_id == signatures.c.id)
)
WITH_SEGMENTS = ALONE.add_columns(
    unchecked(segments.c.starts),
    unchecked(segments.c.attention),
    unchecked(segments.c.vectors, "segment_vectors"),
).outerjoin(segments, segments.c.signature_id == signatures.c.id)
PREDICTIONS = select(signatures.c.track_id, unchecked(signatures.c.genres), unchecked(signatures.c.moods)).where(
    signatures.c.track_id.in_(bindparam("track_ids", expanding=True)), *OF_ENCODER
)
WORDS = (
    select(signatures.c.track_id, unchecked(words.c.probabilities))
    .select_from(signatures)
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
    """The number of tracks with a signature of an encoder and coverage."""

    encoder: str
    coverage: str
    tracks: int


def put_signature(connection: Connection, signature: Signature) -> int:
    """Write a signature, replacing the track's earlier one of this encoder and coverage, and return its new id.

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
    connection: Connection, track_id: int, encoder: str, coverage: str, *, with_segments: bool = True
) -> Signature | None:
    """Return a track's signature, or None if it has none of this encoder and coverage.

    Args:
        connection: A connection of the library.
        track_id: Of the track.
        encoder: Id, `name@hash`.
        coverage: One of COVERAGES.
        with_segments: Read the segments, too; otherwise S is 0.

    Raises:
        SignatureError: The row is damaged, or its segments are missing.
    """
    key = {"track_id": int(track_id), "encoder": encoder, "coverage": coverage}
    row = connection.execute(WITH_SEGMENTS if with_segments else ALONE, key).one_or_none()
    if row is None:
        return None
    vector, genres, moods = decode(connection, track_id, FLOAT, row.vector, row.genres, row.moods)
    (word_probabilities,) = decode(connection, track_id, HALF, b"" if row.words is None else row.words)
    check_unit(connection, [track_id], vector[None])
    empty = np.zeros((0, len(vector)), np.float32)
    embedding = TrackEmbedding(vector, genres, moods, empty[:, 0], empty[:, 0], empty, word_probabilities)
    if with_segments:
        embedding = _with_segments(connection, track_id, embedding, row)
    return Signature(track_id, encoder, coverage, embedding)


def predictions(
    connection: Connection, encoder: str, coverage: str, track_ids: Iterable[int], heads: tuple[int, int] | None = None
) -> dict[int, Prediction]:
    """Return an encoder's predictions for tracks, by track id; tracks without a signature are left out.

    Args:
        connection: A connection of the library.
        encoder: Id, `name@hash`.
        coverage: "windows" or "full".
        track_ids: The tracks.
        heads: The numbers of genres and moods that a prediction must have, where known.

    Raises:
        LibraryError: A row is damaged.
    """
    found = {}
    for track_id, genres, moods in _rows_of_tracks(connection, PREDICTIONS, encoder, coverage, track_ids):
        found[track_id] = each = Prediction(*decode(connection, track_id, FLOAT, genres, moods))
        if heads is not None and (len(each.genres), len(each.moods)) != heads:
            expected, sizes = "{} genres and {} moods".format(*heads), f"{len(each.genres)} and {len(each.moods)}"
            raise damaged(connection, track_id, f"expected {expected}, found {sizes}")
    return found


def words_of_tracks(
    connection: Connection, encoder: str, coverage: str, track_ids: Iterable[int], count: int | None = None
) -> dict[int, Floats]:
    """Return the probabilities (V,) of an encoder's words in these tracks, by track id; those without are left out.

    Args:
        connection: A connection of the library.
        encoder: Id, `name@hash`.
        coverage: "windows" or "full".
        track_ids: The tracks.
        count: V, where known.

    Raises:
        LibraryError: A row is damaged.
    """
    found = {}
    for track_id, probabilities in _rows_of_tracks(connection, WORDS, encoder, coverage, track_ids):
        (found[track_id],) = decode(connection, track_id, HALF, probabilities)
        if count is not None and len(found[track_id]) != count:
            raise damaged(connection, track_id, f"expected {count} words, found {len(found[track_id])}")
    return found


def _rows_of_tracks(
    connection: Connection, statement: Select[Any], encoder: str, coverage: str, track_ids: Iterable[int]
) -> Iterator[Any]:
    """Yield a statement's rows for these tracks, in portions that fit SQLite's limit of variables."""
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


def decode(connection: Connection, track_id: int, stored: np.dtype[Any], *blobs: object) -> list[Floats]:
    """Return the finite numbers of each blob of a track's row.

    Args:
        connection: A connection of the library.
        track_id: For the message.
        stored: FLOAT or HALF.
        blobs: Values of columns; a damaged file may hold another type than bytes.

    Raises:
        SignatureError: A value is not a blob of finite numbers; the message names the track.
    """
    decoded = []
    for blob in blobs:
        if not isinstance(blob, bytes) or len(blob) % stored.itemsize:
            found = f"{len(blob)} bytes" if isinstance(blob, bytes) else "nothing" if blob is None else "another type"
            raise damaged(connection, track_id, f"expected numbers of {stored.itemsize} bytes, found {found}")
        numbers = np.frombuffer(blob, stored).astype(np.float32)
        if not np.isfinite(numbers).all():
            raise damaged(connection, track_id, "expected finite numbers")
        decoded.append(numbers)
    return decoded


def check_unit(connection: Connection, track_ids: Sequence[int], vectors: Floats) -> None:
    """Raise LibraryError naming the first of these tracks whose signature, a row of (N, D), is not of unit norm."""
    squares = np.einsum("nd,nd->n", vectors, vectors)
    wrong = np.flatnonzero(~(np.abs(np.sqrt(squares) - 1) <= UNIT_TOLERANCE))
    if len(wrong):
        found = f"expected a vector of unit norm, found norm {np.sqrt(squares[wrong[0]]):.3g}"
        raise damaged(connection, int(track_ids[wrong[0]]), found)


def damaged(connection: Connection, track_id: int, found: str) -> SignatureError:
    """Return the error for a stored signature with invalid contents."""
    path = connection.execute(select(tracks.c.path).where(tracks.c.id == int(track_id))).scalar_one_or_none()
    name = f"track {track_id}" + ("" if path is None else f" ({displayable(path)})")
    return SignatureError(f"the signature of {name} is damaged: {found}", hint="remove that track and index it again")


def _with_segments(connection: Connection, track_id: int, embedding: TrackEmbedding, row: Row[Any]) -> TrackEmbedding:
    """Return the embedding with the S segments of a row of WITH_SEGMENTS."""
    dimensions = len(embedding.signature)
    starts, attention = decode(connection, track_id, FLOAT, row.starts, row.attention)
    (vectors,) = decode(connection, track_id, HALF, row.segment_vectors)
    count = len(starts)
    if len(attention) != count or len(vectors) != count * dimensions:
        sizes = f"{count} starts, {len(attention)} attentions and {len(vectors)} numbers of {dimensions} a segment"
        raise damaged(connection, track_id, f"found {sizes}")
    vectors = vectors.reshape(count, dimensions)
    return replace(embedding, starts=starts, attention=attention, segment_vectors=vectors)


def _signature_blobs(signature: Signature) -> dict[str, bytes]:
    if signature.coverage not in COVERAGES:
        raise LibraryError(f"expected a coverage of {' or '.join(COVERAGES)}, found {signature.coverage!r}")
    vector = signature.embedding.signature
    norm = float(np.linalg.norm(vector.astype(np.float64)))
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
    with np.errstate(over="ignore"):  # checked in the next line
        numbers = np.asarray(getattr(signature.embedding, name)).astype(stored)
    if not np.isfinite(numbers).all():
        found = f"expected finite {name} within {stored.name}, found others; nothing was stored"
        raise LibraryError(f"track {signature.track_id}: {found}")
    return numbers.tobytes()
