"""Read tags from a file's own bytes, for the formats of which FFmpeg loses values.

FFmpeg returns the first of several values, takes text that begins with digits for ID3v1's numbers, and ignores UFID,
and APEv2 or ID3v1 beside ID3v2. No library with a suitable licence does better: mutagen (GPL) remains an extra;
tinytag 2.3 (MIT) supports neither APEv2 nor unsynchronisation nor compressed frames, reads no DSF and no TTA, takes
"(4)Eurodisco" for Disco, the first of "(51)(39)", and TXXX:ARTISTS for one more artist. So this package reads them:

id3.py     ID3v2.2, 2.3, 2.4 and ID3v1: mp3, aac, ac3, dts, tta, wav, aiff, dsf, and before a flac
ape.py     APEv2: the same without chunks, Monkey's Audio, Musepack, WavPack, TAK
mp4.py     iTunes' list, of which FFmpeg returns one value each
asf.py     Windows Media, the same

Vorbis comments and the rest come from FFmpeg, which returns all their values. Files are untrusted: sizes are bounded,
nothing recurses, and garbage yields no tags.
"""

from __future__ import annotations

from engine.indexer.audio.tag_formats.ape import read_ape
from engine.indexer.audio.tag_formats.asf import read_asf
from engine.indexer.audio.tag_formats.chunks import find_id3
from engine.indexer.audio.tag_formats.fields import BETWEEN_VALUES, Fields, Readable
from engine.indexer.audio.tag_formats.id3 import V1_BYTES, id3v1_of_ffmpeg, read_id3v1, read_id3v2
from engine.indexer.audio.tag_formats.mp4 import read_mp4

LEADING_TAGS = 4  # most consecutive ID3v2 tags, left by programs that did not check for existing ones
CHUNKED = frozenset(["wav", "aiff", "dsf", "iff"])
STREAMS = frozenset(["aac", "ac3", "ape", "dts", "eac3", "flac", "mp3", "mpc", "mpc8", "shn", "tak", "tta", "wv"])


def read_layers(source: Readable, container: str) -> list[dict[str, str]]:
    """Read a file's own tags, in order of precedence; keys are casefolded FFmpeg names.

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


def misread_by_ffmpeg(source: Readable, container: str) -> dict[str, str]:
    """Return the fields that FFmpeg takes from the end of an APEv2 tag for ID3v1: garbage, by casefolded FFmpeg names.

    ID3v1 is the last 128 bytes if they begin with "TAG". So do those of a tag of 131 bytes, whose header begins with
    "APETAGEX", and those of a longer one that has these letters there.
    """
    ape = read_ape(source, source.size) if STREAMS & frozenset(container.split(",")) else None
    return id3v1_of_ffmpeg(source.at(source.size - V1_BYTES, V1_BYTES)) if ape is not None else {}


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
    """APEv2 before ID3v1, which holds only thirty characters per field.

    APEv2 is sought at the very end first: its own bytes may look like ID3v1 (`misread_by_ffmpeg`).
    """
    end = source.size
    last = read_ape(source, end)
    if last is not None:
        return [last]
    old = read_id3v1(source.at(end - V1_BYTES, V1_BYTES)) if end >= V1_BYTES else None
    return [read_ape(source, end - V1_BYTES) or {}, old] if old is not None else []
