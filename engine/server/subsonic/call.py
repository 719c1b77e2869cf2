"""One call of an endpoint: its parameters, checked."""

from __future__ import annotations

import math
from dataclasses import dataclass

from starlette.datastructures import QueryParams

from engine.catalogue.grouping import Album, Artist, Catalogue
from engine.db import Track
from engine.db.user_data import Star
from engine.errors import brief
from engine.server.accounts import User
from engine.server.context import ServerContext
from engine.server.favourites import LARGEST_ID, track_number
from engine.server.settings import MAXIMUM_COUNT
from engine.server.subsonic.envelope import GENERIC, MISSING, NOT_FOUND, SubsonicError

MOST_VALUES = 10_000  # of one parameter


@dataclass(frozen=True, eq=False)
class Call:
    """A call: the server's state, the user and the parameters of the query and the form together.

    The methods raise SubsonicError for a missing or invalid parameter.
    """

    context: ServerContext
    user: User
    parameters: QueryParams

    def text(self, name: str, default: str | None = None) -> str:
        """Return a parameter; one without a default is required."""
        value = self.parameters.get(name, default)
        if value is None:
            raise SubsonicError(MISSING, f"Required parameter is missing: {name}")
        return value

    def number(self, name: str, default: int | None = None, least: int = 0, most: int = LARGEST_ID) -> int:
        """Return a whole number, limited to `most`."""
        text = self.text(name, None if default is None else str(default))
        try:
            value = int(text)
        except ValueError:
            raise SubsonicError(GENERIC, f"{name}: expected a whole number, found {brief(repr(text))}") from None
        if value < least:
            raise SubsonicError(GENERIC, f"{name}: expected {least} or more, found {brief(value)}")
        return min(value, most)

    def count(self, name: str, default: int) -> int:
        """Return the requested number of items, at most `MAXIMUM_COUNT`."""
        return self.number(name, default, 0, MAXIMUM_COUNT)

    def real(self, name: str, default: float) -> float:
        """Return a finite number of 0 or more."""
        text = self.text(name, str(default))
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0 <= value < math.inf:
            raise SubsonicError(GENERIC, f"{name}: expected a number of 0 or more, found {brief(repr(text))}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """Return whether a parameter is "true"."""
        return self.text(name, "true" if default else "false").lower() == "true"

    def all(self, name: str) -> list[str]:
        """Return the values of a parameter that may be given several times."""
        values = self.parameters.getlist(name)
        if len(values) > MOST_VALUES:
            raise SubsonicError(GENERIC, f"{name}: expected at most {MOST_VALUES} values, found {len(values)}")
        return values

    @property
    def catalogue(self) -> Catalogue:
        """The library's catalogue."""
        return self.context.library.catalogue()

    @property
    def stars(self) -> list[Star]:
        """The user's stars, the newest first."""
        return self.context.user_data.stars(self.user.name)

    @property
    def ratings(self) -> dict[str, int]:
        """The user's ratings by item."""
        return self.context.user_data.ratings(self.user.name)

    def track(self, name: str = "id") -> Track:
        """Return the track that a parameter names."""
        found = self.tracks([self.text(name)])
        if not found:
            raise SubsonicError(NOT_FOUND, "Song not found")
        return found[0]

    def tracks(self, ids: list[str]) -> list[Track]:
        """Return the tracks of these ids, in their order; missing ones are left out."""
        numbers = [number for number in map(track_number, ids) if number is not None]
        found = self.context.library.tracks(numbers)
        return [found[number] for number in numbers if number in found]

    def album(self) -> Album:
        """Return the album that `id` names."""
        album = self.catalogue.albums.get(self.text("id"))
        if album is None:
            raise SubsonicError(NOT_FOUND, "Album not found")
        return album

    def artist(self) -> Artist:
        """Return the artist that `id` names."""
        artist = self.catalogue.artists.get(self.text("id"))
        if artist is None:
            raise SubsonicError(NOT_FOUND, "Artist not found")
        return artist
