"""Report folders, written atomically: complete or absent, replacing only earlier reports."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.errors import TrainingError
from engine.util.paths import real_path
from engine.util.unfinished import temporary_beside

FORMAT = "music-engine report 1"  # value of "format" in figures.json
FIGURES = "figures.json"
TEXT = "report.md"


def check_report_folder(folder: Path) -> None:
    """Check that a report can be written to `folder`: it is new, empty, or an earlier report.

    Raises:
        TrainingError: The parent folder is missing, or something else exists at `folder`.
    """
    try:
        if not real_path(folder).parent.is_dir():
            raise TrainingError(f"expected a folder to put the report in, found no {folder.absolute().parent}")
        if os.path.lexists(folder) and not _replaceable(folder):
            raise TrainingError(
                f"expected a new folder or an earlier report in {folder}, found something else", hint="choose another"
            )
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise TrainingError(f"cannot write a report to {folder}: {error}") from error


@contextmanager
def atomic_report_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder to fill; on success flush it to disk and rename it to `folder`, else remove it.

    Raises:
        TrainingError: It cannot be written; an earlier report remains.
    """
    check_report_folder(folder)
    target = real_path(folder)
    partial = temporary_beside(target)
    try:
        partial.mkdir()
        yield partial
        for path in (*partial.iterdir(), partial):
            _flush(path)
        _replace_folder(partial, target)
    except OSError as error:
        raise TrainingError(f"cannot write {folder}: {error}", hint="free space or choose another place") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _replaceable(folder: Path) -> bool:
    """Return whether `folder` is empty or contains a report, with the pictures that it names, and nothing else."""
    if not folder.is_dir():
        return False
    paths = list(folder.iterdir())
    if not paths:
        return True
    with suppress(OSError, ValueError, AttributeError, RecursionError, TypeError, KeyError):
        document = json.loads((folder / FIGURES).read_text("utf-8"))
        own = {FIGURES, TEXT, *(picture["file"] for picture in document.get("pictures", ()))}
        return document.get("format") == FORMAT and all(path.name in own and path.is_file() for path in paths)
    return False


def _replace_folder(partial: Path, target: Path) -> None:
    """Rename `partial` to `target`; delete the old content only once the new one is in place."""
    check_report_folder(target)  # once more: something may have been put there meanwhile
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
