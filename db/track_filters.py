"""Filter tracks by their tags, folder, duration and audio features; group them by artist and album."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Column, ColumnElement, Connection, Select, or_, select

from engine.db.schema import audio_features, signatures, tracks
from engine.db.signatures import FLOAT
from engine.db.text import ARTIST_SEPARATOR, ROWS_AT_ONCE, Folder, artist_names, fold
from engine.db.tracks import COLUMNS, Track, read_tracks
from engine.errors import LibraryError

Span: TypeAlias = tuple[float | None, float | None]  # from, to; None is open
GroupName: TypeAlias = tuple[str, str]
NAMED_BY = {"artist": (tracks.c.artist, tracks.c.album_artist), "album": (tracks.c.album,)}
GROUPS = tuple(NAMED_BY)
Value = TypeVar("Value")
TEXTS_AT_ONCE = 900
FOLDERS_AT_ONCE = 100  # conditions in one expression: SQLite parses at most 1,000 deep


@dataclass(frozen=True)
class Conditions:
    """Conditions on a track. Unset fields do not restrict; a missing value fails any range.

    Attributes:
        years: First and last.
        durations: Seconds.
        tempos: Beats a minute.
        keys: Any of them, as stored.
        below: A folder, absolute.
        added_since: Seconds since 1970.
        artists, albums: Any of these names, ignoring case; one of a track's artists is enough.
        not_artists, not_albums: None of these; a track without the tag passes.
        not_below: In none of these folders, absolute.
    """

    years: Span = (None, None)
    durations: Span = (None, None)
    tempos: Span = (None, None)
    keys: tuple[str, ...] = ()
    below: bytes | None = None
    added_since: float | None = None
    artists: tuple[str, ...] = ()
    albums: tuple[str, ...] = ()
    not_artists: tuple[str, ...] = ()
    not_albums: tuple[str, ...] = ()
    not_below: tuple[bytes, ...] = ()


@dataclass(frozen=True, eq=False)
class Labels:
    """An encoder's top predictions for N tracks: ids (N,), and the positions (N,) of the likeliest genre and mood."""

    track_ids: NDArray[np.int64]
    genres: NDArray[np.int16]
    moods: NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class GroupNames:
    """The artists or albums of a library: names, folded, and which tracks belong to them.

    Attributes:
        names: Of G groups; an artist's second one is empty.
        track_ids: (M,), ascending; a track occurs once for each of its artists, not at all without one.
        numbers: (M,), of the group.
    """

    names: list[GroupName]
    track_ids: NDArray[np.int64]
    numbers: NDArray[np.int64]


def groups_of(track: Track, kind: str) -> tuple[GroupName, ...]:
    """Return the keys of the artists, or of the album, that a track belongs to; empty without such tags."""
    return _groups_of(kind, track.artist, track.album_artist, track.album)


def group_names(connection: Connection, kind: str) -> GroupNames:
    """Return all artists, or all albums by artist, with the tracks of each; `kind` is one of GROUPS."""
    columns = (tracks.c.id, tracks.c.artist, tracks.c.album_artist, tracks.c.album)
    numbers: dict[GroupName, int] = {}
    spelled: dict[tuple[str | None, ...], list[int]] = {}
    found: list[tuple[int, int]] = []
    for track_id, *tags in connection.execute(select(*columns).order_by(tracks.c.id)):
        spelling = tuple(tags)
        if spelling not in spelled:
            spelled[spelling] = [numbers.setdefault(name, len(numbers)) for name in _groups_of(kind, *spelling)]
        found += [(track_id, number) for number in spelled[spelling]]
    pairs = np.array(found, np.int64).reshape(-1, 2)
    return GroupNames(list(numbers), pairs[:, 0], pairs[:, 1])


def tracks_meeting(connection: Connection, conditions: Conditions) -> NDArray[np.int64]:
    """Return the ids of the tracks that meet all conditions, ascending."""
    wanted = [
        *_within(tracks.c.year, conditions.years),
        *_within(tracks.c.duration_seconds, conditions.durations),
        *_within(audio_features.c.tempo, conditions.tempos),
        *_within(tracks.c.added_at, (conditions.added_since, None)),
    ]
    if conditions.keys:
        wanted.append(audio_features.c.key.in_(conditions.keys))
    if conditions.below is not None:
        wanted.append(Folder.of(conditions.below).condition(tracks.c.path))
    for folders in _portions(conditions.not_below, FOLDERS_AT_ONCE):
        wanted.append(~or_(*(Folder.of(folder).condition(tracks.c.path) for folder in folders)))
    for kind, names in (("artist", conditions.artists), ("album", conditions.albums)):
        if names:
            wanted.append(_named(connection, kind, names))
    for kind, names in (("artist", conditions.not_artists), ("album", conditions.not_albums)):
        wanted += [or_(column.is_(None), ~condition) for column, condition in _each_named(connection, kind, names)]
    joined = tracks.outerjoin(audio_features, audio_features.c.track_id == tracks.c.id)
    found = select(tracks.c.id).select_from(joined).where(*wanted).order_by(tracks.c.id)
    return np.fromiter(connection.execute(found).scalars(), np.int64)


def tracks_by_names(connection: Connection, kind: str, names: Collection[str]) -> list[Track]:
    """Return the tracks one of whose artists (album artists included), or whose album, has one of these names; by id.

    Case is ignored.

    Args:
        connection: A connection of the library.
        kind: "artist" or "album".
        names: Any number.
    """
    found = select(*COLUMNS).where(_named(connection, kind, names)).order_by(tracks.c.id)
    return read_tracks(connection.execute(found))


def names_of(connection: Connection, kind: str) -> set[str]:
    """Return all artists (album artists included) or all albums as spelled in the tags, also joined artists as one."""
    spelled = (text for column in NAMED_BY[kind] for text in _spellings(connection, column))
    return {name for text in spelled for name in _names_in(kind, text)}


def labels_of_tracks(connection: Connection, encoder: str, coverage: str) -> Labels:
    """Return the likeliest genre and mood of every track with a signature of this encoder and coverage.

    Raises:
        LibraryError: The predictions differ in length from track to track.
    """
    columns: Select[Any] = select(signatures.c.track_id, signatures.c.genres, signatures.c.moods)
    found = columns.filter_by(encoder=encoder, coverage=coverage).order_by(signatures.c.id)  # as they lie on the disk
    ids, genres, moods = [np.zeros(0, np.int64)], [np.zeros(0, np.int16)], [np.zeros(0, np.int16)]
    for rows in connection.execute(found).partitions(ROWS_AT_ONCE):
        own, *heads = zip(*rows, strict=True)
        ids.append(np.array(own, np.int64))
        for parts, blobs in zip((genres, moods), heads, strict=True):
            parts.append(_likeliest(blobs))
    all_ids = np.concatenate(ids)
    order = np.argsort(all_ids)
    return Labels(all_ids[order], np.concatenate(genres)[order], np.concatenate(moods)[order])


def _groups_of(kind: str, artist: str | None, album_artist: str | None, album: str | None) -> tuple[GroupName, ...]:
    if kind == "artist":
        return tuple(dict.fromkeys((fold(name), "") for name in artist_names(artist or album_artist)))
    return ((fold(album_artist or artist or ""), fold(album)),) if album else ()


def _names_in(kind: str, text: str) -> list[str]:
    """Return the names that match a tag: the whole text, and each artist of several."""
    names = artist_names(text) if kind == "artist" else []
    return [text, ARTIST_SEPARATOR.join(names), *names] if len(names) > 1 else [text]


def _likeliest(blobs: Sequence[bytes]) -> NDArray[np.int16]:
    """Return the argmax of each of n arrays, (n,)."""
    size = len(blobs[0] or b"")
    if not size or size % FLOAT.itemsize or any(blob is None or len(blob) != size for blob in blobs):
        raise LibraryError("a prediction is damaged", hint="restore a backup, or move the library away and index again")
    return np.frombuffer(b"".join(blobs), FLOAT).reshape(len(blobs), -1).argmax(axis=1).astype(np.int16)


def _within(column: Column[Any], span: Span) -> list[ColumnElement[bool]]:
    low, high = span
    return ([column >= low] if low is not None else []) + ([column <= high] if high is not None else [])


def _named(connection: Connection, kind: str, names: Iterable[str]) -> ColumnElement[bool]:
    return or_(*(condition for _, condition in _each_named(connection, kind, names)))


def _each_named(
    connection: Connection, kind: str, names: Iterable[str]
) -> list[tuple[Column[Any], ColumnElement[bool]]]:
    """For each column, whether it holds one of the names. SQLite folds only ASCII, so names are compared here."""
    wanted = {fold(name) for name in names}
    if not wanted:
        return []
    found = []
    for column in NAMED_BY[kind]:
        spelled = _spellings(connection, column)
        matching = [text for text in spelled if any(fold(name) in wanted for name in _names_in(kind, text))]
        found.append((column, _is_one_of(column, matching)))
    return found


def _is_one_of(column: Column[Any], values: Sequence[str]) -> ColumnElement[bool]:
    return or_(column.in_([]), *(column.in_(portion) for portion in _portions(values, TEXTS_AT_ONCE)))


def _portions(values: Sequence[Value], size: int) -> list[Sequence[Value]]:
    return [values[i : i + size] for i in range(0, len(values), size)]


def _spellings(connection: Connection, column: Column[Any]) -> list[str]:
    return list(connection.execute(select(column).where(column.is_not(None)).distinct()).scalars())
