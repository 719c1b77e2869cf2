"""The server itself: ping, licence, extensions, user, scans."""

from __future__ import annotations

from engine.server.jobs import ENDED, IndexSettings
from engine.server.subsonic.call import Call
from engine.server.subsonic.endpoints import Answer, endpoint
from engine.server.subsonic.entries import Entry
from engine.server.subsonic.envelope import FORBIDDEN, GENERIC, SubsonicError

EXTENSIONS = {
    "apiKeyAuthentication": [1],
    "formPost": [1],
    "songLyrics": [1],
    "sonicSimilarity": [1],
    "transcodeOffset": [1],
}


@endpoint("ping")
def ping(call: Call) -> Entry:
    """Return an empty answer: the server is up."""
    return {}


@endpoint("getLicense")
def get_license(call: Call) -> Entry:
    """Return a valid licence: none is needed."""
    return {"license": {"valid": True}}


@endpoint("getOpenSubsonicExtensions")
def get_open_subsonic_extensions(call: Call) -> Entry:
    """Return the supported extensions of the protocol."""
    listed = [{"name": name, "versions": versions} for name, versions in EXTENSIONS.items()]
    return {"openSubsonicExtensions": listed}


@endpoint("tokenInfo")
def token_info(call: Call) -> Entry:
    """Return the user of an API key."""
    return {"tokenInfo": {"username": call.user.name}}


@endpoint("getUser")
def get_user(call: Call) -> Entry:
    """Return the roles of the user; an administrator may name another."""
    name = call.text("username", call.user.name)
    if name != call.user.name and not call.user.admin:
        raise SubsonicError(FORBIDDEN, "Not allowed to see other users")
    admin = call.user.admin
    if name != call.user.name:
        found = call.context.accounts.find(name) if call.context.accounts else None
        if found is None:
            raise SubsonicError(GENERIC, "User not found")
        admin = found.admin
    return {
        "user": {
            "username": name,
            "scrobblingEnabled": True,
            "adminRole": admin,
            "settingsRole": admin,
            "downloadRole": True,
            "uploadRole": False,
            "playlistRole": True,
            "coverArtRole": False,
            "commentRole": False,
            "podcastRole": False,
            "streamRole": True,
            "jukeboxRole": False,
            "shareRole": False,
            "videoConversionRole": False,
            "folder": [0],
        }
    }


@endpoint("getScanStatus")
def get_scan_status(call: Call) -> Entry:
    """Return whether an indexing job is running, and the number of tracks."""
    running = any(job.state not in ENDED for job in call.context.jobs.all())
    return {"scanStatus": {"scanning": running, "count": len(call.catalogue.tracks)}}


@endpoint("startScan")
def start_scan(call: Call) -> Answer:
    """Index all indexed folders again."""
    if not call.user.admin:
        raise SubsonicError(FORBIDDEN, "Only an administrator may scan")
    roots = call.context.library.roots()
    if roots and all(job.state in ENDED for job in call.context.jobs.all()):
        call.context.jobs.create(IndexSettings(roots))
    return get_scan_status(call)
