"""Cancel a run from outside: from another thread, a server's request, a signal."""

from __future__ import annotations

from threading import Event


class CancelToken:
    """Ends the runs that it was passed to. Any thread may cancel it; that is final.

    Example:
        token = CancelToken()
        threading.Timer(60, token.cancel).start()
        report = engine.index("~/Music", cancel=token)   # report.interrupted is True
    """

    def __init__(self) -> None:
        self._event = Event()

    def cancel(self) -> None:
        """End the runs; their stored results remain, and the next run continues from there."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise Cancelled after `cancel`."""
        if self._event.is_set():
            raise Cancelled


class Cancelled(Exception):  # noqa: N818 (no error: it unwinds a run, which reports `interrupted`)
    """A run was cancelled."""


NEVER = CancelToken()
"""A token that is never cancelled."""
