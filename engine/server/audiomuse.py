"""The routes of AudioMuse-AI that its plugins for Navidrome and Jellyfin call, so that they can point here.

Keys and parameters are those of its API (github.com/NeptuneHub/AudioMuse-AI): `item_id` names a track, `distance` is
1 - similarity. Its plugins send no login: on a server with accounts, give the key as `Authorization: Bearer KEY`.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from engine.db import Track
from engine.db.text import fold
from engine.errors import InvalidError, NotFoundError
from engine.search.filters import Filters
from engine.server.api.parameters import Count
from engine.server.api.tracks import existing
from engine.server.context import Context, ServerContext
from engine.server.favourites import track_number
from engine.server.responses import Document

router = APIRouter(prefix="/api", tags=["audiomuse"])

SEARCHED = 20  # tracks that a search lists
NAMESAKES = 1_000  # tracks among which the one with a title and an artist is looked for
LARGEST_DISTANCE = 1.0
Words = Annotated[str, Query(max_length=1000)]


@router.get("/similar_tracks")
def similar_tracks(
    context: Context,
    item_id: Words = "",
    title: Words = "",
    artist: Words = "",
    n: Count = 10,
    eliminate_duplicates: bool = False,
) -> Document:
    """Return the tracks nearest to one, which is named by its id or by title and artist."""
    track = _named(context, item_id, title, artist)
    filters = Filters(per_artist=3) if eliminate_duplicates else Filters()
    found = context.library.similar(f"id:{track.id}", n, filters=filters, no_duplicates=eliminate_duplicates)
    known = context.library.tracks([match.track_id for match in found.matches])
    listed = [
        _entry(known[match.track_id]) | {"distance": 1 - match.similarity}
        for match in found.matches
        if match.track_id in known
    ]
    return Document(listed)


@router.get("/search_tracks")
def search_tracks(context: Context, title: Words = "", artist: Words = "", search_query: Words = "") -> Document:
    """Return the tracks with these words in their tags, at most twenty."""
    words = f"{title} {artist} {search_query}".strip()
    if len(words) < 2:
        return Document([])
    found = context.library.search(words, SEARCHED)
    known = context.library.tracks([track.track_id for track in found])
    return Document([_entry(known[track.track_id]) for track in found if track.track_id in known])


@router.get("/track")
def track(context: Context, item_id: Words) -> Document:
    """Return a track."""
    return Document(_entry(_named(context, item_id)))


@router.get("/find_path")
def find_path(context: Context, start_song_id: Words, end_song_id: Words, max_steps: Count = 25) -> Document:
    """Return a path between two tracks, and the sum of the distances of its steps."""
    start, end = _named(context, start_song_id), _named(context, end_song_id)
    made = context.library.path(f"id:{start.id}", f"id:{end.id}", max(max_steps, 2))
    ids = [each.track_id for each in made.tracks if each.track_id is not None]
    known = context.library.tracks(ids)
    distance = sum(1 - each.similarity for each in made.tracks[1:])
    return Document({"path": [_entry(known[each]) for each in ids if each in known], "total_distance": distance})


@router.get("/max_distance")
def max_distance(context: Context, item_id: Words) -> Document:
    """Return the largest possible distance of a similar track."""
    return Document({"item_id": str(_named(context, item_id).id), "max_distance": LARGEST_DISTANCE})


def _entry(track: Track) -> dict[str, Any]:
    """Return a track with AudioMuse's keys."""
    return {
        "item_id": str(track.id),
        "title": track.title or "",
        "author": track.artist or "",
        "album": track.album or "",
    }


def _named(context: ServerContext, item_id: str, title: str = "", artist: str = "") -> Track:
    """Return the track with an id, else the one of this title and artist, else the first that has these words."""
    number = track_number(item_id)
    if number is not None:
        return existing(context, number)
    if item_id or not title:
        raise InvalidError(f"expected an item_id, or a title and an artist, found {item_id!r}")
    found = context.library.search(f"{title} {artist}", NAMESAKES)
    wanted = fold(title), fold(artist)
    exact = (each for each in found if (fold(each.title or ""), fold(each.artist or "")) == wanted)
    chosen = next(exact, found[0] if found else None)
    if chosen is None:
        raise NotFoundError(f"no track has the words {title!r} and {artist!r}", hint="give its item_id")
    return existing(context, chosen.track_id)
