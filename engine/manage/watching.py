"""Watch folders: report which of them changed, once changes have settled."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence

from engine.errors import InvalidError, UnavailableError
from engine.util.unfinished import PREFIX

SETTLED_MS = 2_000  # without a change, before changes are reported: a copied album is one report
LONGEST_MS = 30_000  # after the first change, even while others follow
TICK_MS = 1_000  # between two checks of `stop`
POLLED_MS = 30_000  # between two listings of a folder without change notifications, such as a network drive


def changed_roots(roots: Sequence[str], stop: threading.Event, *, polling: bool = False) -> Iterator[list[str]]:
    """Yield all roots as soon as the watch has begun, then those below which files changed, until `stop` is set.

    Args:
        roots: Files and folders, absolute. Those that are missing are not watched.
        stop: Ends the watch within a second or two.
        polling: Compare listings instead of waiting for the system's notifications: for network drives.

    Raises:
        InvalidError: None of the roots exists.
        UnavailableError: watchfiles is not installed.
    """
    try:
        from watchfiles import DefaultFilter, watch
    except ImportError as error:
        raise UnavailableError(
            "expected the package watchfiles, found none", hint="pip install 'music-engine[serve]'"
        ) from error

    # unlike `Path.exists`, False also for names that are too long or below a forbidden folder
    present = [root for root in roots if os.path.exists(root)]  # noqa: PTH110
    if not present:
        raise InvalidError("expected a folder to watch, found none", hint="index one: engine index PATH")

    def counts(_: object, path: str) -> bool:
        return not os.path.basename(path).startswith(PREFIX) and DefaultFilter()(_, path)  # type: ignore[arg-type]  # noqa: PTH119

    changes = watch(
        *present,
        watch_filter=counts,
        debounce=LONGEST_MS,
        step=SETTLED_MS,
        stop_event=stop,
        force_polling=polling or None,
        poll_delay_ms=POLLED_MS,
        ignore_permission_denied=True,
        raise_interrupt=False,
        rust_timeout=TICK_MS,
        yield_on_timeout=True,
    )
    begun = False
    for changed in changes:
        paths = [path for _, path in changed]
        roots_of_paths = [root for root in present if any(_is_below(path, root) for path in paths)]
        if roots_of_paths or not begun:
            yield roots_of_paths if begun else present
        begun = True


def _is_below(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip("/") + "/")
