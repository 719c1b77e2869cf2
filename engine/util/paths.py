"""Default paths on this system."""

from __future__ import annotations

import os
from pathlib import Path

from engine.errors import UnavailableError

APPLICATION = "music-engine"


def default_library() -> Path:
    """Return `ENGINE_LIBRARY` if set, else a file in the user's data directory.

    Raises:
        UnavailableError: This user has no home directory.
    """
    from platformdirs import user_data_path  # slow to import for `engine --help`

    named = os.environ.get("ENGINE_LIBRARY")
    if named:
        return Path(named)
    try:
        return _absolute(user_data_path(APPLICATION)) / "library.db"
    except RuntimeError as error:
        raise UnavailableError(
            "expected a home directory for the library, found none",
            hint="name the library with --library FILE or ENGINE_LIBRARY",
        ) from error


def default_cache() -> Path | None:
    """Return a folder for files that can be recomputed; None where this user has no home directory."""
    from platformdirs import user_cache_path

    try:
        return _absolute(user_cache_path(APPLICATION))
    except RuntimeError:
        return None


def real_path(path: Path) -> Path:
    """Return a path with its links followed; the path itself if they form a loop."""
    return Path(os.path.realpath(path))


def _absolute(path: Path) -> Path:
    """Return a path whose home directory is known; raise RuntimeError otherwise, as new platformdirs does."""
    if not path.is_absolute():
        raise RuntimeError("no home directory")
    return path
