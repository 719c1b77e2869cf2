"""The result of `Engine.playlist`, `path` and `order`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PlaylistTrack:
    """A track of a playlist: `similarity` is max(0, cosine), to the seeds or to the track before, 1 for the first.

    `track_id` is None for a file outside the library.
    """

    track_id: int | None
    path: str
    artist: str | None
    title: str | None
    similarity: float


@dataclass(frozen=True)
class Playlist:
    """Tracks in play order.

    Attributes:
        tracks: Without repeats.
        problems: One line about each named track that was left out.
        worst_step: Least similarity of a track to the next, of a path or order of two tracks or more.
        seed: Reproduces a varied playlist; None if nothing was drawn.
        notes: Reasons why it is shorter than requested, other than the filters.
        not_music: Number of tracks of the library that were left out as no music.
    """

    tracks: tuple[PlaylistTrack, ...]
    problems: tuple[str, ...] = ()
    worst_step: float | None = None
    seed: int | None = None
    notes: tuple[str, ...] = ()
    not_music: int = 0
