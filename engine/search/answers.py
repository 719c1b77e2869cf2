"""Answers: the nearest tracks or groups of a query, with its genres, moods, words and distances to the centroids."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import starmap
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from sqlalchemy import Connection

from engine.db import Track, predictions, tracks_by_ids
from engine.db.text import displayable
from engine.errors import SignatureError
from engine.models.labels import map_tag, valence
from engine.search.centroids import centroid_distances
from engine.search.filters import Filters
from engine.search.groups import nearest_groups
from engine.search.query_vector import Query
from engine.search.ranking import Neighbour, Ranking, nearest
from engine.search.results import (
    Classification,
    GenreProbability,
    Match,
    MoodProbability,
    QueryResult,
    ValenceProbability,
)
from engine.search.variety import settle_seed
from engine.search.word_tags import tags_of
from engine.session import LibraryView

if TYPE_CHECKING:
    from engine.search.aspect_view import AspectSearch

Probability = TypeVar("Probability", GenreProbability, MoodProbability, ValenceProbability)


def nearest_tracks(
    view: LibraryView,
    query: Query,
    k: int,
    filters: Filters,
    ranking: Ranking,
    *,
    no_duplicates: bool = False,
    search: AspectSearch | None = None,
) -> QueryResult:
    """Return the k best-ranked tracks, by signatures or by the aspects of `search`; see `Engine.similar`."""
    searched, compared = (search.view, search.query(query)) if search else (view, query)
    if ranking.variety or ranking.seed is not None:
        ranking = replace(ranking, seed=settle_seed(ranking.variety, ranking.seed))
    if no_duplicates:
        from engine.search.distinct import nearest_distinct  # fingerprints, which few queries need

        neighbours = nearest_distinct(searched, compared, k, filters, ranking)
    else:
        neighbours = nearest(searched, compared, k, filters, ranking)
    return query_result(view, query, matches=matches_of(view, neighbours), seed=ranking.seed)


def nearest_group_means(view: LibraryView, query: Query, by: str, k: int, filters: Filters) -> QueryResult:
    """Return the k artists or albums whose mean signature is nearest; see `Engine.similar_groups`."""
    return query_result(view, query, matches=(), groups=nearest_groups(view, query, by, k, filters))


def classify(view: LibraryView, query: Query) -> Classification:
    """Return the query's genres, moods and words by the encoder's names, and its centroid distances, each best first.

    Args:
        view: The library.
        query: The query, whose predictions `engine.search.query_vector` has checked against the encoder's labels.
    """
    seed, embedding, file = query.seeds[0] if query.one_track else None, query.embedding, view.file
    genres = zip(file.genres, embedding.genres.tolist(), strict=True)
    moods = dict(zip(file.moods, embedding.moods.tolist(), strict=True))
    return Classification(
        path=seed.path if seed else None,
        track_id=seed.track_id if seed else None,
        error=None,
        genres=_best_first(starmap(GenreProbability, genres)),
        moods=_best_first(starmap(MoodProbability, moods.items())),
        valence=_best_first(starmap(ValenceProbability, valence(moods).items())),
        centroids=centroid_distances(view, embedding.signature),
        tags=tags_of(embedding.words, file.words),
    )


def query_result(view: LibraryView, query: Query, **answer: Any) -> QueryResult:
    """Return the classification of a query with an answer: `matches`, `groups`, `seed`."""
    return QueryResult(**vars(classify(view, query)), **answer, seeds=() if query.one_track else query.seeds)


def _best_first(entries: Iterable[Probability]) -> tuple[Probability, ...]:
    return tuple(sorted(entries, key=attrgetter("probability"), reverse=True))


def matches_of(view: LibraryView, neighbours: Sequence[Neighbour]) -> tuple[Match, ...]:
    """Return neighbours as matches, in their order, with their files' tags.

    Tracks without a genre that the encoder knows get a predicted one.
    """
    genres = view.file.genres
    with view.read() as connection:
        tracks = tracks_by_ids(connection, [neighbour.track_id for neighbour in neighbours])
        untagged = [track for track in tracks.values() if not map_tag(track.genre, genres)]
        guesses = _predicted_genres(connection, view, untagged) if untagged else {}
    matches: list[Match] = []
    for neighbour in neighbours:
        track = tracks.get(neighbour.track_id)
        if track is None:
            continue  # removed since the snapshot
        guess = guesses.get(track.id)
        tagged = map_tag(track.genre, genres)
        genre, source = (tagged[0], "tag") if tagged else (guess, "prediction" if guess else None)
        name = os.fsdecode(track.path)
        similarity = min(1.0, max(0.0, neighbour.cosine))  # float32 rounding may pass 1
        rank = len(matches) + 1
        matches.append(Match(rank, track.id, name, track.artist, track.title, track.album, genre, source, similarity))
    return tuple(matches)


def _predicted_genres(connection: Connection, view: LibraryView, tracks: Sequence[Track]) -> dict[int, str]:
    """Return the most probable genre of each track by id; raise SignatureError if stored predictions are damaged."""
    expected = len(view.file.genres), len(view.file.moods)
    names = {track.id: track.path for track in tracks}
    predicted = predictions(connection, view.encoder_id, view.coverage, names)
    for track_id, heads in predicted.items():
        found = len(heads.genres), len(heads.moods)
        if found != expected:
            raise SignatureError(
                f"the stored predictions of {displayable(names[track_id])} are damaged: expected {expected[0]} genres "
                f"and {expected[1]} moods of {view.encoder_id}, found {found[0]} and {found[1]}",
                hint="remove that track and index it again",
            )
    return {track_id: view.file.genres[int(np.argmax(heads.genres))] for track_id, heads in predicted.items()}
