"""Stars and ratings of a user: of tracks, albums and artists."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from starlette.responses import Response

from engine.server import favourites
from engine.server.context import Context
from engine.server.login import CurrentUser
from engine.server.problems import RESPONSES
from engine.server.responses import Document

router = APIRouter(tags=["favourites"], responses=RESPONSES)

Item = Annotated[
    str, Path(min_length=1, max_length=100, description="Id of a track, an album or an artist.", examples=["12"])
]


class Starred(BaseModel):
    """A starred item; `starred_at` is in seconds since 1970."""

    item: str = Field(examples=["12"])
    starred_at: float = Field(examples=[1.76e9])


class Rated(BaseModel):
    """An item and its rating."""

    item: str = Field(examples=["12"])
    rating: int = Field(ge=1, le=5, examples=[4])


class Favourites(BaseModel):
    """All stars, the newest first, and all ratings of a user."""

    stars: list[Starred]
    ratings: list[Rated]


class NewRating(BaseModel):
    """A rating of 1 to 5; 0 removes it."""

    rating: int = Field(ge=0, le=5, examples=[4], strict=True)


@router.get("/favourites", responses={200: {"model": Favourites}})
def get_favourites(context: Context, user: CurrentUser) -> Document:
    """Return the user's stars and ratings."""
    stars, ratings = context.user_data.stars(user.name), context.user_data.ratings(user.name)
    return Document(
        {
            "stars": [{"item": each.item, "starred_at": each.starred_at} for each in stars],
            "ratings": [{"item": item, "rating": rating} for item, rating in ratings.items()],
        }
    )


@router.put("/stars/{item}", status_code=204, response_class=Response)
def star(context: Context, user: CurrentUser, item: Item) -> Response:
    """Star a track, an album or an artist; a starred track is also a liked one for recommendations."""
    favourites.star(context, user, [item])
    return Response(status_code=204)


@router.delete("/stars/{item}", status_code=204, response_class=Response)
def unstar(context: Context, user: CurrentUser, item: Item) -> Response:
    """Remove a star; an item without one is ignored."""
    context.user_data.unstar(user.name, [item])
    return Response(status_code=204)


@router.put("/ratings/{item}", status_code=204, response_class=Response)
def rate(context: Context, user: CurrentUser, item: Item, new: NewRating) -> Response:
    """Rate a track, an album or an artist."""
    favourites.check_items(context, [item])
    context.user_data.rate(user.name, item, new.rating)
    return Response(status_code=204)
