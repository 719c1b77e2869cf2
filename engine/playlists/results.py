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
class MixStep:
    """A track of a mix, and the change from the track before (None for the first).

    Attributes:
        tempo: Beats a minute, or None.
        key: Such as "A minor", or None.
        camelot: Its place on the Camelot wheel, such as "8A", or None.
        tempo_change: Relative, half and double tempo counted as the same: 0.02 is 2 % faster. None if one is unknown.
        key_steps: Steps on the wheel, 0 to 7; None if one is unknown.
    """

    tempo: float | None
    key: str | None
    camelot: str | None
    tempo_change: float | None
    key_steps: int | None


@dataclass(frozen=True)
class Playlist:
    """Tracks in play order.

    Attributes:
        tracks: Without repeats.
        problems: One line about each named track that was left out.
        worst_step: Least similarity of a track to the next, of a path or order of two tracks or more.
        seed: Reproduces a varied playlist; None if nothing was drawn.
        notes: Reasons why it is shorter than requested, other than the filters.
        mix: Tempo and key of each track of a playlist in a DJ's order; empty for others.
        not_music: Number of tracks of the library that were left out as not being music.
    """

    tracks: tuple[PlaylistTrack, ...]
    problems: tuple[str, ...] = ()
    worst_step: float | None = None
    seed: int | None = None
    notes: tuple[str, ...] = ()
    not_music: int = 0
    mix: tuple[MixStep, ...] = ()
