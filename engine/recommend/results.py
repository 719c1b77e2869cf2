"""The result of `Engine.recommend`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RecommendedTrack:
    """A track worth hearing: `score` is -1 to 1; `reason` names the heard track that speaks most for it."""

    track_id: int
    path: str
    artist: str | None
    title: str | None
    score: float
    reason: str


@dataclass(frozen=True)
class Recommendations:
    """Tracks, the best first.

    `problems` has one line about each kind of event that could not be used; `not_music` counts the tracks of the
    library that were left out as no music.
    """

    tracks: tuple[RecommendedTrack, ...]
    problems: tuple[str, ...] = ()
    not_music: int = 0
