"""The results of searches, as frozen dataclasses.

Paths are absolute and can be passed to `open`, even if they are not UTF-8.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Self

from engine.errors import EngineError
from engine.indexer.pipeline.reports import FailedPath


@dataclass(frozen=True)
class GenreProbability:
    """One of the encoder's genres (the fifteen, or those it was trained on), and its share of a softmax over them."""

    genre: str
    probability: float


@dataclass(frozen=True)
class MoodProbability:
    """One of the encoder's moods (happy, tense, sad, calm), and its share of a softmax over them."""

    mood: str
    probability: float


@dataclass(frozen=True)
class ValenceProbability:
    """A degree of valence (happy, neutral, sad), and its share; see `engine.models.labels.valence`."""

    valence: str
    probability: float


@dataclass(frozen=True)
class TagProbability:
    """One of the encoder's words (guitar, applause, melancholy), and its own probability, independent of the others."""

    tag: str
    probability: float


@dataclass(frozen=True)
class TagCount:
    """A tag, and the number of tracks that carry it: more strongly than five of six typical tracks."""

    tag: str
    tracks: int


@dataclass(frozen=True)
class CentroidDistance:
    """Distance (1 - cosine, 0 to 2) to a genre's centroid; `kind` is "library" (ten tagged tracks) or "reference"."""

    genre: str
    distance: float
    kind: str


@dataclass(frozen=True)
class UnderstoodWords:
    """Words of a description, one interpretation of them, and its weight.

    `tag` is a word of the encoder ("piano"), or "year 1980-1989", "tempo 115-125", "artist NAME", "genre NAME",
    "title NAME", "like NAME". `weight` is -2 to 2, negative for unwanted properties.
    """

    words: str
    tag: str
    weight: float


@dataclass(frozen=True)
class Match:
    """One neighbour: `similarity` is max(0, cosine), `genre_source` is "tag" or "prediction"."""

    rank: int
    track_id: int
    path: str
    artist: str | None
    title: str | None
    album: str | None
    genre: str | None
    genre_source: str | None
    similarity: float


@dataclass(frozen=True)
class Classification:
    """The classification of a track. Every list is complete and sorted best first.

    `track_id` is None outside the library. `valence` is empty for an encoder trained on other moods, `tags` for one
    without words.
    """

    path: str | None
    track_id: int | None
    error: str | None
    genres: tuple[GenreProbability, ...]
    moods: tuple[MoodProbability, ...]
    valence: tuple[ValenceProbability, ...]
    centroids: tuple[CentroidDistance, ...]
    tags: tuple[TagProbability, ...] = field(default=(), kw_only=True)

    @classmethod
    def failed(cls, path: str | None, track_id: int | None, error: EngineError) -> Self:
        """Return the record of a query that failed: its reason in one line, and empty lists."""
        lists: dict[str, Any] = {
            each.name: () for each in fields(cls) if each.name not in ("path", "track_id", "error", "seed")
        }
        return cls(path=path, track_id=track_id, error=" ".join(str(error).split()), **lists)


@dataclass(frozen=True)
class Span:
    """A part of a track, in seconds."""

    start: float
    end: float


@dataclass(frozen=True)
class Seed:
    """A track that forms part of the query: `sign` is 1 if it was added, -1 if it was subtracted."""

    track_id: int | None
    path: str
    sign: int


@dataclass(frozen=True)
class GroupMatch:
    """An artist or an album: `similarity` is that of its tracks' mean signature, `track_id` its nearest track."""

    rank: int
    artist: str | None
    album: str | None
    similarity: float
    tracks: int
    track_id: int
    path: str


@dataclass(frozen=True)
class QueryResult(Classification):
    """A classification and the nearest neighbours. A failed query has its reason in `error` and empty lists.

    `seeds` lists the tracks of a query that combines several. `groups` replaces `matches` for artists or albums. `seed`
    reproduces a varied answer; None if nothing was drawn. `understood` and `ignored` show how a description beside the
    query was interpreted, as in `FindResult`; both are empty without one.
    """

    matches: tuple[Match, ...]
    seeds: tuple[Seed, ...] = ()
    groups: tuple[GroupMatch, ...] = ()
    seed: int | None = None
    understood: tuple[UnderstoodWords, ...] = ()
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class FoundTrack:
    """A track found by text search."""

    track_id: int
    path: str
    artist: str | None
    title: str | None
    album: str | None


@dataclass(frozen=True)
class EncoderTracks:
    """The number of tracks with a signature of an encoder and coverage."""

    encoder: str
    coverage: str
    tracks: int


@dataclass(frozen=True)
class Stats:
    """The contents of a library.

    `failed` counts the files that gave no signature in the last run, `failures` names them. A failed file may still
    have a track, from an earlier version of its contents.
    """

    tracks: int
    failed: int
    encoders: tuple[EncoderTracks, ...]
    failures: tuple[FailedPath, ...] = ()
