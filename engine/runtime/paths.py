"""Where things lie by default on this system."""

from __future__ import annotations

import os
from pathlib import Path

APPLICATION = "music-engine"


def default_library() -> Path:
    """`ENGINE_LIBRARY` where it is set, else a file in the user's data directory."""
    from platformdirs import user_data_path  # here: `engine --help` must start at once

    named = os.environ.get("ENGINE_LIBRARY")
    return Path(named) if named else user_data_path(APPLICATION) / "library.db"


def default_cache() -> Path:
    """A folder for what can be made again."""
    from platformdirs import user_cache_path

    return user_cache_path(APPLICATION)
