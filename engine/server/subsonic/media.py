"""Sound, covers and lyrics."""

from __future__ import annotations

from starlette.responses import Response

from engine.db import Track
from engine.errors import NotFoundError
from engine.server.api.tracks import encoded_response, file_response
from engine.server.favourites import track_number
from engine.server.media.files import COVER_SIZES, suffix_of
from engine.server.media.transcoding import BITRATES, CODECS, DEFAULT_BITRATE
from engine.server.subsonic.call import Call
from engine.server.subsonic.endpoints import endpoint
from engine.server.subsonic.entries import Entry
from engine.server.subsonic.envelope import NOT_FOUND, SubsonicError

PLAYED_EVERYWHERE = ("mp3",)  # sent when a client limits the bit rate without naming a format


@endpoint("stream")
def stream(call: Call) -> Response:
    """Stream a song: as it is, or in another codec if the client requests one or a lower bit rate."""
    track, form = call.track(), call.text("format", "").lower()
    most, start = call.number("maxBitRate", 0), call.real("timeOffset", 0.0)
    own = 8 * track.size / max(track.duration_seconds, 1.0) / 1000
    wanted = form if form in CODECS else PLAYED_EVERYWHERE[0]
    as_it_is = form == "raw" or (not 0 < most < own and form in ("", suffix_of(track)) and not start)
    if as_it_is:
        return file_response(track)
    bitrate = min(most or DEFAULT_BITRATE, BITRATES[-1])
    response = encoded_response(call.context, track, wanted, bitrate, start)
    if call.flag("estimateContentLength"):
        response.headers["X-Content-Length-Estimate"] = str(round(track.duration_seconds * bitrate * 125))
    return response


@endpoint("download")
def download(call: Call) -> Response:
    """Send a song's file."""
    return file_response(call.track())


@endpoint("getCoverArt")
def get_cover_art(call: Call) -> Response:
    """Send the cover of a song, an album or an artist."""
    size = call.number("size", COVER_SIZES[-1], 1, COVER_SIZES[-1])
    try:
        picture = call.context.media.cover(_pictured(call), size)
    except NotFoundError:
        raise SubsonicError(NOT_FOUND, "Cover art not found") from None
    return Response(picture, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400"})


@endpoint("getLyricsBySongId")
def get_lyrics_by_song_id(call: Call) -> Entry:
    """Return the lyrics in a song's tags, with the times of lines where the tag has them."""
    track = call.track()
    found = call.context.media.lyrics(track)
    if found is None:
        return {"lyricsList": {"structuredLyrics": []}}
    lines = [
        {"value": line.text} if line.start_ms is None else {"start": line.start_ms, "value": line.text}
        for line in found.lines
    ]
    entry = {
        "displayArtist": track.artist or "",
        "displayTitle": track.title or "",
        "lang": "xxx",
        "offset": 0,
        "synced": found.synced,
        "line": lines,
    }
    return {"lyricsList": {"structuredLyrics": [entry]}}


def _pictured(call: Call) -> Track:
    """Return the track whose picture represents the album, artist or track `id`."""
    identifier, catalogue = call.text("id"), call.catalogue
    ids: tuple[int, ...] = ()
    if identifier in catalogue.albums:
        ids = catalogue.albums[identifier].tracks
    elif identifier in catalogue.artists:
        ids = catalogue.artists[identifier].tracks
    elif (number := track_number(identifier)) is not None:
        ids = (number,)
    found = call.context.library.tracks(ids[:1])
    if not found:
        raise SubsonicError(NOT_FOUND, "Cover art not found")
    return found[ids[0]]
