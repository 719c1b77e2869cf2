"""Queries about files outside the library, answered by a process that ends when idle."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from engine import errors
from engine.errors import EngineError, UnavailableError, reason_of

IDLE_SECONDS = 120.0
ANSWER_SECONDS = 180.0  # the process limits the decoding of each file by its length; this ends a process that hangs
LONGEST_LINE = 64 << 20  # bytes


class FileQuestions:
    """Starts the process on the first query and ends it after `IDLE_SECONDS` without one. Safe for many threads.

    Args:
        library: The library's file.
        encoder: As given to `Engine.open`.
        threads: Of the process.
    """

    def __init__(self, library: Path, encoder: str | None = None, threads: int | None = None) -> None:
        self._library, self._options = library, {"encoder": encoder, "threads": threads}
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._idle: threading.Timer | None = None

    def ask(self, question: str, path: Path, **options: Any) -> dict[str, Any]:
        """Return the document for a query ("similar", "classify", "explain") about a file.

        Raises:
            EngineError: As the method of `Engine` raises it.
            UnavailableError: The process ended or did not answer in time.
        """
        with self._lock:
            self._stop_timer()
            try:
                reply = self._exchange({"question": question, "path": str(path), **options})
            finally:
                self._idle = threading.Timer(IDLE_SECONDS, self.close)
                self._idle.daemon = True
                self._idle.start()
        if "error" in reply:
            kind = getattr(errors, reply["error"]["kind"], EngineError)
            raise kind(reply["error"]["message"], hint=reply["error"]["hint"])
        answer: dict[str, Any] = reply["answer"]
        return answer

    def close(self) -> None:
        """End the process; the next query starts another."""
        with self._lock:
            self._stop_timer()
            self._end()

    def _exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._process is None or self._process.poll() is not None:
            self._process = self._start()
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        overdue = threading.Timer(ANSWER_SECONDS, process.kill)
        overdue.start()
        try:
            process.stdin.write(json.dumps(request).encode("ascii") + b"\n")
            process.stdin.flush()
            line = process.stdout.readline(LONGEST_LINE)
        except OSError:
            line = b""
        finally:
            overdue.cancel()
        if not line.endswith(b"\n"):
            self._end()
            raise UnavailableError("the process that reads uploaded files ended", hint="see the server's log")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "engine.server.file_worker", str(self._library), json.dumps(self._options)]
        try:
            return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            raise UnavailableError(f"cannot start a process to read files in: {reason_of(error)}") from error

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _stop_timer(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
