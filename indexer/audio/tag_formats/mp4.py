"""iTunes' list of tags in MP4, moov/udta/meta/ilst: atoms of one or more values; free-form ones have names."""

from __future__ import annotations

from collections.abc import Iterator

from engine.indexer.audio.tag_formats.fields import MOST_BYTES, MOST_TEXT_BYTES, Fields, Readable, add, decoded
from engine.indexer.audio.tag_formats.id3_genres import genre_name

MOST_ATOMS = 10_000
PARENTS = (b"moov", b"udta", b"meta")
ATOMS = {  # FFmpeg's names
    b"\xa9ART": "artist", b"\xa9nam": "title", b"\xa9alb": "album", b"aART": "album_artist", b"\xa9gen": "genre",
    b"\xa9day": "date",
}  # fmt: skip
TEXTS = (0, 1, 2)  # types of values: unspecified, UTF-8, UTF-16
UTF16 = 2
VALUE_HEADER = 8  # its type and locale


def read_mp4(source: Readable) -> Fields:
    """Read the list: atoms under FFmpeg's names, free-form ones under their own unless an atom has the same field."""
    place = _find_list(source)
    return _parse(source.at(*place)) if place else {}


def _find_list(source: Readable) -> tuple[int, int] | None:
    """Return offset and size of the list's content, or None; children of parents are visited like siblings."""
    at = 0
    for _ in range(MOST_ATOMS):
        header = source.at(at, 16)
        name, size, begin = header[4:8], int.from_bytes(header[:4], "big"), at + 8
        if size == 0 and name != b"mdat" and len(header) == 16:  # the end of QuickTime's udta
            at += 4
            continue
        if size == 1:
            size, begin = int.from_bytes(header[8:], "big"), at + 16
        if size < begin - at:
            return None
        if name == b"ilst":
            return begin, min(at + size - begin, MOST_BYTES)
        at = begin if name in PARENTS else at + size
        if name == b"meta" and source.at(begin + 4, 4) != b"hdlr":  # QuickTime's has no version and flags
            at += 4
    return None


def _parse(data: bytes) -> Fields:
    named: Fields = {}
    custom: Fields = {}
    for name, content in _atoms(data):
        if name == b"----":
            parts = list(_atoms(content))
            called = next((part[4:] for kind, part in parts if kind == b"name"), b"")
            add(custom, decoded(called[:MOST_TEXT_BYTES]).strip().casefold(), _values(parts))
        elif name in ATOMS:
            add(named, ATOMS[name], _values(list(_atoms(content))))
        elif name == b"gnre":
            numbers = [part[VALUE_HEADER:] for kind, part in _atoms(content) if kind == b"data"]
            add(named, "genre", [genre_name(int.from_bytes(part[:2], "big") - 1) or "" for part in numbers])
    return {**custom, **named}


def _values(parts: list[tuple[bytes, bytes]]) -> Iterator[str]:
    for name, part in parts:
        kind = int.from_bytes(part[:4], "big")
        if name == b"data" and kind in TEXTS:
            text = part[VALUE_HEADER : VALUE_HEADER + MOST_TEXT_BYTES]
            yield text.decode("utf-16-be", "replace") if kind == UTF16 else decoded(text)


def _atoms(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    for _ in range(MOST_ATOMS):
        size = int.from_bytes(data[at : at + 4], "big")
        if size < 8 or at + size > len(data):
            return
        yield data[at + 4 : at + 8], data[at + 8 : at + size]
        at += size
