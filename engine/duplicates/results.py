"""The result of `Engine.duplicates`."""

from __future__ import annotations

from dataclasses import dataclass

from engine.indexer.pipeline.reports import FailedPath


@dataclass(frozen=True)
class DuplicateTrack:
    """A file of a group: FFmpeg's name of its codec, and bits a second where known.

    `partial` says that it is clearly shorter than the longest file of the same recording: cut off, or an excerpt.
    """

    track_id: int
    path: str
    codec: str | None
    bitrate: int | None
    partial: bool = False


@dataclass(frozen=True)
class DuplicateGroup:
    """Files that are "same_recording" or "same_work".

    Attributes:
        kind: Which of the two.
        score: 0 to 1, that of the weakest pair which joins the group; 1 for byte-identical files.
        tracks: Best first: whole before partial, then lossless before lossy, then by bit rate.
    """

    kind: str
    score: float
    tracks: tuple[DuplicateTrack, ...]


@dataclass(frozen=True)
class Duplicates:
    """What a search for duplicates found.

    Attributes:
        groups: Recordings before works, each with the surest first.
        left_out: Files that had to be compared and are away, changed since they were indexed, or cannot be read.
        notes: What else the user should know, one line each.
    """

    groups: tuple[DuplicateGroup, ...]
    left_out: tuple[FailedPath, ...]
    notes: tuple[str, ...]
