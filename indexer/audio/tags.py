"""Tags as the library stores them: from a file's own tags (`engine.indexer.audio.tag_formats`) and FFmpeg's metadata.

FFmpeg maps the common fields to one name across formats (ID3's TPE1 is "artist") and passes the rest through as the
format spells them; the lists below hold those spellings in order of preference. Tags are untrusted input: they are
limited in length and cleaned of control characters.
"""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from engine.db.text import ARTIST_SEPARATOR, artist_names, fold
from engine.indexer.audio.tag_formats import misread_by_ffmpeg, read_layers
from engine.indexer.audio.tag_formats.fields import mended

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer

    from engine.indexer.audio.source import Source

TAG_READER = "3"  # increase it when the same file would yield other tags: libraries then read tags again
MAX_CHARACTERS = 1_000
MAX_EXAMINED = 8 * MAX_CHARACTERS  # characters of a tag that are cleaned

ARTISTS = ("artists", "wm/artists")  # one name each of a credit ("A feat. B")
ARTIST = ("artist", "author", "iart", "tpe1", "performer")
TITLE = ("title", "inam", "tit2")
ALBUM = ("album", "wm/albumtitle", "iprd", "talb")
ALBUM_ARTIST = ("album_artist", "albumartist", "album artist", "wm/albumartist", "tpe2")
GENRE = ("genre", "wm/genre", "ignr", "tcon")
YEAR = ("date", "year", "wm/year", "icrd", "tdrc", "tyer", "originaldate", "originalyear", "tdor", "tory", "tdrl")
RECORDING_ID = ("musicbrainz_trackid", "musicbrainz track id", "musicbrainz/track id", "musicbrainz_recordingid")
ISRC = ("isrc", "tsrc", "wm/isrc")

SPELLINGS = {
    "artist": (*ARTIST, *ARTISTS),
    "title": TITLE,
    "album": ALBUM,
    "album_artist": ALBUM_ARTIST,
    "genre": GENRE,
    "year": YEAR,
    "recording_id": RECORDING_ID,
    "isrc": ISRC,
}
OWN_COMMENTS = frozenset(["flac", "ogg"])  # FFmpeg returns all their native tags; ID3 is foreign to them

UUID_PATTERN = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])")
ISRC_PATTERN = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
YEAR_PATTERN = re.compile(r"(?<![0-9])[12][0-9]{3}(?![0-9])|(?<![0-9])[12][0-9]{3}(?=[0-9]{4}(?![0-9]))")


@dataclass(frozen=True)
class Tags:
    """The tags of a file; None if absent or unusable.

    Several artists are separated by "; ", as `engine.db.text.artist_names` splits them. The year is 1000 to 2999, the
    recording id a MusicBrainz UUID in lower case, the ISRC twelve upper-case characters.
    """

    artist: str | None = None
    title: str | None = None
    album: str | None = None
    album_artist: str | None = None
    genre: str | None = None
    year: int | None = None
    recording_id: str | None = None
    isrc: str | None = None


def read_metadata(source: Source, container: InputContainer, stream: AudioStream) -> dict[str, str]:
    """Return all metadata of a file by casefolded names; several values of one name are separated by NUL.

    The file's own tags take precedence over FFmpeg's reading of them, and the container's over the stream's, whose
    title is often "Stereo". In Ogg all tags are the stream's.
    """
    name = container.format.name
    own, misread = read_layers(source, name), misread_by_ffmpeg(source, name)
    general, particular = _from_ffmpeg(container.metadata), _from_ffmpeg(stream.metadata)
    general = {key: text for key, text in general.items() if misread.get(key) != text}
    if OWN_COMMENTS.isdisjoint(name.split(",")):
        return merged([*own, general, particular])
    return merged([general, particular, *own])


def merged(layers: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Merge layers of metadata: a field that one layer has, under any spelling, hides that field of later layers."""
    found: dict[str, str] = {}
    for layer in layers:
        present = {field for field, value in asdict(read_tags(found)).items() if value is not None}
        hidden = {key for field in present for key in SPELLINGS[field]}
        missing = {key for field in SPELLINGS.keys() - present for key in SPELLINGS[field]}
        found |= {k: text for k, text in layer.items() if k not in hidden and (k in missing or k not in found)}
    return found


def read_tags(metadata: Mapping[str, str]) -> Tags:
    """Return the tags in metadata with casefolded keys (`AudioInfo.metadata`)."""
    return Tags(
        artist=_artist(metadata),
        title=_first(metadata, TITLE),
        album=_first(metadata, ALBUM),
        album_artist=_joined(artist_names(_first(metadata, ALBUM_ARTIST))),
        genre=_first(metadata, GENRE),
        year=_year(metadata),
        recording_id=_recording_id(metadata),
        isrc=_isrc(metadata),
    )


def clean(text: str) -> str | None:
    """Drop control characters and surrogates, strip, limit to 1,000 characters; None if nothing is left.

    Values separated by NUL are joined by "; ".
    """
    parts = text[:MAX_EXAMINED].replace("\t", " ").replace("\r", "\n").replace("\n", " ").split("\0")
    kept = ("".join(c for c in part if unicodedata.category(c) not in ("Cc", "Cs")).strip() for part in parts)
    return "; ".join(part for part in kept if part)[:MAX_CHARACTERS].strip() or None


def _first(metadata: Mapping[str, str], keys: tuple[str, ...]) -> str | None:
    return next((text for key in keys if (text := clean(metadata.get(key, "")))), None)


def _artist(metadata: Mapping[str, str]) -> str | None:
    """Return the separate list of artists if the credit, if any, names each of them; else the credit."""
    credit, listed = _first(metadata, ARTIST), artist_names(_first(metadata, ARTISTS))
    credited = artist_names(credit)
    if len(listed) > len(credited) and all(_names(credit, name) for name in listed):
        return _joined(listed)
    return _joined(credited)


def _names(credit: str | None, artist: str) -> bool:
    """Return whether a credit contains an artist's name as whole words; a missing credit contains any."""
    return credit is None or re.search(rf"(?<!\w){re.escape(fold(artist))}(?!\w)", fold(credit)) is not None


def _joined(names: Iterable[str]) -> str | None:
    """Join names by "; ", each once, case ignored; None if there are none."""
    once: dict[str, str] = {}
    for name in names:
        once.setdefault(fold(name), name)
    return ARTIST_SEPARATOR.join(once.values()) or None


def _from_ffmpeg(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return FFmpeg's metadata by casefolded keys; of keys that differ in case only, the first."""
    found: dict[str, str] = {}
    for key, value in metadata.items():
        found.setdefault(mended(key).casefold(), mended(value))
    return found


def _year(metadata: Mapping[str, str]) -> int | None:
    found = (YEAR_PATTERN.search(clean(metadata.get(key, "")) or "") for key in YEAR)
    return next((int(match[0]) for match in found if match), None)


def _recording_id(metadata: Mapping[str, str]) -> str | None:
    """Return the first id; a medley lists several, separated by ";" or "/"."""
    found = (UUID_PATTERN.search((clean(metadata.get(key, "")) or "").casefold()) for key in RECORDING_ID)
    return next((str(uuid.UUID(match[0])) for match in found if match), None)


def _isrc(metadata: Mapping[str, str]) -> str | None:
    """Return the first code; hyphens and spaces are dropped, several are separated by ";", "/" or ","."""
    for key in ISRC:
        for part in re.split(r"[;/,]", (clean(metadata.get(key, "")) or "").upper()):
            code = re.sub(r"[\s-]", "", part)
            if ISRC_PATTERN.fullmatch(code):
                return code
    return None
