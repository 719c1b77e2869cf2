"""Songs, albums and artists as the protocol describes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

from engine.catalogue.grouping import UNKNOWN_ARTIST, Album, Artist, Catalogue, artist_id, genre_names
from engine.db import Track
from engine.db.text import artist_names
from engine.server.favourites import LATEST_TIME
from engine.server.media.files import media_type_of, suffix_of
from engine.server.subsonic.call import Call

Entry = dict[str, Any]


def song(track: Track, catalogue: Catalogue, *, plays: int = 0, played: float | None = None) -> Entry:
    """Return a Child: the tags, the album and artists, and the stream's properties."""
    artists = artist_names(track.artist) or [UNKNOWN_ARTIST]
    album_id = catalogue.album_of.get(track.id)
    album = catalogue.albums.get(album_id or "")
    genres = genre_names(track.genre)
    suffix = suffix_of(track)
    entry: Entry = {
        "id": str(track.id),
        "parent": album_id,
        "isDir": False,
        "title": track.title or PurePath(track.display_path).stem,
        "album": album.name if album else track.album,
        "artist": artists[0],
        "year": track.year,
        "genre": genres[0] if genres else None,
        "coverArt": str(track.id),
        "size": track.size,
        "contentType": media_type_of(track),
        "suffix": suffix,
        "duration": round(track.duration_seconds),
        "bitRate": round(8 * track.size / max(track.duration_seconds, 1.0) / 1000),
        "path": _shown_path(track, artists[0], album, suffix),
        "isVideo": False,
        "playCount": plays,
        "played": None if played is None else timestamp(played),
        "albumId": album_id,
        "artistId": artist_id(artists[0]),
        "type": "music",
        "mediaType": "song",
        "musicBrainzId": track.recording_id or "",
        "isrc": [track.isrc] if track.isrc else [],
        "genres": [{"name": name} for name in genres],
        "artists": [{"id": artist_id(name), "name": name} for name in artists],
        "displayArtist": "; ".join(artists),
        "albumArtists": [{"id": album.artist_id, "name": album.artist}] if album else [],
        "displayAlbumArtist": album.artist if album else "",
        "sortName": "",
        "comment": "",
    }
    return {name: value for name, value in entry.items() if value is not None}


def songs(call: Call, tracks: Iterable[Track]) -> list[Entry]:
    """Return the entries of tracks, with their play counts."""
    catalogue, counts = call.catalogue, call.context.library.play_counts(call.user.name)
    return [
        song(
            track,
            catalogue,
            plays=counts[track.id].plays if track.id in counts else 0,
            played=counts[track.id].last_played if track.id in counts else None,
        )
        for track in tracks
    ]


def songs_of(call: Call, ids: Sequence[int]) -> list[Entry]:
    """Return the entries of tracks by id, in this order; those that are gone are left out."""
    found = call.context.library.tracks(ids)
    return songs(call, [found[each] for each in ids if each in found])


def album_entry(album: Album) -> Entry:
    """Return an AlbumID3."""
    entry: Entry = {
        "id": album.id,
        "name": album.name,
        "artist": album.artist,
        "artistId": album.artist_id,
        "coverArt": album.id,
        "songCount": len(album.tracks),
        "duration": round(album.seconds),
        "created": timestamp(album.added_at),
        "year": album.year,
        "genre": album.genres[0] if album.genres else None,
        "genres": [{"name": name} for name in album.genres],
        "artists": [{"id": album.artist_id, "name": album.artist}],
        "displayArtist": album.artist,
        "sortName": "",
    }
    return {name: value for name, value in entry.items() if value is not None}


def album_folder(album: Album) -> Entry:
    """Return an album as a Child that is a folder."""
    entry = album_entry(album)
    return {
        **entry,
        "parent": album.artist_id,
        "isDir": True,
        "title": album.name,
        "album": album.name,
        "mediaType": "album",
        "isVideo": False,
    }


def artist_entry(artist: Artist) -> Entry:
    """Return an ArtistID3."""
    return {
        "id": artist.id,
        "name": artist.name,
        "coverArt": artist.id,
        "albumCount": len(artist.albums),
        "roles": ["albumartist", "artist"] if artist.albums else ["artist"],
        "sortName": "",
    }


def timestamp(seconds: float) -> str:
    """Return a time (seconds since 1970) in the protocol's format; one out of range as the nearest in range."""
    return datetime.fromtimestamp(min(max(seconds, 0), LATEST_TIME), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _shown_path(track: Track, artist: str, album: Album | None, suffix: str) -> str:
    """Return a path for display, made from the tags: the path on the server's disk stays private."""
    title = track.title or PurePath(track.display_path).stem
    parts = (album.artist if album else artist, album.name if album else "", title)
    return "/".join(part.replace("/", "_") for part in parts if part) + (f".{suffix}" if suffix else "")
