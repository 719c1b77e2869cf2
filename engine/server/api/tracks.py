"""Tracks: listing, text search, tags, sound, cover, waveform."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response, StreamingResponse

from engine.catalogue.grouping import Catalogue, artist_id, fold
from engine.db import Track
from engine.db.text import artist_names
from engine.errors import NotFoundError
from engine.server.accounts import User
from engine.server.api.listing import Personal, TrackOrder, ordered_tracks
from engine.server.api.parameters import LARGEST_ID
from engine.server.context import Context, ServerContext
from engine.server.favourites import track_number
from engine.server.login import CurrentUser
from engine.server.media.files import (
    COVER_SIZES,
    EncodedStream,
    check_readable,
    entity_tag,
    media_type_of,
)
from engine.server.media.transcoding import BITRATES, CODECS, DEFAULT_BITRATE
from engine.server.problems import RESPONSES
from engine.server.responses import Document

router = APIRouter(tags=["tracks"], responses=RESPONSES)

TrackId = Annotated[int, Path(ge=0, le=LARGEST_ID, examples=[12])]
MINUTE, DAY = 60, 86_400  # seconds


class TrackDocument(BaseModel):
    """A track: its tags (null where the file has none) and where it belongs."""

    track_id: int
    path: str
    artist: str | None
    title: str | None
    album: str | None
    album_artist: str | None
    genre: str | None
    year: int | None
    seconds: float
    album_id: str | None
    artist_ids: list[str]


class TrackList(BaseModel):
    """A page of tracks, and the total number (null for a text search)."""

    total: int | None
    tracks: list[TrackDocument]


class WaveformDocument(BaseModel):
    """The loudest sample of each of some hundred equal parts, 0 to 255."""

    seconds: float
    peaks: list[int]


class FeaturesDocument(BaseModel):
    """Beats per minute, key ("A minor") and loudness (LUFS); null where they could not be measured."""

    tempo: float | None
    key: str | None
    loudness: float | None


def track_document(track: Track, catalogue: Catalogue) -> dict[str, Any]:
    """Return the document of a track."""
    return {
        "track_id": track.id,
        "path": track.name,
        "artist": track.artist,
        "title": track.title,
        "album": track.album,
        "album_artist": track.album_artist,
        "genre": track.genre,
        "year": track.year,
        "seconds": track.duration_seconds,
        "album_id": catalogue.album_of.get(track.id),
        "artist_ids": [artist_id(name) for name in artist_names(track.artist)],
    }


def track_documents(context: ServerContext, ids: list[int]) -> list[dict[str, Any]]:
    """Return the documents of tracks in the order of their ids; those that are gone are left out."""
    catalogue, found = context.library.catalogue(), context.library.tracks(ids)
    return [track_document(found[each], catalogue) for each in ids if each in found]


def existing(context: ServerContext, track_id: int) -> Track:
    """Return a track; raise NotFoundError if there is none of this id."""
    found = context.library.tracks([track_id])
    if track_id not in found:
        raise NotFoundError(f"no track with id {track_id}", hint="GET /api/v1/tracks?q=WORDS finds tracks")
    return found[track_id]


@router.get("/tracks", responses={200: {"model": TrackList}})
def list_tracks(
    context: Context,
    user: CurrentUser,
    q: Annotated[str, Query(max_length=1000, description="Words; all of them must occur.")] = "",
    id: Annotated[
        list[Annotated[int, Field(ge=0, le=LARGEST_ID)]],
        Query(max_length=1000, description="These tracks only, in this order."),
    ] = [],  # noqa: B006 (never changed)
    genre: Annotated[str, Query(max_length=1000, description="A genre tag; case does not count.")] = "",
    mood: Annotated[
        str, Query(max_length=1000, description="A mood, by prediction: happy, tense, sad or calm.", examples=["calm"])
    ] = "",
    starred: Annotated[bool, Query(description="Only tracks that the user has starred.")] = False,
    sort: Annotated[TrackOrder, Query(description="Not for words.")] = "id",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Document:
    """List tracks in the requested order or, for a text search, the best matches first."""
    if q.strip():
        ids = [track.track_id for track in context.library.search(q, offset + limit)][offset:]
        return Document({"total": None, "tracks": track_documents(context, ids)})
    personal = _personal(context, user, sort, starred)
    chosen = _chosen(context, mood, personal.stars if starred else None)
    listed = id or ordered_tracks(context.library.catalogue(), sort, genre, personal, chosen)
    ids = list(listed[offset : offset + limit])
    return Document({"total": len(listed), "tracks": track_documents(context, ids)})


@router.get("/tracks/{track_id}", responses={200: {"model": TrackDocument}})
def get_track(context: Context, track_id: TrackId) -> Document:
    """Return a track's tags."""
    return Document(track_document(existing(context, track_id), context.library.catalogue()))


@router.get("/tracks/{track_id}/features", responses={200: {"model": FeaturesDocument}})
def get_features(context: Context, track_id: TrackId) -> Document:
    """Return tempo, key and loudness, if `engine index --features` has measured them."""
    found = context.library.audio_features(f"id:{track_id}")
    return Document({name: getattr(found, name, None) for name in ("tempo", "key", "loudness")})


@router.get("/tracks/{track_id}/waveform", responses={200: {"model": WaveformDocument}})
def get_waveform(context: Context, track_id: TrackId) -> Document:
    """Return the peaks of a track, for a seek bar; the first request decodes the file."""
    made = context.media.waveform(existing(context, track_id))
    return Document({"seconds": made.seconds, "peaks": made.peaks.tolist()}, headers=_cache(DAY))


@router.get("/tracks/{track_id}/cover", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
def get_cover(
    context: Context,
    track_id: TrackId,
    size: Annotated[int | None, Query(ge=1, le=COVER_SIZES[-1], description="Pixels of the longer side.")] = None,
    optional: Annotated[bool, Query(description="204 in place of 404 where the track has none.")] = False,
) -> Response:
    """Return the cover: the file's own, else the picture in its folder."""
    track = existing(context, track_id)
    try:
        return Response(context.media.cover(track, size), media_type="image/jpeg", headers=_cache(DAY))
    except NotFoundError:
        if not optional:
            raise
        return Response(status_code=204, headers=_cache(MINUTE))


@router.get("/tracks/{track_id}/audio", response_class=Response, responses={200: {"content": {"audio/*": {}}}})
def get_audio(
    context: Context,
    track_id: TrackId,
    codec: Annotated[str | None, Query(description=f"{' or '.join(CODECS)}; else the file as it is.")] = None,
    bitrate: Annotated[int, Query(ge=BITRATES[0], le=BITRATES[-1], description="kbit/s")] = DEFAULT_BITRATE,
    start: Annotated[float, Query(ge=0, le=1e6, allow_inf_nan=False, description="Seconds; with a codec.")] = 0.0,
    range: Annotated[str | None, Header(include_in_schema=False, max_length=1000)] = None,
) -> Response:
    """Stream the file, with byte ranges; or its sound in another codec."""
    track = existing(context, track_id)
    if codec is not None:
        return encoded_response(context, track, codec, bitrate, start)
    return file_response(track)


def _chosen(context: ServerContext, mood: str, stars: dict[int, float] | None) -> frozenset[int] | None:
    """Return the tracks that pass the filters by mood and stars; None without these filters."""
    if not mood:
        return None if stars is None else frozenset(stars)
    ids = frozenset(context.library.moods().get(fold(mood), ()))
    return ids if stars is None else ids & stars.keys()


def _personal(context: ServerContext, user: User, sort: TrackOrder, starred: bool) -> Personal:
    """Return the user's data that an order or a filter needs."""
    stars = context.user_data.stars(user.name) if starred or sort == "starred" else []
    ratings = context.user_data.ratings(user.name) if sort == "rating" else {}
    plays = context.library.play_counts(user.name) if sort == "plays" else {}
    return Personal(
        {number: each.starred_at for each in stars if (number := track_number(each.item)) is not None},
        {number: rating for item, rating in ratings.items() if (number := track_number(item)) is not None},
        {track: count.plays for track, count in plays.items()},
    )


def file_response(track: Track) -> Response:
    """Return a track's file; the response answers byte ranges.

    Raises:
        UnavailableError: The file cannot be read.
    """
    status = check_readable(track)
    headers = {"ETag": f'"{entity_tag(track)}"', "Accept-Ranges": "bytes", "Content-Disposition": "inline"}
    return FileResponse(track.name, media_type=media_type_of(track), stat_result=status, headers=headers)


def encoded_response(context: ServerContext, track: Track, codec: str, bitrate: int, start: float) -> Response:
    """Return a track's sound in another codec; errors are raised before the first byte is sent."""
    stream = context.media.encoded(track, codec, bitrate, start)
    try:
        first = next(stream, b"")
    except BaseException:
        stream.close()
        raise
    return StreamingResponse(_parts(first, stream), media_type=CODECS[codec].media_type)


async def _parts(first: bytes, stream: EncodedStream) -> AsyncIterator[bytes]:
    """Yield the parts of a stream; it ends, with its process, when the client leaves."""
    try:
        part = first
        while part:
            yield part
            part = await run_in_threadpool(next, stream, b"")
    finally:
        await asyncio.shield(run_in_threadpool(stream.close))


def _cache(seconds: int) -> dict[str, str]:
    return {"Cache-Control": f"private, max-age={seconds}"}
