"""A report's folder, which is either whole or not there."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.errors import TrainingError
from engine.util.unfinished import temporary_beside

FORMAT = "music-engine report 1"  # what `figures.json` says it is
FIGURES = "figures.json"
TEXT = "report.md"


def check_place(folder: Path) -> None:
    """Refuse a place where no report can go, before any work: nothing but an earlier report is ever replaced.

    Raises:
        TrainingError: The folder around it is missing, or there is something else in its place.
    """
    try:
        if not folder.resolve().parent.is_dir():
            raise TrainingError(f"expected a folder to put the report in, found no {folder.absolute().parent}")
        if os.path.lexists(folder) and not _replaceable(folder):
            raise TrainingError(
                f"expected a new folder or an earlier report in {folder}, found something else", hint="choose another"
            )
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise TrainingError(f"cannot write a report to {folder}: {error}") from error


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to fill; in the end it is flushed to disk and takes `folder`'s place, or is removed.

    Raises:
        TrainingError: It cannot be written; an earlier report is still there.
    """
    check_place(folder)
    target = folder.resolve()
    partial = temporary_beside(target)
    try:
        partial.mkdir()
        yield partial
        for path in (*partial.iterdir(), partial):
            _flush(path)
        _put(partial, target)
    except OSError as error:
        raise TrainingError(f"cannot write {folder}: {error}", hint="free space or choose another place") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _replaceable(folder: Path) -> bool:
    """Whether a folder holds a report and nothing else, or nothing."""
    if not folder.is_dir():
        return False
    names = {path.name for path in folder.iterdir()}
    if not names:
        return True
    if any(name not in {FIGURES, TEXT} and not name.endswith(".png") for name in names):
        return False
    with suppress(OSError, ValueError, AttributeError, RecursionError):
        return bool(json.loads((folder / FIGURES).read_text("utf-8")).get("format") == FORMAT)
    return False


def _put(partial: Path, target: Path) -> None:
    """Rename `partial` to `target`, whose old content goes only when the new one is in place."""
    old = temporary_beside(target)
    if target.exists():
        target.rename(old)
    try:
        partial.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
