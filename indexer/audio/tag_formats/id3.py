"""ID3v2.2, 2.3, 2.4 and ID3v1, from the specifications of id3.org.

Deviations, each for the sake of existing programs: several values are separated by NUL in every version; text declared
as ISO 8859-1 is read as UTF-8 if valid, else as cp1252; UTF-16 may lack its byte order mark; a frame of 2.4 may encode
its size as in 2.3. Compressed and encrypted frames are skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.indexer.audio.tag_formats.fields import (
    MOST_BYTES,
    MOST_TEXT_BYTES,
    MOST_VALUES,
    Fields,
    Readable,
    add,
    decoded,
)
from engine.indexer.audio.tag_formats.id3_genres import genre_name, split_genre

HEADER_BYTES = 10
V1_BYTES = 128
MOST_FRAMES = 10_000

FRAME_ID = re.compile(rb"[A-Z][A-Z0-9]{2}[A-Z0-9 \0]?")
MUSICBRAINZ = b"http://musicbrainz.org"
FRAMES = {  # FFmpeg's names; frames of 2.2 have three letters
    "TIT2": "title", "TT2": "title", "TPE1": "artist", "TP1": "artist", "TPE2": "album_artist", "TP2": "album_artist",
    "TALB": "album", "TAL": "album", "TCON": "genre", "TCO": "genre", "TDRC": "date", "TYER": "year", "TYE": "year",
    "TDOR": "originaldate", "TORY": "originalyear", "TOR": "originalyear", "TRC": "tsrc",
}  # fmt: skip
V1_FIELDS = {"title": slice(3, 33), "artist": slice(33, 63), "album": slice(63, 93), "date": slice(93, 97)}
V1_COMMENT = slice(97, 127)  # its last two bytes may be a zero and the track's number
BYTE_ORDERS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def read_id3v2(source: Readable, at: int) -> tuple[Fields, int]:
    """Read the tag at an offset; return its fields and its end: the same offset if there is none."""
    size = _tag_bytes(source.at(at, HEADER_BYTES))
    return (parse_id3v2(source.at(at, min(size, MOST_BYTES))), at + size) if size else ({}, at)


def parse_id3v2(tag: bytes) -> Fields:
    """The text of a whole tag: frames under FFmpeg's names, TXXX under their own unless a frame has the same field."""
    if not _tag_bytes(tag[:HEADER_BYTES]):
        return {}
    version, flags, body = tag[3], tag[5], tag[HEADER_BYTES:]
    if version == 2 and flags & 0x40:  # compressed, by a scheme that was never defined
        return {}
    unsynchronised = bool(flags & 0x80)
    if unsynchronised and version < 4:
        body = _resynchronised(body)
    begin = _extended_bytes(body, version) if version > 2 and flags & 0x40 else 0
    named: Fields = {}
    custom: Fields = {}
    for frame, content in _frames(body[begin:], version, unsynchronised):
        if frame in ("TXXX", "TXX"):
            description, *values = _texts(content) or [""]
            add(custom, description.strip().casefold(), values)
        elif frame in ("UFID", "UFI"):
            owner, _, identifier = content[:MOST_TEXT_BYTES].partition(b"\0")
            if owner.strip().lower() == MUSICBRAINZ:
                add(named, "musicbrainz_trackid", [decoded(identifier.strip(b"\0"))])
        elif frame.startswith("T"):
            key, texts = FRAMES.get(frame, frame.casefold()), _texts(content)
            add(named, key, [name for text in texts for name in split_genre(text)] if key == "genre" else texts)
    return {**custom, **named}


def read_id3v1(tag: bytes) -> Fields | None:
    """Read the last 128 bytes of a file; None if they are not ID3v1."""
    if len(tag) != V1_BYTES or not tag.startswith(b"TAG"):
        return None
    fields: Fields = {}
    for key, place in V1_FIELDS.items():
        add(fields, key, [_cut_text(tag[place].partition(b"\0")[0]).strip()])
    add(fields, "genre", [genre_name(tag[127]) or ""])
    return fields


def id3v1_of_ffmpeg(tag: bytes) -> dict[str, str]:
    """Return what FFmpeg reads of the last 128 bytes of a file if they begin like ID3v1, whatever they are."""
    if read_id3v1(tag) is None:
        return {}
    places = {**V1_FIELDS, "comment": V1_COMMENT}
    found = {key: decoded(tag[place].partition(b"\0")[0]) for key, place in places.items()}
    return {**found, "track": str(tag[126]), "genre": genre_name(tag[127]) or ""}


def _tag_bytes(header: bytes) -> int:
    """The total size of the tag that begins with a header; 0 if there is none."""
    if len(header) < HEADER_BYTES or not header.startswith(b"ID3") or max(header[6:10]) > 0x7F:
        return 0
    if header[3] not in (2, 3, 4):
        return 0
    footer = HEADER_BYTES if header[3] == 4 and header[5] & 0x10 else 0
    return HEADER_BYTES + _synchsafe(header[6:10]) + footer


def _extended_bytes(body: bytes, version: int) -> int:
    if FRAME_ID.fullmatch(body[:4]):  # the flag is set, and there is none
        return 0
    return _synchsafe(body[:4]) if version == 4 else 4 + int.from_bytes(body[:4], "big")


def _frames(body: bytes, version: int, unsynchronised: bool) -> Iterator[tuple[str, bytes]]:
    """The readable frames, up to the padding or the first invalid frame."""
    letters, header = (3, 6) if version == 2 else (4, 10)
    at = 0
    for _ in range(MOST_FRAMES):
        if at + header > len(body) or not FRAME_ID.fullmatch(body[at : at + letters]):
            return
        frame = body[at : at + letters].rstrip(b" \0").decode("ascii")
        size = _frame_bytes(body, at, version)
        flags = body[at + 9] if version > 2 else 0
        begin, at = at + header, at + header + size
        if at > len(body):
            return
        content = _plain(body[begin:at], flags, version, unsynchronised) if frame[0] in "TU" else None
        if content:
            yield frame, content


def _frame_bytes(body: bytes, at: int, version: int) -> int:
    if version == 2:
        return int.from_bytes(body[at + 3 : at + 6], "big")
    stated = body[at + 4 : at + 8]
    plain = int.from_bytes(stated, "big")
    if version == 3 or max(stated) > 0x7F:
        return plain
    safe, begin = _synchsafe(stated), at + 10
    return plain if not _may_end(body, begin + safe) and _may_end(body, begin + plain) else safe


def _may_end(body: bytes, at: int) -> bool:
    """Whether a frame may end here: before another, before padding, or with the tag."""
    following = body[at : at + 4]
    return at <= len(body) and (not following.strip(b"\0") or FRAME_ID.fullmatch(following) is not None)


def _plain(content: bytes, flags: int, version: int, unsynchronised: bool) -> bytes | None:
    """A frame's content without the extra header of its flags; None if it is compressed or encrypted."""
    if version == 3:
        return None if flags & 0xC0 else content[1:] if flags & 0x20 else content
    if version == 4:
        if flags & 0x0C:
            return None
        content = content[(1 if flags & 0x40 else 0) + (4 if flags & 0x01 else 0) :]
        return _resynchronised(content) if unsynchronised or flags & 0x02 else content
    return content


def _texts(content: bytes) -> list[str]:
    """The values of a text frame, including empty ones."""
    encoding, data = content[0], content[1:MOST_TEXT_BYTES]
    if encoding in (0, 3):
        return [decoded(part) for part in data.split(b"\0", MOST_VALUES)]
    if encoding not in (1, 2) or len(data) < 2:
        return []
    data = data[: len(data) // 2 * 2]
    order = BYTE_ORDERS.get(data[:2]) or ("utf-16-be" if encoding == 2 else _likely_order(data))
    return [_without_mark(part, order) for part in data.decode(order, "replace").split("\0", MOST_VALUES)]


def _likely_order(data: bytes) -> str:
    """Guess the byte order of unmarked UTF-16: the high byte of most common letters is zero."""
    return "utf-16-be" if data[::2].count(0) > data[1::2].count(0) else "utf-16-le"


def _without_mark(text: str, order: str) -> str:
    """A value without its byte order mark, which may differ from that of the previous value."""
    if text.startswith("\ufffe"):
        other = "utf-16-le" if order == "utf-16-be" else "utf-16-be"
        text = text.encode(order, "replace").decode(other, "replace")
    return text.removeprefix("\ufeff")


def _cut_text(data: bytes) -> str:
    """Text of a field of fixed size, which may cut a character of UTF-8 in two."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        whole = data[: error.start]
        if error.reason == "unexpected end of data" and not whole.isascii() and len(data) == 30:
            return decoded(whole)
    return decoded(data)


def _resynchronised(data: bytes) -> bytes:
    return data.replace(b"\xff\x00", b"\xff")


def _synchsafe(stated: bytes) -> int:
    """The number in bytes of seven bits."""
    size = 0
    for byte in stated:
        size = size << 7 | byte & 0x7F
    return size
