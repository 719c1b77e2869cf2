"""The result of `Engine.write_tags`."""

from __future__ import annotations

from dataclasses import dataclass

from engine.indexer.pipeline.reports import FailedPath


@dataclass(frozen=True)
class TagChange:
    """One tag of one file: `tag` is "genre" or "mood", `old` None if it has none, `probability` that of `new`."""

    path: str
    track_id: int | None
    tag: str
    old: str | None
    new: str
    probability: float
    written: bool


@dataclass(frozen=True)
class TagReport:
    """The tags that were, or would be, written.

    Attributes:
        changes: In the order of the tracks.
        kept: Number of existing tags that were not to be overwritten.
        unsure: Number of predictions below the minimum probability.
        failed: Files that cannot be written.
    """

    changes: tuple[TagChange, ...]
    kept: int
    unsure: int
    failed: tuple[FailedPath, ...]
