"""Indexing jobs: one at a time, each in a process of its own, with progress, cancelling and a history."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from engine.errors import NotFoundError, UnavailableError, reason_of

State = Literal["waiting", "running", "done", "failed", "cancelled"]
ENDED: frozenset[State] = frozenset({"done", "failed", "cancelled"})
KEPT = 100  # jobs of the history
LONGEST_LINE = 64 << 20  # bytes of one document: reports name the files that failed


@dataclass(frozen=True)
class IndexSettings:
    """The settings of an indexing job: files and folders, and the options of `engine index`."""

    paths: tuple[str, ...]
    prune: bool = False
    retry: bool = False


@dataclass(frozen=True)
class Job:
    """The state of a job. Times are seconds since 1970.

    Attributes:
        progress: `done`, `total` and `path` of the latest file; None before the first.
        report: The fields of `IndexReport`; None before the end, and where the job failed.
        error: `message` and `hint`; None unless the job failed.
    """

    id: int
    state: State
    settings: IndexSettings
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    progress: dict[str, Any] | None = None
    report: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class Jobs:
    """Runs indexing jobs of one library in the order of their creation. Safe for many threads; close it.

    Args:
        library: The library's file.
        encoder: The encoder's name or file, as given to `Engine.open`; None for the library's own.
        threads: Of one job.
    """

    def __init__(self, library: Path, encoder: str | None = None, threads: int | None = None) -> None:
        self._library, self._encoder, self._threads = library, encoder, threads
        self._jobs: dict[int, Job] = {}
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._thread: threading.Thread | None = None

    def create(self, settings: IndexSettings) -> Job:
        """Add a job; it starts when the earlier ones have ended.

        Raises:
            UnavailableError: The server is stopping.
        """
        with self._changed:
            if self._closed:
                raise UnavailableError("the server is stopping", hint="start it again")
            job = Job(next(self._numbers), "waiting", settings, time.time())
            self._jobs[job.id] = job
            for ended in [each.id for each in self._jobs.values() if each.state in ENDED][:-KEPT]:
                del self._jobs[ended]
            if self._thread is None:
                self._thread = threading.Thread(target=self._run_all, name="jobs", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return job

    def all(self) -> Sequence[Job]:
        """Return waiting, running and ended jobs, the newest first."""
        with self._changed:
            return list(reversed(self._jobs.values()))

    def get(self, number: int) -> Job:
        """Return a job; raise NotFoundError if there is none of this number."""
        with self._changed:
            if number not in self._jobs:
                raise NotFoundError(f"expected the number of a job, found {number}", hint="list them: GET /api/v1/jobs")
            return self._jobs[number]

    def cancel(self, number: int) -> Job:
        """End a job early, or remove it from the queue; its stored results remain."""
        job = self.get(number)
        with self._changed:
            job = self._jobs.get(number, job)
            if job.state == "waiting":
                self._update(number, state="cancelled", ended_at=time.time())
            elif job.state == "running" and self._process is not None:
                self._process.terminate()
            return self._jobs.get(number, job)

    def follow(self, number: int, seconds: float) -> Iterator[Job | None]:
        """Yield a job's states until it has ended; None after each `seconds` without a change."""
        job = self.get(number)
        yield job
        while job.state not in ENDED:
            latest = self._await_change(job, seconds)
            if latest is job and self._closed:
                return
            yield None if latest is job else latest
            job = latest

    def _await_change(self, job: Job, seconds: float) -> Job:
        """Return the latest state of a job: the same object if nothing has changed within `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._jobs.get(job.id, job) is not job, seconds)
            return self._jobs.get(job.id, job)

    def close(self) -> None:
        """End the running job and wait for it."""
        with self._changed:
            self._closed = True
            if self._process is not None:
                self._process.terminate()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._next() is not None)
                job = self._next()
                if self._closed or job is None:
                    return
                self._update(job.id, state="running", started_at=time.time())
            try:
                self._run(job)
            except OSError as error:  # the process could not be started
                reason = {"message": f"cannot start a process to index in: {reason_of(error)}", "hint": None}
                with self._changed:
                    self._update(job.id, state="failed", ended_at=time.time(), error=reason)

    def _next(self) -> Job | None:
        return next((job for job in self._jobs.values() if job.state == "waiting"), None)

    def _run(self, job: Job) -> None:
        options = {
            "paths": job.settings.paths,
            "prune": job.settings.prune,
            "retry": job.settings.retry,
            "encoder": self._encoder,
            "threads": self._threads,
        }
        command = [sys.executable, "-m", "engine.server.index_worker", str(self._library), json.dumps(options)]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            with self._changed:
                self._process = process
                if self._closed:
                    process.terminate()
            assert process.stdout is not None
            ending: dict[str, Any] = {}
            while line := process.stdout.readline(LONGEST_LINE):
                document = json.loads(line)
                ending |= {key: value for key, value in document.items() if key != "progress"}
                if "progress" in document:
                    with self._changed:
                        self._update(job.id, progress=document["progress"])
        with self._changed:
            self._process = None
            self._update(job.id, ended_at=time.time(), **_ended(ending, process.returncode))

    def _update(self, number: int, **changes: Any) -> None:
        self._jobs[number] = replace(self._jobs[number], **changes)
        self._changed.notify_all()


def _ended(ending: dict[str, Any], code: int) -> dict[str, Any]:
    """Return the state, report and error of a process that has ended."""
    if "report" in ending:
        return {"state": "cancelled" if ending["report"]["interrupted"] else "done", "report": ending["report"]}
    error = ending.get("error", {"message": f"the indexing process ended with exit status {code}", "hint": None})
    return {"state": "cancelled" if code == -15 else "failed", "error": error}
