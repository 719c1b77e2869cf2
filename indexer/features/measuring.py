"""Measure tempo, key and loudness of tracks: files in threads, rows in batches.

A crash loses at most the current batch; the next run continues with the tracks that are not stored.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from engine.db import AudioFeatures, Database, Track, put_audio_features, tracks_by_ids, unmeasured_tracks
from engine.errors import AudioError, EngineError
from engine.indexer.features.audio_features import features_of, read_measured_sound
from engine.indexer.pipeline.cancelling import NEVER, Cancelled, CancelToken
from engine.indexer.pipeline.decoders import Decoders
from engine.indexer.pipeline.pool import in_order
from engine.indexer.pipeline.pruning import is_gone, why_not_as_indexed
from engine.indexer.pipeline.reports import FailedPath, IndexProgress, MeasureReport, OnProgress

BATCH_TRACKS = 16  # committed together


def measure_tracks(
    database: Database,
    roots: Sequence[bytes],
    threads: int,
    on_progress: OnProgress,
    cancel: CancelToken = NEVER,
) -> MeasureReport:
    """Measure the unmeasured tracks at or below `roots`; skip missing files.

    Raises:
        LibraryError: The library cannot be written. Committed batches stay.
    """
    from threadpoolctl import threadpool_limits

    began, report, batch = time.monotonic(), MeasureReport(), list[_Measured]()
    with database.read() as connection:
        work = [track for track in unmeasured_tracks(connection, roots) if not is_gone(track.path)]
    try:
        with Decoders(threads) as decoders, threadpool_limits(1):  # files run in parallel, not BLAS
            one = partial(_measure, decoders)
            results = in_order(one, work, threads, "measure", stop=decoders.close, cancel=cancel)
            for done, measured in enumerate(results, start=1):
                batch.append(measured)
                if len(batch) == BATCH_TRACKS:
                    _store(database, batch, report)
                    batch = []
                on_progress(IndexProgress(done, len(work), measured.track.display_path))
    except (KeyboardInterrupt, Cancelled):
        report.interrupted = True
    _store(database, batch, report)
    report.seconds = time.monotonic() - began
    return report


@dataclass(frozen=True)
class _Measured:
    """A track and its measurements, or the reason for their absence."""

    track: Track
    features: AudioFeatures | None
    reason: str = ""


def _measure(decoders: Decoders, track: Track) -> _Measured:
    """Measure one track; return a bad file's reason instead of raising."""
    if reason := why_not_as_indexed(track):
        return _Measured(track, None, reason)
    try:
        return _Measured(track, features_of(decoders.call(read_measured_sound, track.path)))
    except AudioError as error:
        return _Measured(track, None, str(error))
    except EngineError:
        raise
    except Exception as error:  # an unexpected error must not stop the run
        words = " ".join(str(error).split())[:200]
        return _Measured(track, None, f"could not be measured: {type(error).__name__}: {words}")


def _store(database: Database, batch: Sequence[_Measured], report: MeasureReport) -> None:
    """Commit a batch, without tracks that were removed or changed meanwhile."""
    if not batch:
        return
    with database.write() as connection:
        current = tracks_by_ids(connection, [item.track.id for item in batch])
        for item in batch:
            track = current.get(item.track.id)
            if item.features is not None and track is not None and track.content_hash == item.track.content_hash:
                put_audio_features(connection, track.id, item.features)
    report.measured += sum(item.features is not None for item in batch)
    report.failed += [FailedPath(item.track.display_path, item.reason) for item in batch if item.features is None]
