"""The results of `Engine.backup` and `Engine.restore`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Backup:
    """A verified backup: its absolute path, the number of tracks, and its size in bytes."""

    path: str
    tracks: int
    size: int


@dataclass(frozen=True)
class Restored:
    """A restored library.

    Attributes:
        path: Of the library.
        tracks: In it.
        backed_up_at: Modification time of the backup, seconds since 1970.
        replaced: Path of the previous library, moved to another name; None if there was none.
    """

    path: str
    tracks: int
    backed_up_at: float
    replaced: str | None
