"""Progress and results of runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True)
class FailedPath:
    """A file that gave no signature: its path for display and the reason in one line."""

    path: str
    reason: str


@dataclass(frozen=True)
class IndexProgress:
    """Progress of a run: files done out of `total` that need work, and the last file."""

    done: int
    total: int
    path: str


OnProgress: TypeAlias = Callable[[IndexProgress], None]


@dataclass
class IndexReport:
    """The result of one run.

    Attributes:
        new: Tracks added, and known files whose content changed.
        unchanged: Tracks whose files were not opened, or have the same content.
        moved: Tracks recognised at another path by content, sound or recording, with unchanged ids and plays.
        failed: Files that gave no signature in this run.
        failed_before: Files that failed in an earlier run and have not changed since.
        vanished: Tracks whose files are missing; removed only with prune.
        pruned: Number of these that were removed.
        prune_refused: Why nothing was pruned, or None.
        retagged: Unchanged tracks whose tags, read by an earlier version, were read again.
        passed_over: Files without sound and without an audio extension.
        seconds: Duration of the run.
        interrupted: Whether it was cancelled.
        notes: Further remarks for the user, one line each.
    """

    new: int = 0
    unchanged: int = 0
    moved: int = 0
    failed: list[FailedPath] = field(default_factory=list)
    failed_before: list[FailedPath] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)
    pruned: int = 0
    prune_refused: str | None = None
    passed_over: int = 0
    retagged: int = 0
    seconds: float = 0.0
    interrupted: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def tracks_per_second(self) -> float:
        """New tracks per second, averaged over the run."""
        return self.new / self.seconds if self.seconds else 0.0


@dataclass
class MeasureReport:
    """The result of one run that measured tempo, key and loudness, and described rhythm and harmony.

    Attributes:
        measured: Tracks measured in this run; those measured before are not opened.
        described: Tracks that got the rhythm and harmony that they lacked; new tracks get them when they are indexed.
        failed: Files that could not be measured or described; the next run tries them again.
        seconds: Duration of the run.
        interrupted: Whether it was cancelled.
    """

    measured: int = 0
    described: int = field(default=0, kw_only=True)
    failed: list[FailedPath] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False
