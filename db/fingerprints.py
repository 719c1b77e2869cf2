"""Fingerprints, which identify recordings; and tracks that share an identifier or their bytes."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Column, Connection, func, select

from engine.db.dialects import dialect_of
from engine.db.schema import fingerprints, tracks
from engine.db.text import clean, portions
from engine.errors import LibraryError

WORD = np.dtype("<u4")  # as stored; uint32 on any machine once read
IDENTITIES = ("content_hash", "recording_id", "isrc")  # columns that two tracks of one recording may share

Words = NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """A track's acoustic fingerprint, with the codec and bit rate of its stream."""

    track_id: int
    kind: str  # algorithm and version
    words: Words  # (n,), in order of time; empty if there was too little sound
    codec: str | None  # FFmpeg's name
    bitrate: int | None  # bits a second


@dataclass(frozen=True)
class Namesakes:
    """Tracks that share a `column` of the library: the same bytes, or the same identifier in their tags."""

    column: str  # one of IDENTITIES
    track_ids: tuple[int, ...]  # two or more, ascending


def put_fingerprints(connection: Connection, found: Iterable[Fingerprint], hashes: dict[int, bytes]) -> None:
    """Write fingerprints, each replacing the track's earlier one of its kind.

    Args:
        connection: A connection of the library, from `Database.write`.
        found: The fingerprints.
        hashes: The content hash of each track when its file was read. A track that has since been removed or changed
            gets nothing.
    """
    listed = list(found)
    current: dict[int, bytes] = {}
    for portion in portions(dict.fromkeys(entry.track_id for entry in listed)):
        rows = connection.execute(select(tracks.c.id, tracks.c.content_hash).where(tracks.c.id.in_(portion)))
        current |= {row.id: row.content_hash for row in rows}
    for entry in listed:
        if entry.track_id not in current or current[entry.track_id] != hashes[entry.track_id]:
            continue
        values = {
            "track_id": int(entry.track_id),
            "kind": entry.kind,
            "fingerprint": entry.words.astype(WORD).tobytes(),
            "codec": None if entry.codec is None else clean(entry.codec),
            "bitrate": entry.bitrate,
        }
        key = [fingerprints.c.track_id, fingerprints.c.kind]
        connection.execute(dialect_of(connection).upsert(fingerprints, key, values))


def get_fingerprints(connection: Connection, track_ids: Iterable[int]) -> dict[int, dict[str, Fingerprint]]:
    """Return the fingerprints of these tracks, by track id and kind; tracks without one are left out.

    Raises:
        LibraryError: One of them is damaged.
    """
    found: dict[int, dict[str, Fingerprint]] = defaultdict(dict)
    for portion in portions(track_ids):
        for row in connection.execute(select(fingerprints).where(fingerprints.c.track_id.in_(portion))):
            words = _words(row.track_id, row.fingerprint)
            found[row.track_id][row.kind] = Fingerprint(row.track_id, row.kind, words, row.codec, row.bitrate)
    return dict(found)


def fingerprint_kinds(connection: Connection, track_ids: Iterable[int]) -> dict[int, set[str]]:
    """Return which kinds of fingerprint these tracks have, by track id; no fingerprint is read."""
    kinds: dict[int, set[str]] = defaultdict(set)
    for portion in portions(track_ids):
        columns = select(fingerprints.c.track_id, fingerprints.c.kind)
        for track_id, kind in connection.execute(columns.where(fingerprints.c.track_id.in_(portion))):
            kinds[track_id].add(kind)
    return dict(kinds)


def namesakes(connection: Connection) -> list[Namesakes]:
    """Return the tracks that share their bytes, their MusicBrainz recording or their ISRC, column by column."""
    return [found for column in IDENTITIES for found in _sharing(connection, column)]


def _sharing(connection: Connection, name: str) -> list[Namesakes]:
    column: Column[object] = tracks.c[name]
    shared = select(column).where(column.is_not(None)).group_by(column).having(func.count() > 1)
    members: dict[object, list[int]] = defaultdict(list)
    for value, track_id in connection.execute(
        select(column, tracks.c.id).where(column.in_(shared)).order_by(tracks.c.id)
    ):
        members[value].append(track_id)
    return [Namesakes(name, tuple(ids)) for ids in members.values()]


def _words(track_id: int, blob: bytes) -> Words:
    if len(blob) % WORD.itemsize:
        raise LibraryError(
            f"the fingerprint of track {track_id} is damaged: expected words of {WORD.itemsize} bytes, found "
            f"{len(blob)} bytes",
            hint="remove that track and index it again",
        )
    return np.frombuffer(blob, WORD).astype(np.uint32)
