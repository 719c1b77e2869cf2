"""Actions of a listener: scrobble, star, rate, save the queue."""

from __future__ import annotations

import time

from engine.db import Play
from engine.db.user_data import PlayQueue
from engine.server import favourites
from engine.server.favourites import LATEST_TIME, track_number
from engine.server.subsonic.call import Call
from engine.server.subsonic.endpoints import endpoint
from engine.server.subsonic.entries import Entry, songs_of, timestamp
from engine.server.subsonic.envelope import GENERIC, NOT_FOUND, SubsonicError

STATES = ("starting", "playing", "paused", "stopped")


@endpoint("scrobble")
def scrobble(call: Call) -> Entry:
    """Store plays; with submission=false only record the current track."""
    call.text("id")
    tracks, times = call.tracks(call.all("id")), call.all("time")
    if not tracks:
        raise SubsonicError(NOT_FOUND, "Song not found")
    if not call.flag("submission", True):
        call.context.playing.note(call.user.name, tracks[-1].id)
        return {}
    now = time.time()
    moments = [_moment(times[i]) if i < len(times) else now for i in range(len(tracks))]
    plays = [Play(moment, "play", track.id, call.user.name) for moment, track in zip(moments, tracks, strict=True)]
    call.context.library.add_plays(plays)
    return {}


@endpoint("reportPlayback")
def report_playback(call: Call) -> Entry:
    """Record the track that is playing now, or that it has stopped."""
    track, state = call.track("mediaId"), call.text("state")
    call.number("positionMs")
    if state not in STATES:
        raise SubsonicError(GENERIC, f"state: expected one of {', '.join(STATES)}")
    call.context.playing.note(call.user.name, None if state == "stopped" else track.id)
    return {}


@endpoint("star")
def star(call: Call) -> Entry:
    """Star songs, albums and artists; a starred song is also a liked one for recommendations."""
    favourites.star(call.context, call.user, _starrable(call))
    return {}


@endpoint("unstar")
def unstar(call: Call) -> Entry:
    """Remove stars."""
    call.context.user_data.unstar(call.user.name, _starrable(call))
    return {}


@endpoint("setRating")
def set_rating(call: Call) -> Entry:
    """Rate a song, an album or an artist from 1 to 5; 0 removes the rating."""
    item, rating = call.text("id"), call.number("rating")
    if rating > 5:
        raise SubsonicError(GENERIC, f"rating: expected 0 to 5, found {rating}")
    favourites.check_items(call.context, [item])
    call.context.user_data.rate(call.user.name, item, rating)
    return {}


@endpoint("savePlayQueue")
def save_play_queue(call: Call) -> Entry:
    """Store the play queue, so that another player can resume it."""
    tracks = tuple(track.id for track in call.tracks(call.all("id")))
    current = track_number(call.text("current", ""))
    position = call.number("position", 0)
    queue = PlayQueue(tracks, current, position, time.time(), call.text("c", ""))
    call.context.user_data.save_queue(call.user.name, queue)
    return {}


@endpoint("getPlayQueue")
def get_play_queue(call: Call) -> Entry:
    """Return the stored queue, if there is one."""
    queue = call.context.user_data.queue(call.user.name)
    if queue is None:
        return {}
    entry: Entry = {
        "position": queue.position_ms,
        "username": call.user.name,
        "changed": timestamp(queue.changed_at),
        "changedBy": queue.changed_by,
        "entry": songs_of(call, queue.tracks),
    }
    if queue.current is not None:
        entry["current"] = str(queue.current)
    return {"playQueue": entry}


def _starrable(call: Call) -> list[str]:
    """Return the ids of songs, albums and artists that a call names."""
    return [*call.all("id"), *call.all("albumId"), *call.all("artistId")]


def _moment(milliseconds: str) -> float:
    try:
        value = int(milliseconds)
    except ValueError:
        value = -1
    if not 0 <= value < 1000 * LATEST_TIME:  # compared before it is divided: a long number overflows a float
        raise SubsonicError(GENERIC, "time: expected milliseconds since 1970")
    return value / 1000
