"""Fingerprints of tracks that have none yet: decoded in threads, stored in batches. A crash loses at most a batch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from engine.db import Database, Fingerprint, Track, fingerprint_kinds, put_fingerprints, tracks_by_ids
from engine.errors import AudioError
from engine.indexer.features import chromaprint
from engine.indexer.features.chromaprint import Chromaprint, ChromaprintError
from engine.indexer.features.fingerprint import OUTLINE, SEMITONES, FirstSound, Words, fingerprints, first_sound
from engine.indexer.pipeline.pool import in_order
from engine.indexer.pipeline.pruning import why_not_as_indexed
from engine.indexer.pipeline.reports import FailedPath, IndexProgress, OnProgress

BATCH_TRACKS = 16  # stored together
OWN_KINDS = frozenset([SEMITONES, OUTLINE])


@dataclass
class FingerprintReport:
    """The account of one run.

    Attributes:
        left_out: Files that are away, changed since they were indexed, or cannot be read, by track id.
        notes: What the user should know of the run: one line each.
    """

    left_out: dict[int, FailedPath] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class _Taken:
    """A track, and its fingerprints or why there are none."""

    track: Track
    fingerprints: list[Fingerprint]
    reason: str = ""


class Fingerprinting:
    """Takes fingerprints: our own of every track, Chromaprint's too where its program is found and works.

    Args:
        database: The library.
        threads: Files decoded at once.
    """

    def __init__(self, database: Database, threads: int) -> None:
        self.database, self.threads = database, threads
        self.report = FingerprintReport()
        self._program: Chromaprint | None = None

    def run(self, track_ids: Iterable[int], on_progress: OnProgress) -> FingerprintReport:
        """Take the fingerprints that these tracks lack, where their files are what was indexed.

        Raises:
            LibraryError: They cannot be stored.
        """
        with self.database.read() as connection:
            tracks = tracks_by_ids(connection, track_ids)
            known = fingerprint_kinds(connection, tracks)
        self._program = self._find_program(any(chromaprint.KIND not in known.get(each, ()) for each in tracks))
        wanted = OWN_KINDS | ({chromaprint.KIND} if self._program else set())
        for track in tracks.values():
            if reason := why_not_as_indexed(track):
                self._leave_out(track, reason)
        there = [track for track in tracks.values() if track.id not in self.report.left_out]
        work = [track for track in there if not wanted <= known.get(track.id, set())]
        taken, done = in_order(self._take, work, self.threads, "fingerprint"), 0
        while batch := list(islice(taken, BATCH_TRACKS)):
            self._store(batch)
            for each in batch:
                done += 1
                on_progress(IndexProgress(done, len(work), each.track.display_path))
        return self.report

    def _find_program(self, needed: bool) -> Chromaprint | None:
        try:
            return Chromaprint.find() if needed else None
        except ChromaprintError as error:
            self._give_up(error)
            return None

    def _give_up(self, error: ChromaprintError) -> None:
        """Go on without the program, and say so once, whichever thread was the first."""
        self._program = None
        if not self.report.notes:
            self.report.notes.append(f"{error}; compared by our own fingerprint instead")

    def _take(self, track: Track) -> _Taken:
        try:
            sound = first_sound(track.path)
        except AudioError as error:
            return _Taken(track, [], str(error))
        words = fingerprints(sound.samples) | self._ask_program(sound)
        return _Taken(track, [Fingerprint(track.id, kind, words[kind], sound.codec, sound.bitrate) for kind in words])

    def _ask_program(self, sound: FirstSound) -> dict[str, Words]:
        program = self._program
        if program is None:
            return {}
        try:
            return {chromaprint.KIND: program.words(sound.samples)}
        except ChromaprintError as error:
            self._give_up(error)
            return {}

    def _store(self, batch: list[_Taken]) -> None:
        found = [fingerprint for each in batch for fingerprint in each.fingerprints]
        if found:
            with self.database.write() as connection:
                put_fingerprints(connection, found, {each.track.id: each.track.content_hash for each in batch})
        for each in batch:
            if each.reason:
                self._leave_out(each.track, each.reason)

    def _leave_out(self, track: Track, reason: str) -> None:
        self.report.left_out[track.id] = FailedPath(track.display_path, reason)
