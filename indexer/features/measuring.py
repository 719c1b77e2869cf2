"""Measure tempo, key and loudness of tracks; this decodes whole files."""

from __future__ import annotations

from collections.abc import Sequence

from engine.db import AudioFeatures, Database, put_audio_features, unmeasured_tracks
from engine.indexer.features.audio_features import features_of, read_measured_sound
from engine.indexer.features.filling_in import Kind, fill_in
from engine.indexer.pipeline.cancelling import NEVER, CancelToken
from engine.indexer.pipeline.decoders import Decoders
from engine.indexer.pipeline.pruning import is_gone
from engine.indexer.pipeline.reports import MeasureReport, OnProgress


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

    with database.read() as connection:
        work = [track for track in unmeasured_tracks(connection, roots) if not is_gone(track.path)]
    with threadpool_limits(1):  # files run in parallel, not BLAS
        found = fill_in(database, work, MEASUREMENTS, threads, on_progress, cancel)
    return MeasureReport(
        measured=found.computed, failed=found.failed, seconds=found.seconds, interrupted=found.interrupted
    )


def _measure(decoders: Decoders, path: bytes) -> AudioFeatures:
    return features_of(decoders.call(read_measured_sound, path))


MEASUREMENTS = Kind("measure", "measured", _measure, put_audio_features)
