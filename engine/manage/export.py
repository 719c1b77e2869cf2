"""Signatures as a NumPy archive, for other people's programs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.db import SignatureMatrix
from engine.db.text import displayable
from engine.errors import LibraryError
from engine.util.atomic_files import EXPORT, check_output, replacing


def write_export(target: Path, encoder: str, stored: SignatureMatrix, paths: Sequence[str]) -> None:
    """Write `ids (N,), paths (N,), signatures (N, D), encoder ()`; an old export stays until the new one is whole.

    Raises:
        OutputError: Something else than an export lies there.
        LibraryError: The file cannot be written.
    """
    readable = [os.fsencode(path).decode("utf-8", "replace") for path in paths]
    names = np.array(readable, dtype=np.str_)
    try:
        with replacing(target, EXPORT) as handle:
            np.savez(handle, ids=stored.track_ids, paths=names, signatures=stored.vectors, encoder=np.array(encoder))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise LibraryError(
            f"cannot write {displayable(target)}: {reason}; free space or choose another place"
        ) from error


def check_target(target: Path) -> None:
    """Refuse a place where no export can go, before the work; raises LibraryError or OutputError."""
    if not target.name:
        raise LibraryError(
            f"expected a file to write to, found {displayable(target)!r}; name one, for example signatures.npz"
        )
    if target.is_dir():
        raise LibraryError(f"cannot write {displayable(target)}: it is a folder; choose another name")
    try:
        check_output(target, EXPORT)
    except OSError as error:
        raise LibraryError(
            f"cannot write {displayable(target)}: {error.strerror or error}; choose another place"
        ) from error
