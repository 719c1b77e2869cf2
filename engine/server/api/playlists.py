"""Playlists and recommendations: radios, paths, smooth orders, plays."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from engine import documents
from engine.db import Play
from engine.playlists.results import Playlist
from engine.recommend.results import Recommendations
from engine.server.api.parameters import (
    Aspects,
    FilterParameters,
    Identifier,
    RankingParameters,
    Reference,
    Words,
    track_names,
)
from engine.server.context import Context
from engine.server.favourites import LATEST_TIME
from engine.server.login import CurrentUser
from engine.server.problems import RESPONSES
from engine.server.responses import Document
from engine.server.settings import MAXIMUM_COUNT

router = APIRouter(tags=["playlists"], responses=RESPONSES)


class RadioParameters(RankingParameters):
    """A radio: tracks near to all seeds together."""

    seeds: list[Reference] = Field(min_length=1, max_length=1000, examples=[["12", "album:Kind of Blue"]])
    unlike: list[Reference] = Field([], max_length=1000)
    n: int = Field(25, ge=1, le=MAXIMUM_COUNT)
    by: Aspects = None
    mix: bool = Field(False, description="A DJ's order: tempo and key fit from track to track.")
    drift: Words = None


class PathParameters(FilterParameters):
    """A path from one track to another, in even steps."""

    start: Identifier = Field(examples=[12])
    end: Identifier = Field(examples=[77])
    via: list[Identifier] = Field([], max_length=100)
    n: int = Field(25, ge=2, le=MAXIMUM_COUNT)
    variety: float = Field(0.0, ge=0, le=1)
    seed: int | None = Field(None, ge=0, lt=2**63)
    by: Aspects = None
    mix: bool = Field(False, description="A DJ's order: tempo and key fit from track to track.")


class OrderParameters(BaseModel):
    """Tracks to put into the smoothest order, the first of them first."""

    tracks: list[Identifier] = Field(min_length=1, max_length=5000)


class RecommendParameters(FilterParameters):
    """Filters, and the number of tracks."""

    n: int = Field(25, ge=1, le=MAXIMUM_COUNT)


class PlayDocument(BaseModel):
    """An event: `time` is in seconds since 1970."""

    track_id: Identifier
    event: Literal["play", "skip", "like"]
    time: float = Field(ge=0, lt=LATEST_TIME, allow_inf_nan=False, strict=True)


class PlayList(BaseModel):
    """Events to store."""

    plays: list[PlayDocument] = Field(max_length=10_000)


class Added(BaseModel):
    """The number of new events."""

    added: int


@router.post("/playlists/radio", responses={200: {"model": Playlist}})
def radio(context: Context, wanted: RadioParameters) -> Document:
    """Return a playlist of tracks near to the seeds."""
    seeds, unlike = track_names(wanted.seeds), track_names(wanted.unlike)
    made = context.library.playlist(
        seeds,
        wanted.n,
        unlike=unlike,
        filters=wanted.filters(),
        ranking=wanted.ranking(),
        by=wanted.by,
        mix=wanted.mix,
        drift=wanted.drift,
    )
    return Document(documents.playlist(made))


@router.post("/playlists/path", responses={200: {"model": Playlist}})
def path(context: Context, wanted: PathParameters) -> Document:
    """Return a playlist that leads from one track to another."""
    start, end, *via = (f"id:{each}" for each in (wanted.start, wanted.end, *wanted.via))
    made = context.library.path(
        start,
        end,
        wanted.n,
        via,
        filters=wanted.filters(),
        variety=wanted.variety,
        seed=wanted.seed,
        by=wanted.by,
        mix=wanted.mix,
    )
    return Document(documents.playlist(made))


@router.post("/playlists/order", responses={200: {"model": Playlist}})
def order(context: Context, wanted: OrderParameters) -> Document:
    """Return the tracks in the smoothest order."""
    return Document(documents.playlist(context.library.order([f"id:{each}" for each in wanted.tracks])))


@router.get("/recommend", responses={200: {"model": Recommendations}})
def recommend(
    context: Context,
    user: CurrentUser,
    wanted: Annotated[RecommendParameters, Query()],
) -> Document:
    """Recommend tracks from the user's plays, skips and likes, with a reason each."""
    found = context.library.recommend(None, wanted.n, filters=wanted.filters(), user=user.name)
    return Document(documents.recommendations(found))


@router.post("/plays", responses={200: {"model": Added}})
def add_plays(context: Context, user: CurrentUser, new: PlayList) -> Document:
    """Store plays, skips and likes of the user; the same event at the same time is stored once."""
    plays = [Play(each.time, each.event, each.track_id, user.name) for each in new.plays]
    return Document({"added": context.library.add_plays(plays)})
