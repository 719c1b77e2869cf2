"""The result of `Engine.write_tags`."""

from __future__ import annotations

from dataclasses import dataclass

from engine.indexer.pipeline.reports import FailedPath


@dataclass(frozen=True)
class TagChange:
    """One tag of one file: `tag` is "genre" or "mood", `old` None where there is none, `probability` that of `new`."""

    path: str
    track_id: int | None
    tag: str
    old: str | None
    new: str
    probability: float
    written: bool


@dataclass(frozen=True)
class TagReport:
    """What was, or would be, written.

    Attributes:
        changes: In the order of the tracks.
        kept: Tags that are there already and were not to be overwritten.
        unsure: Tags of which the encoder was less sure than asked for.
        failed: Files that cannot be written, for people.
    """

    changes: tuple[TagChange, ...]
    kept: int
    unsure: int
    failed: tuple[FailedPath, ...]
