"""Checks of a whole library: the database file itself, references between rows, and rows that contradict each other."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, Table, delete, func, select

from engine.db.departed import set_orphans_aside
from engine.db.dialects import dialect_of
from engine.db.schema import aspects, audio_features, fingerprints, search_texts, segments, signatures, tracks, words
from engine.db.signatures import UNIT_TOLERANCE
from engine.db.text import portions
from engine.db.text_search import drop_search_texts

MOST_PROBLEMS = 20  # listed for a damaged library
# Rows that can be computed again from the file of their track.
DERIVED: tuple[Table, ...] = (signatures, fingerprints, audio_features, aspects)


@dataclass(frozen=True)
class BadSignature:
    """A stored signature that is not a finite unit vector: its id, its track's id and path."""

    signature_id: int
    track_id: int
    path: bytes


def database_problems(connection: Connection) -> list[str]:
    """Return the database system's own findings: damaged pages, indexes that disagree with tables; empty if sound."""
    return dialect_of(connection).problems(connection, MOST_PROBLEMS)


def dangling_rows(connection: Connection) -> dict[str, int]:
    """Return the number of rows by table that refer to a track or signature that does not exist."""
    return dialect_of(connection).dangling(connection)


def remove_dangling_rows(connection: Connection) -> int:
    """Remove derived rows without their track or signature, and set plays without a track aside; return how many."""
    removed = set_orphans_aside(connection)
    for table in DERIVED:
        lost = table.c.track_id.not_in(select(tracks.c.id))
        removed += connection.execute(delete(table).where(lost)).rowcount
    for table in (segments, words):
        lost = table.c.signature_id.not_in(select(signatures.c.id))
        removed += connection.execute(delete(table).where(lost)).rowcount
    unsearchable = select(search_texts.c.track_id).where(search_texts.c.track_id.not_in(select(tracks.c.id)))
    ids = list(connection.execute(unsearchable).scalars())
    drop_search_texts(connection, ids)
    return removed + len(ids)


def signatures_without_segments(connection: Connection) -> int:
    """Return the number of signatures whose segments are missing: they answer, but cannot be explained."""
    lost = signatures.c.id.not_in(select(segments.c.signature_id))
    return int(connection.execute(select(func.count()).select_from(signatures).where(lost)).scalar_one())


def bad_signatures(connection: Connection) -> list[BadSignature]:
    """Return the signatures that are not finite unit vectors."""
    columns = select(signatures.c.id, signatures.c.track_id, signatures.c.vector, tracks.c.path)
    rows = connection.execution_options(yield_per=1024).execute(columns.join_from(signatures, tracks))
    return [BadSignature(row.id, row.track_id, row.path) for row in rows if not _is_unit(row.vector)]


def remove_signatures(connection: Connection, signature_ids: list[int]) -> int:
    """Remove signatures, which the next indexing computes again; return how many."""
    return sum(
        connection.execute(delete(signatures).where(signatures.c.id.in_(part))).rowcount
        for part in portions(signature_ids)
    )


def _is_unit(blob: bytes) -> bool:
    if not blob or len(blob) % 4:
        return False
    vector = np.frombuffer(blob, "<f4").astype(np.float64)  # squares of damaged numbers exceed float32
    return bool(np.isfinite(vector).all() and abs(float(np.linalg.norm(vector)) - 1) < UNIT_TOLERANCE)
