"""The result of `Engine.recommend`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RecommendedTrack:
    """A recommended track: `score` is -1 to 1; `reason` names the played track that contributes most to it."""

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
    library that were left out as not being music.
    """

    tracks: tuple[RecommendedTrack, ...]
    problems: tuple[str, ...] = ()
    not_music: int = 0
