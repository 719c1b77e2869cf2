"""Forked children: one that may be killed at any instant, and a few that share work.

This process imports everything once and never computes, so that its children start in milliseconds and inherit no
threads. Results are returned as JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from math import inf
from time import monotonic
from typing import Any

from engine.errors import EngineError

HANG_SECONDS = 600.0  # long enough for a busy machine
CHUNK = 1 << 16
MODULES = (
    "engine.backup.backup",
    "engine.doctor.checks",
    "engine.duplicates.grouping",
    "engine.indexer.features.fingerprinting",
    "engine.indexer.pipeline.batch",
    "engine.indexer.pipeline.ingest",
    "engine.indexer.pipeline.retagging",
    "engine.indexer.pipeline.storing",
    "engine.indexer.vectors.faiss",
    "engine.manage.changing",
    "engine.manage.export",
    "engine.models.attention_signature",
    "engine.models.checkpoint",
    "engine.playlists.compose",
    "engine.tags.tagging",
    "mutagen.flac",
    "mutagen.id3",
    "mutagen.mp4",
    "mutagen.oggopus",
    "mutagen.oggvorbis",
    "mutagen.wave",
    "threadpoolctl",
    "torchaudio",
)


@dataclass(frozen=True)
class Ended:
    """How a child ended.

    Attributes:
        how: "done"; "refused" (an EngineError); "failed" (any other exception); "killed" (by the harness); "died" (by
            itself, without a result); "hung".
        value: The result, or the error's message.
    """

    how: str
    value: Any = None


def warm() -> None:
    """Import the modules of children, before the first is forked; nothing is computed, so that no thread starts."""
    for name in MODULES:
        with suppress(ImportError):
            importlib.import_module(name)


def run(function: Callable[[], Any], *, kill_after: float | None = None, limit: float = HANG_SECONDS) -> Ended:
    """Run a function in a child and return how it ended.

    Args:
        function: Its result must be JSON.
        kill_after: SIGKILL the child after this many seconds, unless it has ended.
        limit: SIGKILL it after this many seconds and call it hung.
    """
    pid, reader = _fork(function)
    until = monotonic() + (limit if kill_after is None else kill_after)
    received = bytearray()
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, until - monotonic()))
        if not ready:
            os.kill(pid, signal.SIGKILL)
            break
        part = os.read(reader, CHUNK)
        if not part:
            break
        received += part
    os.close(reader)
    _, status = os.waitpid(pid, 0)
    if received.endswith(b"\n"):
        return Ended(**json.loads(received))
    if not ready:
        return Ended("hung" if kill_after is None else "killed")
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return Ended("killed")
    return Ended("died", f"status {status}")


def share(
    function: Callable[[int, Any], Any], items: Sequence[Any], workers: int, seconds: float | None = None
) -> list[Any]:
    """Apply a function to a worker's number and each item, in `workers` children; return results in order.

    Args:
        function: Its result must be JSON.
        items: Taken in turns by the workers.
        workers: How many.
        seconds: Begin no item after this time; its result is None.

    Raises:
        RuntimeError: A worker failed; the message has its traceback.
    """
    until = inf if seconds is None else monotonic() + seconds

    def work(worker: int) -> list[Any]:
        return [function(worker, item) if monotonic() < until else None for item in items[worker::workers]]

    started = [_fork(partial(work, worker)) for worker in range(workers)]
    results: list[Any] = [None] * len(items)
    for worker, (pid, reader) in enumerate(started):
        with os.fdopen(reader, "rb") as pipe:
            received = pipe.read()
        os.waitpid(pid, 0)
        ended = Ended(**json.loads(received or b'{"how": "died"}'))
        if ended.how != "done":
            raise RuntimeError(f"a worker of the harness {ended.how}: {ended.value}")
        results[worker::workers] = ended.value
    return results


def _fork(function: Callable[[], Any]) -> tuple[int, int]:
    """Fork a child that runs a function; return its id and the pipe that its result comes through."""
    reader, writer = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        os.close(writer)
        return pid, reader
    os.close(reader)
    try:
        ended = {"how": "done", "value": function()}
    except EngineError as error:
        ended = {"how": "refused", "value": str(error)}
    except BaseException:
        ended = {"how": "failed", "value": traceback.format_exc()}
    with os.fdopen(writer, "wb") as pipe:
        pipe.write(json.dumps(ended).encode() + b"\n")
    os._exit(0)
