"""Tempo, key and loudness of tracks, measured on request only.

A track's row is deleted when the content of its file changes (`engine.db.tracks.upsert_track`).
"""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select

from engine.db.dialects import dialect_of
from engine.db.schema import audio_features, tracks
from engine.db.text import Folder, portions
from engine.db.tracks import COLUMNS, Track, read_tracks
from engine.errors import LibraryError


@dataclass(frozen=True, slots=True)
class AudioFeatures:
    """Measurements of a track; None where undefined: silence has no loudness, a drone no tempo."""

    tempo: float | None  # beats a minute
    key: str | None  # "A minor", "Eb major"; a black key has the name that needs fewer accidentals
    loudness: float | None  # LUFS, integrated over the whole track


def put_audio_features(connection: Connection, track_id: int, features: AudioFeatures) -> None:
    """Write the measurements of a track, replacing earlier ones.

    Raises:
        LibraryError: A number is not finite, or there is no such track.
    """
    for name in ("tempo", "loudness"):
        value = getattr(features, name)
        if value is not None and not math.isfinite(value):
            raise LibraryError(f"track {track_id}: expected a finite {name}, found {value}", hint="measure it again")
    values = {"track_id": int(track_id), **asdict(features)}
    connection.execute(dialect_of(connection).upsert(audio_features, [audio_features.c.track_id], values))


def get_audio_features(connection: Connection, track_ids: Iterable[int]) -> dict[int, AudioFeatures]:
    """Return the measurements of any number of tracks, by track id; unmeasured tracks are left out."""
    statements = (select(audio_features).where(audio_features.c.track_id.in_(part)) for part in portions(track_ids))
    rows = (row for statement in statements for row in connection.execute(statement))
    return {row.track_id: AudioFeatures(row.tempo, row.key, row.loudness) for row in rows}


def any_measured(connection: Connection) -> bool:
    """Return whether any track has measurements."""
    return connection.execute(select(audio_features.c.track_id).limit(1)).first() is not None


def unmeasured_tracks(connection: Connection, below: Iterable[bytes] = (b"/",)) -> list[Track]:
    """Return the tracks at or below some paths that have no measurements, by path."""
    unmeasured = select(*COLUMNS).where(tracks.c.id.not_in(select(audio_features.c.track_id)))
    found: dict[int, Track] = {}
    for path in below:
        rows = connection.execute(unmeasured.where(Folder.of(path).condition(tracks.c.path)))
        found.update((track.id, track) for track in read_tracks(rows))
    return sorted(found.values(), key=lambda track: track.path)
