"""The stage of indexing that writes: a batch of files is committed whole, or not at all."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal, TypeAlias

from sqlalchemy import Connection

from engine.db import (
    Database,
    NewTrack,
    Signature,
    Track,
    ids_by_hash,
    missing_tracks,
    move_track,
    put_aspects,
    put_signature,
    put_skipped,
    remove_tracks,
    touch_track,
    track_by_path,
    tracks_by_hash,
    upsert_track,
)
from engine.db.departed import Sound
from engine.db.text import displayable
from engine.errors import AudioError
from engine.indexer.audio.identity import content_hash
from engine.indexer.audio.scan import FoundFile
from engine.indexer.audio.tags import read_tags
from engine.indexer.pipeline.library_files import library_inodes
from engine.indexer.pipeline.prepare import Embedded, Failed, FileContent, Known, NotSound, Storable, Target
from engine.indexer.pipeline.pruning import is_gone
from engine.indexer.pipeline.rejoining import GoneTracks
from engine.indexer.pipeline.reports import FailedPath, IndexReport

Kind: TypeAlias = Literal["new", "moved", "unchanged", "passed_over", "failed"]


@dataclass(frozen=True)
class Outcome:
    """The outcome of one file, with the reason of a failure."""

    kind: Kind
    reason: str = ""


class Storing:
    """Writes batches and counts outcomes.

    Args:
        database: The library.
        target: The encoder and coverage that embeddings are stored under.
        report: Counted into.
        moved_from: Receives the paths that tracks moved away from.
    """

    def __init__(self, database: Database, target: Target, report: IndexReport, moved_from: set[bytes]) -> None:
        self.database, self.target = database, target
        self.report, self.moved_from = report, moved_from
        self._gone = GoneTracks(target)
        self._displaced: Counter[bytes] = Counter()  # content of the tracks whose paths other files took

    def store(self, batch: Sequence[Storable]) -> None:
        """Commit a batch; raises LibraryError, and then nothing of this batch is stored or counted."""
        with self.database.write() as connection:
            outcomes = [self._store_one(connection, item) for item in batch]
        for item, outcome in zip(batch, outcomes, strict=True):
            self._count(item.found, outcome)

    def _store_one(self, connection: Connection, item: Storable) -> Outcome:
        if isinstance(item, NotSound):
            return self._store_failure(connection, item.found, None, passing=False)
        if isinstance(item, Failed):
            return self._store_failure(connection, item.found, item.reason, item.passing)
        track_id, kind = self._place(connection, item)
        if isinstance(item, Embedded):
            row = Signature(track_id, self.target.encoder_id, self.target.coverage, item.track.embedding)
            put_signature(connection, row)
            put_aspects(connection, track_id, item.track.aspects)
            return Outcome("new" if kind == "unchanged" else kind)
        # The id does not tell: a track that was removed and returned has its id, and no signature.
        if track_id in missing_tracks(connection, self.target.encoder_id, self.target.coverage, [item.found.path]):
            put_signature(connection, replace(item.signature, track_id=track_id))
            put_aspects(connection, track_id, item.aspects)
        return Outcome(kind)

    def _store_failure(self, connection: Connection, found: FoundFile, reason: str | None, passing: bool) -> Outcome:
        """Record that a file gave no signature, without a reason if it is not audio. Its track remains."""
        is_track = track_by_path(connection, found.path) is not None
        failed = is_track or reason is not None
        reason = reason or "no sound"
        if not is_gone(found.path):  # else there is nothing to retry; the next run reports its track as vanished
            put_skipped(connection, found.path, found.size, found.mtime_ns, failed, reason, passing=passing)
        if not failed:
            return Outcome("passed_over")
        return Outcome("failed", f"{reason}; its track is unchanged" if is_track else reason)

    def _place(self, connection: Connection, item: Known | Embedded) -> tuple[int, Kind]:
        """Find or make the file's track: its own, one whose file went away, one that lost its path, or a new one."""
        content, found = item.content, item.found
        twins = tracks_by_hash(connection, content.content_hash)  # files stored since have moved or removed some
        own = next((twin for twin in twins if twin.path == found.path), None)
        if own is not None:
            touch_track(connection, own.id, found.size, found.mtime_ns, content.content_hash)
            _retag(connection, item, own)
            return own.id, "unchanged"
        gone = next((twin for twin in twins if self._went_away(connection, twin)), None)
        if gone is not None:
            self._displace(connection, found.path)
            move_track(connection, gone.id, found.path, found.size, found.mtime_ns)
            _retag(connection, item, gone)
            self.moved_from.add(gone.path)
            return gone.id, "moved"
        if self._displaced[content.content_hash]:
            self._displaced[content.content_hash] -= 1
            self._displace(connection, found.path)  # else the track of this path would get the file
            return upsert_track(connection, _new_track(item)), "moved"
        if isinstance(item, Embedded) and (again := self._rejoined(connection, item)) is not None:
            return again, "moved"
        return upsert_track(connection, _new_track(item), self._sound(item)), "new"

    def _went_away(self, connection: Connection, twin: Track) -> bool:
        """Whether a track's file is gone, or another track's bytes are in its place: then both were renamed.

        Bytes that the library does not know may be those of the same file, retagged after it was copied.
        """
        if is_gone(twin.path):
            return True
        there = self._new_content(twin)
        return there is not None and (self._displaced[there] > 0 or bool(ids_by_hash(connection, there)))

    def _new_content(self, track: Track) -> bytes | None:
        """Return the content hash of a track's file if the file changed since it was indexed, else None."""
        try:
            status = os.stat(track.path)  # noqa: PTH116 (bytes)
            if not (stat.S_ISREG(status.st_mode) and track.differs(status)) or self._is_of_library(status):
                return None
            digest = content_hash(track.path)
        except (OSError, AudioError):
            return None
        return None if digest == track.content_hash else digest

    def _is_of_library(self, status: os.stat_result) -> bool:
        """Whether a file is the library's, linked to."""
        return (status.st_dev, status.st_ino) in library_inodes(os.fsencode(self.database.path))

    def _displace(self, connection: Connection, path: bytes) -> None:
        """Remove the track at a path that another's file took; it returns if its own file is found in this run."""
        replaced = track_by_path(connection, path)
        if replaced is not None:
            remove_tracks(connection, [replaced.id])
            self._displaced[replaced.content_hash] += 1

    def _sound(self, item: Known | Embedded) -> Sound | None:
        """Return the embedding for recognising a removed track."""
        if isinstance(item, Known):
            return None
        return Sound(self.target.encoder_id, self.target.coverage, item.track.embedding)

    def _rejoined(self, connection: Connection, item: Embedded) -> int | None:
        """Move the track whose file was retagged and renamed to this path; return its id, or None if there is none."""
        found = item.found
        if track_by_path(connection, found.path) is not None:
            return None
        again = self._gone.find(connection, item.track, self.moved_from)
        if again is None:
            return None
        move_track(connection, again.track.id, found.path, found.size, found.mtime_ns)
        if again.same_sound:  # signatures of other encoders and fingerprints stay valid
            touch_track(connection, again.track.id, found.size, found.mtime_ns, item.content.content_hash)
        self.moved_from.add(again.track.path)
        return upsert_track(connection, _new_track(item))

    def _count(self, found: FoundFile, outcome: Outcome) -> None:
        if outcome.kind == "failed":
            self.report.failed.append(FailedPath(displayable(found.path), outcome.reason))
        else:
            setattr(self.report, outcome.kind, getattr(self.report, outcome.kind) + 1)


def _retag(connection: Connection, item: Known | Embedded, track: Track) -> None:
    """Store a known file's tags, if they were read, in the track at its path."""
    if isinstance(item, Known) and item.metadata is not None:
        upsert_track(connection, _tagged(item.content, track.duration_seconds, item.metadata))


def _new_track(item: Known | Embedded) -> NewTrack:
    if isinstance(item, Embedded):
        return _tagged(item.content, item.track.duration_seconds, item.track.metadata)
    twin, found = item.content.twins[0], item.found
    if item.metadata is not None:
        return _tagged(item.content, twin.duration_seconds, item.metadata)
    # A copy of a track: the same bytes carry the same tags.
    fields = {name: value for name, value in asdict(twin).items() if name != "id"}
    return NewTrack(**fields | {"path": found.path, "size": found.size, "mtime_ns": found.mtime_ns})


def _tagged(content: FileContent, seconds: float, metadata: dict[str, str]) -> NewTrack:
    found, tags = content.found, asdict(read_tags(metadata))
    return NewTrack(found.path, found.size, found.mtime_ns, content.content_hash, seconds, **tags)
