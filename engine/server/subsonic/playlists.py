"""Saved playlists. Users see their own and public ones, and change only their own."""

from __future__ import annotations

from engine.db.user_data import SavedPlaylist
from engine.server.favourites import track_number
from engine.server.subsonic.call import Call
from engine.server.subsonic.endpoints import endpoint
from engine.server.subsonic.entries import Entry, songs_of, timestamp
from engine.server.subsonic.envelope import FORBIDDEN, GENERIC, MISSING, NOT_FOUND, SubsonicError

LONGEST_NAME = 1000


@endpoint("getPlaylists")
def get_playlists(call: Call) -> Entry:
    """List the playlists that the user sees."""
    found = call.context.user_data.playlists(call.user.name)
    return {"playlists": {"playlist": [_entry(call, each) for each in found]}}


@endpoint("getPlaylist")
def get_playlist(call: Call) -> Entry:
    """Return a playlist and its songs."""
    found = _visible(call, "id")
    return {"playlist": {**_entry(call, found), "entry": songs_of(call, found.tracks)}}


@endpoint("createPlaylist")
def create_playlist(call: Call) -> Entry:
    """Create a playlist, or replace the songs of one that the user owns."""
    tracks, name = _tracks(call, "songId"), call.text("name", "")[:LONGEST_NAME]
    saved = call.context.user_data
    if "playlistId" in call.parameters:
        identifier = _own(call).id
        saved.change_playlist(identifier, name=name or None, tracks=tracks)
    elif name:
        identifier = saved.create_playlist(call.user.name, name, tracks)
    else:
        raise SubsonicError(MISSING, "Required parameter is missing: name or playlistId")
    made = saved.playlist(identifier)
    if made is None:
        raise SubsonicError(NOT_FOUND, "Playlist not found")
    return {"playlist": {**_entry(call, made), "entry": songs_of(call, made.tracks)}}


@endpoint("updatePlaylist")
def update_playlist(call: Call) -> Entry:
    """Rename a playlist, append songs, remove songs by index."""
    identifier, name = _own(call).id, call.text("name", "")[:LONGEST_NAME] or None
    added, removed = _tracks(call, "songIdToAdd"), _places(call, "songIndexToRemove")
    public = call.flag("public") if "public" in call.parameters else None
    comment = call.parameters.get("comment")
    call.context.user_data.change_playlist(
        identifier, name=name, comment=comment, public=public, added=added, removed=removed
    )
    return {}


@endpoint("deletePlaylist")
def delete_playlist(call: Call) -> Entry:
    """Delete a playlist that the user owns."""
    call.context.user_data.delete_playlist(_own(call, "id").id)
    return {}


def _tracks(call: Call, name: str) -> list[int]:
    return [track.id for track in call.tracks(call.all(name))]


def _places(call: Call, name: str) -> set[int]:
    numbers = {track_number(place) for place in call.all(name)}
    places = {number for number in numbers if number is not None}
    if len(places) < len(numbers):
        raise SubsonicError(GENERIC, f"{name}: expected places, counted from 0")
    return places


def _visible(call: Call, name: str) -> SavedPlaylist:
    number = track_number(call.text(name))
    found = None if number is None else call.context.user_data.playlist(number)
    if found is None or not (found.public or found.owner == call.user.name):
        raise SubsonicError(NOT_FOUND, "Playlist not found")
    return found


def _own(call: Call, name: str = "playlistId") -> SavedPlaylist:
    found = _visible(call, name)
    if found.owner != call.user.name:
        raise SubsonicError(FORBIDDEN, "Only its owner may change a playlist")
    return found


def _entry(call: Call, found: SavedPlaylist) -> Entry:
    known = call.context.library.tracks(found.tracks)
    seconds = sum(known[each].duration_seconds for each in found.tracks if each in known)
    return {
        "id": str(found.id),
        "name": found.name,
        "comment": found.comment,
        "owner": found.owner,
        "public": found.public,
        "songCount": sum(each in known for each in found.tracks),
        "duration": round(seconds),
        "created": timestamp(found.created_at),
        "changed": timestamp(found.changed_at),
    }
