"""Answers: the nearest tracks or groups of a query, with its genres, moods, words and distances to the centroids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from engine.db import Track, predictions, tracks_by_ids
from engine.db.text import displayable
from engine.errors import SignatureError
from engine.models.labels import VALENCE, map_tag, valence
from engine.search.centroids import distances, library_centroids
from engine.search.filters import Filters
from engine.search.groups import nearest_groups
from engine.search.query_vector import Query
from engine.search.ranking import Ranking, nearest
from engine.search.results import (
    Classification,
    GenreProbability,
    Match,
    MoodProbability,
    QueryResult,
    ValenceProbability,
)
from engine.search.word_tags import tags_of
from engine.session import LibraryView

if TYPE_CHECKING:
    from engine.indexer.vectors.store import Neighbour


def nearest_tracks(
    view: LibraryView, query: Query, k: int, filters: Filters, ranking: Ranking, *, no_duplicates: bool = False
) -> QueryResult:
    """Return the k tracks that rank first; see `Engine.similar`."""
    ranking = ranking.settled()
    if no_duplicates:
        from engine.search.distinct import nearest_distinct  # fingerprints, which few questions need

        neighbours = nearest_distinct(view, query, k, filters, ranking)
    else:
        neighbours = nearest(view, query, k, filters, ranking)
    with view.read() as connection:
        matches = matches_of(connection, view, neighbours)
    return replace(_result(view, query), matches=matches, seed=ranking.seed)


def nearest_group_means(view: LibraryView, query: Query, by: str, k: int, filters: Filters) -> QueryResult:
    """Return the k artists or albums whose mean signature is nearest; see `Engine.similar_groups`."""
    groups = nearest_groups(view, query, by, k, filters)
    return replace(_result(view, query), groups=groups)


def classify(view: LibraryView, query: Query) -> Classification:
    """Return the query's genres, moods and words in the encoder's names, and its centroid distances, each best first.

    Args:
        view: The library.
        query: The query, whose predictions `engine.search.query_vector` has checked against the encoder's labels.
    """
    seed, embedding, file = query.seeds[0] if query.one_track else None, query.embedding, view.file
    genres = [GenreProbability(name, float(p)) for name, p in zip(file.genres, embedding.genres, strict=True)]
    moods = [MoodProbability(name, float(p)) for name, p in zip(file.moods, embedding.moods, strict=True)]
    return Classification(
        path=seed.path if seed else None,
        track_id=seed.track_id if seed else None,
        error=None,
        genres=tuple(sorted(genres, key=lambda entry: -entry.probability)),
        moods=tuple(sorted(moods, key=lambda entry: -entry.probability)),
        valence=_valence(moods),
        centroids=distances(embedding.signature, library_centroids(view)),
        tags=tags_of(embedding.words, file.words),
    )


def _result(view: LibraryView, query: Query) -> QueryResult:
    return QueryResult(**vars(classify(view, query)), matches=(), seeds=() if query.one_track else query.seeds)


def _check_heads(name: str, genres: NDArray[np.float32], moods: NDArray[np.float32], view: LibraryView) -> None:
    """Raise SignatureError unless a track's stored genres and moods are as many as the encoder has names for."""
    expected, found = (len(view.file.genres), len(view.file.moods)), (len(genres), len(moods))
    if expected != found:
        raise SignatureError(
            f"the stored predictions of {displayable(name)} are damaged: expected {expected[0]} genres and "
            f"{expected[1]} moods of {view.encoder_id}, found {found[0]} and {found[1]}",
            hint="remove that track and index it again",
        )


def _valence(moods: list[MoodProbability]) -> tuple[ValenceProbability, ...]:
    shares = {mood.mood: mood.probability for mood in moods}
    if not set(VALENCE.values()) <= set(shares):
        return ()
    degrees = [ValenceProbability(degree, share) for degree, share in valence(shares).items()]
    return tuple(sorted(degrees, key=lambda entry: -entry.probability))


def matches_of(connection: Connection, view: LibraryView, neighbours: Sequence[Neighbour]) -> tuple[Match, ...]:
    """Return neighbours as matches, in their order, with their files' tags.

    Tracks without a genre that the encoder knows get a predicted one.
    """
    genres = view.file.genres
    tracks = tracks_by_ids(connection, [neighbour.track_id for neighbour in neighbours])
    tagged = {track_id: map_tag(track.genre, genres) for track_id, track in tracks.items()}
    untagged = [track_id for track_id, labels in tagged.items() if not labels]
    predicted = predictions(connection, view.encoder_id, view.coverage, untagged)
    for track_id, heads in predicted.items():
        _check_heads(tracks[track_id].name, heads.genres, heads.moods, view)
    guesses = {track_id: genres[int(np.argmax(heads.genres))] for track_id, heads in predicted.items()}
    known = [neighbour for neighbour in neighbours if neighbour.track_id in tracks]
    return tuple(
        _match(rank, tracks[n.track_id], n.cosine, tagged[n.track_id], guesses.get(n.track_id))
        for rank, n in enumerate(known, start=1)
    )


def _match(rank: int, track: Track, cosine: float, tagged: Sequence[str], guess: str | None) -> Match:
    genre, source = (tagged[0], "tag") if tagged else (guess, "prediction" if guess else None)
    similarity = min(1.0, max(0.0, cosine))  # float32 rounding may pass 1
    return Match(rank, track.id, track.name, track.artist, track.title, track.album, genre, source, similarity)
