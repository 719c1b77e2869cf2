"""Aspects of tracks, such as rhythm and harmony: unit vectors, one of each kind for a track, read one kind at a time.

A kind names the aspect and the version of its computation; vectors of different kinds are never compared. A track's
rows are deleted when the content of its file changes (`engine.db.tracks.upsert_track`).
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, func, select

from engine.db.dialects import dialect_of
from engine.db.dialects.types import unchecked
from engine.db.schema import aspects, tracks
from engine.db.text import ROWS_AT_ONCE, Folder, portions
from engine.db.tracks import COLUMNS, Track, read_tracks
from engine.errors import LibraryError

HALF = np.dtype("<f2")  # as stored; float32 on any machine once read
UNIT_TOLERANCE = 5e-3  # of a vector's norm: half precision

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class AspectMatrix:
    """The vectors of one kind: N rows in ascending order of track id."""

    track_ids: NDArray[np.int64]  # (N,), ascending
    vectors: Floats  # (N, D), unit rows


def put_aspects(connection: Connection, track_id: int, vectors: dict[str, Floats]) -> None:
    """Write unit vectors (D,) of a track by kind, each replacing an earlier one of its kind.

    Raises:
        LibraryError: A vector is not of unit norm, or there is no such track.
    """
    for kind, vector in vectors.items():
        norm = float(np.linalg.norm(vector.astype(np.float64)))
        if vector.ndim != 1 or not abs(norm - 1) <= UNIT_TOLERANCE:  # NaN is not either
            raise LibraryError(
                f"track {track_id}: expected a {kind} of unit norm, found norm {norm:.4g}", hint="measure it again"
            )
        values = {"track_id": int(track_id), "kind": kind, "vector": vector.astype(HALF).tobytes()}
        connection.execute(dialect_of(connection).upsert(aspects, [aspects.c.track_id, aspects.c.kind], values))


def get_aspects(
    connection: Connection, track_ids: Iterable[int], dimensions: int | None = None
) -> dict[int, dict[str, Floats]]:
    """Return the vectors (D,) of these tracks by track id and kind; tracks without any are left out.

    Args:
        connection: A connection of the library.
        track_ids: The tracks.
        dimensions: D, where known.

    Raises:
        LibraryError: A row is damaged; the message names its track.
    """
    found: dict[int, dict[str, Floats]] = defaultdict(dict)
    for portion in portions(track_ids):
        for row in connection.execute(select(aspects).where(aspects.c.track_id.in_(portion))):
            size = len(row.vector) if dimensions is None else dimensions * HALF.itemsize
            found[row.track_id][row.kind] = _decoded(row.kind, [row.track_id], [row.vector], size)[0]
    return dict(found)


def aspect_matrix(connection: Connection, kind: str) -> AspectMatrix:
    """Return all vectors of a kind; (0, 0) without any.

    Raises:
        LibraryError: A row is damaged; the message names its track.
    """
    count = count_aspects(connection, kind)
    columns = select(*map(unchecked, (aspects.c.track_id, aspects.c.vector))).where(aspects.c.kind == kind)
    ids, vectors, filled, size = np.zeros(count, np.int64), np.zeros((count, 0), np.float32), 0, 0
    for rows in connection.execute(columns.order_by(aspects.c.track_id)).partitions(ROWS_AT_ONCE):
        track_ids, blobs = zip(*rows, strict=True)
        if not filled:
            size = usual_size(blobs, HALF, UNIT_TOLERANCE)
            vectors = np.zeros((count, size // HALF.itemsize), np.float32)
        part = slice(filled, filled + len(rows))
        ids[part] = track_ids
        vectors[part] = _decoded(kind, track_ids, blobs, size)
        filled += len(rows)
    return AspectMatrix(ids, vectors)


def usual_size(blobs: Iterable[object], stored: np.dtype[Any], tolerance: float) -> int:
    """Return the size in bytes of most of some stored unit vectors; 0 without any.

    Where sizes differ, those of unit norm decide, since a damaged one may come first or be one of two.
    """
    held = [blob for blob in blobs if isinstance(blob, bytes)]
    sizes = Counter(map(len, held))
    if len(sizes) > 1:
        sizes = Counter(len(blob) for blob in held if is_unit(blob, stored, tolerance)) or sizes
    return max(sizes, key=lambda size: sizes[size], default=0)


def is_unit(blob: bytes, stored: np.dtype[Any], tolerance: float) -> bool:
    """Return whether stored numbers are finite and of unit norm."""
    if len(blob) % stored.itemsize:
        return False
    numbers = np.frombuffer(blob, stored)
    if not np.isfinite(numbers).all():
        return False
    norm = float(np.linalg.norm(numbers.astype(np.float64)))  # squares of damaged numbers exceed float32
    return abs(norm - 1) < tolerance


def count_aspects(connection: Connection, kind: str) -> int:
    """Return the number of tracks with a vector of a kind."""
    counted = select(func.count()).select_from(aspects).where(aspects.c.kind == kind)
    return int(connection.execute(counted).scalar_one())


def tracks_without_aspects(connection: Connection, kinds: Collection[str], roots: Sequence[bytes]) -> list[Track]:
    """Return the tracks at or below any of ROOTS that lack one of these kinds, by path."""
    held = select(func.count()).select_from(aspects).where(aspects.c.track_id == tracks.c.id, aspects.c.kind.in_(kinds))
    lacking: Select[Any] = select(*COLUMNS).where(held.scalar_subquery() < len(kinds))
    found: dict[int, Track] = {}
    for root in roots:
        rows = connection.execute(lacking.where(Folder.of(root).condition(tracks.c.path)))
        found.update((track.id, track) for track in read_tracks(rows))
    return sorted(found.values(), key=lambda track: track.path)


def _decoded(kind: str, track_ids: Sequence[int], blobs: Sequence[object], size: int) -> Floats:
    """Return the vectors of some rows, (len(blobs), D): all of `size` bytes, finite and of unit norm."""
    for track_id, blob in zip(track_ids, blobs, strict=True):
        if not (isinstance(blob, bytes) and len(blob) == size and blob and not size % HALF.itemsize):
            length = f"{len(blob)} bytes" if isinstance(blob, bytes) else "none"
            raise _damaged(kind, track_id, f"expected {size} bytes, found {length}")
    vectors = np.frombuffer(b"".join(blobs), HALF).reshape(len(blobs), -1).astype(np.float32)  # type: ignore[arg-type]
    norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
    wrong = np.flatnonzero(~(np.abs(norms - 1) <= UNIT_TOLERANCE))
    if len(wrong):
        found = f"expected a vector of unit norm, found norm {norms[wrong[0]]:.3g}"
        raise _damaged(kind, track_ids[int(wrong[0])], found)
    return vectors


def _damaged(kind: str, track_id: int, found: str) -> LibraryError:
    return LibraryError(
        f"the {kind} of track {track_id} is damaged: {found}", hint="remove that track and index it again"
    )
