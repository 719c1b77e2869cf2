"""Segments of many tracks, in blocks of tracks with the same number of segments."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from engine.db.schema import segments, signatures, tracks
from engine.db.signatures import FLOAT, HALF, damaged, decode
from engine.db.text import VARIABLES, portions
from engine.embedding import Floats

WINDOWS_AT_ONCE = 4096  # of 256 numbers: 4 MB


@dataclass(frozen=True, eq=False)
class SegmentBlock:
    """The windows of N tracks of S windows each, in the encoder's reading order."""

    track_ids: NDArray[np.int64]  # (N,)
    durations: NDArray[np.float64]  # (N,), of the tracks, in seconds
    starts: Floats  # (N, S), seconds
    attention: Floats  # (N, S); rows sum to 1
    vectors: Floats  # (N, S, D); stored, and so rounded, as float16


def segment_blocks(
    connection: Connection, encoder: str, coverage: str, shortest: float = 0.0
) -> Iterator[SegmentBlock]:
    """Yield the windows of every track of at least SHORTEST seconds that has a signature of this encoder and coverage.

    Memory: a block, of about `WINDOWS_AT_ONCE` windows or of one track.

    Raises:
        LibraryError: A row is damaged; the message names its track.
    """
    size = func.length(segments.c.starts)
    joined = signatures.join(segments, segments.c.signature_id == signatures.c.id)
    known = select(signatures.c.id, size.label("size")).select_from(joined.join(tracks))
    chosen = known.where(
        signatures.c.encoder == encoder, signatures.c.coverage == coverage, tracks.c.duration_seconds >= shortest
    )
    ordered = connection.execute(chosen.order_by(size, signatures.c.id)).all()
    for stored, rows in groupby(ordered, key=lambda row: row.size):
        at_once = min(VARIABLES, max(1, WINDOWS_AT_ONCE // max(1, stored // FLOAT.itemsize)))
        for portion in portions((row.id for row in rows), at_once):
            yield _block(connection, portion)


def _block(connection: Connection, signature_ids: list[int]) -> SegmentBlock:
    columns = (signatures.c.track_id, func.length(signatures.c.vector).label("size"), tracks.c.duration_seconds)
    windows = (segments.c.starts, segments.c.attention, segments.c.vectors)
    joined = signatures.join(segments, segments.c.signature_id == signatures.c.id).join(tracks)
    found = select(*columns, *windows).select_from(joined).where(signatures.c.id.in_(signature_ids))
    rows = connection.execute(found.order_by(signatures.c.id)).all()
    count, dimensions = len(rows[0].starts) // FLOAT.itemsize, rows[0].size // FLOAT.itemsize
    return SegmentBlock(
        np.array([row.track_id for row in rows], np.int64),
        np.array([row.duration_seconds for row in rows], np.float64),
        _stacked(connection, rows, "starts", FLOAT, (count,)),
        _stacked(connection, rows, "attention", FLOAT, (count,)),
        _stacked(connection, rows, "vectors", HALF, (count, dimensions)),
    )


def _stacked(
    connection: Connection, rows: Sequence[Any], name: str, stored: np.dtype[Any], shape: tuple[int, ...]
) -> Floats:
    """One column of some rows as (len(rows), *shape), complete and finite."""
    blobs = [getattr(row, name) for row in rows]
    expected = int(np.prod(shape)) * stored.itemsize
    for row, blob in zip(rows, blobs, strict=True):
        if len(blob) != expected:
            raise damaged(connection, row.track_id, f"expected {name} of {expected} bytes, found {len(blob)}")
    numbers = np.frombuffer(b"".join(blobs), stored).astype(np.float32).reshape(len(rows), *shape)
    if not np.isfinite(numbers).all():
        for row, blob in zip(rows, blobs, strict=True):
            decode(connection, row.track_id, stored, blob)  # raises for the damaged row
    return numbers
