"""Tracks: the identity, length and tags of each indexed file, and look-ups by id, path, hash and text."""

import math
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from engine.db.departed import Sound, find_departed, keep_departed, return_plays
from engine.db.dialects import dialect_of
from engine.db.dialects.types import malformed, python_types, unchecked
from engine.db.file_times import modified_ns
from engine.db.schema import aspects, audio_features, fingerprints, signatures, skipped, tracks
from engine.db.text import VARIABLES, Folder, absolute, clean, displayable, portions
from engine.db.text_search import SearchableTrack, drop_search_texts, find_track_ids, put_search_text
from engine.errors import LibraryError

YEARS = range(1, 10_000)


@dataclass(frozen=True, slots=True)
class NewTrack:
    """A file that was read: its identity, its length and its tags (None where it has none)."""

    path: bytes  # os.fsencode of the absolute path
    size: int  # bytes
    mtime_ns: int
    content_hash: bytes
    duration_seconds: float
    artist: str | None = None
    title: str | None = None
    album: str | None = None
    album_artist: str | None = None
    genre: str | None = None  # the tag as written in the file
    year: int | None = None  # 1 to 9999
    recording_id: str | None = None  # MusicBrainz
    isrc: str | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """A track of the library. The fields are those of `NewTrack`, and the id."""

    id: int
    path: bytes
    size: int
    mtime_ns: int
    content_hash: bytes
    duration_seconds: float
    artist: str | None
    title: str | None
    album: str | None
    album_artist: str | None
    genre: str | None
    year: int | None
    recording_id: str | None
    isrc: str | None

    @property
    def name(self) -> str:
        """The path as a string for `open`: bytes that are not UTF-8 become surrogates."""
        return os.fsdecode(self.path)

    def differs(self, status: os.stat_result) -> bool:
        """Whether a file with this status differs from the indexed one."""
        return (status.st_size, modified_ns(status)) != (self.size, self.mtime_ns)

    @property
    def display_path(self) -> str:
        """The path for display: bytes that are not UTF-8 as U+FFFD, control characters as escapes."""
        return displayable(self.path)


@dataclass(frozen=True, slots=True)
class TrackIdentity:
    """A track's place, length and MusicBrainz recording."""

    track_id: int
    path: bytes
    duration_seconds: float
    recording_id: str | None


COLUMNS = [unchecked(tracks.c[field.name]) for field in fields(Track)]  # `read_tracks` checks their types, row by row
TYPES = [python_types(tracks.c[field.name]) for field in fields(Track)]
# Compiled once: building such a statement takes as long as running it.
BY_IDS = select(*COLUMNS).where(tracks.c.id.in_(bindparam("ids", expanding=True)))
BY_ID = select(*COLUMNS).where(tracks.c.id == bindparam("id"))
BY_HASH = select(*COLUMNS).where(tracks.c.content_hash == bindparam("content_hash")).order_by(tracks.c.id)
IDS_BY_HASH = select(tracks.c.id).where(tracks.c.content_hash == bindparam("content_hash"))


def upsert_track(connection: Connection, new: NewTrack, sound: Sound | None = None) -> int:
    """Write a track and return its id, which does not change if the path is known.

    The file is no longer skipped. A new track that continues a removed one (`engine.db.departed.find_departed`, which
    may use `sound`) gets its id and plays. If the content hash has changed, the signatures of every encoder, the
    fingerprint and the audio features are deleted: they describe the old bytes. A year outside `YEARS` is stored as
    none.

    Raises:
        LibraryError: The path is relative, or the duration is no finite number.
    """
    if not math.isfinite(new.duration_seconds):
        raise LibraryError(
            f"{displayable(new.path)}: expected a finite duration, found {new.duration_seconds}", hint="read it again"
        )
    values = _row(new)
    connection.execute(delete(skipped).where(skipped.c.path == new.path))
    known = ids_by_paths(connection, [new.path]).get(new.path)
    if known is not None:
        _forget_outdated(connection, new)
        connection.execute(update(tracks).where(tracks.c.id == known).values(values))
        put_search_text(connection, known, searchable(new, new.path))
        return known
    departed = find_departed(connection, new, sound)
    again = {"id": departed.track_id, "added_at": departed.added_at} if departed else {"added_at": int(time.time())}
    written = connection.execute(insert(tracks).values(**values, **again))
    track_id = int(written.inserted_primary_key[0])  # type: ignore[index]  # one row, so there is one
    put_search_text(connection, track_id, searchable(new, new.path))
    return_plays(connection, track_id, new, departed)
    return track_id


def move_track(connection: Connection, track_id: int, new_path: bytes, size: int, mtime_ns: int) -> None:
    """Change a track's path to its file's new one; id, tags and signatures are unchanged.

    Raises:
        LibraryError: There is no such track, the path is relative, or it belongs to another track.
    """
    track = _existing(connection, track_id)
    owner = track_by_path(connection, absolute(new_path))
    if owner is not None and owner.id != track.id:
        raise LibraryError(
            f"{displayable(new_path)} is a track already ({owner.id})",
            hint=f"remove that one before moving {track.id} there",
        )
    values = {"path": new_path, "size": size, "mtime_ns": mtime_ns}
    connection.execute(update(tracks).where(tracks.c.id == track.id).values(values))
    put_search_text(connection, track.id, searchable(track, new_path))
    connection.execute(delete(skipped).where(skipped.c.path == new_path))


def touch_track(connection: Connection, track_id: int, size: int, mtime_ns: int, content_hash: bytes) -> None:
    """Record a file's new status when its signature remains valid.

    Raises:
        LibraryError: There is no such track.
    """
    track = _existing(connection, track_id)
    values = {"size": size, "mtime_ns": mtime_ns, "content_hash": content_hash}
    connection.execute(update(tracks).where(tracks.c.id == track.id).values(values))
    connection.execute(delete(skipped).where(skipped.c.path == track.path))


def remove_tracks(connection: Connection, ids: Iterable[int]) -> int:
    """Remove tracks with their signatures and return how many there were; unknown ids are ignored.

    Ids, plays and sound are saved: a track that is added later and continues one of them gets these back.
    """
    listed = list(ids)
    keep_departed(connection, listed)
    drop_search_texts(connection, listed)
    removed = 0
    for portion in portions(listed):
        going = tracks.c.id.in_(portion)
        connection.execute(delete(skipped).where(skipped.c.path.in_(select(tracks.c.path).where(going))))
        removed += connection.execute(delete(tracks).where(going)).rowcount
    return removed


def track_by_id(connection: Connection, track_id: int) -> Track | None:
    """Return the track with this id, or None."""
    found = read_tracks(connection.execute(BY_ID, {"id": int(track_id)}))
    return found[0] if found else None


def track_by_path(connection: Connection, path: bytes) -> Track | None:
    """Return the track of this file, or None."""
    found = read_tracks(connection.execute(select(*COLUMNS).where(tracks.c.path == path)))
    return found[0] if found else None


def tracks_by_ids(connection: Connection, ids: Iterable[int]) -> dict[int, Track]:
    """Return the tracks of these ids, any number of them, by id; missing ones are left out."""
    found: dict[int, Track] = {}
    for part in portions(ids):
        found.update((track.id, track) for track in read_tracks(connection.execute(BY_IDS, {"ids": part})))
    return found


def ids_by_paths(connection: Connection, paths: Iterable[bytes]) -> dict[bytes, int]:
    """Return the id of each of these files, any number of them, that is a track."""
    remaining = iter(paths)
    found: dict[bytes, int] = {}
    while portion := list(islice(remaining, VARIABLES)):
        rows = connection.execute(select(tracks.c.path, tracks.c.id).where(tracks.c.path.in_(portion)))
        found.update((row.path, row.id) for row in rows)
    return found


def tracks_by_hash(connection: Connection, content_hash: bytes) -> list[Track]:
    """Return the tracks whose files hold the same bytes, in the order of their ids."""
    return read_tracks(connection.execute(BY_HASH, {"content_hash": content_hash}))


def ids_by_hash(connection: Connection, content_hash: bytes) -> frozenset[int]:
    """Return the ids of the tracks whose files hold the same bytes."""
    return frozenset(connection.execute(IDS_BY_HASH, {"content_hash": content_hash}).scalars())


def track_identities(connection: Connection) -> list[TrackIdentity]:
    """Return id, path, length and recording id of all tracks, the shortest first."""
    columns = tracks.c.id, tracks.c.path, tracks.c.duration_seconds, tracks.c.recording_id
    return [TrackIdentity(*row) for row in connection.execute(select(*columns).order_by(tracks.c.duration_seconds))]


def search(connection: Connection, words: Sequence[str], limit: int | None) -> list[Track]:
    """Return the tracks in whose title, artist, album, genre, year or path every word occurs, best first.

    Case and accents are ignored; `%`, `_` and quotes are literal. No words: every track; words of accents alone: none.
    The order is that of `engine.db.text_search.find_track_ids`.

    Args:
        connection: A connection of the library.
        words: At most 100 different ones.
        limit: The most tracks to return, at least 0; None for all.

    Raises:
        InvalidError: Too many words, or a limit out of range.
    """
    ids = find_track_ids(connection, words, limit)
    found = tracks_by_ids(connection, ids)
    return [found[track_id] for track_id in ids]


def count_tracks(connection: Connection) -> int:
    """Return the number of tracks."""
    return int(connection.execute(select(func.count()).select_from(tracks)).scalar_one())


def tracks_by_genre(connection: Connection) -> dict[str, NDArray[np.int64]]:
    """Return the ids of the tracks, ascending, by genre tag as written in the files."""
    ids = dialect_of(connection).joined(tracks.c.id)  # a row for each track would take ten times as long
    found = select(tracks.c.genre, ids).where(tracks.c.genre.is_not(None)).group_by(tracks.c.genre)
    return {tag: np.sort(np.array(listed.split(","), np.int64)) for tag, listed in connection.execute(found)}


def tracks_below(connection: Connection, path: bytes) -> list[Track]:
    """Return the track at a path and those below it, by path; raises LibraryError when the path is relative."""
    below = Folder.of(path).condition(tracks.c.path)
    return read_tracks(connection.execute(select(*COLUMNS).where(below).order_by(tracks.c.path)))


def read_tracks(rows: Iterable[Sequence[Any]]) -> list[Track]:
    """Return the tracks of a result whose columns are COLUMNS; raise if a value has another type than its column."""
    found: list[Track] = []
    for row in rows:
        if not all(map(isinstance, row, TYPES)):
            raise malformed("a column of tracks is no longer of its type")
        found.append(Track(*row))
    return found


def searchable(track: NewTrack | Track, path: bytes) -> SearchableTrack:
    """Return the searchable texts of a track at PATH."""
    return SearchableTrack(track.title, track.artist, track.album, track.genre, track.year, path)


def _row(new: NewTrack) -> dict[str, Any]:
    """Return the columns of a track, with texts that SQLite can store."""
    values = {field.name: getattr(new, field.name) for field in fields(new)}
    values = {name: clean(value) if isinstance(value, str) else value for name, value in values.items()}
    year = new.year if new.year in YEARS else None
    return values | {"path": absolute(new.path), "year": year}


def _forget_outdated(connection: Connection, new: NewTrack) -> None:
    changed = select(tracks.c.id).where(tracks.c.path == new.path, tracks.c.content_hash != new.content_hash)
    for table in (signatures, fingerprints, audio_features, aspects):
        connection.execute(delete(table).where(table.c.track_id.in_(changed)))


def _existing(connection: Connection, track_id: int) -> Track:
    track = track_by_id(connection, track_id)
    if track is None:
        raise LibraryError(
            f"the library has no track {track_id}", hint="another process may have removed it: run again"
        )
    return track
