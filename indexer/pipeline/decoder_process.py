"""The owner's handle of one decoder process: start, call, time, kill."""

from __future__ import annotations

import contextlib
import fcntl
import json
import mmap
import multiprocessing.spawn
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, get_args, get_type_hints

from engine.errors import AudioError, EngineError, reason_of
from engine.indexer.pipeline.wire import (
    MALFORMED,
    SHARED_BYTES,
    Failure,
    Message,
    pack,
    receive,
    send,
    unpack,
    write_all,
)

MEMORY_LIMIT = 1 << 30  # bytes of data; decoding takes a tenth of that
START_SECONDS = 60.0
BASE_SECONDS = 60.0  # of decoding that every file may take
SECONDS_PER_SOUND_SECOND = 1 / 20
BYTES_PER_SOUND_SECOND = 8_000  # 64 kbit/s: the size bounds the duration; headers may be wrong
LONGEST_SECONDS = 1_800.0
BUSY_SHARE = 0.25  # of the time; a process that used less CPU waited for a disk or a network

BOOT = """\
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from engine.indexer.pipeline.worker import main
main(int(sys.argv[2]), int(sys.argv[3]))
"""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


class DecodingError(AudioError):
    """A file could not be read; if `passing`, the cause is outside the file and the next run tries again."""

    def __init__(self, reason: str, passing: bool = False, *, hint: str | None = None) -> None:
        super().__init__(reason, hint=hint)
        self.passing = passing


class ProcessDiedError(DecodingError):
    """The process ended while it read a file."""


class DecoderProcess:
    """A process that runs functions of `engine.indexer.pipeline.decoding` and the like, one at a time.

    Use it from one thread; `kill` may be called from any.

    Raises:
        EngineError: It cannot be started.
    """

    def __init__(self) -> None:
        self.calls = 0
        self._killed = False
        self._deadline = Deadline(START_SECONDS)
        shared = _shared_memory()
        arguments = [json.dumps([os.path.abspath(p) for p in sys.path]), str(MEMORY_LIMIT), str(shared)]  # noqa: PTH100
        try:
            self._process = subprocess.Popen(
                [os.fsdecode(multiprocessing.spawn.get_executable() or sys.executable), "-c", BOOT, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=() if shared < 0 else (shared,),
                bufsize=0,
                cwd="/",  # so that it does not keep a disk from being unmounted
                env=os.environ | ONE_THREAD,
                start_new_session=True,  # a terminal's Ctrl-C is for the owner
            )
            self._shared = None if shared < 0 else mmap.mmap(shared, SHARED_BYTES, access=mmap.ACCESS_READ)
        except OSError as error:
            raise EngineError(f"cannot start a process to decode in: {reason_of(error)}") from error
        finally:
            if shared >= 0:
                os.close(shared)
        try:
            self._receive()
        except DecodingError as error:
            self.close()
            raise EngineError(
                f"cannot start a process to decode in ({error}); to see why: python -m engine.indexer.pipeline.worker"
            ) from error

    def call(self, function: Callable[..., Any], path: bytes, *arguments: Any) -> Any:
        """Run a function on a file and return its result.

        Raises:
            DecodingError: The function failed, or took too much time or memory.
            ProcessDiedError: The process ended; discard this object.
        """
        self._request(function, path, arguments)
        reply = self._receive()
        with self._checked():
            return unpack(get_type_hints(function)["return"], reply.header["value"], reply.arrays)

    def stream(self, function: Callable[..., Iterator[Any]], path: bytes, *arguments: Any) -> Iterator[Any]:
        """Run a generator function on a file and yield its items; raises as `call` does."""
        self._request(function, path, arguments)
        (item,) = get_args(get_type_hints(function)["return"])
        while (reply := self._receive()).header["kind"] == "item":
            with self._checked():
                found = unpack(item, reply.header["value"], reply.arrays)
            yield found
            self._send({"next": True})

    @property
    def alive(self) -> bool:
        """Whether the process can serve another file."""
        return not self._killed and self._process.poll() is None

    def kill(self) -> None:
        """End the process at once; a thread that waits for it gets ProcessDiedError."""
        self._killed = True
        with contextlib.suppress(OSError):
            self._process.kill()

    def close(self) -> None:
        """End the process and release its resources."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        if self._shared is not None:
            self._shared.close()

    def _request(self, function: Callable[..., Any], path: bytes, arguments: Sequence[Any]) -> None:
        self.calls += 1
        self._deadline = Deadline(limit_seconds(path))
        name = f"{function.__module__}:{function.__name__}"
        self._send({"function": name, "arguments": pack([path, *arguments], [])})

    def _send(self, header: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            send(partial(write_all, self._process.stdin.fileno()), Message(header, []))
        except OSError as error:
            raise self._died() from error

    def _receive(self) -> Message:
        """Wait for a message within the deadline."""
        assert self._process.stdout is not None
        with self._deadline, self._checked():
            message = receive(partial(self._read, self._process.stdout.fileno()), self._shared)
            if message.header["kind"] != "error":
                return message
            failure = unpack(Failure, message.header["value"], [])
        if failure.memory:
            raise DecodingError(f"needed over {MEMORY_LIMIT >> 20:,} MB of memory to decode")
        raise DecodingError(failure.reason or "could not be read", failure.passing, hint=failure.hint)

    @contextlib.contextmanager
    def _checked(self) -> Iterator[None]:
        """Kill the process if its answer is malformed, as that of one which a hostile file has taken over may be."""
        try:
            yield
        except MALFORMED as error:
            self.kill()
            raise ProcessDiedError("crashed the decoder: its answer is invalid") from error

    def _read(self, descriptor: int, count: int) -> bytearray:
        found = bytearray()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while len(found) < count:
            if not poll.poll(1000 * self._deadline.left()):
                raise self._took_too_long()
            part = os.read(descriptor, count - len(found))
            if not part:
                raise self._died()
            found += part
        return found

    def _took_too_long(self) -> ProcessDiedError:
        busy = _cpu_seconds(self._process.pid)
        self.kill()
        waited = busy is not None and busy < BUSY_SHARE * self._deadline.limit
        return ProcessDiedError(f"took over {self._deadline.limit:.0f} s to decode", passing=waited)

    def _died(self) -> ProcessDiedError:
        code = self._process.wait()
        if code in (-signal.SIGKILL, -signal.SIGTERM):  # by a user, or by a system short of memory
            return ProcessDiedError("the decoder was killed, perhaps because memory was short", passing=True)
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        return ProcessDiedError(f"crashed the decoder ({how})")


class Deadline:
    """A limit on the time spent waiting: the clock runs only inside the `with` block."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._spent = self._began = 0.0

    def __enter__(self) -> None:
        self._began = monotonic()

    def __exit__(self, *_: object) -> None:
        self._spent += monotonic() - self._began

    def left(self) -> float:
        """Seconds left, at least 0."""
        return max(0.0, self.limit - self._spent - (monotonic() - self._began))


def limit_seconds(path: bytes) -> float:
    """Return the time limit of a file: a minute, plus a second for each 20 s of sound that fits its size."""
    try:
        size = os.stat(path).st_size  # noqa: PTH116 (bytes)
    except OSError:
        size = 0
    sound_seconds = size / BYTES_PER_SOUND_SECOND
    return min(LONGEST_SECONDS, BASE_SECONDS + sound_seconds * SECONDS_PER_SOUND_SECOND)


def _shared_memory() -> int:
    """Make anonymous memory of SHARED_BYTES that cannot shrink; -1 where the system has none: then only pipes serve."""
    try:
        descriptor = os.memfd_create("engine-decoder", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except (AttributeError, OSError):
        return -1
    try:
        os.ftruncate(descriptor, SHARED_BYTES)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)  # never one of the standard descriptors
    except OSError:
        return -1
    finally:
        os.close(descriptor)


def _cpu_seconds(pid: int) -> float | None:
    """CPU time of a process, or None where the system does not report it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return None
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
