"""Tags as they stand in a file's own bytes, for the formats of which FFmpeg loses values.

FFmpeg gives the first of several values, takes text that begins with digits for ID3v1's numbers, knows no UFID, and no
APEv2 or ID3v1 beside ID3v2. No library does better under a licence that fits: mutagen (GPL) is an extra and stays one;
tinytag 2.3 (MIT) knows neither APEv2 nor unsynchronisation nor compressed frames, reads no DSF and no TTA, takes
"(4)Eurodisco" for Disco, the first of "(51)(39)", and TXXX:ARTISTS for one more artist. So this reads them itself:

id3.py     ID3v2.2, 2.3, 2.4 and ID3v1: mp3, aac, ac3, dts, tta, wav, aiff, dsf, and before a flac
ape.py     APEv2: the same without chunks, Monkey's Audio, Musepack, WavPack, TAK
mp4.py     iTunes' list, of which FFmpeg gives one value each
asf.py     Windows Media, the same

Vorbis comments and the rest come from FFmpeg, which keeps all their values. Nothing in a file is trusted: sizes are
bounded, nothing recurses, and garbage is no tags.
"""

from __future__ import annotations

from engine.indexer.audio.tag_formats.ape import read_ape
from engine.indexer.audio.tag_formats.asf import read_asf
from engine.indexer.audio.tag_formats.chunks import find_id3
from engine.indexer.audio.tag_formats.fields import BETWEEN_VALUES, Fields, Readable
from engine.indexer.audio.tag_formats.id3 import V1_BYTES, read_id3v1, read_id3v2
from engine.indexer.audio.tag_formats.mp4 import read_mp4

LEADING_TAGS = 4  # ID3v2 tags one after the other, left by programs that did not look
CHUNKED = frozenset(["wav", "aiff", "dsf", "iff"])
STREAMS = frozenset(["aac", "ac3", "ape", "dts", "eac3", "flac", "mp3", "mpc", "mpc8", "shn", "tak", "tta", "wv"])


def read_layers(source: Readable, container: str) -> list[dict[str, str]]:
    """Read a file's own tags, the tag that goes before the others first; keys are casefolded names as FFmpeg has them.

    Args:
        source: The file.
        container: FFmpeg's name of its format.

    Returns:
        Dictionaries whose values are separated by NUL where there are several.
    """
    names = frozenset(container.split(","))
    found: list[Fields] = []
    if names & STREAMS:
        found = [*_leading(source), *_trailing(source)]
    elif names & CHUNKED:
        at = find_id3(source)
        found = [read_id3v2(source, at)[0]] if at is not None else []
    elif "mov" in names:
        found = [read_mp4(source)]
    elif "asf" in names:
        found = [read_asf(source)]
    return [{key: BETWEEN_VALUES.join(values) for key, values in fields.items()} for fields in found if fields]


def _leading(source: Readable) -> list[Fields]:
    found, at = [], 0
    for _ in range(LEADING_TAGS):
        fields, end = read_id3v2(source, at)
        if end == at:
            break
        found.append(fields)
        at = end
    return found


def _trailing(source: Readable) -> list[Fields]:
    """APEv2 before ID3v1, which holds thirty characters of each."""
    end = source.size
    old = read_id3v1(source.at(end - V1_BYTES, V1_BYTES)) if end >= V1_BYTES else {}
    if old is not None:
        end -= V1_BYTES
    return [read_ape(source, end), old or {}]
