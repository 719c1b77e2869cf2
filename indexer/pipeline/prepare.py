"""The part of indexing that runs in worker threads: all that can be known of a file before anything is written.

On a CPU each file is encoded in the thread that decoded it: one core then works on each file, and none waits for
another. For a GPU the decoded windows are handed on, to be encoded together with those of other files.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from threading import Event

from engine.db import Database, Signature, Track, get_signature, tracks_by_hash
from engine.errors import AudioError, EngineError
from engine.indexer.audio.decode import AudioFile
from engine.indexer.audio.faults import is_passing
from engine.indexer.audio.identity import content_hash
from engine.indexer.audio.scan import FoundFile, has_media_extension
from engine.indexer.pipeline.encoding import DecodedTrack, EncodedTrack, decode_windows, encode_file
from engine.indexer.pipeline.pruning import is_gone
from engine.models.encoder import Encoder, WindowPlan


@dataclass(frozen=True)
class Target:
    """What signatures are wanted: the encoder's id and its windows, and the coverage."""

    encoder_id: str
    plan: WindowPlan
    coverage: str


@dataclass(frozen=True, eq=False)
class Prepared:
    """One file, ready for the encoder or already dealt with.

    Attributes:
        found: The file.
        content_hash: Empty where it could not be read.
        twins: Tracks of the library with the same content, perhaps this file's own.
        signature: The wanted signature of a twin: same bytes, same signature.
        decoded: What was read of it, where it needs encoding (None under full coverage on a GPU: never held in memory).
        encoded: What the encoder says of it, where it was asked already.
        error: Why it gives no signature, or None.
        passing: The error lies around the file, not in it: the next run reads it again.
        metadata: Of a twin: its tags may have changed where the hash of a big file does not look, or were read by an
            earlier version; None where it cannot be opened.
        silent: It holds no sound and does not claim to: passed over.
    """

    found: FoundFile
    content_hash: bytes = b""
    twins: tuple[Track, ...] = ()
    signature: Signature | None = None
    decoded: DecodedTrack | None = None
    encoded: EncodedTrack | None = None
    error: str | None = None
    passing: bool = False
    silent: bool = False
    metadata: dict[str, str] | None = None


def prepare(
    found: FoundFile, database: Database, target: Target, encoder: Encoder | None, stop: Event | None = None
) -> Prepared:
    """Hash, look for twins, decode, and encode with `encoder`, if any. Never raises for a bad file: the run goes on.

    Once `stop` is set nobody waits for the answer.
    """
    before = _status(found.path)
    prepared = _prepare(found, database, target, encoder, stop)
    if _status(found.path) != before and not is_gone(found.path):  # half of a copy is not the file
        return Prepared(found, error="changed while it was being read", passing=True)
    return prepared


def _status(path: bytes) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 (bytes)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _prepare(
    found: FoundFile, database: Database, target: Target, encoder: Encoder | None, stop: Event | None
) -> Prepared:
    try:
        if not has_media_extension(found.path) and not _sounds(found.path):
            return Prepared(found, silent=True)
        digest = content_hash(found.path)
        twins, signature = _look_up(database, digest, target)
        if signature is not None:
            return Prepared(found, digest, twins, signature, metadata=_metadata(found))
        if encoder is not None:
            decoded, encoded = encode_file(found.path, encoder, target.coverage, stop)
            return Prepared(found, digest, twins, decoded=decoded.without_sound(), encoded=encoded)
        if target.coverage == "full":
            with AudioFile.open(found.path):  # fails here, in parallel, for what is no sound
                return Prepared(found, digest, twins)
        return Prepared(found, digest, twins, decoded=decode_windows(found.path, target.plan))
    except AudioError as error:
        return Prepared(found, error=str(error), passing=is_passing(error))
    except EngineError:
        raise
    except Exception as error:  # a defect in a decoder must not stop the run; the file and the reason are reported
        return Prepared(found, error=defect(error), passing=is_passing(error))


def defect(error: Exception) -> str:
    """One line for an error that nobody foresaw."""
    return f"could not be read: {type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _sounds(path: bytes) -> bool:
    """As `probe`; raises AudioError where a passing fault leaves the question open."""
    try:
        with AudioFile.open(path) as audio:
            return next(audio.chunks(), None) is not None
    except AudioError as error:
        if is_passing(error):
            raise
        return False


def _look_up(database: Database, digest: bytes, target: Target) -> tuple[tuple[Track, ...], Signature | None]:
    with database.read() as connection:
        twins = tuple(tracks_by_hash(connection, digest))
        stored = (get_signature(connection, twin.id, target.encoder_id, target.coverage) for twin in twins)
        return twins, next((signature for signature in stored if signature is not None), None)


def _metadata(found: FoundFile) -> dict[str, str] | None:
    try:
        with AudioFile.open(found.path) as audio:
            return audio.info.metadata
    except AudioError:
        return None
