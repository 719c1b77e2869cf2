"""Tracks whose tags were read by an earlier version and must be read again."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from engine.db.schema import tracks
from engine.db.settings import get_setting, set_setting

READER, WAITING = "tag_reader", "tags_to_read"  # settings: version of the tag reader, and ids in ranges, "1-4,7"


def tracks_to_read(connection: Connection, reader: str) -> set[int]:
    """Return the ids of the tracks whose tags `reader` has yet to read: all, if another version read them last.

    Args:
        connection: A connection of the library, from `Database.write`.
        reader: The current version of the tag reader.
    """
    if get_setting(connection, READER) == reader:
        return _ids(get_setting(connection, WAITING) or "")
    everything = set(connection.execute(select(tracks.c.id)).scalars())
    set_setting(connection, READER, reader)
    leave_to_read(connection, everything)
    return everything


def leave_to_read(connection: Connection, track_ids: Iterable[int]) -> None:
    """Record the tracks whose tags remain to be read."""
    set_setting(connection, WAITING, _ranges(sorted(track_ids)))


def _ids(ranges: str) -> set[int]:
    pairs = (each.split("-") for each in ranges.split(",") if each)
    return {track_id for first, *last in pairs for track_id in range(int(first), int(last[0] if last else first) + 1)}


def _ranges(rising: list[int]) -> str:
    spans: list[list[int]] = []
    for track_id in rising:
        if spans and track_id == spans[-1][1] + 1:
            spans[-1][1] = track_id
        else:
            spans.append([track_id, track_id])
    return ",".join(f"{first}-{last}" if last > first else f"{first}" for first, last in spans)
