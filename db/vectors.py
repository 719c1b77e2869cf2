"""Signatures in bulk: as one matrix, or ids only, sorted by signature id; and the record of their index file."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, Select, func, select

from engine.db.aspects import usual_size
from engine.db.dialects import dialect_of
from engine.db.dialects.types import unchecked
from engine.db.schema import signatures, vector_indexes
from engine.db.signatures import FLOAT, UNIT_TOLERANCE, Floats, check_unit, damaged, decode
from engine.db.text import ROWS_AT_ONCE, portions

SAMPLE = 32  # first signatures of an encoder: most of them tell D, as any one may be damaged


@dataclass(frozen=True)
class VectorIndex:
    """Contents of the vector index file on disk."""

    file_digest: str
    last_signature_id: int  # every signature up to this id that was live when the file was written


@dataclass(frozen=True, eq=False)
class SignatureMatrix:
    """N signatures of one encoder and coverage."""

    signature_ids: NDArray[np.int64]  # (N,)
    track_ids: NDArray[np.int64]  # (N,)
    vectors: Floats  # (N, D), unit rows

    def by_track(self) -> "SignatureMatrix":
        """Return the signatures ordered by track id, without a copy if they already are."""
        if (np.diff(self.track_ids) > 0).all():
            return self
        order = np.argsort(self.track_ids)
        return SignatureMatrix(self.signature_ids[order], self.track_ids[order], self.vectors[order])


@dataclass(frozen=True, eq=False)
class SignatureIds:
    """The ids of N signatures of one encoder and coverage."""

    signature_ids: NDArray[np.int64]  # (N,), ascending
    track_ids: NDArray[np.int64]  # (N,)


@dataclass(frozen=True)
class SignatureState:
    """The number of signatures and the id of the newest; ids are never reused."""

    count: int
    last_id: int


def matrix(connection: Connection, encoder: str, coverage: str, after_id: int = 0) -> SignatureMatrix:
    """Return the signatures of an encoder and coverage with an id above `after_id`.

    Memory: the matrix and a few thousand rows. D is that of most of the encoder's first signatures even when N is 0;
    it is 0 when there is none at all.

    Raises:
        LibraryError: A row does not hold D finite numbers; the message names its track.
    """
    chosen = signatures.c.id > int(after_id)
    columns = select(signatures.c.id, signatures.c.track_id, signatures.c.vector)
    found = columns.where(chosen).filter_by(encoder=encoder, coverage=coverage).order_by(signatures.c.id)
    number = select(func.count()).select_from(signatures).where(chosen).filter_by(encoder=encoder, coverage=coverage)
    filled = _empty(connection, encoder, coverage, connection.execute(number).scalar_one())
    return _fill(connection, filled, [found])


def matrix_by_track(
    connection: Connection, encoder: str, coverage: str, allocate: Callable[[int, int], Floats] | None = None
) -> SignatureMatrix:
    """Return all signatures of an encoder and coverage in the order of their tracks' ids.

    Args:
        connection: A connection of the library.
        encoder: Id, `name@hash`.
        coverage: "windows" or "full".
        allocate: Returns an array (N, D) to fill, for example a memory-mapped file; by default, in memory.

    Raises:
        LibraryError: As `matrix`.
    """
    ids = live_ids(connection, encoder, coverage)
    order = np.argsort(ids.track_ids)
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    vectors = (allocate or _in_memory)(len(order), _dimensions(connection, encoder, coverage))
    columns = select(signatures.c.id, signatures.c.track_id, signatures.c.vector)
    found = columns.filter_by(encoder=encoder, coverage=coverage).order_by(signatures.c.id)
    return _fill(connection, SignatureMatrix(ids.signature_ids, ids.track_ids, vectors), [found], places)


def vectors_of_tracks(connection: Connection, encoder: str, coverage: str, track_ids: Iterable[int]) -> SignatureMatrix:
    """Return the signatures of these tracks, each once; tracks without one are left out.

    Raises:
        LibraryError: As `matrix`.
    """
    wanted = sorted({int(track_id) for track_id in track_ids})
    columns = select(signatures.c.id, signatures.c.track_id, signatures.c.vector)
    found = columns.filter_by(encoder=encoder, coverage=coverage)
    statements = [found.where(signatures.c.track_id.in_(portion)) for portion in portions(wanted)]
    unsorted = _fill(connection, _empty(connection, encoder, coverage, len(wanted)), statements)
    order = np.argsort(unsorted.signature_ids)
    return SignatureMatrix(unsorted.signature_ids[order], unsorted.track_ids[order], unsorted.vectors[order])


def live_ids(connection: Connection, encoder: str, coverage: str) -> SignatureIds:
    """Return the ids of all signatures of an encoder and coverage; no vector is read."""
    columns = select(signatures.c.id, signatures.c.track_id)
    found = columns.filter_by(encoder=encoder, coverage=coverage).order_by(signatures.c.id)
    partitions = connection.execute(found).partitions(ROWS_AT_ONCE)
    parts = [np.array([tuple(row) for row in rows], np.int64).T for rows in partitions]  # (2, n)
    pairs = np.concatenate([np.zeros((2, 0), np.int64), *parts], axis=1)
    return SignatureIds(pairs[0], pairs[1])


def signature_state(connection: Connection, encoder: str, coverage: str) -> SignatureState:
    """Return a state that changes whenever a signature of this encoder and coverage is added, replaced or removed."""
    columns = select(func.count(), func.coalesce(func.max(signatures.c.id), 0)).select_from(signatures)
    return SignatureState(*connection.execute(columns.filter_by(encoder=encoder, coverage=coverage)).one())


def track_of_signatures(connection: Connection, signature_ids: Iterable[int]) -> dict[int, int]:
    """Return the track id of each signature id; missing signatures are left out."""
    columns = select(signatures.c.id, signatures.c.track_id)
    statements = (columns.where(signatures.c.id.in_(portion)) for portion in portions(signature_ids))
    return {row.id: row.track_id for statement in statements for row in connection.execute(statement)}


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


def _empty(connection: Connection, encoder: str, coverage: str, rows: int) -> SignatureMatrix:
    ids = np.zeros((2, rows), dtype=np.int64)
    return SignatureMatrix(ids[0], ids[1], _in_memory(rows, _dimensions(connection, encoder, coverage)))


def _in_memory(rows: int, dimensions: int) -> Floats:
    return np.zeros((rows, dimensions), dtype=np.float32)


def _dimensions(connection: Connection, encoder: str, coverage: str) -> int:
    of_encoder = select(unchecked(signatures.c.vector)).filter_by(encoder=encoder, coverage=coverage)
    blobs = connection.execute(of_encoder.order_by(signatures.c.id).limit(SAMPLE)).scalars()
    return usual_size(blobs, FLOAT, UNIT_TOLERANCE) // FLOAT.itemsize


def _fill(
    connection: Connection,
    into: SignatureMatrix,
    statements: list[Select[Any]],
    places: NDArray[np.int64] | None = None,
) -> SignatureMatrix:
    """Read rows of (id, track_id, vector) into a preallocated matrix, and return the filled part.

    The n-th goes to row places[n]; without `places`, to row n.
    """
    filled = 0
    for statement in statements:
        for rows in connection.execute(statement).partitions(ROWS_AT_ONCE):
            part: Any = slice(filled, filled + len(rows))
            part = part if places is None else places[part]
            into.signature_ids[part] = [row.id for row in rows]
            into.track_ids[part] = [row.track_id for row in rows]
            into.vectors[part] = _stack(connection, rows, into.vectors.shape[1])
            filled += len(rows)
    return SignatureMatrix(into.signature_ids[:filled], into.track_ids[:filled], into.vectors[:filled])


def _stack(connection: Connection, rows: Sequence[Row[Any]], dimensions: int) -> Floats:
    """Return the vectors of some rows, (len(rows), D), all complete and finite."""
    for row in rows:
        if len(row.vector) != dimensions * FLOAT.itemsize:
            found = f"expected {dimensions} numbers as in the encoder's other signatures, found {len(row.vector)} bytes"
            raise damaged(connection, row.track_id, found)
    stacked = np.frombuffer(b"".join(row.vector for row in rows), FLOAT).reshape(len(rows), dimensions)
    if not np.isfinite(stacked).all():
        for row in rows:
            decode(connection, row.track_id, FLOAT, row.vector)  # raises for the damaged row
    check_unit(connection, [row.track_id for row in rows], stacked)
    return stacked.astype(np.float32)
