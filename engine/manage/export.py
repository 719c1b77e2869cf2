"""Export signatures to a NumPy archive, for other programs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.db import SignatureMatrix, matrix, tracks_by_ids
from engine.db.text import displayable
from engine.errors import LibraryError, UnavailableError, reason_of
from engine.session import LibraryView
from engine.util.atomic_files import EXPORT, check_output, replacing


def export_signatures(view: LibraryView, file: str | os.PathLike[str]) -> int:
    """Write all signatures to an .npz file and return how many; see `Engine.export`."""
    target = Path(file)
    _check_target(target)
    with view.read() as connection:
        stored = matrix(connection, view.encoder_id, view.coverage)
        tracks = tracks_by_ids(connection, stored.track_ids.tolist())
    paths = [tracks[track_id].name for track_id in stored.track_ids.tolist()]
    _write(target, view.encoder_id, stored, paths)
    return len(paths)


def _write(target: Path, encoder: str, stored: SignatureMatrix, paths: Sequence[str]) -> None:
    """Write `ids (N,), paths (N,), signatures (N, D), encoder ()`; replace an old export once the new one is whole."""
    readable = [os.fsencode(path).decode("utf-8", "replace") for path in paths]
    names = np.array(readable, dtype=np.str_)
    try:
        with replacing(target, EXPORT) as handle:
            np.savez(handle, ids=stored.track_ids, paths=names, signatures=stored.vectors, encoder=np.array(encoder))
    except (OSError, ValueError) as error:
        reason = reason_of(error)
        raise UnavailableError(
            f"cannot write {displayable(target)}: {reason}", hint="free space or choose another place"
        ) from error


def _check_target(target: Path) -> None:
    """Refuse an unusable target before the export begins."""
    if not target.name:
        raise LibraryError(
            f"expected a file to write to, found {displayable(target)!r}", hint="name one, for example signatures.npz"
        )
    try:
        if target.is_dir():
            raise UnavailableError(f"cannot write {displayable(target)}: it is a folder", hint="choose another name")
        check_output(target, EXPORT)
    except OSError as error:
        raise UnavailableError(
            f"cannot write {displayable(target)}: {reason_of(error)}", hint="choose another place"
        ) from error
