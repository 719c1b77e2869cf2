"""Saved playlists: users see their own and public ones, and change only their own; M3U8 import and export."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from engine.db import catalogue_rows
from engine.db.user_data import SavedPlaylist
from engine.errors import InvalidError, NotFoundError
from engine.playlists.m3u8 import Entry, formatted
from engine.server.accounts import User
from engine.server.api.parameters import LARGEST_ID, Identifier
from engine.server.api.tracks import TrackDocument, track_documents
from engine.server.context import Context, ServerContext
from engine.server.login import CurrentUser
from engine.server.playlist_import import match_entries, read_entries
from engine.server.problems import RESPONSES
from engine.server.responses import Document

router = APIRouter(tags=["playlists"], responses=RESPONSES)

PlaylistId = Annotated[int, Path(ge=1, le=LARGEST_ID, examples=[1])]
Tracks = Annotated[list[Identifier], Field(max_length=100_000, examples=[[12, 77, 3]])]
Title = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S", examples=["Sunday"])]
Comment = Annotated[str, Field(max_length=10_000)]
MOST_FILE_BYTES = 16 << 20
SHOWN_MISSING = 100  # names of entries that were not found


class NewPlaylist(BaseModel):
    """A playlist to save."""

    name: Title
    tracks: Tracks = []


class PlaylistChanges(BaseModel):
    """The fields to change; others are unchanged."""

    name: Title | None = None
    comment: Comment | None = None
    public: bool | None = Field(None, description="Whether other users see it.")
    tracks: Tracks | None = None
    added: Tracks = Field([], description="Tracks to append; appending at the same time from elsewhere loses none.")


class SavedPlaylistDocument(BaseModel):
    """A playlist; `own` is true if the user may change it; times are in seconds since 1970."""

    playlist_id: int
    name: str
    comment: str
    owner: str
    own: bool
    public: bool
    created_at: float
    changed_at: float
    tracks: int
    seconds: float
    cover: int | None = Field(description="The track whose cover is shown.")


class SavedPlaylistTracks(SavedPlaylistDocument):
    """A playlist and its tracks; those whose files are gone are left out until they return."""

    track_list: list[TrackDocument]


class SavedPlaylists(BaseModel):
    """The playlists that the user sees, by name."""

    playlists: list[SavedPlaylistDocument]


class ImportedPlaylist(BaseModel):
    """A playlist imported from a file: the number of entries found, and the names of those not found."""

    playlist: SavedPlaylistDocument
    found: int
    not_found: int
    missing: list[str] = Field(description=f"The first {SHOWN_MISSING} entries that were not found.")


@router.get("/playlists", responses={200: {"model": SavedPlaylists}})
def list_playlists(context: Context, user: CurrentUser) -> Document:
    """List the saved playlists that the user sees."""
    return Document({"playlists": [_document(context, user, each) for each in context.user_data.playlists(user.name)]})


@router.post("/playlists", status_code=201, responses={201: {"model": SavedPlaylistDocument}})
def create_playlist(context: Context, user: CurrentUser, new: NewPlaylist) -> Document:
    """Save a playlist."""
    made = context.user_data.create_playlist(user.name, new.name.strip(), new.tracks)
    return Document(_document(context, user, _visible(context, user, made)), status_code=201)


@router.post(
    "/playlists/import",
    status_code=201,
    responses={201: {"model": ImportedPlaylist}},
    openapi_extra={"requestBody": {"required": True, "content": {"audio/x-mpegurl": {"schema": {"type": "string"}}}}},
)
async def import_playlist(
    context: Context, user: CurrentUser, request: Request, name: Annotated[Title, Query(description="Of the playlist.")]
) -> Document:
    """Save the playlist of an M3U8 file, sent as the body: its entries are matched by path, file name and title."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MOST_FILE_BYTES:
            raise InvalidError(f"expected at most {MOST_FILE_BYTES >> 20} MiB, found more", hint="split the playlist")
    return await run_in_threadpool(_imported, context, user, name.strip(), bytes(content))


@router.get("/playlists/{playlist_id}", responses={200: {"model": SavedPlaylistTracks}})
def get_playlist(context: Context, user: CurrentUser, playlist_id: PlaylistId) -> Document:
    """Return a saved playlist and its tracks."""
    found = _visible(context, user, playlist_id)
    return Document(_document(context, user, found) | {"track_list": track_documents(context, list(found.tracks))})


@router.patch("/playlists/{playlist_id}", responses={200: {"model": SavedPlaylistDocument}})
def change_playlist(context: Context, user: CurrentUser, playlist_id: PlaylistId, changes: PlaylistChanges) -> Document:
    """Change a playlist's name, comment, visibility or tracks, or append tracks."""
    _own(context, user, playlist_id)
    context.user_data.change_playlist(
        playlist_id,
        name=changes.name.strip() if changes.name else None,
        comment=changes.comment,
        public=changes.public,
        tracks=changes.tracks,
        added=changes.added,
    )
    return Document(_document(context, user, _visible(context, user, playlist_id)))


@router.delete("/playlists/{playlist_id}", status_code=204, response_class=Response)
def delete_playlist(context: Context, user: CurrentUser, playlist_id: PlaylistId) -> Response:
    """Delete a saved playlist; its tracks remain in the library."""
    context.user_data.delete_playlist(_own(context, user, playlist_id).id)
    return Response(status_code=204)


@router.get(
    "/playlists/{playlist_id}/m3u8",
    response_class=Response,
    responses={200: {"content": {"audio/x-mpegurl": {}}}},
)
def export_playlist(context: Context, user: CurrentUser, playlist_id: PlaylistId) -> Response:
    """Return a saved playlist as M3U8, with the paths of the server."""
    found = _visible(context, user, playlist_id)
    known = context.library.tracks(found.tracks)
    tracks = [known[each] for each in found.tracks if each in known]
    content = formatted(Entry(each.path, each.duration_seconds, each.artist, each.title) for each in tracks)
    file = quote(found.name.replace("/", "-").encode("utf-8", "replace") + b".m3u8")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{file}"}
    return Response(content, media_type="audio/x-mpegurl", headers=headers)


def _imported(context: ServerContext, user: User, name: str, content: bytes) -> Document:
    entries = read_entries(content)
    with context.library.database.read() as connection:
        matched = match_entries(entries, catalogue_rows(connection))
    if not matched.tracks:
        raise NotFoundError(
            f"none of the {len(entries):,} entries is in the library; the first is {matched.missing[0]}",
            hint="index the folder of its music first",
        )
    made = context.user_data.create_playlist(user.name, name, matched.tracks)
    return Document(
        {
            "playlist": _document(context, user, _visible(context, user, made)),
            "found": len(matched.tracks),
            "not_found": len(matched.missing),
            "missing": list(matched.missing[:SHOWN_MISSING]),
        },
        status_code=201,
    )


def _visible(context: ServerContext, user: User, identifier: int) -> SavedPlaylist:
    found = context.user_data.playlist(identifier)
    if found is None or not (found.public or found.owner == user.name):
        raise NotFoundError(f"no playlist with id {identifier}", hint="GET /api/v1/playlists lists them")
    return found


def _own(context: ServerContext, user: User, identifier: int) -> SavedPlaylist:
    found = _visible(context, user, identifier)
    if found.owner != user.name:
        raise HTTPException(403, "only its owner may change a playlist")
    return found


def _document(context: ServerContext, user: User, found: SavedPlaylist) -> dict[str, Any]:
    known = context.library.tracks(found.tracks)
    tracks = [each for each in found.tracks if each in known]
    return {
        "playlist_id": found.id,
        "name": found.name,
        "comment": found.comment,
        "owner": found.owner,
        "own": found.owner == user.name,
        "public": found.public,
        "created_at": found.created_at,
        "changed_at": found.changed_at,
        "tracks": len(tracks),
        "seconds": sum(known[each].duration_seconds for each in tracks),
        "cover": tracks[0] if tracks else None,
    }
