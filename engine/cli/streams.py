"""Standard streams that may be closed, full, or read by a program that stops early.

A closed stream is replaced by the null device before anything else is opened: otherwise the library could get the
descriptor of standard output, and a message would be written into it. A command continues when the reader of its
messages closes; when the reader of its answer closes, it stops without an error.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from typing import TextIO, cast

INPUT, OUTPUT, ERRORS = range(3)


class _Messages(io.TextIOWrapper):
    """Standard error; once it cannot be written, its text is dropped."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError:
            _discard(ERRORS)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            _discard(ERRORS)


def prepare_streams() -> None:
    """Make the three standard streams usable, with an encoding that can represent every name."""
    for number in (INPUT, OUTPUT, ERRORS):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    if sys.stdin is None:
        sys.stdin = _opened(INPUT, "r")
    if sys.stdout is None:
        sys.stdout = _opened(OUTPUT, "w")
    elif isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    if sys.stderr is None:
        sys.stderr = _opened(ERRORS, "w")
    elif isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = _Messages(sys.stderr.buffer, encoding="utf-8", errors="replace", line_buffering=True)


def discard_output() -> None:
    """Drop pending output after the reader of standard output has closed it."""
    _discard(OUTPUT)


def terminal_columns() -> int | None:
    """Return the terminal's width; None if output goes to a pipe or a file, where nothing is cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def shortened(text: str, columns: int) -> str:
    """Cut a text to a terminal's width, marked by an ellipsis; unchanged without a terminal."""
    return text if terminal_columns() is None or len(text) <= columns else text[: columns - 1] + "…"


def _opened(number: int, mode: str) -> TextIO:
    return cast("TextIO", open(number, mode, encoding="utf-8", errors="replace", closefd=False))


def _discard(number: int) -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, number)
    os.close(null)
