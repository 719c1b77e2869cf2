"""Queries by sound: similar, find, classify, explain, pair."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from engine import documents
from engine.explain.results import Explanation, PairExplanation
from engine.find.results import FindResult
from engine.search.results import Classification, QueryResult, Span
from engine.server.api.parameters import (
    LARGEST_ID,
    Aspects,
    FilterParameters,
    RankingParameters,
    Reference,
    Words,
    track_names,
)
from engine.server.api.tracks import TrackId, existing
from engine.server.context import Context
from engine.server.problems import RESPONSES
from engine.server.responses import Document
from engine.server.settings import MAXIMUM_COUNT

router = APIRouter(tags=["similar"], responses=RESPONSES)


class SimilarParameters(RankingParameters):
    """Options of `engine similar`: the number of tracks, a part of the track, filters and ranking."""

    k: int = Field(5, ge=1, le=MAXIMUM_COUNT)
    at_from: float | None = Field(None, ge=0, allow_inf_nan=False, description="Query by a part only: seconds.")
    at_to: float | None = Field(None, ge=0, allow_inf_nan=False)
    no_duplicates: bool = Field(False, description="One file of each recording.")
    by: Aspects = None
    but: Words = None


class FindParameters(FilterParameters):
    """A description in words, and filters."""

    text: str = Field(max_length=2000, examples=["calm piano at night, no vocals"])
    k: int = Field(20, ge=1, le=MAXIMUM_COUNT)


class SeveralParameters(SimilarParameters):
    """The same for a query that combines several tracks, artists and albums."""

    like: list[Reference] = Field(min_length=1, max_length=1000, examples=[["12", "artist:Nina Simone"]])
    unlike: list[Reference] = Field([], max_length=1000)
    group: str | None = Field(None, pattern="^(artist|album)$", description="Answer in artists or albums.")


@router.get("/tracks/{track_id}/similar", responses={200: {"model": QueryResult}})
def similar(context: Context, track_id: TrackId, wanted: Annotated[SimilarParameters, Query()]) -> Document:
    """Return the tracks that sound like one track, its genres, moods and distances to the genres' centroids."""
    span = None
    if wanted.at_from is not None or wanted.at_to is not None:
        end = existing(context, track_id).duration_seconds if wanted.at_to is None else wanted.at_to
        span = Span(wanted.at_from or 0.0, end)
    found = context.library.similar(
        f"id:{track_id}",
        wanted.k,
        at=span,
        filters=wanted.filters(),
        ranking=wanted.ranking(),
        no_duplicates=wanted.no_duplicates,
        by=wanted.by,
        but=wanted.but,
    )
    return Document(documents.query(found))


@router.post("/similar", responses={200: {"model": QueryResult}})
def similar_to(context: Context, wanted: SeveralParameters) -> Document:
    """Return the tracks, artists or albums that sound like several tracks together, and unlike others."""
    like, unlike, filters = track_names(wanted.like), track_names(wanted.unlike), wanted.filters()
    if wanted.group:
        found = context.library.similar_groups(wanted.group, like, unlike, wanted.k, filters=filters)
    else:
        found = context.library.similar_to(
            like,
            unlike,
            wanted.k,
            filters=filters,
            ranking=wanted.ranking(),
            no_duplicates=wanted.no_duplicates,
            by=wanted.by,
            but=wanted.but,
        )
    return Document(documents.query(found, grouped=bool(wanted.group)))


@router.get("/find", responses={200: {"model": FindResult}})
def find(context: Context, wanted: Annotated[FindParameters, Query()]) -> Document:
    """Return the tracks that fit a description, the tags that each matched, and how the words were understood."""
    return Document(documents.find(context.library.find(wanted.text, wanted.k, filters=wanted.filters())))


@router.get("/tracks/{track_id}/classify", responses={200: {"model": Classification}})
def classify(context: Context, track_id: TrackId) -> Document:
    """Return a track's genres, moods, valence, tags, and its distance to every genre's centroid."""
    library = context.library
    answer = documents.classifications(library.encoder, [library.classify(f"id:{track_id}")])
    return Document(answer["queries"][0])


@router.get("/tracks/{track_id}/explain", responses={200: {"model": Explanation}})
def explain(context: Context, track_id: TrackId) -> Document:
    """Return the attention over a track: its windows and its signature moments."""
    return Document(documents.explanation(context.library.explain(f"id:{track_id}")))


@router.get("/pair", responses={200: {"model": PairExplanation}})
def pair(
    context: Context,
    a: Annotated[int, Query(ge=0, le=LARGEST_ID)],
    b: Annotated[int, Query(ge=0, le=LARGEST_ID)],
    limit: Annotated[int, Query(ge=1, le=10_000, description="Most pairs of windows.")] = 100,
) -> Document:
    """Return why two tracks are near: the contribution of each pair of their windows to the cosine."""
    found = documents.pair_explanation(context.library.explain_pair(f"id:{a}", f"id:{b}"))
    return Document(found | {"pairs": found["pairs"][:limit]})
