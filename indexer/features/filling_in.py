"""Compute a value of many tracks and store it: files in threads, rows in batches.

A crash loses at most the current batch; the next run continues with the tracks that are not stored.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from sqlalchemy import Connection

from engine.db import Database, Track, tracks_by_ids
from engine.errors import AudioError, EngineError
from engine.indexer.pipeline.cancelling import Cancelled, CancelToken
from engine.indexer.pipeline.decoders import Decoders
from engine.indexer.pipeline.pool import in_order
from engine.indexer.pipeline.pruning import why_not_as_indexed
from engine.indexer.pipeline.reports import FailedPath, IndexProgress, OnProgress

BATCH_TRACKS = 16  # committed together

Value = TypeVar("Value")


@dataclass(frozen=True)
class Kind(Generic[Value]):
    """A kind of value.

    Attributes:
        verb: "measure", for names of threads; `done` is its participle, for messages.
        compute: Returns the value of a file; raises AudioError for a bad file.
        put: Stores the value of a track, by its id.
    """

    verb: str
    done: str
    compute: Callable[[Decoders, bytes], Value]
    put: Callable[[Connection, int, Value], None]


@dataclass
class FillReport:
    """The result of a run: values computed, failed files, seconds, and whether it was cancelled."""

    computed: int = 0
    failed: list[FailedPath] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False


@dataclass(frozen=True, eq=False)
class _Computed(Generic[Value]):
    """A track and its value, or the reason for its absence."""

    track: Track
    value: Value | None
    reason: str = ""


def fill_in(
    database: Database,
    tracks: Sequence[Track],
    kind: Kind[Value],
    threads: int,
    on_progress: OnProgress,
    cancel: CancelToken,
) -> FillReport:
    """Compute and store a value for each track.

    Raises:
        LibraryError: The library cannot be written. Committed batches stay.
    """
    began, report, batch = time.monotonic(), FillReport(), list[_Computed[Value]]()
    try:
        with Decoders(min(threads, max(len(tracks), 1))) as decoders:
            one = partial(_compute, kind, decoders)
            results = in_order(one, tracks, threads, kind.verb, stop=decoders.close, cancel=cancel)
            for done, computed in enumerate(results, start=1):
                batch.append(computed)
                if len(batch) == BATCH_TRACKS:
                    _store(database, kind, batch, report)
                    batch = []
                on_progress(IndexProgress(done, len(tracks), computed.track.display_path))
    except (KeyboardInterrupt, Cancelled):
        report.interrupted = True
    _store(database, kind, batch, report)
    report.seconds = time.monotonic() - began
    return report


def _compute(kind: Kind[Value], decoders: Decoders, track: Track) -> _Computed[Value]:
    """Compute the value of one track; return a bad file's reason instead of raising."""
    if reason := why_not_as_indexed(track):
        return _Computed(track, None, reason)
    try:
        return _Computed(track, kind.compute(decoders, track.path))
    except AudioError as error:
        return _Computed(track, None, str(error))
    except EngineError:
        raise
    except Exception as error:  # an unexpected error must not stop the run
        words = " ".join(str(error).split())[:200]
        return _Computed(track, None, f"could not be {kind.done}: {type(error).__name__}: {words}")


def _store(database: Database, kind: Kind[Value], batch: Sequence[_Computed[Value]], report: FillReport) -> None:
    """Commit a batch, without tracks that have since been removed or changed."""
    if not batch:
        return
    with database.write() as connection:
        current = tracks_by_ids(connection, [item.track.id for item in batch])
        for item in batch:
            track = current.get(item.track.id)
            if item.value is not None and track is not None and track.content_hash == item.track.content_hash:
                kind.put(connection, track.id, item.value)
    report.computed += sum(item.value is not None for item in batch)
    report.failed += [FailedPath(item.track.display_path, item.reason) for item in batch if item.value is None]
