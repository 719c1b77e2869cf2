"""The result of `Engine.duplicates`."""

from __future__ import annotations

from dataclasses import dataclass

from engine.indexer.pipeline.reports import FailedPath


@dataclass(frozen=True)
class DuplicateTrack:
    """A file of a group: FFmpeg's name of its codec, and bits per second if known.

    `partial` marks a file clearly shorter than the longest of the same recording: truncated, or an excerpt.
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
        score: 0 to 1, of the weakest link of the group; 1 for byte-identical files.
        tracks: Best first: whole before partial, then lossless before lossy, then by bit rate.
    """

    kind: str
    score: float
    tracks: tuple[DuplicateTrack, ...]


@dataclass(frozen=True)
class Duplicates:
    """The result of a search for duplicates.

    Attributes:
        groups: Recordings before works, each by falling score.
        left_out: Files that needed comparing but are missing, changed since they were indexed, or unreadable.
        notes: Remarks for the user, one line each.
    """

    groups: tuple[DuplicateGroup, ...]
    left_out: tuple[FailedPath, ...]
    notes: tuple[str, ...]
