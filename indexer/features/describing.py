"""Rhythm and harmony of tracks that were indexed before these were computed.

The windows are those of the default encoder: a descriptor depends little on their positions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.db import Database, Track, put_aspects, tracks_without_aspects
from engine.indexer.aspects.descriptors import aspects_of
from engine.indexer.aspects.kinds import KINDS
from engine.indexer.features.filling_in import Kind, fill_in
from engine.indexer.pipeline.cancelling import NEVER, CancelToken
from engine.indexer.pipeline.decoders import Decoders
from engine.indexer.pipeline.decoding import read_windows
from engine.indexer.pipeline.pruning import is_gone
from engine.indexer.pipeline.reports import MeasureReport, OnProgress

SECONDS, COUNT, SAMPLE_RATE, PLACEMENT = 4.0, 10, 22_050, "sound"

Floats = NDArray[np.float32]


def describe_lacking(
    database: Database, roots: Sequence[bytes], threads: int, on_progress: OnProgress, cancel: CancelToken = NEVER
) -> MeasureReport:
    """Describe the tracks at or below `roots` that lack rhythm or harmony; skip missing files.

    Raises:
        LibraryError: The library cannot be written. Committed batches stay.
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
    """Describe tracks and store their rhythm and harmony; `described` and `failed` of the report count them.

    Raises:
        LibraryError: The library cannot be written. Committed batches stay.
    """
    found = fill_in(database, tracks, DESCRIPTIONS, threads, on_progress, cancel)
    return MeasureReport(
        described=found.computed, failed=found.failed, seconds=found.seconds, interrupted=found.interrupted
    )


def describe_file(decoders: Decoders, path: bytes) -> dict[str, Floats]:
    """Return rhythm and harmony of a file by kind; raises AudioError."""
    return aspects_of(decoders.call(read_windows, path, SECONDS, COUNT, SAMPLE_RATE, PLACEMENT).windows)


DESCRIPTIONS = Kind("describe", "described", describe_file, put_aspects)
