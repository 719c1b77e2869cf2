"""Parameters shared by many routes, named as on the command line."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from engine.search.filters import LARGEST_ID as LARGEST_ID, Filters
from engine.search.ranking import Ranking
from engine.server.settings import MAXIMUM_COUNT

TRACK_ID = re.compile("[0-9]{1,18}")

Count = Annotated[int, Query(ge=1, le=MAXIMUM_COUNT, description="Most tracks of the answer.")]
Identifier = Annotated[int, Field(ge=0, le=LARGEST_ID, description="Id of a track.")]
Name = Annotated[str, Field(min_length=1, max_length=1000)]
Aspects = Annotated[
    str | None,
    Field(
        max_length=200,
        description="Compare by timbre, rhythm, harmony or mood, or by several with weights; by default the signature.",
        examples=["rhythm=2,timbre=1"],
    ),
]
Words = Annotated[str | None, Field(max_length=2000, description='A description, for example "with female vocals".')]
Reference = Annotated[
    str, Field(min_length=1, max_length=1000, description="A track's id, `artist:NAME` or `album:NAME`.")
]


class FilterParameters(BaseModel):
    """Conditions on the tracks of an answer; those not given do not restrict. Lists mean any of them."""

    model_config = ConfigDict(extra="forbid")

    genre: list[Name] = Field([], description="By tag, or by prediction where the tag names none.")
    mood: list[Name] = Field([], description="By prediction: happy, tense, sad, calm.")
    artist: list[Name] = Field([], description="Case does not count.")
    album: list[Name] = Field([], description="Case does not count.")
    tag: list[Name] = Field([], description="Carrying any of these tags of the encoder, as GET /tags lists them.")
    not_tag: list[Name] = Field([], description="Carrying none of these.")
    music_only: bool | None = Field(
        None, description="No speech, applause, silence or sound effects; by default on for playlists only."
    )
    not_genre: list[Name] = []
    not_mood: list[Name] = []
    not_artist: list[Name] = []
    not_album: list[Name] = []
    not_track: list[Identifier] = Field([], max_length=10_000)
    key: list[Name] = Field([], description='For example "A minor"; of tracks whose features are measured.')
    year_from: int | None = Field(None, ge=0, le=9999)
    year_to: int | None = Field(None, ge=0, le=9999)
    seconds_from: float | None = Field(None, ge=0, allow_inf_nan=False)
    seconds_to: float | None = Field(None, ge=0, allow_inf_nan=False)
    tempo_from: float | None = Field(None, ge=0, allow_inf_nan=False)
    tempo_to: float | None = Field(None, ge=0, allow_inf_nan=False)
    added_since: float | None = Field(None, allow_inf_nan=False, description="Seconds since 1970.")
    other_artists: bool = Field(False, description="None by an artist of the query.")
    other_albums: bool = Field(False, description="None from an album of the query.")
    per_artist: int | None = Field(None, ge=1, description="Most tracks of one artist.")

    def filters(self) -> Filters:
        """Return the filters of the library."""
        return Filters(
            genres=tuple(self.genre),
            moods=tuple(self.mood),
            artists=tuple(self.artist),
            albums=tuple(self.album),
            years=(self.year_from, self.year_to),
            durations=(self.seconds_from, self.seconds_to),
            tempos=(self.tempo_from, self.tempo_to),
            keys=tuple(self.key),
            tags=tuple(self.tag),
            not_tags=tuple(self.not_tag),
            music_only=self.music_only,
            not_genres=tuple(self.not_genre),
            not_moods=tuple(self.not_mood),
            not_artists=tuple(self.not_artist),
            not_albums=tuple(self.not_album),
            not_tracks=tuple(self.not_track),
            added_since=self.added_since,
            other_artists=self.other_artists,
            other_albums=self.other_albums,
            per_artist=self.per_artist,
        )


class RankingParameters(FilterParameters):
    """Filters, and the order of the answer."""

    diverse: float = Field(0.0, ge=0, le=1, description="Prefer tracks that differ from each other.")
    hubs: bool = Field(False, description="Do not demote tracks that are near to everything.")
    variety: float = Field(0.0, ge=0, le=1, description="0: the same answer each time.")
    seed: int | None = Field(None, ge=0, lt=2**63, description="Repeats an answer that was drawn.")

    def ranking(self) -> Ranking:
        """Return the ranking of the library."""
        return Ranking(self.diverse, self.hubs, self.variety, self.seed)


def track_names(references: list[str]) -> list[str]:
    """Return references that the library takes for ids and groups whatever files the server's folder holds.

    Raises:
        InvalidError: One is neither a track's id nor a group.
    """
    return [_track_name(each) for each in references]


def _track_name(reference: str) -> str:
    from engine.errors import InvalidError
    from engine.search.references import GroupReference

    if TRACK_ID.fullmatch(reference):
        return f"id:{reference}"
    if reference.startswith(("artist:", "album:")):
        return GroupReference(reference)
    raise InvalidError(
        f"expected a track's id, artist:NAME or album:NAME, found {reference!r}",
        hint="upload a file that is not in the library",
    )
