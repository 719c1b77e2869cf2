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
        tracks: Each once.
        problems: One line about each that was named and is left out.
        worst_step: The least similarity from a track to the next, of a path and of an order with two tracks or more.
        seed: The number that gives a varied playlist again; None where nothing was drawn.
        notes: Why it is shorter than asked, where that needs another word than the filters.
    """

    tracks: tuple[PlaylistTrack, ...]
    problems: tuple[str, ...] = ()
    worst_step: float | None = None
    seed: int | None = None
    notes: tuple[str, ...] = ()
