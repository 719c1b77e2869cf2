"""What the readers of tags share: the file that they look into, the fields that they fill, and text from bytes."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from typing import Protocol, TypeAlias

Fields: TypeAlias = "dict[str, list[str]]"  # casefolded names, and the values of each

BETWEEN_VALUES = "\0"
MOST_BYTES = 16 << 20  # of one tag, pictures included
MOST_TEXT_BYTES = 1 << 16  # of one field
MOST_VALUES = 100  # of one field

# Five bytes mean nothing in cp1252. Latin-1 makes control characters of them, which terminals obey and tags lose: two
# names in another code page would become one. They get letters that no other byte stands for.
_CP1252 = "".join(
    chr(0x100 + byte) if byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else bytes([byte]).decode("cp1252")
    for byte in range(256)
)


class Readable(Protocol):
    """A file that is looked into here and there."""

    @property
    def size(self) -> int:
        """Bytes."""

    def at(self, offset: int, count: int) -> bytes:
        """Read `count` bytes from `offset` on; fewer where the file ends before."""


def decoded(data: bytes) -> str:
    """Text of bytes that do not say how they are encoded: UTF-8 if they are valid, else cp1252.

    No two different byte strings that are no UTF-8 become the same text.
    """
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return codecs.charmap_decode(data, "strict", _CP1252)[0]


def mended(text: str) -> str:
    """Text that was decoded as UTF-8 with "surrogateescape", as `decoded` has it."""
    return text if text.isascii() else decoded(text.encode("utf-8", "surrogateescape"))


def add(fields: Fields, key: str, values: Iterable[str]) -> None:
    """Add the values of a field that are not blank and not there yet."""
    kept = dict.fromkeys(fields.get(key, []))
    for value in values:
        if len(kept) == MOST_VALUES:
            break
        if value.strip():
            kept[value] = None
    if kept:
        fields[key] = list(kept)
