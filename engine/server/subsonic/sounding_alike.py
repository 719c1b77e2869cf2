"""Music that sounds alike: similar songs and artists' mixes, and paths between songs."""

from __future__ import annotations

from engine.search.filters import Filters
from engine.server.favourites import track_number
from engine.server.subsonic.call import Call
from engine.server.subsonic.endpoints import endpoint
from engine.server.subsonic.entries import Entry, songs_of
from engine.server.subsonic.envelope import NOT_FOUND, SubsonicError

SEEDS = 100  # most tracks of an album or artist that form a query
PER_ARTIST = 3  # most tracks in an answer that is played as a mix


@endpoint("getSonicSimilarTracks")
def get_sonic_similar_tracks(call: Call) -> Entry:
    """Return the tracks that sound like one, the most similar first."""
    track, count = call.track(), call.count("count", 10)
    similar = _nearest(call, [f"id:{track.id}"], count)
    return {"sonicMatch": _matches(call, similar)}


@endpoint("findSonicPath")
def find_sonic_path(call: Call) -> Entry:
    """Return a path from one track to another; similarities are to the first."""
    start, end = call.track("startSongId"), call.track("endSongId")
    count = max(call.count("count", 25), 1)
    if start.id == end.id or count == 1:
        return {"sonicMatch": _matches(call, {start.id: 1.0})}
    path = call.context.library.path(f"id:{start.id}", f"id:{end.id}", count)
    ids = [each.track_id for each in path.tracks if each.track_id is not None]
    nearness = call.context.library.similarities(f"id:{start.id}", ids)
    return {"sonicMatch": _matches(call, {each: nearness.get(each, -1.0) for each in ids} | {start.id: 1.0})}


@endpoint("getSimilarSongs")
def get_similar_songs(call: Call) -> Entry:
    """Return songs that sound like a song, an album or an artist."""
    return {"similarSongs": {"song": songs_of(call, _mix(call))}}


@endpoint("getSimilarSongs2")
def get_similar_songs_2(call: Call) -> Entry:
    """Return the same for clients that browse by tags."""
    return {"similarSongs2": {"song": songs_of(call, _mix(call))}}


def _mix(call: Call) -> list[int]:
    """Return the ids of a mix: near to the seeds, at most some tracks of each artist."""
    identifier, catalogue, count = call.text("id"), call.catalogue, call.count("count", 50)
    if identifier in catalogue.artists:
        tracks = catalogue.artists[identifier].tracks
    elif identifier in catalogue.albums:
        tracks = catalogue.albums[identifier].tracks
    elif track_number(identifier) is not None:
        tracks = (call.track().id,)
    else:
        raise SubsonicError(NOT_FOUND, "No artist, album or song has this id")
    step = -(-len(tracks) // SEEDS)  # spread over all of a large artist's tracks
    seeds = [f"id:{each}" for each in tracks[::step]]
    return list(_nearest(call, seeds, count, Filters(per_artist=PER_ARTIST, not_tracks=tuple(tracks))))


def _nearest(call: Call, seeds: list[str], count: int, filters: Filters | None = None) -> dict[int, float]:
    """Return the similarity of the nearest tracks by id, the nearest first."""
    if not count:
        return {}
    library, filters = call.context.library, filters or Filters()
    if len(seeds) == 1:
        found = library.similar(seeds[0], count, filters=filters)
    else:
        found = library.similar_to(seeds, k=count, filters=filters)
    return {match.track_id: match.similarity for match in found.matches}


def _matches(call: Call, similarities: dict[int, float]) -> list[Entry]:
    entries = songs_of(call, list(similarities))
    return [{"entry": entry, "similarity": similarities[int(entry["id"])]} for entry in entries]
