"""APEv1 and APEv2 at the end of a file: items of a key and, where they are text, values separated by NUL."""

from __future__ import annotations

from engine.indexer.audio.tag_formats.fields import MOST_BYTES, MOST_TEXT_BYTES, Fields, Readable, add, decoded

FOOTER_BYTES = 32
ITEM_BYTES = 8
MOST_ITEMS = 10_000
NOT_TEXT = 0b110  # of an item's flags


def read_ape(source: Readable, end: int) -> Fields | None:
    """Read the tag that ends at an offset; None if none does."""
    footer = source.at(end - FOOTER_BYTES, FOOTER_BYTES) if end >= FOOTER_BYTES else b""
    if len(footer) != FOOTER_BYTES or not footer.startswith(b"APETAGEX"):
        return None
    size = int.from_bytes(footer[12:16], "little")  # of the items and the footer
    count = int.from_bytes(footer[16:20], "little")
    if not FOOTER_BYTES < size <= min(end, MOST_BYTES):
        return {}
    return _items(source.at(end - size, size - FOOTER_BYTES), min(count, MOST_ITEMS))


def _items(data: bytes, count: int) -> Fields:
    fields: Fields = {}
    at = 0
    for _ in range(count):
        size = int.from_bytes(data[at : at + 4], "little")
        flags = int.from_bytes(data[at + 4 : at + ITEM_BYTES], "little")
        key_end = data.find(b"\0", at + ITEM_BYTES)
        if key_end < 0 or key_end + 1 + size > len(data):
            break
        key, at = decoded(data[at + ITEM_BYTES : key_end][:MOST_TEXT_BYTES]), key_end + 1 + size
        if not flags & NOT_TEXT:
            values = data[key_end + 1 : at][:MOST_TEXT_BYTES].split(b"\0")
            add(fields, key.strip().casefold(), map(decoded, values))
    return fields
