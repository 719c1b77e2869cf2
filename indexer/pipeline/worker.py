"""A decoder's process: read requests from standard input, run one function per request, write its result.

It holds no library, connection or secret, so that a decoder's crash, hang or excess of memory only ends this process
and costs the file that it read. It ends together with its owner, when standard input closes.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import mmap
import os
import queue
import resource
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, get_type_hints

from numpy.typing import NDArray

from engine.errors import AudioError
from engine.indexer.audio.faults import is_passing
from engine.indexer.pipeline.memory import kept_memory
from engine.indexer.pipeline.wire import Failure, Message, pack, receive, send, unpack, write_all

REQUEST, REPLY = 0, 1  # descriptors as the process is started


def main(memory_limit: int, shared_descriptor: int) -> None:
    """Serve until standard input closes.

    Args:
        memory_limit: Most bytes of data that the process may hold; 0 for no limit.
        shared_descriptor: Of the shared memory for arrays; -1 for none.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the owner, which ends this process itself
    requests, replies = os.dup(REQUEST), os.dup(REPLY)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, REQUEST)  # a library's output must not get between the messages
    os.dup2(null, REPLY)
    _limit(memory_limit)
    shared = mmap.mmap(shared_descriptor, 0) if shared_descriptor >= 0 else None
    with kept_memory():
        _Server(requests, replies, shared).serve()


def _limit(memory_limit: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):  # if memory still runs out, the system ends this process first
        Path("/proc/self/oom_score_adj").write_text("900", "ascii")
    if memory_limit:
        # On Linux the data limit counts private writable memory; elsewhere only the address space can be limited.
        kind = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (memory_limit, memory_limit))


class _Server:
    """Runs requests one after the other, while a thread watches for the owner's end."""

    def __init__(self, requests: int, replies: int, shared: mmap.mmap | None) -> None:
        self.replies, self.shared = replies, shared
        self.inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        threading.Thread(target=self._listen, args=(requests,), daemon=True).start()

    def _listen(self, requests: int) -> None:
        """Queue requests; end the process immediately when the queue closes."""
        try:
            while True:
                self.inbox.put(receive(partial(_read_exactly, requests)))
        finally:
            os._exit(0)

    def serve(self) -> None:
        """Answer requests; never returns."""
        self._send("ready", None)
        while True:
            request = self.inbox.get().header
            try:
                self._run(request["function"], request["arguments"])
            except Exception as error:  # reported to the owner: the next request may succeed
                self._send("error", _failure(error))

    def _run(self, name: str, arguments: Sequence[Any]) -> None:
        module, _, attribute = name.partition(":")
        function = getattr(importlib.import_module(module), attribute)
        hints = get_type_hints(function)
        parameters = list(inspect.signature(function).parameters)
        values = [unpack(hints[key], value, []) for key, value in zip(parameters, arguments, strict=True)]
        result = function(*values)
        if isinstance(result, Iterator):
            for item in result:
                self._send("item", item)
                self.inbox.get()  # a further request: the owner has copied this result
            result = None
        self._send("done", result)

    def _send(self, kind: str, value: Any) -> None:
        arrays: list[NDArray[Any]] = []
        header = {"kind": kind, "value": pack(value, arrays)}
        send(partial(write_all, self.replies), Message(header, arrays), self.shared)


def _failure(error: Exception) -> Failure:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError):  # FFmpeg's included
            return Failure(None, None, memory=True, passing=False)
        cause = cause.__cause__
    if isinstance(error, AudioError):
        reason, hint = " ".join(error.message.split()), error.hint
    else:
        reason, hint = f"could not be read: {type(error).__name__}: {' '.join(str(error).split())[:200]}", None
    return Failure(reason, hint, memory=False, passing=is_passing(error))


def _read_exactly(descriptor: int, count: int) -> bytearray:
    found = bytearray()
    while len(found) < count:
        part = os.read(descriptor, count - len(found))
        if not part:
            raise EOFError
        found += part
    return found
