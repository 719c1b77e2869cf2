"""Windows Media: the content descriptions in the header of ASF, in which a name may occur several times."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from engine.indexer.audio.tag_formats.fields import MOST_BYTES, MOST_TEXT_BYTES, Fields, Readable, add

HEADER = UUID("75b22630-668e-11cf-a6d9-00aa0062ce6c").bytes_le
CONTENT = UUID("75b22633-668e-11cf-a6d9-00aa0062ce6c").bytes_le
EXTENDED_CONTENT = UUID("d2d0a440-e307-11d2-97f0-00a0c95ea850").bytes_le
HEADER_EXTENSION = UUID("5fbf03b5-a92e-11cf-8ee3-00c00c205365").bytes_le
METADATA = UUID("c5f8cbea-5baf-4877-8467-aa8c44fa4cca").bytes_le
METADATA_LIBRARY = UUID("44231c94-9498-49d1-a141-1d134e457054").bytes_le

OBJECT_BYTES = 24  # GUID and size
HEADER_BYTES = 30
EXTENSION_BYTES = 22  # before the objects of a header extension
MOST_OBJECTS = 1_000  # and values in each
TEXT = 0  # the type of a value
NAMES = {  # FFmpeg's; other names are unchanged
    "author": "artist", "wm/albumtitle": "album", "wm/albumartist": "album_artist", "wm/genre": "genre",
    "wm/year": "date",
}  # fmt: skip


def read_asf(source: Readable) -> Fields:
    """Read a file's descriptions in the order of READERS: second values, which only the last kind holds, come last."""
    begin = source.at(0, HEADER_BYTES)
    if len(begin) < HEADER_BYTES or not begin.startswith(HEADER):
        return {}
    size = min(int.from_bytes(begin[16:24], "little"), MOST_BYTES)
    objects = list(_objects(source.at(HEADER_BYTES, max(0, size - HEADER_BYTES))))
    inner = [each for kind, data in objects if kind == HEADER_EXTENSION for each in _objects(data[EXTENSION_BYTES:])]
    fields: Fields = {}
    for wanted, read in READERS.items():
        for kind, data in (*objects, *inner):
            for name, value in read(data) if kind == wanted else ():
                key = name.strip().casefold()
                add(fields, NAMES.get(key, key), [value])
    return fields


def _objects(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    for _ in range(MOST_OBJECTS):
        size = int.from_bytes(data[at + 16 : at + OBJECT_BYTES], "little")
        if size < OBJECT_BYTES or at + size > len(data):
            return
        yield data[at : at + 16], data[at + OBJECT_BYTES : at + size]
        at += size


def _content(data: bytes) -> Iterator[tuple[str, str]]:
    title_end = 10 + int.from_bytes(data[:2], "little")
    yield "title", _text(data[10:title_end])
    yield "author", _text(data[title_end : title_end + int.from_bytes(data[2:4], "little")])


def _extended(data: bytes) -> Iterator[tuple[str, str]]:
    at = 2
    for _ in range(min(int.from_bytes(data[:2], "little"), MOST_OBJECTS)):
        name_end = at + 2 + int.from_bytes(data[at : at + 2], "little")
        kind = int.from_bytes(data[name_end : name_end + 2], "little")
        end = name_end + 4 + int.from_bytes(data[name_end + 2 : name_end + 4], "little")
        if end > len(data):
            return
        if kind == TEXT:
            yield _text(data[at + 2 : name_end]), _text(data[name_end + 4 : end])
        at = end


def _library(data: bytes) -> Iterator[tuple[str, str]]:
    at = 2
    for _ in range(min(int.from_bytes(data[:2], "little"), MOST_OBJECTS)):
        stream = int.from_bytes(data[at + 2 : at + 4], "little")
        kind = int.from_bytes(data[at + 6 : at + 8], "little")
        name_end = at + 12 + int.from_bytes(data[at + 4 : at + 6], "little")
        end = name_end + int.from_bytes(data[at + 8 : at + 12], "little")
        if end > len(data):
            return
        if kind == TEXT and stream == 0:  # of the file, not of one of its streams
            yield _text(data[at + 12 : name_end]), _text(data[name_end:end])
        at = end


def _text(data: bytes) -> str:
    data = data[: min(len(data), MOST_TEXT_BYTES) // 2 * 2]
    return data.decode("utf-16-le", "replace").partition("\0")[0].strip("\0")


READERS = {CONTENT: _content, EXTENDED_CONTENT: _extended, METADATA: _library, METADATA_LIBRARY: _library}
