"""Tags as the library stores them: from a file's own tags (`engine.indexer.audio.tag_formats`) and FFmpeg's metadata.

FFmpeg gives the common fields one name across formats (ID3's TPE1 is "artist") and leaves the rest as the format spells
them; the lists below hold those spellings, in order of preference. Nothing in a tag is trusted.
"""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from engine.db.text import ARTIST_SEPARATOR, artist_names, fold
from engine.indexer.audio.tag_formats import read_layers
from engine.indexer.audio.tag_formats.fields import mended

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer

    from engine.indexer.audio.source import Source

TAG_READER = "2"  # to be raised when files would give other tags than before: libraries then read them anew
MAX_CHARACTERS = 1_000
MAX_EXAMINED = 8 * MAX_CHARACTERS  # of a tag that holds a book

ARTISTS = ("artists", "wm/artists")  # the names that an artist's credit ("A feat. B") is made of
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
OWN_COMMENTS = frozenset(["flac", "ogg"])  # formats whose own tags FFmpeg keeps whole: an ID3 tag is none of theirs

UUID_PATTERN = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])")
ISRC_PATTERN = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
YEAR_PATTERN = re.compile(r"(?<![0-9])[12][0-9]{3}(?![0-9])|(?<![0-9])[12][0-9]{3}(?=[0-9]{4}(?![0-9]))")


@dataclass(frozen=True)
class Tags:
    """What a file says of itself; None where it says nothing that can be used.

    Several artists are separated by "; ", as `engine.db.text.artist_names` splits them. The year is 1000..2999, the
    recording id MusicBrainz' UUID in lower case, the ISRC twelve upper-case characters.
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
    """Read all that a file says, by casefolded names; several values of one are separated by NUL.

    A file's own tags go before what FFmpeg makes of them, and what is said of the file before what is said of its
    stream, whose title is often "Stereo". In Ogg all tags are the stream's.
    """
    name = container.format.name
    own = read_layers(source, name)
    general, particular = _from_ffmpeg(container.metadata), _from_ffmpeg(stream.metadata)
    if OWN_COMMENTS.isdisjoint(name.split(",")):
        return merged([*own, general, particular])
    return merged([general, particular, *own])


def merged(layers: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Join what several tags say: what one says of a field, by whatever name, hides what later ones say of it."""
    found: dict[str, str] = {}
    for layer in layers:
        said = {field for field, value in asdict(read_tags(found)).items() if value is not None}
        hidden = {key for field in said for key in SPELLINGS[field]}
        unsaid = {key for field in SPELLINGS.keys() - said for key in SPELLINGS[field]}
        found |= {k: text for k, text in layer.items() if k not in hidden and (k in unsaid or k not in found)}
    return found


def read_tags(metadata: Mapping[str, str]) -> Tags:
    """Read a file's metadata, whose keys are casefolded (`AudioInfo.metadata`)."""
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

    Several values are separated by NUL: they are kept apart by "; ".
    """
    parts = text[:MAX_EXAMINED].replace("\t", " ").replace("\r", "\n").replace("\n", " ").split("\0")
    kept = ("".join(c for c in part if unicodedata.category(c) not in ("Cc", "Cs")).strip() for part in parts)
    return "; ".join(part for part in kept if part)[:MAX_CHARACTERS].strip() or None


def _first(metadata: Mapping[str, str], keys: tuple[str, ...]) -> str | None:
    return next((text for key in keys if (text := clean(metadata.get(key, "")))), None)


def _artist(metadata: Mapping[str, str]) -> str | None:
    """The artists: one by one where a tag lists them so, and where the credit, if any, names each of them."""
    credit, listed = _first(metadata, ARTIST), artist_names(_first(metadata, ARTISTS))
    credited = artist_names(credit)
    if len(listed) > len(credited) and all(_names(credit, name) for name in listed):
        return _joined(listed)
    return _joined(credited)


def _names(credit: str | None, artist: str) -> bool:
    """Whether a credit holds an artist's name, in whole words; none holds all."""
    return credit is None or re.search(rf"(?<!\w){re.escape(fold(artist))}(?!\w)", fold(credit)) is not None


def _joined(names: Iterable[str]) -> str | None:
    """Names in one column, each once."""
    once: dict[str, str] = {}
    for name in names:
        once.setdefault(fold(name), name)
    return ARTIST_SEPARATOR.join(once.values()) or None


def _from_ffmpeg(metadata: Mapping[str, str]) -> dict[str, str]:
    """FFmpeg's metadata by casefolded keys; where two differ in case only, the first stays."""
    found: dict[str, str] = {}
    for key, value in metadata.items():
        found.setdefault(mended(key).casefold(), mended(value))
    return found


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
