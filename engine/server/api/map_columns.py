"""The map of a library in columns, for a page that draws 100,000 points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from engine.db import added_times
from engine.library import Engine

DAY = 86_400  # seconds


class MapColumns(BaseModel):
    """The map: row i of each column is one track.

    `genre` and `mood` are indices into `genres` and `moods` (the tag, else the prediction), or -1; `year` is 0 where
    the file has none; `added` is the day when a track was first indexed (days since 1970); `plays` is the user's number
    of plays.
    """

    track_id: list[int]
    x: list[float]
    y: list[float]
    genres: list[str]
    genre: list[int]
    moods: list[str]
    mood: list[int]
    year: list[int]
    added: list[int]
    plays: list[int]


def map_columns(library: Engine, user: str) -> dict[str, Any]:
    """Return the document of a library's map, with the plays of a user."""
    with library.database.read() as connection:
        added = added_times(connection)
    played = library.play_counts(user)
    drawn = library.map_sheet()
    genres = sorted({track.genre for track in drawn.tracks if track.genre})
    moods = sorted({track.mood for track in drawn.tracks if track.mood})
    return {
        "track_id": [track.track_id for track in drawn.tracks],
        "x": drawn.places.coordinates[:, 0].round(5).tolist(),
        "y": drawn.places.coordinates[:, 1].round(5).tolist(),
        "genres": genres,
        "genre": _places(genres, [track.genre for track in drawn.tracks]),
        "moods": moods,
        "mood": _places(moods, [track.mood for track in drawn.tracks]),
        "year": [track.year or 0 for track in drawn.tracks],
        "added": [added.get(track.track_id, 0) // DAY for track in drawn.tracks],
        "plays": [played[track.track_id].plays if track.track_id in played else 0 for track in drawn.tracks],
    }


def _places(names: Sequence[str], values: Sequence[str | None]) -> list[int]:
    """Return the index of each value in names, -1 for None."""
    place = {name: index for index, name in enumerate(names)}
    return [-1 if value is None else place[value] for value in values]
