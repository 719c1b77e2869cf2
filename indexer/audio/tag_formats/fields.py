"""Shared by all tag readers: access to the file, the fields, and decoding of text."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from typing import Protocol, TypeAlias

Fields: TypeAlias = "dict[str, list[str]]"  # casefolded names, and the values of each

BETWEEN_VALUES = "\0"
MOST_BYTES = 16 << 20  # of one tag, pictures included
MOST_TEXT_BYTES = 1 << 16  # of one field
MOST_VALUES = 100  # of one field

# Five bytes are undefined in cp1252. Latin-1 decodes them to control characters, which are removed from tags, so two
# names in another code page could become equal. Map them to letters that no other byte decodes to.
_CP1252 = "".join(
    chr(0x100 + byte) if byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else bytes([byte]).decode("cp1252")
    for byte in range(256)
)


class Readable(Protocol):
    """A file with random access."""

    @property
    def size(self) -> int:
        """Bytes."""

    def at(self, offset: int, count: int) -> bytes:
        """Read `count` bytes from `offset` on; fewer where the file ends before."""


def decoded(data: bytes) -> str:
    """Decode bytes of unknown encoding: as UTF-8 if valid, else as cp1252.

    Different byte strings that are not UTF-8 decode to different text.
    """
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return codecs.charmap_decode(data, "strict", _CP1252)[0]


def mended(text: str) -> str:
    """Convert text decoded as UTF-8 with "surrogateescape" to the result of `decoded`."""
    return text if text.isascii() else decoded(text.encode("utf-8", "surrogateescape"))


def add(fields: Fields, key: str, values: Iterable[str]) -> None:
    """Add the values of a field that are neither blank nor present."""
    kept = dict.fromkeys(fields.get(key, []))
    for value in values:
        if len(kept) == MOST_VALUES:
            break
        if value.strip():
            kept[value] = None
    if kept:
        fields[key] = list(kept)
