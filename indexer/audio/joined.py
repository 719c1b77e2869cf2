"""Recognise files of several concatenated streams, each with its own length (chained Ogg, joined FLAC, WavPack).

Their headers describe one stream, and a seek may land in any of them, so they must be decoded from beginning to end.
"""

from __future__ import annotations

import struct

from engine.indexer.audio.decode import AudioFile

OGG_PAGE = b"OggS"
OGG_HEADER_BYTES = 27  # of a page, without its table of sizes
OGG_FIRST_PAGE = b"\x02"  # flag of the page that a stream begins with
TAIL_BYTES = 1 << 17  # two of the largest pages
WAVPACK_BLOCK = b"wvpk"
WAVPACK_HEADER_BYTES = 32
WAVPACK_TAIL_BYTES = 1 << 20  # the largest block
UNKNOWN_TOTAL = 0xFFFFFFFF
LONGER = 1.05  # times the stated length: beyond rounding to packets
MISPLACED = 0.12  # tolerated offset between the middle in time and the middle in bytes, as a share of the file


def is_joined(audio: AudioFile) -> bool:
    """Return whether a file, of a format whose players continue past the first stream, holds several."""
    container = audio.info.container
    if container == "ogg":
        return _is_chained(audio)
    if container == "wv":
        return _is_repeated_wavpack(audio)
    return container == "flac" and _is_misplaced(audio) and _packet_seconds(audio) > LONGER * audio.duration()


def _is_repeated_wavpack(audio: AudioFile) -> bool:
    """Return whether the last block of a WavPack file is not the end of the stream of its first block.

    A block begins with "wvpk"; byte 12 has the samples of the stream (in its first block), byte 16 the index of the
    block's first sample, byte 20 their number (WavPack 4 & 5 Binary File Format).
    """
    total, _ = _wavpack_place(audio.peek(0, WAVPACK_HEADER_BYTES))
    tail = audio.peek(-WAVPACK_TAIL_BYTES, WAVPACK_TAIL_BYTES)
    at = tail.rfind(WAVPACK_BLOCK)
    _, end = _wavpack_place(tail[at : at + WAVPACK_HEADER_BYTES] if at >= 0 else b"")
    if UNKNOWN_TOTAL in (total, end):
        return False
    return end != total or (_is_misplaced(audio) and _packet_seconds(audio) > LONGER * audio.duration())


def _wavpack_place(header: bytes) -> tuple[int, int]:
    """Return the samples of a block's stream and the block's end within it; UNKNOWN_TOTAL for other data."""
    if len(header) < WAVPACK_HEADER_BYTES or not header.startswith(WAVPACK_BLOCK):
        return UNKNOWN_TOTAL, UNKNOWN_TOTAL
    total, index, count = struct.unpack_from("<III", header, 12)
    return total, index + count


def _is_chained(audio: AudioFile) -> bool:
    """Return whether the last page of an Ogg file belongs to a stream that does not begin with the file."""
    serials, at = set(), 0
    while (page := audio.peek(at, OGG_HEADER_BYTES))[:4] == OGG_PAGE and page[5:6] == OGG_FIRST_PAGE:
        serials.add(page[14:18])
        sizes = audio.peek(at + OGG_HEADER_BYTES, page[26])
        at += OGG_HEADER_BYTES + len(sizes) + sum(sizes)
    tail = audio.peek(-TAIL_BYTES, TAIL_BYTES)
    last = tail.rfind(OGG_PAGE)
    return bool(serials) and last >= 0 and tail[last + 14 : last + 18] not in serials


def _is_misplaced(audio: AudioFile) -> bool:
    """Return whether the middle of the stated time is far from the middle of the file."""
    begin, duration = _next_offset(audio), audio.info.duration_seconds
    middle = _next_offset(audio) if duration and audio.seek(duration / 2) else None
    audio.rewind()
    if begin is None or middle is None:
        return False
    return abs((middle - begin) / max(1, audio.size - begin) - 0.5) > MISPLACED


def _next_offset(audio: AudioFile) -> int | None:
    """Return the offset of the next packet in bytes; None at the end."""
    return next((packet.pos for packet in audio.packets()), None)


def _packet_seconds(audio: AudioFile) -> float:
    """Return the total duration of all packets in seconds, regardless of their timestamps."""
    seconds = sum(float((packet.duration or 0) * packet.time_base) for packet in audio.packets() if packet.time_base)
    audio.rewind()
    return seconds
