"""Default paths on this system."""

from __future__ import annotations

import os
from pathlib import Path

APPLICATION = "music-engine"


def default_library() -> Path:
    """Return `ENGINE_LIBRARY` if set, else a file in the user's data directory."""
    from platformdirs import user_data_path  # slow to import for `engine --help`

    named = os.environ.get("ENGINE_LIBRARY")
    return Path(named) if named else user_data_path(APPLICATION) / "library.db"


def default_cache() -> Path:
    """Return a folder for files that can be recomputed."""
    from platformdirs import user_cache_path

    return user_cache_path(APPLICATION)
