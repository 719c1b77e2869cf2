"""Decode in separate processes, because decoders are not trusted: a crash, a hang or a memory bomb costs one file.

A process is started when it is first needed, serves one file at a time, and is replaced when it dies. FFmpeg runs
nowhere else in an indexing run. `subprocess` starts the processes, not `multiprocessing`: they import nothing of the
host program, need no `if __name__ == "__main__"`, and never fork a process that has threads.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import ParamSpec, TypeVar

from engine.indexer.pipeline.decoder_process import DecoderProcess, DecodingError, ProcessDiedError

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")


class Decoders:
    """A pool of decoder processes. Safe for many threads; close it, or use it as a context manager.

    Args:
        size: Most processes at once; further callers wait.
        kept: Number of idle processes to retain for later files; by default all.
    """

    def __init__(self, size: int, kept: int | None = None) -> None:
        self.size, self.kept = size, size if kept is None else kept
        self._reset()

    def _reset(self) -> None:
        self._owner = os.getpid()
        self._free = threading.Condition()
        self._idle: list[DecoderProcess] = []
        self._busy: set[DecoderProcess] = set()
        self._starting = 0
        self._closed = False
        self._finalizer = weakref.finalize(self, _kill_all, self._idle, self._busy, self._owner)

    def __enter__(self) -> Decoders:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def call(self, function: Callable[Arguments, Result], *arguments: Arguments.args, **_: Arguments.kwargs) -> Result:
        """Run a function, whose first argument is a file's path, in one of the processes.

        Raises:
            DecodingError: The file cannot be read, or takes too much time or memory, or crashes the decoder.
            EngineError: No process can be started.
        """
        process = self._take()
        used_before = process.calls > 0
        while True:
            try:
                result: Result = process.call(function, *arguments)  # type: ignore[arg-type]
                return result
            except ProcessDiedError as error:
                if error.passing or not used_before or self._closed:
                    raise self._unless_closed(error) from error
            except DecodingError:
                raise
            except BaseException:  # such as Ctrl-C: the next call must not receive the answer to this one
                process.kill()
                raise
            finally:
                self._give_back(process)
            process, used_before = self._take(fresh=True), False  # an earlier file may be the cause: retry once

    def stream(
        self, function: Callable[Arguments, Iterator[Result]], *arguments: Arguments.args, **_: Arguments.kwargs
    ) -> Iterator[Result]:
        """Run a generator function, whose first argument is a file's path; yield its items. Raises as `call` does."""
        process, complete = self._take(), False
        try:
            yield from process.stream(function, *arguments)  # type: ignore[arg-type]
            complete = True
        except ProcessDiedError as error:
            raise self._unless_closed(error) from error
        except DecodingError:
            complete = True
            raise
        finally:
            if not complete:
                process.kill()
            self._give_back(process)

    def start(self) -> None:
        """Start a process in the background, ready for the first file."""
        threading.Thread(target=self._start_one, name="start decoder", daemon=True).start()

    def close(self) -> None:
        """End all processes; calls in progress fail with DecodingError in their threads."""
        if self._owner != os.getpid():  # forked: they are the parent's
            return
        with self._free:
            self._closed = True
            idle, self._idle[:] = list(self._idle), []
            for process in self._busy:
                process.kill()
            self._free.notify_all()
        for process in idle:
            process.close()

    def _take(self, fresh: bool = False) -> DecoderProcess:
        """Take an idle process, unless it must be a fresh one, or start one, or wait for one."""
        if self._owner != os.getpid():  # forked: the processes are the parent's, and its lock may never be released
            self._reset()
        with self._free:
            while not self._closed and not self._idle and len(self._busy) + self._starting >= self.size:
                self._free.wait()
            self._refuse_closed()
            if self._idle and not fresh:
                process = self._idle.pop()
                self._busy.add(process)
                return process
            self._starting += 1
        return self._started()

    def _started(self) -> DecoderProcess:
        process = None
        try:
            process = DecoderProcess()
        finally:
            with self._free:
                self._starting -= 1
                if process is not None:
                    self._busy.add(process)
                self._free.notify()
        if self._closed:
            self._give_back(process)
        self._refuse_closed()
        return process

    def _start_one(self) -> None:
        try:
            self._give_back(self._take())
        except Exception:
            return  # the first file that needs one reports it

    def _give_back(self, process: DecoderProcess) -> None:
        with self._free:
            self._busy.discard(process)
            keep = process.alive and not self._closed and len(self._idle) < self.kept
            if keep:
                self._idle.append(process)
            self._free.notify()
        if not keep:
            process.close()

    def _refuse_closed(self) -> None:
        if self._closed:
            raise DecodingError("stopped", passing=True)

    def _unless_closed(self, error: DecodingError) -> DecodingError:
        return DecodingError("stopped", passing=True) if self._closed else error


def _kill_all(idle: list[DecoderProcess], busy: set[DecoderProcess], owner: int) -> None:
    """End the processes of a pool that was not closed."""
    if owner == os.getpid():
        for process in [*idle, *busy]:
            process.close()
