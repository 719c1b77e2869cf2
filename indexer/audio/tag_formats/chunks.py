"""Locate ID3 tags in chunked formats (RIFF/WAV, AIFF, DSDIFF) and in DSF, whose header points at them."""

from __future__ import annotations

from typing import Literal, NamedTuple

from engine.indexer.audio.tag_formats.fields import Readable

MOST_CHUNKS = 10_000
ID3_CHUNKS = (b"id3 ", b"ID3 ")
UNKNOWN_BYTES = 0xFFFFFFFF  # the data chunk of RF64: ds64 states its size


class _Layout(NamedTuple):
    order: Literal["little", "big"]
    size_bytes: int  # of the number after a chunk's name


LAYOUTS = {
    b"RIFF": _Layout("little", 4),
    b"RF64": _Layout("little", 4),
    b"BW64": _Layout("little", 4),
    b"FORM": _Layout("big", 4),
    b"FRM8": _Layout("big", 8),
}


def find_id3(source: Readable) -> int | None:
    """The offset at which ID3 begins, or None."""
    begin = source.at(0, 28)
    if begin.startswith(b"DSD "):
        return int.from_bytes(begin[20:28], "little") or None
    layout = LAYOUTS.get(begin[:4])
    return _walk(source, layout) if layout else None


def _walk(source: Readable, layout: _Layout) -> int | None:
    header = 4 + layout.size_bytes
    at, data_bytes = header + 4, None
    for _ in range(MOST_CHUNKS):
        chunk = source.at(at, header)
        if len(chunk) < header:
            return None
        name, size = chunk[:4], int.from_bytes(chunk[4:], layout.order)
        if name in ID3_CHUNKS:
            return at + header
        if name == b"ds64":
            data_bytes = int.from_bytes(source.at(at + header + 8, 8), "little")
        if name == b"data" and size == UNKNOWN_BYTES and data_bytes is not None:
            size = data_bytes
        at += header + size + size % 2
    return None
