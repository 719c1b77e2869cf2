"""Rhythm and harmony of tracks that were indexed before these were computed: files in threads, rows in batches.

The windows are those of the default encoder: a descriptor depends little on where they lie.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from engine.db import Database, Track, put_aspects, tracks_by_ids, tracks_without_aspects
from engine.errors import AudioError
from engine.indexer.aspects.descriptors import aspects_of
from engine.indexer.aspects.kinds import KINDS
from engine.indexer.pipeline.cancelling import NEVER, Cancelled, CancelToken
from engine.indexer.pipeline.decoders import Decoders
from engine.indexer.pipeline.decoding import read_windows
from engine.indexer.pipeline.pool import in_order
from engine.indexer.pipeline.pruning import is_gone, why_not_as_indexed
from engine.indexer.pipeline.reports import FailedPath, IndexProgress, MeasureReport, OnProgress

SECONDS, COUNT, SAMPLE_RATE, PLACEMENT = 4.0, 10, 22_050, "sound"
BATCH_TRACKS = 16  # committed together

Floats = NDArray[np.float32]


def describe_lacking(
    database: Database, roots: Sequence[bytes], threads: int, on_progress: OnProgress, cancel: CancelToken = NEVER
) -> MeasureReport:
    """Describe the tracks at or below `roots` that lack rhythm or harmony; files that are gone are passed over.

    Raises:
        LibraryError: The library cannot be written. What was committed before is kept.
    """
    with database.read() as connection:
        lacking = tracks_without_aspects(connection, list(KINDS.values()), roots)
    work = [track for track in lacking if not is_gone(track.path)]
    return describe_tracks(database, work, threads, on_progress, cancel)


def describe_tracks(
    database: Database,
    tracks: Sequence[Track],
    threads: int,
    on_progress: OnProgress = lambda _: None,
    cancel: CancelToken = NEVER,
) -> MeasureReport:
    """Describe tracks and store what was found; `described` and `failed` of the report count them.

    Raises:
        LibraryError: The library cannot be written. What was committed before is kept.
    """
    began, report, batch = time.monotonic(), MeasureReport(), list[_Described]()
    try:
        with Decoders(min(threads, max(len(tracks), 1))) as decoders:
            one = partial(_describe, decoders)
            results = in_order(one, tracks, threads, "describe", stop=decoders.close, cancel=cancel)
            for done, found in enumerate(results, start=1):
                batch.append(found)
                if len(batch) == BATCH_TRACKS:
                    _store(database, batch, report)
                    batch = []
                on_progress(IndexProgress(done, len(tracks), found.track.display_path))
    except (KeyboardInterrupt, Cancelled):
        report.interrupted = True
    _store(database, batch, report)
    report.seconds = time.monotonic() - began
    return report


def describe_file(decoders: Decoders, path: bytes) -> dict[str, Floats]:
    """Return rhythm and harmony of a file by kind; raises AudioError."""
    return aspects_of(decoders.call(read_windows, path, SECONDS, COUNT, SAMPLE_RATE, PLACEMENT).windows)


@dataclass(frozen=True, eq=False)
class _Described:
    """A track and its vectors by kind, or the reason for their absence."""

    track: Track
    vectors: dict[str, Floats] | None
    reason: str = ""


def _describe(decoders: Decoders, track: Track) -> _Described:
    if reason := why_not_as_indexed(track):
        return _Described(track, None, reason)
    try:
        return _Described(track, describe_file(decoders, track.path))
    except AudioError as error:
        return _Described(track, None, str(error))


def _store(database: Database, batch: Sequence[_Described], report: MeasureReport) -> None:
    """Commit a batch, without tracks that were removed or changed meanwhile."""
    if not batch:
        return
    with database.write() as connection:
        current = tracks_by_ids(connection, [item.track.id for item in batch])
        for item in batch:
            track = current.get(item.track.id)
            if item.vectors is not None and track is not None and track.content_hash == item.track.content_hash:
                put_aspects(connection, track.id, item.vectors)
    report.described += sum(item.vectors is not None for item in batch)
    report.failed += [FailedPath(item.track.display_path, item.reason) for item in batch if item.vectors is None]
