"""What Engine answers with: frozen values. Paths are absolute, and such that `open` takes them, whatever their bytes.
`dataclasses.asdict` of them is the JSON that the commands print."""

from __future__ import annotations

from dataclasses import dataclass, field

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
    """One of the encoder's words (guitar, applause, melancholy), and how likely it is, whatever the others are."""

    tag: str
    probability: float


@dataclass(frozen=True)
class CentroidDistance:
    """Distance (1 - cosine, 0 to 2) to a genre's centroid; `kind` is "library" (ten tagged tracks) or "reference"."""

    genre: str
    distance: float
    kind: str


@dataclass(frozen=True)
class Match:
    """One neighbour: `similarity` is max(0, cosine); `genre_source` names what gave the genre: "tag", "prediction"."""

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
    """What a track sounds like; every list is complete and best first. `track_id` is None outside the library.

    `valence` is empty for an encoder that answers with moods of its own, `tags` for one without words.
    """

    path: str | None
    track_id: int | None
    error: str | None
    genres: tuple[GenreProbability, ...]
    moods: tuple[MoodProbability, ...]
    valence: tuple[ValenceProbability, ...]
    centroids: tuple[CentroidDistance, ...]
    tags: tuple[TagProbability, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True)
class Span:
    """A part of a track, in seconds."""

    start: float
    end: float


@dataclass(frozen=True)
class Seed:
    """A track that was searched from: `sign` is 1 where it is liked, -1 where it is not."""

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
    """A classification and the nearest neighbours; a query that failed has its reason in `error` and empty lists.

    `seeds` are named where several tracks were searched from; `groups` where artists or albums were asked for, in
    place of `matches`. `seed` is the number that gives a varied answer again, None where nothing was drawn.
    """

    matches: tuple[Match, ...]
    seeds: tuple[Seed, ...] = ()
    groups: tuple[GroupMatch, ...] = ()
    seed: int | None = None


@dataclass(frozen=True)
class FoundTrack:
    """A track that a search found."""

    track_id: int
    path: str
    artist: str | None
    title: str | None
    album: str | None


@dataclass(frozen=True)
class EncoderTracks:
    """How many tracks have a signature of an encoder with one coverage."""

    encoder: str
    coverage: str
    tracks: int


@dataclass(frozen=True)
class Stats:
    """What a library holds.

    `failed` counts the files that gave no signature the last time; a track may stand for what one held before.
    `failures` names them.
    """

    tracks: int
    failed: int
    encoders: tuple[EncoderTracks, ...]
    failures: tuple[FailedPath, ...] = ()
