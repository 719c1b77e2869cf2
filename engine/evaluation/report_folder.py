"""Report folders, complete or absent, replacing only earlier reports."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.errors import TrainingError, reason_of
from engine.util.paths import real_path
from engine.util.unfinished import temporary_beside

FORMAT = "music-engine report 1"  # value of "format" in figures.json
FIGURES = "figures.json"
TEXT = "report.md"
PRIVATE = 0o700


def check_report_folder(folder: Path) -> None:
    """Check that a report can be written to `folder`: it is new, empty, or an earlier report, and on a writable disk.

    Raises:
        TrainingError: The parent folder is missing, something else exists at `folder`, or nothing can be put there.
    """
    try:
        target = real_path(folder)
        if not target.parent.is_dir():
            raise TrainingError(f"expected a folder to put the report in, found no {folder.absolute().parent}")
        there = _exists(folder)
        if there and not _replaceable(folder):
            raise _something_else(folder)
        if there and target.is_mount():
            raise TrainingError(f"expected a folder, found a mount point at {folder}", hint="name a folder in it")
        _rehearse(target, there)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        hint = "choose another place"
        raise TrainingError(f"cannot write a report to {folder}: {reason_of(error)}", hint=hint) from error


@contextmanager
def atomic_report_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder to fill; on success flush it to disk and put it at `folder`, else remove it.

    A folder that exists stays the same one, with its mode: it may be the current folder of a shell.

    Raises:
        TrainingError: It cannot be written; an earlier report remains.
    """
    check_report_folder(folder)
    target = real_path(folder)
    partial = temporary_beside(target)
    try:
        partial.mkdir(PRIVATE if _exists(target) else 0o777)  # an existing folder may be private
        yield partial
        for path in (*partial.iterdir(), partial):
            _flush(path)
        _replace_folder(partial, target)
    except OSError as error:
        raise TrainingError(f"cannot write {folder}: {error}", hint="free space or choose another place") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _exists(path: Path) -> bool:
    """Return whether something is at a path, be it a dead link; `os.path.lexists` takes any error for no."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def _rehearse(target: Path, there: bool) -> None:
    """Move an empty folder to where the report will be moved, and remove it; raise OSError where that fails."""
    made = temporary_beside(target)
    place = target / made.name if there else target
    try:
        made.mkdir(PRIVATE)
        made.rename(place)
        place.rmdir()
    except BaseException:
        for each in (made, place):
            with suppress(OSError):
                each.rmdir()
        raise


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


def _something_else(folder: Path) -> TrainingError:
    return TrainingError(
        f"expected a new folder or an earlier report in {folder}, found something else", hint="choose another"
    )


def _replace_folder(partial: Path, target: Path) -> None:
    """Rename `partial` to `target`, or put its files into `target` if that exists."""
    check_report_folder(target)  # once more: something may have been put there meanwhile
    if _exists(target):
        _exchange(partial, target)
    else:
        partial.rename(target)


def _exchange(partial: Path, target: Path) -> None:
    """Exchange the files of `target` for those of `partial`; delete the old ones only once the new ones are in place.

    Whatever stops it, Ctrl-C included, the old ones are put back.
    """
    earlier, names = temporary_beside(target), [path.name for path in partial.iterdir()]
    try:
        earlier.mkdir(PRIVATE)
        for path in sorted(target.iterdir(), key=lambda path: path.name != FIGURES):
            path.rename(earlier / path.name)
        if not _replaceable(earlier):  # saved into it since the check
            raise _something_else(target)
        for name in sorted(names, key=lambda name: name == FIGURES):  # without it no half report passes for a whole one
            if (earlier / name).exists():
                shutil.copymode(earlier / name, partial / name)
            (partial / name).rename(target / name)
        _flush(target)
    except BaseException:
        _put_back(partial, target, earlier, names)
        raise
    shutil.rmtree(earlier, ignore_errors=True)


def _put_back(partial: Path, target: Path, earlier: Path, names: Sequence[str]) -> None:
    """Undo an exchange of files, of which any number were moved.

    Raises:
        TrainingError: It fails; the message says where the earlier report is.
    """
    try:
        for name in names:
            if not _exists(partial / name):
                (target / name).rename(partial / name)
        if _exists(earlier):
            for path in list(earlier.iterdir()):
                path.rename(target / path.name)
            earlier.rmdir()
    except BaseException as error:  # a second Ctrl-C
        raise TrainingError(
            f"cannot put the earlier report back into {target}: {reason_of(error)}", hint=f"find its files in {earlier}"
        ) from error


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
