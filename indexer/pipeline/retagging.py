"""Read tags again of unchanged files whose tags an earlier version read, without decoding or encoding."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from functools import partial

from sqlalchemy import Connection

from engine.db import Database, NewTrack, leave_to_read, track_by_id, upsert_track
from engine.db.text import displayable
from engine.errors import AudioError
from engine.indexer.audio.scan import FoundFile
from engine.indexer.audio.tags import Tags, read_tags
from engine.indexer.pipeline.cancelling import NEVER, CancelToken
from engine.indexer.pipeline.decoders import Decoders
from engine.indexer.pipeline.decoding import read_metadata
from engine.indexer.pipeline.pool import in_order
from engine.indexer.pipeline.reports import IndexProgress, OnProgress

COMMITTED_TOGETHER = 200
IDENTITY = ("path", "size", "mtime_ns", "content_hash", "duration_seconds")


@dataclass(frozen=True)
class _Reading:
    """The current tags of an unchanged file; None if it cannot be opened, and the next run tries again."""

    found: FoundFile
    track_id: int
    tags: Tags | None


def read_anew(
    database: Database,
    stale: Sequence[tuple[FoundFile, int]],
    waiting: Collection[int],
    threads: int,
    on_progress: OnProgress,
    cancel: CancelToken = NEVER,
) -> int:
    """Read the tags of unchanged files and record the files left to read; return the number of updated tracks.

    Args:
        database: The library.
        stale: Files, and the ids of their tracks.
        waiting: The ids of all tracks whose tags an earlier version read.
        threads: Files read at once.
        on_progress: Called after each file.
        cancel: Ends the run early; raises Cancelled.
    """
    left = set(waiting)
    batch: list[_Reading] = []
    count = 0
    with Decoders(threads) as decoders:
        read = partial(_read, decoders)
        readings = in_order(read, stale, threads, "tags", stop=decoders.close, cancel=cancel)
        for done, reading in enumerate(readings, start=1):
            batch.append(reading)
            if len(batch) == COMMITTED_TOGETHER or done == len(stale):
                left -= {each.track_id for each in batch if each.tags is not None}
                with database.write() as connection:
                    count += sum(_store(connection, each) for each in batch)
                    leave_to_read(connection, left)
                batch = []
            on_progress(IndexProgress(done, len(stale), displayable(reading.found.path)))
    return count


def _read(decoders: Decoders, file: tuple[FoundFile, int]) -> _Reading:
    try:
        return _Reading(*file, read_tags(decoders.call(read_metadata, file[0].path)))
    except AudioError:
        return _Reading(*file, None)


def _store(connection: Connection, reading: _Reading) -> bool:
    """Store a track's tags; False if none were read, or the track has changed since."""
    track = track_by_id(connection, reading.track_id)
    if reading.tags is None or track is None or track.path != reading.found.path:
        return False
    if any(getattr(track, name) != value for name, value in asdict(reading.tags).items()):
        upsert_track(connection, NewTrack(**{name: getattr(track, name) for name in IDENTITY}, **asdict(reading.tags)))
    return True
