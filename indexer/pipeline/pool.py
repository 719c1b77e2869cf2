"""Process many files at once, in threads: results come in the order of the files, and few of them wait in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from time import monotonic
from typing import TypeVar

from engine.indexer.pipeline.cancelling import NEVER, CancelToken

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 2  # results per thread that may wait to be taken
PATIENCE_SECONDS = 10.0  # longest wait of finished files for an earlier one
POLL_SECONDS = 0.1  # between two checks of the token


def in_order(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    threads: int,
    name: str,
    *,
    stop: Callable[[], None] | None = None,
    cancel: CancelToken = NEVER,
) -> Generator[Result]:
    """Yield `work(item)` of each item, computed by `threads` threads.

    Results come in the order of the items, except that an item that takes longer than PATIENCE_SECONDS is overtaken.
    If the caller stops, an item raises, or `cancel` is cancelled, wait for running work and start no more.

    Args:
        work: Called in the threads.
        items: Its arguments.
        threads: How many.
        name: Prefix of the threads' names.
        stop: Called at the end, before waiting for running work, so that it can be made to end early.
        cancel: Checked while waiting for results.

    Raises:
        Cancelled: `cancel` was cancelled.
    """
    pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
    pending: _Pending[Result] = _Pending(cancel)
    try:
        for item in items:
            pending.add(pool.submit(work, item))
            if len(pending) > AHEAD * threads:
                yield pending.take()
        while len(pending):
            yield pending.take()
    finally:
        if stop is not None:
            stop()
        pool.shutdown(wait=True, cancel_futures=True)


class _Pending(deque[Future[Result]]):
    """Futures in the order of their items, and the time since which the first of them is waited for."""

    def __init__(self, cancel: CancelToken) -> None:
        super().__init__()
        self._cancel = cancel
        self._since = monotonic()

    def add(self, future: Future[Result]) -> None:
        if not self:
            self._since = monotonic()
        self.append(future)

    def take(self) -> Result:
        """Wait for the first future, or for any once the first has taken too long; return its result."""
        while True:
            self._cancel.check()
            patient = monotonic() - self._since < PATIENCE_SECONDS
            done, _ = wait([self[0]] if patient else self, POLL_SECONDS, FIRST_COMPLETED)
            if done:
                return self._remove(next(future for future in self if future in done)).result()

    def _remove(self, future: Future[Result]) -> Future[Result]:
        if future is self[0]:
            self._since = monotonic()
        self.remove(future)
        return future
