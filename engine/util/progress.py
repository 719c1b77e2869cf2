"""Progress bars on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from tqdm import tqdm

TERMINAL_INTERVAL_SECONDS = 1.0
LOG_INTERVAL_SECONDS = 30.0  # where standard error is a file or a pipe


class Step(Protocol):
    """Advances a progress bar."""

    def __call__(self, done: int = 1, note: str = "") -> None:
        """Advance by `done` units and show `note` beside the bar."""


@contextmanager
def progress(title: str, show: bool, total: int | None = None, done: int = 0) -> Iterator[Step]:
    """Show a progress bar for the length of the block; yield the function that advances it.

    Args:
        title: Printed before the bar.
        show: False disables the bar; the yielded function still works.
        total: Number of units; None if unknown.
        done: Units already completed.
    """
    interval = TERMINAL_INTERVAL_SECONDS if sys.stderr.isatty() else LOG_INTERVAL_SECONDS
    with tqdm(total=total, initial=done, desc=title, disable=not show, mininterval=interval) as bar:

        def step(done: int = 1, note: str = "") -> None:
            if note:
                bar.set_postfix_str(note, refresh=False)
            bar.update(done)

        yield step


def write_line(text: str) -> None:
    """Print a line to standard error without breaking an active bar."""
    tqdm.write(text, file=sys.stderr)
