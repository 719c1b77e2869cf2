"""Find damaged numbers by a full scan: stored vectors, predictions, segments and measurements with invalid values.

All rows of a column of one encoder (or of one kind) have the same length; where they disagree, the majority is right.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Select, Table, delete, func, select

from engine.db.aspects import UNIT_TOLERANCE as HALF_TOLERANCE, is_unit
from engine.db.dialects.types import unchecked
from engine.db.fingerprints import WORD
from engine.db.schema import aspects, fingerprints, segments, signatures, tracks, words
from engine.db.signatures import FLOAT, HALF, UNIT_TOLERANCE
from engine.db.text import portions

ROWS_AT_ONCE = 64  # segments of a long track take megabytes
ROUNDING = 1e-3  # of a probability of 1


@dataclass(frozen=True)
class BadSignature:
    """A damaged row of signatures, or of its segments or words: its id, its track's id and path."""

    signature_id: int
    track_id: int
    path: bytes


@dataclass(frozen=True)
class BadMeasurement:
    """A damaged row of fingerprints or aspects: its table, its key, and its track's path."""

    table: Table
    track_id: int
    kind: str
    path: bytes


def bad_signatures(connection: Connection, dimensions: Mapping[str, int]) -> list[BadSignature]:
    """Return the signatures that are not finite unit vectors, or whose predictions, words or segments are damaged.

    Args:
        connection: A connection of the library.
        dimensions: D of encoders, where known; else that of most of an encoder's signatures is used.
    """
    key = (signatures.c.encoder, signatures.c.coverage)
    heads = (signatures.c.vector, signatures.c.genres, signatures.c.moods)
    held = select(*key, *map(func.length, heads)).select_from(signatures)
    usual = _usual(connection, held, 2)
    of_words = _usual(
        connection, select(*key, func.length(words.c.probabilities)).select_from(signatures.join(words)), 2
    )
    wide = (*map(unchecked, heads), *map(unchecked, (words.c.probabilities, *segments.c)))
    joined = signatures.join(tracks).outerjoin(words).outerjoin(segments)
    rows = select(signatures.c.id, signatures.c.track_id, tracks.c.path, *key, *wide).select_from(joined)
    found = []
    for row in connection.execution_options(yield_per=ROWS_AT_ONCE).execute(rows):
        sizes = usual[row.encoder, row.coverage]
        if row.encoder in dimensions:
            sizes = (dimensions[row.encoder] * FLOAT.itemsize, *sizes[1:])
        word_size = of_words.get((row.encoder, row.coverage), (0,))[0]
        if not (_has_sound_heads(row, sizes, word_size) and _has_sound_segments(row, sizes[0] // FLOAT.itemsize)):
            found.append(BadSignature(row.id, row.track_id, row.path))
    return found


def bad_measurements(connection: Connection) -> list[BadMeasurement]:
    """Return the rows of fingerprints and aspects that are damaged."""
    usual = _usual(connection, select(aspects.c.kind, func.length(aspects.c.vector)), 1)
    found = []
    for row in _measurements(connection, aspects, "vector"):
        if not _is_unit(row.vector, HALF, usual[(row.kind,)][0], HALF_TOLERANCE):
            found.append(BadMeasurement(aspects, row.track_id, row.kind, row.path))
    for row in _measurements(connection, fingerprints, "fingerprint"):
        if not isinstance(row.fingerprint, bytes) or len(row.fingerprint) % WORD.itemsize:
            found.append(BadMeasurement(fingerprints, row.track_id, row.kind, row.path))
    return found


def remove_signatures(connection: Connection, signature_ids: list[int]) -> int:
    """Remove signatures, which the next indexing run recomputes; return how many."""
    return sum(
        connection.execute(delete(signatures).where(signatures.c.id.in_(part))).rowcount
        for part in portions(signature_ids)
    )


def remove_measurements(connection: Connection, rows: Iterable[BadMeasurement]) -> None:
    """Remove rows, which are recomputed on request."""
    for row in rows:
        table = row.table
        connection.execute(delete(table).where(table.c.track_id == row.track_id, table.c.kind == row.kind))


def _measurements(connection: Connection, table: Table, column: str) -> Iterator[Any]:
    columns = (table.c.track_id, table.c.kind, unchecked(table.c[column]), tracks.c.path)
    rows = select(*columns).select_from(table.join(tracks))
    return connection.execution_options(yield_per=1024).execute(rows)


def _usual(connection: Connection, lengths: Select[Any], keys: int) -> dict[tuple[Hashable, ...], tuple[int, ...]]:
    """Return the most frequent lengths by the first `keys` columns, from rows of keys and lengths."""
    columns: list[ColumnElement[Any]] = list(lengths.selected_columns)
    counted = lengths.add_columns(func.count()).group_by(*columns)
    found: dict[tuple[Hashable, ...], list[Counter[int]]] = {}
    for row in connection.execute(counted):
        key, sizes, count = tuple(row[:keys]), row[keys:-1], row[-1]
        for counter, size in zip(found.setdefault(key, [Counter() for _ in sizes]), sizes, strict=True):
            counter[size or 0] += count
    return {key: tuple(counter.most_common(1)[0][0] for counter in counters) for key, counters in found.items()}


def _has_sound_heads(row: Any, sizes: tuple[int, ...], word_size: int) -> bool:
    return (
        _is_unit(row.vector, FLOAT, sizes[0], UNIT_TOLERANCE)
        and _are_probabilities(row.genres, FLOAT, sizes[1])
        and _are_probabilities(row.moods, FLOAT, sizes[2])
        and (row.probabilities is None or _are_probabilities(row.probabilities, HALF, word_size))
    )


def _has_sound_segments(row: Any, dimensions: int) -> bool:
    """Whether the segments of a row are consistent; missing ones are reported by another check.

    Their starts ascend within a window of the track only: windows overlap.
    """
    if row.signature_id is None:
        return True
    size = len(row.starts) if isinstance(row.starts, bytes) else 0
    numbers = size // FLOAT.itemsize * dimensions
    if not (
        size
        and _is_finite(row.starts, FLOAT, size)
        and _is_finite(row.attention, FLOAT, size)
        and _is_finite(row.vectors, HALF, numbers * HALF.itemsize)
    ):
        return False
    starts, attention = (np.frombuffer(blob, FLOAT).astype(np.float64) for blob in (row.starts, row.attention))
    vectors = np.frombuffer(row.vectors, HALF).astype(np.float64).reshape(-1, dimensions)
    positive = starts.min() >= 0 and attention.min() >= 0 and attention.sum() > 0
    return bool(positive and (attention @ vectors).any())  # their sum has the direction of the signature


def _is_finite(blob: object, stored: np.dtype[Any], size: int) -> bool:
    if not isinstance(blob, bytes) or len(blob) != size or size % stored.itemsize:
        return False
    return bool(np.isfinite(np.frombuffer(blob, stored)).all())


def _are_probabilities(blob: object, stored: np.dtype[Any], size: int) -> bool:
    if not isinstance(blob, bytes) or not _is_finite(blob, stored, size):
        return False
    numbers = np.frombuffer(blob, stored)
    return bool(((numbers >= 0) & (numbers <= 1 + ROUNDING)).all())


def _is_unit(blob: object, stored: np.dtype[Any], size: int, tolerance: float) -> bool:
    return isinstance(blob, bytes) and len(blob) == size and is_unit(blob, stored, tolerance)
