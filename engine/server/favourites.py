"""Stars and ratings of tracks, albums and artists, for the API and OpenSubsonic alike."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from engine.db import Play
from engine.errors import NotFoundError
from engine.server.accounts import User
from engine.server.context import ServerContext

LARGEST_ID = 2**63 - 1
LATEST_TIME = 1e11  # of an event, seconds since 1970: dates have four digits
WRITTEN_ID = re.compile("0|[1-9][0-9]{0,17}")  # 18 digits fit into 64 bits


def check_items(context: ServerContext, items: Sequence[str]) -> None:
    """Raise NotFoundError unless each item is the id of a track, an album or an artist."""
    catalogue = context.library.catalogue()
    others = [item for item in items if item not in catalogue.albums and item not in catalogue.artists]
    known = context.library.tracks([number for item in others if (number := track_number(item)) is not None])
    if not all(track_number(item) in known for item in others):
        raise NotFoundError("no track, album or artist has this id", hint="GET /api/v1/tracks?q=WORDS finds tracks")


def star(context: ServerContext, user: User, items: Sequence[str]) -> None:
    """Star items of a user; a starred track is also a liked one for recommendations.

    Raises:
        NotFoundError: The library has none of this id.
    """
    check_items(context, items)
    context.user_data.star(user.name, items)
    liked = [number for item in items if (number := track_number(item)) is not None]
    context.library.add_plays([Play(time.time(), "like", number, user.name) for number in liked])


def track_number(identifier: str) -> int | None:
    """Return the number of a track's id, or None if it is not the id of a track.

    Stars and ratings are stored by the id as text, so a number has one spelling: "003" is no id of track 3.
    """
    return int(identifier) if WRITTEN_ID.fullmatch(identifier) else None
