"""The part of indexing that writes: a batch of prepared files is encoded at once and committed whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal, TypeAlias

from sqlalchemy import Connection

from engine.db import (
    Database,
    NewTrack,
    Track,
    move_track,
    put_signature,
    put_skipped,
    remove_tracks,
    touch_track,
    track_by_path,
    upsert_track,
)
from engine.db.text import displayable
from engine.errors import AudioError
from engine.indexer.audio.faults import is_passing
from engine.indexer.audio.scan import FoundFile
from engine.indexer.audio.tags import read_tags
from engine.indexer.pipeline.encoding import DecodedTrack, EncodedTrack, encode_batch, encode_full
from engine.indexer.pipeline.prepare import Prepared, Target, defect
from engine.indexer.pipeline.pruning import is_gone
from engine.indexer.pipeline.reports import FailedPath, IndexReport
from engine.models.encoder import Encoder

Encoded: TypeAlias = "tuple[DecodedTrack, EncodedTrack] | AudioError"
Kind: TypeAlias = Literal["new", "moved", "unchanged", "silent", "failed"]


@dataclass(frozen=True)
class Outcome:
    """What became of one file, and why it failed."""

    kind: Kind
    reason: str = ""


class Storing:
    """Writes batches and keeps the account.

    Args:
        database: The library.
        encoder: Ready for inference.
        target: What its signatures are stored as.
        report: Counted into.
        moved_from: Gets the paths that tracks moved away from.
    """

    def __init__(
        self, database: Database, encoder: Encoder, target: Target, report: IndexReport, moved_from: set[bytes]
    ) -> None:
        self.database, self.encoder, self.target = database, encoder, target
        self.report, self.moved_from = report, moved_from

    def store(self, batch: Sequence[Prepared]) -> None:
        """Encode and commit; raises LibraryError, and then nothing of this batch is stored or counted."""
        encoded = self._encode(batch)
        with self.database.write() as connection:
            outcomes = [self._store_one(connection, item, encoded.get(item.found.path)) for item in batch]
        for item, outcome in zip(batch, outcomes, strict=True):
            self._count(item, outcome)

    def _encode(self, batch: Sequence[Prepared]) -> dict[bytes, Encoded]:
        results: dict[bytes, Encoded] = {
            item.found.path: (item.decoded, item.encoded) for item in batch if item.decoded and item.encoded
        }
        ready = [(item.found.path, item.decoded) for item in batch if item.decoded and not item.encoded]
        try:
            answers = encode_batch(self.encoder, [decoded for _, decoded in ready]) if ready else []
            results |= {path: (decoded, answer) for (path, decoded), answer in zip(ready, answers, strict=True)}
        except AudioError:  # one of them: find out which
            results |= {path: self._encode_alone(decoded) for path, decoded in ready}
        for item in batch:
            if not (item.decoded or item.signature or item.error or item.silent):
                results[item.found.path] = self._encode_full(item.found)
        return results

    def _encode_alone(self, decoded: DecodedTrack) -> Encoded:
        try:
            return decoded, encode_batch(self.encoder, [decoded])[0]
        except AudioError as error:
            return error

    def _encode_full(self, found: FoundFile) -> Encoded:
        try:
            return encode_full(found.path, self.encoder)
        except AudioError as error:
            return error
        except Exception as error:  # as in `prepare`: the run goes on
            failure = AudioError(defect(error))
            failure.__cause__ = error
            return failure

    def _store_one(self, connection: Connection, item: Prepared, encoded: Encoded | None) -> Outcome:
        found = item.found
        reason = item.error or (str(encoded) if isinstance(encoded, AudioError) else None)
        if item.silent or reason:
            passing = item.passing or (isinstance(encoded, AudioError) and is_passing(encoded))
            return self._store_failure(connection, found, reason, passing)
        decoded, answer = encoded if encoded and not isinstance(encoded, AudioError) else (None, None)
        track_id, kind = self._place(connection, item, decoded)
        if answer is not None:
            put_signature(connection, answer.of_track(track_id, self.target.encoder_id, self.target.coverage))
            return Outcome("new" if kind == "unchanged" else kind)
        if item.signature is not None and item.signature.track_id != track_id:
            put_signature(connection, replace(item.signature, track_id=track_id))
        return Outcome(kind)

    def _store_failure(self, connection: Connection, found: FoundFile, reason: str | None, passing: bool) -> Outcome:
        """Note that a file gave nothing; without a reason it is no sound. A track stays, and what was heard of it."""
        is_track = track_by_path(connection, found.path) is not None
        failed = is_track or reason is not None
        reason = reason or "no sound"
        if not is_gone(found.path):  # else there is nothing to try again; a track counts as vanished in the next run
            put_skipped(connection, found.path, found.size, found.mtime_ns, failed, reason, passing=passing)
        if not failed:
            return Outcome("silent")
        return Outcome("failed", f"{reason}; the track stays as it was heard before" if is_track else reason)

    def _place(self, connection: Connection, item: Prepared, decoded: DecodedTrack | None) -> tuple[int, Kind]:
        """Find or make the file's track: its own, one whose file went away, or a new one."""
        found = item.found
        own = next((twin for twin in item.twins if twin.path == found.path), None)
        if own is not None:
            touch_track(connection, own.id, found.size, found.mtime_ns, item.content_hash)
            _retag(connection, item, own)
            return own.id, "unchanged"
        gone = next((twin for twin in item.twins if self._went_away(twin)), None)
        if gone is not None:
            replaced = track_by_path(connection, found.path)  # moved over a file that was a track: its bytes are gone
            remove_tracks(connection, [replaced.id] if replaced else [])
            move_track(connection, gone.id, found.path, found.size, found.mtime_ns)
            _retag(connection, item, gone)
            self.moved_from.add(gone.path)
            return gone.id, "moved"
        return upsert_track(connection, _new_track(item, decoded)), "new"

    def _went_away(self, twin: Track) -> bool:
        return twin.path not in self.moved_from and is_gone(twin.path)

    def _count(self, item: Prepared, outcome: Outcome) -> None:
        if outcome.kind == "failed":
            self.report.failed.append(FailedPath(displayable(item.found.path), outcome.reason))
        else:
            counted = "passed_over" if outcome.kind == "silent" else outcome.kind
            setattr(self.report, counted, getattr(self.report, counted) + 1)


def _retag(connection: Connection, item: Prepared, track: Track) -> None:
    """Give a track that lies at the item's path by now the item's tags, where these were read."""
    if item.metadata is not None:
        upsert_track(connection, _tagged(item, track.duration_seconds, item.metadata))


def _tagged(item: Prepared, seconds: float, metadata: Mapping[str, str]) -> NewTrack:
    found, tags = item.found, asdict(read_tags(metadata))
    return NewTrack(found.path, found.size, found.mtime_ns, item.content_hash, seconds, **tags)


def _new_track(item: Prepared, decoded: DecodedTrack | None) -> NewTrack:
    found = item.found
    if decoded is not None:
        return _tagged(item, decoded.duration_seconds, decoded.metadata)
    if item.metadata is not None:
        return _tagged(item, item.twins[0].duration_seconds, item.metadata)
    # A copy of a track: the same bytes carry the same tags.
    fields = {name: value for name, value in asdict(item.twins[0]).items() if name != "id"}
    return NewTrack(**fields | {"path": found.path, "size": found.size, "mtime_ns": found.mtime_ns})
