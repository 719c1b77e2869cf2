"""Compute missing fingerprints: decode in threads, store in batches. A crash loses at most one batch."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from engine.db import Database, Fingerprint, Track, fingerprint_kinds, put_fingerprints, tracks_by_ids
from engine.errors import AudioError, BusyError, UnavailableError
from engine.indexer.features import chromaprint
from engine.indexer.features.chromaprint import Chromaprint, ChromaprintError
from engine.indexer.features.fingerprint import OUTLINE, SEMITONES, FirstSound, Words, fingerprints, first_sound
from engine.indexer.features.fingerprint_store import FingerprintStore, TakenFingerprints
from engine.indexer.pipeline.decoders import Decoders
from engine.indexer.pipeline.pool import in_order
from engine.indexer.pipeline.pruning import why_not_as_indexed
from engine.indexer.pipeline.reports import FailedPath, IndexProgress, OnProgress

BATCH_TRACKS = 16  # stored together
OWN_KINDS = frozenset([SEMITONES, OUTLINE])


@dataclass
class FingerprintReport:
    """The result of one run.

    Attributes:
        left_out: Files that are missing, changed since they were indexed, or unreadable, by track id.
        notes: Warnings for the user, one line each.
    """

    left_out: dict[int, FailedPath] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Fingerprinting:
    """Compute fingerprints: our own of every track, and Chromaprint's if its program works.

    Args:
        database: The library.
        store: Its fingerprints, shared with other threads: each file is decoded once.
        threads: Files decoded at once.
    """

    def __init__(self, database: Database, store: FingerprintStore, threads: int) -> None:
        self.database, self.store, self.threads = database, store, threads
        self.report = FingerprintReport()
        self._program: Chromaprint | None = None
        self._unwritable = False
        self._tried: set[int] = set()

    def run(self, track_ids: Iterable[int], on_progress: OnProgress) -> FingerprintReport:
        """Compute the missing fingerprints of these tracks, if their files are unchanged since they were indexed.

        If the library cannot be written, results stay in memory, with a note in the report.

        Raises:
            LibraryError: The library is damaged, or its path holds another file.
        """
        with self.database.read() as connection:
            tracks = tracks_by_ids(connection, track_ids)
            known = fingerprint_kinds(connection, tracks)
        self._program = self._find_program(any(chromaprint.KIND not in known.get(each, ()) for each in tracks))
        for track in tracks.values():
            if reason := why_not_as_indexed(track):
                self._leave_out(track, reason)
        there = {track.id: track for track in tracks.values() if track.id not in self.report.left_out}
        while work := self._lacking(there):
            self._compute_or_wait(work, on_progress)
        return self.report

    def _lacking(self, tracks: dict[int, Track]) -> dict[int, Track]:
        """Return the tracks that lack a kind of fingerprint, except those tried or left out."""
        wanted = OWN_KINDS | ({chromaprint.KIND} if self._program else set())
        with self.database.read() as connection:
            known = fingerprint_kinds(connection, tracks)
        return {
            track.id: track
            for track in tracks.values()
            if track.id not in self._tried | self.report.left_out.keys()
            and not wanted <= known.get(track.id, set()) | self.store.kinds(track)
        }

    def _compute_or_wait(self, work: dict[int, Track], on_progress: OnProgress) -> None:
        """Compute fingerprints that no other thread has claimed, then wait for those of others."""
        others = self.store.claim(work.keys())
        mine = [track for track_id, track in work.items() if track_id not in others]
        try:
            done = 0
            with Decoders(self.threads) as decoders:
                compute = partial(self._compute, decoders)
                taken = in_order(compute, mine, self.threads, "fingerprint", stop=decoders.close)
                while batch := list(islice(taken, BATCH_TRACKS)):
                    self._put(batch)
                    for each in batch:
                        done += 1
                        on_progress(IndexProgress(done, len(work), each.track.display_path))
        finally:
            self.store.release([track.id for track in mine])
        for future in others.values():
            try:
                self._note_failure(future.result())
            except CancelledError:
                continue  # its thread stopped: retry in the next round

    def _find_program(self, needed: bool) -> Chromaprint | None:
        try:
            return Chromaprint.find() if needed else None
        except ChromaprintError as error:
            self._give_up(error)
            return None

    def _give_up(self, error: ChromaprintError) -> None:
        """Continue without the program, with one note for all threads."""
        self._program = None
        note = f"{error}; compared by our own fingerprint instead"
        if not any(each.endswith("instead") for each in self.report.notes):
            self.report.notes.append(note)

    def _compute(self, decoders: Decoders, track: Track) -> TakenFingerprints:
        try:
            sound = decoders.call(first_sound, track.path)
        except AudioError as error:
            return TakenFingerprints(track, [], str(error))
        words = fingerprints(sound.samples) | self._run_program(sound)
        found = [Fingerprint(track.id, kind, words[kind], sound.codec, sound.bitrate) for kind in words]
        return TakenFingerprints(track, found)

    def _run_program(self, sound: FirstSound) -> dict[str, Words]:
        program = self._program
        if program is None:
            return {}
        try:
            return {chromaprint.KIND: program.words(sound.samples)}
        except ChromaprintError as error:
            self._give_up(error)
            return {}

    def _put(self, batch: list[TakenFingerprints]) -> None:
        """Store a batch, in memory if the library cannot be written, and pass it to waiting threads."""
        found = [fingerprint for each in batch for fingerprint in each.fingerprints]
        if found and not self._unwritable:
            try:
                with self.database.write() as connection:
                    put_fingerprints(connection, found, {each.track.id: each.track.content_hash for each in batch})
            except (UnavailableError, BusyError) as error:
                self._unwritable = True
                self.report.notes.append(f"fingerprints are not stored: {error.message}")
        if self._unwritable:
            self.store.remember(batch)
        for each in batch:
            self._tried.add(each.track.id)
            self._note_failure(each)
            self.store.settle(each)

    def _note_failure(self, taken: TakenFingerprints) -> None:
        if taken.reason:
            self._leave_out(taken.track, taken.reason)

    def _leave_out(self, track: Track, reason: str) -> None:
        self.report.left_out[track.id] = FailedPath(track.display_path, reason)
