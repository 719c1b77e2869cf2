"""Work on many files at once, in threads: results come in the order of the files, and few of them wait in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 2  # results per thread that may wait to be taken


def in_order(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    threads: int,
    name: str,
    begin: Callable[[], None] | None = None,
    stop: Event | None = None,
) -> Generator[Result]:
    """Yield `work(item)` of each item, in order, computed by `threads` threads called `name`; each calls `begin` first.

    What was begun is waited for, and nothing else begun, when the caller stops or an item raises; `stop` is set then,
    for work that looks at it to end early.
    """
    pending: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix=name, initializer=begin)
    try:
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) > AHEAD * threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        if stop is not None:
            stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
