"""The library as a whole: albums, artists, genres, map, duplicates, totals."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from engine import documents
from engine.catalogue.grouping import Album, Artist, fold
from engine.duplicates.results import Duplicates
from engine.errors import NotFoundError
from engine.genres.results import GenreRelations
from engine.map.results import LibraryMap
from engine.search.results import Stats, TagCount
from engine.server.api.listing import AlbumOrder, holds, ordered_albums
from engine.server.api.map_columns import MapColumns, map_columns
from engine.server.api.parameters import Aspects
from engine.server.api.tracks import TrackDocument, track_documents
from engine.server.context import Context
from engine.server.login import CurrentUser
from engine.server.problems import RESPONSES
from engine.server.responses import Document

router = APIRouter(tags=["library"], responses=RESPONSES)

Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=10_000_000)]
Words = Annotated[str, Query(max_length=1000, description="Words; all of them must occur.")]


class AlbumDocument(BaseModel):
    """An album; `cover` is the track whose cover is shown."""

    album_id: str
    name: str
    artist: str
    artist_id: str
    genres: list[str]
    year: int | None
    seconds: float
    tracks: int
    cover: int


class AlbumList(BaseModel):
    """A page of albums, and the total number of matches."""

    total: int
    albums: list[AlbumDocument]


class AlbumTracks(AlbumDocument):
    """An album and its tracks."""

    track_list: list[TrackDocument]


class ArtistDocument(BaseModel):
    """An artist, with the numbers of its albums and tracks."""

    artist_id: str
    name: str
    albums: int
    tracks: int


class ArtistList(BaseModel):
    """A page of artists, and the total number of matches."""

    total: int
    artists: list[ArtistDocument]


class ArtistAlbums(BaseModel):
    """An artist with its albums."""

    artist_id: str
    name: str
    album_list: list[AlbumDocument]
    tracks: int


class Folders(BaseModel):
    """Files and folders of the server."""

    folders: list[str]


class GenreCounts(BaseModel):
    """Genre tags with the number of their tracks, the most frequent first."""

    genres: list[dict[str, str | int]]


class MoodCount(BaseModel):
    """A mood and the number of its tracks."""

    mood: str = Field(examples=["calm"])
    tracks: int


class MoodCounts(BaseModel):
    """Moods, by prediction, with the number of their tracks, the most frequent first."""

    moods: list[MoodCount]


class TagCounts(BaseModel):
    """Tags with the number of tracks that carry each."""

    tags: list[TagCount]


@router.get("/albums", responses={200: {"model": AlbumList}})
def list_albums(
    context: Context,
    q: Words = "",
    genre: Annotated[str, Query(max_length=1000, description="A genre tag; case does not count.")] = "",
    sort: AlbumOrder = "name",
    limit: Limit = 100,
    offset: Offset = 0,
) -> Document:
    """List albums by name or by artist, or the newest first; those whose name or artist holds all words."""
    albums = ordered_albums(context.library.catalogue(), sort, genre)
    if q.strip():
        albums = [album for album in albums if holds(q, album.name, album.artist)]
    page = albums[offset : offset + limit]
    return Document({"total": len(albums), "albums": [album_document(album) for album in page]})


@router.get("/albums/{album_id}", responses={200: {"model": AlbumTracks}})
def get_album(context: Context, album_id: str) -> Document:
    """Return an album and its tracks."""
    album = context.library.catalogue().albums.get(album_id)
    if album is None:
        raise NotFoundError("no album with this id", hint="GET /api/v1/albums lists them")
    return Document(album_document(album) | {"track_list": track_documents(context, list(album.tracks))})


@router.get("/artists", responses={200: {"model": ArtistList}})
def list_artists(context: Context, q: Words = "", limit: Limit = 100, offset: Offset = 0) -> Document:
    """List artists by name; those whose name holds all words."""
    artists = [artist for artist in context.library.catalogue().artists.values() if holds(q, artist.name)]
    page = artists[offset : offset + limit]
    return Document({"total": len(artists), "artists": [artist_document(artist) for artist in page]})


@router.get("/artists/{artist_id}", responses={200: {"model": ArtistAlbums}})
def get_artist(context: Context, artist_id: str) -> Document:
    """Return an artist and its albums."""
    catalogue = context.library.catalogue()
    artist = catalogue.artists.get(artist_id)
    if artist is None:
        raise NotFoundError("no artist with this id", hint="GET /api/v1/artists lists them")
    albums = [album_document(catalogue.albums[each]) for each in artist.albums]
    return Document(artist_document(artist) | {"album_list": albums})


@router.get("/genres", responses={200: {"model": GenreRelations}})
def genres(context: Context) -> Document:
    """Return the relations between genres: centroids, distances, equations."""
    return Document(documents.genre_relations(context.library.genres()))


@router.get("/genre-tags", responses={200: {"model": GenreCounts}})
def genre_tags(context: Context) -> Document:
    """Return the genre tags of the files, the most frequent first."""
    found = context.library.catalogue().genres.values()
    return Document({"genres": [{"genre": each.name, "tracks": len(each.tracks)} for each in found]})


@router.get("/moods", responses={200: {"model": MoodCounts}})
def moods(
    context: Context,
    genre: Annotated[str, Query(max_length=1000, description="Count tracks of this genre tag only.")] = "",
) -> Document:
    """Return the moods that the encoder predicts with the number of their tracks, the most frequent first."""
    tagged = context.library.catalogue().genres.get(fold(genre)) if genre else None
    within = frozenset(tagged.tracks if tagged else ())
    counts = {
        mood: len(within.intersection(ids)) if genre else len(ids) for mood, ids in context.library.moods().items()
    }
    listed = sorted(counts.items(), key=lambda item: -item[1])
    return Document({"moods": [{"mood": mood, "tracks": count} for mood, count in listed if count]})


@router.get("/tags", responses={200: {"model": TagCounts}})
def tags(context: Context) -> Document:
    """Return the encoder's tags with the number of tracks that carry each, the most frequent first."""
    return Document(documents.tags(context.library.tags()))


@router.get("/map", responses={200: {"model": LibraryMap}})
def library_map(context: Context, by: Annotated[Aspects, Query()] = None) -> Document:
    """Return a position for every track; tracks that sound alike are close together."""
    return Document(documents.library_map(context.library.map(by=by)))


@router.get("/map/points", responses={200: {"model": MapColumns}})
def map_points(context: Context, user: CurrentUser) -> Document:
    """Return the map with genres, moods, years, times and plays as columns: a fifth the size of a list of points."""
    return Document(map_columns(context.library, user.name))


@router.get("/folders", responses={200: {"model": Folders}})
def folders(context: Context) -> Document:
    """Return the files and folders that were indexed."""
    return Document({"folders": list(context.library.roots())})


@router.get("/duplicates", responses={200: {"model": Duplicates}})
def duplicates(context: Context, kind: Literal["same_recording", "same_work"] | None = None) -> Document:
    """Return groups of files that hold the same recording or work; the first request takes fingerprints."""
    return Document(documents.duplicates(context.library.duplicates(kind)))


@router.get("/stats", responses={200: {"model": Stats}})
def stats(context: Context) -> Document:
    """Return the totals of the library, and the files that failed."""
    return Document(documents.stats(context.library.stats()))


def album_document(album: Album) -> dict[str, Any]:
    """Return the document of an album."""
    document = asdict(album)
    del document["added_at"]
    document["album_id"] = document.pop("id")
    return document | {"tracks": len(album.tracks), "cover": album.tracks[0]}


def artist_document(artist: Artist) -> dict[str, Any]:
    """Return the document of an artist."""
    return {
        "artist_id": artist.id,
        "name": artist.name,
        "albums": len(artist.albums),
        "tracks": len(artist.tracks),
    }
