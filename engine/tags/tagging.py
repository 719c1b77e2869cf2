"""Write predicted genre and mood into files' tags: plan the changes, then, on request, write them.

A file is replaced by a copy with the new tags, once the copy has been verified to hold the same sound and the same
other tags. The library is updated; the sound is the same, so the track keeps its signatures.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from engine.db import Database, NewTrack, Track, touch_track, tracks_by_hash, upsert_track
from engine.db.file_times import modified_ns
from engine.db.text import displayable
from engine.errors import AudioError, InvalidError, reason_of
from engine.indexer.audio.identity import content_hash
from engine.indexer.audio.info import AudioInfo
from engine.indexer.audio.tags import clean, read_tags
from engine.indexer.pipeline.decoders import Decoders
from engine.indexer.pipeline.decoding import EncodedSound, digest_sound, read_info, read_metadata
from engine.indexer.pipeline.reports import FailedPath
from engine.search.results import Classification
from engine.tags.audio_files import GENRE, MOOD, MOOD_KEYS, check_writable, require_mutagen, write_tags
from engine.tags.results import TagChange, TagReport
from engine.util.atomic_files import ANYTHING, replacing

LEAST_PROBABILITY = 0.6  # five in six such predictions are right: genre 0.84 of 191 valid clips, mood 0.82 of 92


@dataclass(frozen=True)
class TagRules:
    """Which tags to write: at least this probable (0 to 1), over existing ones or not."""

    minimum: float = LEAST_PROBABILITY
    overwrite: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.minimum <= 1:
            raise InvalidError(
                f"expected a least probability from 0 to 1, found {self.minimum}", hint="0.6 is the default"
            )


def tag_files(
    database: Database, decoders: Decoders, classified: Iterable[Classification], rules: TagRules, *, write: bool
) -> TagReport:
    """Plan the tags of classified tracks, and write them if `write`.

    Links are followed: the target is replaced. Another hard link to the same file keeps the old tags.

    Raises:
        EngineError: Tags are to be written and mutagen is missing; nothing was written.
        LibraryError: A file was written but the library could not be updated; the next run indexes the file again.
    """
    if write:
        require_mutagen()
    changes: list[TagChange] = []
    kept = unsure = 0
    failed: list[FailedPath] = []
    for result in _once_each(classified):
        try:
            plan = _plan(decoders, result, rules)
            kept, unsure = kept + plan.kept, unsure + plan.unsure
            if write and plan.changes:
                _Rewriting(database, decoders).write(os.fsencode(plan.changes[0].path), plan.changes)
            changes += [replace(change, written=write) for change in plan.changes]
        except (AudioError, OSError) as error:
            failed.append(FailedPath(displayable(result.path or ""), reason_of(error)))
    return TagReport(tuple(changes), kept, unsure, tuple(failed))


def _once_each(classified: Iterable[Classification]) -> Iterator[Classification]:
    """Return the successful classifications, each file once even if it has several names."""
    seen: set[str] = set()
    for result in classified:
        if result.path is None or result.error:
            continue
        real = os.path.realpath(result.path)
        if real not in seen:
            seen.add(real)
            yield result


@dataclass(frozen=True)
class _Plan:
    changes: tuple[TagChange, ...]
    kept: int
    unsure: int


def _plan(decoders: Decoders, result: Classification, rules: TagRules) -> _Plan:
    assert result.path is not None
    info = decoders.call(read_info, os.fsencode(result.path))
    guesses = [(GENRE, result.genres[0].genre, result.genres[0].probability)]
    if result.moods:
        guesses.append((MOOD, result.moods[0].mood, result.moods[0].probability))
    changes, kept, unsure = [], 0, 0
    for tag, new, probability in guesses:
        old = _present(info, tag)
        if old == new:
            continue
        if probability < rules.minimum:
            unsure += 1
        elif old is not None and not rules.overwrite:
            kept += 1
        else:
            changes.append(TagChange(result.path, result.track_id, tag, old, new, probability, False))
    if changes:
        check_writable(info)
    return _Plan(tuple(changes), kept, unsure)


def _present(info: AudioInfo, tag: str) -> str | None:
    if tag == GENRE:
        return read_tags(info.metadata).genre
    return next((text for key in MOOD_KEYS if (text := clean(info.metadata.get(key, "")))), None)


@dataclass(frozen=True)
class _Rewriting:
    """Replaces files by copies with other tags; all that reads or writes inside a file runs in a decoder's process."""

    database: Database
    decoders: Decoders

    def write(self, path: bytes, changes: tuple[TagChange, ...]) -> None:
        """Replace a file by a copy with other tags, and update the library."""
        real = Path(os.fsdecode(os.path.realpath(path)))
        known = _tracks_of(self.database, real)
        before = real.stat()
        if not before.st_mode & 0o222 or not os.access(real, os.W_OK):
            raise AudioError("cannot be written: it is read-only")
        sound = self.decoders.call(digest_sound, os.fsencode(real))
        with replacing(real, ANYTHING) as handle:
            copy = Path(handle.name)
            shutil.copymode(real, copy)  # first, so that the copy of a private file is private
            with real.open("rb") as source:
                shutil.copyfileobj(source, handle, 1 << 20)
            handle.flush()
            new = {change.tag: change.new for change in changes}
            self.decoders.call(write_tags, os.fsencode(copy), sound.info, new)
            _check(self.decoders.call(digest_sound, os.fsencode(copy)), sound, changes)
            now = real.stat()
            if (now.st_ino, now.st_size, now.st_mtime_ns) != (before.st_ino, before.st_size, before.st_mtime_ns):
                raise AudioError("another program changed it meanwhile; nothing was written")
            with suppress(OSError):  # only root may change the owner
                os.chown(copy, before.st_uid, before.st_gid)
            shutil.copystat(real, copy)  # permissions, extended attributes
            # Not the time: new tags may fit the old size, and then only the time shows the next indexing, backups and
            # synchronising tools that the file changed, even if this process ends before the library is updated.
            os.utime(copy)
        self._follow(real, known)

    def _follow(self, real: Path, known: list[Track]) -> None:
        """Store the new identity and tags of a written file in its tracks; embeddings remain valid."""
        if not known:
            return
        tags = asdict(read_tags(self.decoders.call(read_metadata, os.fsencode(real))))
        status, digest = real.stat(), content_hash(os.fsencode(real))
        with self.database.write() as connection:
            for track in known:
                touch_track(connection, track.id, status.st_size, modified_ns(status), digest)
                renewed = NewTrack(
                    track.path, status.st_size, modified_ns(status), digest, track.duration_seconds, **tags
                )
                upsert_track(connection, renewed)


def _check(copy: EncodedSound, before: EncodedSound, changes: tuple[TagChange, ...]) -> None:
    """Raise AudioError unless a copy has the same sound, the new tags, and the other tags unchanged."""
    new = {change.tag: change.new for change in changes}
    old, found = asdict(read_tags(before.info.metadata)), asdict(read_tags(copy.info.metadata))
    # A tag that FFmpeg ignored before may appear: ID3v1's, if ID3v2 lacked it.
    same_tags = all(value in (None, found[name]) for name, value in old.items() if name not in new)
    same_sound = copy.digest == before.digest
    if not same_sound or not same_tags or any(_present(copy.info, tag) != value for tag, value in new.items()):
        wrong = "its other tags" if same_sound else "its sound"
        raise AudioError(f"writing would change {wrong}; nothing was written")


def _tracks_of(database: Database, real: Path) -> list[Track]:
    """Return the tracks of the library whose file this is, unchanged since indexing; they may name it by a link."""
    digest, status = content_hash(os.fsencode(real)), real.stat()
    with database.read() as connection:
        alike = tracks_by_hash(connection, digest)
    current = (track for track in alike if (track.size, track.mtime_ns) == (status.st_size, modified_ns(status)))
    return [track for track in current if os.path.realpath(track.path) == os.fsencode(real)]
