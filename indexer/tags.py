"""Tags as the library stores them, from the metadata that FFmpeg reads in ID3, Vorbis, MP4, ASF and RIFF.

FFmpeg gives the common fields one name across formats (ID3's TPE1 is "artist") and leaves the rest as the format spells
them; the lists below hold those spellings, in order of preference. Nothing in a tag is trusted.
"""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

MAX_CHARACTERS = 1_000
MAX_EXAMINED = 8 * MAX_CHARACTERS  # of a tag that holds a book

ARTIST = ("artist", "author", "iart", "tpe1", "performer")
TITLE = ("title", "inam", "tit2")
ALBUM = ("album", "wm/albumtitle", "iprd", "talb")
ALBUM_ARTIST = ("album_artist", "albumartist", "album artist", "wm/albumartist", "tpe2")
GENRE = ("genre", "wm/genre", "ignr", "tcon")
YEAR = ("date", "year", "wm/year", "icrd", "tdrc", "tyer", "originaldate", "originalyear", "tdor", "tory", "tdrl")
RECORDING_ID = ("musicbrainz_trackid", "musicbrainz track id", "musicbrainz/track id", "musicbrainz_recordingid")
ISRC = ("isrc", "tsrc", "wm/isrc")

UUID_PATTERN = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])")
ISRC_PATTERN = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
YEAR_PATTERN = re.compile(r"(?<![0-9])[12][0-9]{3}(?![0-9])|(?<![0-9])[12][0-9]{3}(?=[0-9]{4}(?![0-9]))")


@dataclass(frozen=True)
class Tags:
    """What a file says of itself; None where it says nothing that can be used.

    The year is 1000..2999, the recording id MusicBrainz' UUID in
    lower case, the ISRC twelve upper-case characters.
    """

    artist: str | None = None
    title: str | None = None
    album: str | None = None
    album_artist: str | None = None
    genre: str | None = None
    year: int | None = None
    recording_id: str | None = None
    isrc: str | None = None


def read_tags(metadata: Mapping[str, str]) -> Tags:
    """Read FFmpeg's metadata, whose keys are casefolded (`AudioInfo.metadata`)."""
    return Tags(
        artist=_first(metadata, ARTIST),
        title=_first(metadata, TITLE),
        album=_first(metadata, ALBUM),
        album_artist=_first(metadata, ALBUM_ARTIST),
        genre=_first(metadata, GENRE),
        year=_year(metadata),
        recording_id=_recording_id(metadata),
        isrc=_isrc(metadata),
    )


def clean(text: str) -> str | None:
    """Drop control characters and surrogates, strip, limit to 1,000 characters; None if nothing is left.

    ID3 separates several values by NUL: they are kept apart by "; ", as FFmpeg does it.
    """
    parts = text[:MAX_EXAMINED].replace("\t", " ").replace("\r", "\n").replace("\n", " ").split("\0")
    kept = ("".join(c for c in part if unicodedata.category(c) not in ("Cc", "Cs")).strip() for part in parts)
    return "; ".join(part for part in kept if part)[:MAX_CHARACTERS].strip() or None


def _first(metadata: Mapping[str, str], keys: tuple[str, ...]) -> str | None:
    return next((text for key in keys if (text := clean(metadata.get(key, "")))), None)


def _year(metadata: Mapping[str, str]) -> int | None:
    found = (YEAR_PATTERN.search(clean(metadata.get(key, "")) or "") for key in YEAR)
    return next((int(match[0]) for match in found if match), None)


def _recording_id(metadata: Mapping[str, str]) -> str | None:
    """Find the id; several (a medley) are separated by ";" or "/", and the first one is taken."""
    found = (UUID_PATTERN.search((clean(metadata.get(key, "")) or "").casefold()) for key in RECORDING_ID)
    return next((str(uuid.UUID(match[0])) for match in found if match), None)


def _isrc(metadata: Mapping[str, str]) -> str | None:
    """Find the code; it is often written with hyphens or spaces, and several are separated by ";" or "/"."""
    for key in ISRC:
        for part in re.split(r"[;/,]", (clean(metadata.get(key, "")) or "").upper()):
            code = re.sub(r"[\s-]", "", part)
            if ISRC_PATTERN.fullmatch(code):
                return code
    return None
