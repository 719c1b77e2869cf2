"""Indexing: scan, skip known files, decode in processes, encode in threads (on a GPU: in batches), commit.

A crash loses at most the files in flight, on a GPU the batch; the next run continues from the stored results.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.db import (
    Database,
    FileState,
    add_root,
    forget_skipped,
    known_files,
    missing_tracks,
    put_skipped,
    tracks_to_read,
)
from engine.db.departed import forget_departed
from engine.db.text import displayable
from engine.indexer.audio.scan import FoundFile, OutsideLink, Unreadable, scan
from engine.indexer.audio.tags import TAG_READER
from engine.indexer.pipeline.cancelling import NEVER, Cancelled, CancelToken
from engine.indexer.pipeline.claim import HeldClaim, claimed
from engine.indexer.pipeline.library_files import library_inodes
from engine.indexer.pipeline.memory import kept_memory
from engine.indexer.pipeline.pool import in_order
from engine.indexer.pipeline.pruning import Folders, find_vanished, is_gone, refuse_prune, remove_vanished
from engine.indexer.pipeline.reports import FailedPath, IndexProgress, IndexReport, OnProgress

if TYPE_CHECKING:
    from engine.indexer.pipeline.decoders import Decoders
    from engine.indexer.pipeline.on_demand import EncoderOnDemand
    from engine.indexer.pipeline.prepare import Prepared
    from engine.models.encoder import Encoder

BATCH_TRACKS = 8  # encoded and committed together
INDEX_ENDINGS = (b".faiss", b".safetensors", b".part")


@dataclass(frozen=True)
class IndexOptions:
    """How to index.

    Attributes:
        threads: Files decoded at once.
        prune: Remove tracks whose files are gone.
        force: Prune even if a disk appears to be unmounted.
        retry: Read files again that failed before.
        follow_links: Follow links that lead out of the indexed folders.
    """

    threads: int = 2
    prune: bool = False
    force: bool = False
    retry: bool = False
    follow_links: bool = False


class Ingest:
    """One run over some paths.

    Args:
        database: The library.
        load: Returns the encoder; called only when there is something to encode.
        encoder_id: `name@hash` that signatures are stored under.
        coverage: "windows" or "full".
        options: How to index.
        cancel: Ends the run early.
    """

    def __init__(
        self,
        database: Database,
        load: Callable[[], Encoder],
        encoder_id: str,
        coverage: str,
        options: IndexOptions,
        cancel: CancelToken = NEVER,
    ) -> None:
        self.database, self.load, self.options, self.cancel = database, load, options, cancel
        self.encoder_id, self.coverage = encoder_id, coverage
        self.report = IndexReport()
        self.moved_from: set[bytes] = set()
        self.unchanged: list[tuple[FoundFile, int]] = []

    def run(
        self, paths: Sequence[str | bytes | os.PathLike[str] | os.PathLike[bytes]], on_progress: OnProgress
    ) -> IndexReport:
        """Index files and folders.

        Raises:
            BusyError: Another run indexes this library.
            LibraryError: The library cannot be written.
        """
        began = time.monotonic()
        roots = [os.path.abspath(os.fsencode(path)) for path in paths]  # noqa: PTH100 (links are kept)
        try:
            with claimed(self.database) as claim:
                self._run(roots, on_progress, claim)
        except (KeyboardInterrupt, Cancelled):
            self.report.interrupted = True
        self.report.seconds = time.monotonic() - began
        return self.report

    def _run(self, roots: list[bytes], on_progress: OnProgress, claim: HeldClaim) -> None:
        self.cancel.check()
        files, unreadable, outside = self._scan(roots)
        known = self._known(roots, files)
        self._note_outside(outside, known)
        self._report_unreadable(unreadable, known)
        work = self._needing_work(roots, files, known)
        self._read_tags_anew(on_progress)
        if work:
            self._process(work, on_progress, claim)
        closed = [entry.path for entry in unreadable if not is_gone(entry.path)]
        closed += [link.path for link in outside]
        self._settle_vanished(roots, known, closed)

    def _scan(self, roots: list[bytes]) -> tuple[list[FoundFile], list[Unreadable], list[OutsideLink]]:
        entries = list(scan(roots, self.options.follow_links))
        outside = [entry for entry in entries if isinstance(entry, OutsideLink)]
        unreadable = [entry for entry in entries if isinstance(entry, Unreadable)]
        files = [entry for entry in entries if isinstance(entry, FoundFile)]
        library = os.fsencode(os.path.realpath(self.database.path))
        inodes = library_inodes(library)
        own = {found for found in files if found.inode in inodes or _is_index_of(found.path, library)}
        unreadable += [
            Unreadable(found.path, "a part of this library, not a sound file") for found in own if found.named
        ]
        return [found for found in files if found not in own], unreadable, outside

    def _note_outside(self, outside: list[OutsideLink], known: dict[bytes, FileState]) -> None:
        """Report once that links were not followed, and that tracks behind them are unreachable, not deleted."""
        if not outside:
            return
        folders = Folders.of(link.path for link in outside)
        behind = sum(state.track_id is not None and folders.hold(path) for path, state in known.items())
        links = f"{len(outside)} link{'s' if len(outside) > 1 else ''}, for example {displayable(outside[0].path)},"
        stay = f"; {behind} track{'s' if behind > 1 else ''} behind them unchanged" if behind else ""
        self.report.notes.append(
            f"{links} out of the indexed folders not followed{stay}: add --follow-links, or index where they lead"
        )

    def _known(self, roots: list[bytes], files: list[FoundFile]) -> dict[bytes, FileState]:
        with self.database.write() as connection:
            for root in roots:
                if os.path.lexists(root):
                    add_root(connection, root)
            forget_departed(connection)
            known = known_files(connection, roots)
            if self.options.retry:
                again = {found.path for found in files if (state := known.get(found.path)) and state.failed}
                forget_skipped(connection, again)
                known = {path: state for path, state in known.items() if path not in again}
        return known

    def _report_unreadable(self, unreadable: list[Unreadable], known: dict[bytes, FileState]) -> None:
        """Count unreadable paths. A broken link counts once; a track behind one remains in the library."""
        for entry in unreadable:
            state = known.get(entry.path)
            failed = FailedPath(displayable(entry.path), entry.reason)
            dangling = os.path.islink(entry.path) and (state is None or state.track_id is None)  # noqa: PTH114 (bytes)
            if dangling and state and state.reason == entry.reason:
                self.report.failed_before.append(failed)
                continue
            self.report.failed.append(failed)
            if dangling:
                with self.database.write() as connection:
                    put_skipped(connection, entry.path, 0, 0, True, entry.reason)

    def _needing_work(
        self, roots: list[bytes], files: list[FoundFile], known: dict[bytes, FileState]
    ) -> list[FoundFile]:
        with self.database.read() as connection:
            missing = missing_tracks(connection, self.encoder_id, self.coverage, roots)
        work = []
        for found in files:
            state = known.get(found.path)
            if (
                state is None
                or (state.size, state.mtime_ns) != (found.size, found.mtime_ns)
                or (state.track_id is not None and state.failed)
            ):
                work.append(found)
            elif state.failed:
                self.report.failed_before.append(FailedPath(displayable(found.path), state.reason or ""))
            elif state.track_id is None and found.named:
                work.append(found)  # passed over before, but now named directly
            elif state.track_id is None:
                self.report.passed_over += 1
            elif state.track_id in missing:
                work.append(found)
            else:
                self.report.unchanged += 1
                self.unchanged.append((found, state.track_id))
        return work

    def _read_tags_anew(self, on_progress: OnProgress) -> None:
        with self.database.write() as connection:
            waiting = tracks_to_read(connection, TAG_READER)
        stale = [(found, track_id) for found, track_id in self.unchanged if track_id in waiting]
        if stale:
            from engine.indexer.pipeline.retagging import (
                read_anew,  # imported here: it loads FFmpeg, which most runs do not need
            )

            self.report.retagged = read_anew(
                self.database, stale, waiting, self.options.threads, on_progress, self.cancel
            )

    def _process(self, work: list[FoundFile], on_progress: OnProgress, claim: HeldClaim) -> None:
        from threadpoolctl import threadpool_limits

        # Imported here: they load FFmpeg, which a run with nothing new does not need.
        from engine.indexer.pipeline.decoders import Decoders
        from engine.indexer.pipeline.on_demand import EncoderOnDemand

        threads, encoder = min(self.options.threads, len(work)), EncoderOnDemand(self.load)
        with Decoders(threads) as decoders:
            for _ in range(threads):
                decoders.start()
            blas = threadpool_limits(1, user_api="blas")  # parallelism is across files here
            with kept_memory(), blas, closing(self._stored(work, encoder, decoders)) as stored:
                for done, found in enumerate(stored, start=1):
                    claim.renew()
                    on_progress(IndexProgress(done, len(work), displayable(found.path)))
        self.report.notes += encoder.notes()

    def _stored(self, work: list[FoundFile], encoder: EncoderOnDemand, decoders: Decoders) -> Generator[FoundFile]:
        """Prepare, encode and store files; yield each one that is done."""
        from engine.indexer.pipeline.batch import encode_waiting, is_due
        from engine.indexer.pipeline.prepare import Preparation, Target
        from engine.indexer.pipeline.storing import Storing

        target = Target(self.encoder_id, self.coverage)
        prepare = Preparation(self.database, target, encoder, decoders).prepare
        storing = Storing(self.database, target, self.report, self.moved_from)
        batch: list[Prepared] = []
        with closing(encoder), closing(self._prepared(prepare, work, decoders)) as prepared:
            for done, item in enumerate(prepared, start=1):
                batch.append(item)
                together = 1 if encoder.on_cpu else BATCH_TRACKS  # on a CPU files arrive encoded and are stored at once
                if done == len(work) or is_due(batch, together):
                    storing.store(encode_waiting(batch, encoder, decoders))
                    batch = []
                yield item.found

    def _prepared(
        self,
        prepare: Callable[[FoundFile], Prepared],
        work: list[FoundFile],
        decoders: Decoders,
    ) -> Generator[Prepared]:
        return in_order(prepare, work, self.options.threads, "decode", stop=decoders.close, cancel=self.cancel)

    def _settle_vanished(self, roots: list[bytes], known: dict[bytes, FileState], closed: list[bytes]) -> None:
        vanished = [path for path in find_vanished(roots, known, closed) if path not in self.moved_from]
        self.report.vanished = [displayable(path) for path in vanished if known[path].track_id is not None]
        if not self.options.prune or not vanished:
            return
        if not self.options.force:
            self.report.prune_refused = refuse_prune(roots, vanished, known)
        if self.report.prune_refused is None:
            self.report.pruned = remove_vanished(self.database, vanished, known)


def _is_index_of(path: bytes, library: bytes) -> bool:
    """Whether a file is an index of the library, by its name: anyone may open it, but it is no sound file."""
    if not os.path.basename(path).startswith(os.path.basename(library)):  # noqa: PTH119 (bytes)
        return False
    real = os.path.realpath(path)
    return real.startswith(library) and real.endswith(INDEX_ENDINGS)
