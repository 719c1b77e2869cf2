"""Functions that run in a decoder's process (`engine.indexer.pipeline.decoders`): paths in, plain values out.

Each returns, or yields, a dataclass, a dictionary of strings, a number or None; the type is read from its annotation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from engine.errors import AudioError
from engine.indexer.audio.decode import AudioFile
from engine.indexer.audio.faults import is_passing
from engine.indexer.audio.formats import demuxers_for
from engine.indexer.audio.info import AudioInfo
from engine.indexer.audio.reading import TrackAudio, plan_starts, read_track
from engine.indexer.audio.samples import Samples, stack

SHORTEST_TAIL = 0.5  # of a window: the shortest remainder at the end of a file read in full that counts


@dataclass(frozen=True, eq=False)
class Stretch:
    """Consecutive windows of a file that is read in full.

    Attributes:
        metadata: The file's tags.
        seconds: Length of the sound, including a remainder too short for a window.
        windows: (W, L), the last one zero-padded; W may be 0.
    """

    metadata: dict[str, str]
    seconds: float
    windows: Samples


@dataclass(frozen=True, eq=False)
class Excerpt:
    """Windows of a part of a file.

    Attributes:
        starts: In seconds, (W,).
        windows: Samples, (W, L).
        sound_seconds: Length of the longest contiguous sound among them.
        duration_seconds: Of the whole file.
    """

    starts: list[float]
    windows: Samples
    sound_seconds: float
    duration_seconds: float


@dataclass(frozen=True)
class EncodedSound:
    """The headers of a file, and a digest of its packets: the encoded sound without the tags around it."""

    info: AudioInfo
    digest: bytes


def read_windows(path: bytes, seconds: float, count: int, sample_rate: int, placement: str) -> TrackAudio:
    """Read `count` windows of `seconds`, by seeking; see `engine.indexer.audio.reading.read_track`."""
    return read_track(path, seconds, count, sample_rate, placement)


def read_stretches(path: bytes, seconds: float, sample_rate: int, at_once: int) -> Iterator[Stretch]:
    """Read all of a file in windows of `seconds`, `at_once` windows a stretch; raises AudioError."""
    length, first = round(seconds * sample_rate), True
    with AudioFile.open(path) as audio:
        blocks = audio.blocks(seconds, sample_rate)
        while part := list(islice(blocks, at_once)):
            whole = [block for block in part if len(block) >= SHORTEST_TAIL * length]
            kept = whole or (part[:1] if first else [])  # a file shorter than half a window still gives one
            yield Stretch(audio.info.metadata, sum(map(len, part)) / sample_rate, stack(kept, length))
            first = False


def read_excerpt(path: bytes, start: float, end: float, seconds: float, count: int, sample_rate: int) -> Excerpt:
    """Read at most `count` windows of `seconds` from `start` to `end` (seconds) of a file; raises AudioError."""
    starts = [start + offset for offset in plan_starts(end - start, seconds, count)]
    with AudioFile.open(path) as audio:
        cuts = audio.cut(starts, min(seconds, end - start), sample_rate, seeking=True)
        longest = max(map(len, cuts)) / sample_rate
        return Excerpt(starts, stack(cuts, round(seconds * sample_rate)), longest, audio.duration())


def read_blocks(path: bytes, seconds: float, sample_rate: int) -> Iterator[Samples]:
    """Read all of a file as consecutive blocks (L,) of `seconds`, the last one shorter; raises AudioError."""
    with AudioFile.open(path) as audio:
        yield from audio.blocks(seconds, sample_rate)


def read_beginning(path: bytes, seconds: float, sample_rate: int, at_least: float) -> Samples:
    """Read at most `seconds` from the start of a file, (L,).

    Raises:
        AudioError: The file is not audio, or shorter than `at_least` seconds.
    """
    too_short = AudioError(f"shorter than {at_least:g} s")
    with AudioFile.open(path) as audio:
        if at_least and audio.duration() < at_least:
            raise too_short
        samples = next(iter(audio.blocks(seconds, sample_rate)), None)
    if samples is None or not len(samples):
        raise AudioError("no sound decodes")
    if len(samples) < at_least * sample_rate:
        raise too_short
    return samples


def read_info(path: bytes) -> AudioInfo:
    """Read a file's headers and tags; raises AudioError."""
    with AudioFile.open(path) as audio:
        return audio.info


def digest_sound(path: bytes) -> EncodedSound:
    """Read a file's headers, tags and packets, without decoding them; raises AudioError."""
    digest = hashlib.blake2b(digest_size=16)
    with AudioFile.open(path) as audio:
        audio.rewind()
        for packet in audio.packets():
            digest.update(bytes(packet))
        return EncodedSound(audio.info, digest.digest())


def read_metadata(path: bytes) -> dict[str, str]:
    """Read a file's tags, by casefolded names; raises AudioError."""
    with AudioFile.open(path) as audio:
        return audio.info.metadata


def holds_sound(path: bytes) -> bool:
    """Whether a file opens as audio and one frame decodes; raises AudioError if a temporary fault prevents the test."""
    try:
        with AudioFile.open(path, demuxers_for(path)) as audio:
            return next(audio.chunks(), None) is not None
    except AudioError as error:
        if is_passing(error):
            raise
        return False


def check_opens(path: bytes) -> None:
    """Raise AudioError unless a file opens as sound."""
    AudioFile.open(path).close()
