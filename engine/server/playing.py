"""The tracks that users are playing, as players report them; in memory only."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

FORGOTTEN_SECONDS = 600.0  # after the last report


@dataclass(frozen=True)
class Playing:
    """A user, a track, and how long ago it was reported."""

    user: str
    track_id: int
    seconds_ago: float


class NowPlaying:
    """The latest report of each user. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reports: dict[str, tuple[int, float]] = {}

    def note(self, user: str, track_id: int | None) -> None:
        """Record the track that a user is playing; None for none."""
        with self._lock:
            if track_id is None:
                self._reports.pop(user, None)
            else:
                self._reports[user] = (track_id, time.monotonic())

    def now(self) -> list[Playing]:
        """Return the tracks that are being played."""
        now = time.monotonic()
        with self._lock:
            reports = [Playing(user, track, now - at) for user, (track, at) in self._reports.items()]
        return [report for report in reports if report.seconds_ago < FORGOTTEN_SECONDS]
