"""The sound and pictures of a library's tracks, with limits and a cache."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from engine.db import Track
from engine.errors import BusyError, InvalidError, NotFoundError, UnavailableError, reason_of
from engine.indexer.pipeline.decoders import Decoders
from engine.indexer.pipeline.decoding import read_metadata
from engine.server.media.covers import picture_beside, read_cover
from engine.server.media.lyrics import Lyrics, lyrics_of
from engine.server.media.transcoding import BITRATES, CODECS, EncodedPart, transcode
from engine.server.media.waveform import Waveform, read_waveform

COVER_SIZES = (64, 128, 256, 512, 1024, 2048)  # pixels; a request gets the next larger one
CACHED_BYTES = 64 << 20  # of covers and waveforms in memory

MEDIA_TYPES = {
    "aac": "audio/aac", "aif": "audio/aiff", "aiff": "audio/aiff", "ape": "audio/x-ape", "flac": "audio/flac",
    "m4a": "audio/mp4", "mka": "audio/x-matroska", "mp3": "audio/mpeg", "mp4": "audio/mp4", "mpc": "audio/x-musepack",
    "oga": "audio/ogg", "ogg": "audio/ogg", "opus": "audio/ogg", "wav": "audio/wav", "webm": "audio/webm",
    "wma": "audio/x-ms-wma", "wv": "audio/x-wavpack",
}  # fmt: skip


class MediaFiles:
    """Reads tracks in decoder processes. Safe for many threads; close it.

    Args:
        transcodes: Most streams at once.
        threads: Most covers and waveforms read at once.
    """

    def __init__(self, transcodes: int, threads: int) -> None:
        self._streams = Decoders(transcodes, kept=0)
        self._readers = Decoders(threads, kept=1)
        self._places = threading.BoundedSemaphore(transcodes)
        self._cache = _ByteCache(CACHED_BYTES)

    def encoded(self, track: Track, codec: str, bitrate: int, start: float = 0.0) -> EncodedStream:
        """Return the sound of a track in another codec, part by part.

        Args:
            track: The track.
            codec: "opus" or "mp3".
            bitrate: In kbit/s.
            start: In seconds.

        Raises:
            InvalidError: There is no such codec.
            BusyError: The limit of concurrent streams is reached.
        """
        if codec not in CODECS:
            raise InvalidError(f"expected a codec of {', '.join(CODECS)}, found {codec!r}")
        check_readable(track)
        if not self._places.acquire(blocking=False):
            raise BusyError("the server encodes as many streams as it may", hint="try again, or play the original")
        bitrate = min(max(bitrate, BITRATES[0]), BITRATES[-1])
        return EncodedStream(self._streams.stream(transcode, track.path, codec, bitrate, start), self._places.release)

    def waveform(self, track: Track) -> Waveform:
        """Return the waveform of a track; raise AudioError if its file cannot be read."""
        version = _version(check_readable(track))

        def read() -> bytes:
            made = self._readers.call(read_waveform, track.path)
            return np.float64(made.seconds).tobytes() + made.peaks.tobytes()

        cached = self._cache.get(("waveform", track.path, version), read)
        return Waveform(float(np.frombuffer(cached, np.float64, 1)[0]), np.frombuffer(cached, np.uint8)[8:])

    def cover(self, track: Track, size: int | None = None) -> bytes:
        """Return the cover of a track as JPEG.

        Args:
            track: The track.
            size: The least length of the longer side in pixels; None for the largest.

        Raises:
            UnavailableError: The file cannot be read.
            NotFoundError: Neither the file nor its folder has a picture.
        """
        version = _version(check_readable(track))
        pixels = next((each for each in COVER_SIZES if size is not None and each >= size), COVER_SIZES[-1])
        key = ("cover", track.path, version, picture_beside(track.path), pixels)
        picture = self._cache.get(key, lambda: self._readers.call(read_cover, track.path, pixels).data.tobytes())
        if not picture:
            raise NotFoundError(f"track {track.id} has no cover", hint="put a cover.jpg into its folder")
        return picture

    def lyrics(self, track: Track) -> Lyrics | None:
        """Return the lyrics in a track's tags, or None; raise AudioError if its file cannot be read."""
        check_readable(track)
        return lyrics_of(self._readers.call(read_metadata, track.path))

    def close(self) -> None:
        """End all streams."""
        self._streams.close()
        self._readers.close()


class EncodedStream:
    """The parts of an encoded file. Close it even before its end: that ends the process and frees its place."""

    def __init__(self, parts: Iterator[EncodedPart], release: Callable[[], None]) -> None:
        self._parts = parts
        self._finalizer = weakref.finalize(self, release)

    def __iter__(self) -> EncodedStream:
        return self

    def __next__(self) -> bytes:
        """Return the next part; raise AudioError if the file cannot be read."""
        return next(self._parts).data.tobytes()

    def close(self) -> None:
        """End the stream."""
        self._parts.close()  # type: ignore[attr-defined]
        self._finalizer()


def check_readable(track: Track) -> os.stat_result:
    """Return the status of a track's file.

    Raises:
        UnavailableError: It is missing, or not a regular file; the message does not name the path.
    """
    try:
        status = Path(track.name).stat()
    except OSError as error:
        reason = f"the file of track {track.id} cannot be read: {reason_of(error)}"
        raise UnavailableError(reason, hint="is its disk mounted?") from error
    if not stat.S_ISREG(status.st_mode):
        raise UnavailableError(f"the file of track {track.id} is not a regular file", hint="index its folder again")
    return status


def suffix_of(track: Track) -> str:
    """Return the ending of a track's file without the dot, in lower case; empty if it has none."""
    return os.path.splitext(track.name)[1][1:].lower()  # noqa: PTH122


def media_type_of(track: Track) -> str:
    """Return the media type of a track's file, by its ending."""
    return MEDIA_TYPES.get(suffix_of(track), "application/octet-stream")


def entity_tag(track: Track) -> str:
    """Return an ETag that changes with the contents of a track's file, also before it is indexed again.

    Raises:
        UnavailableError: The file cannot be read.
    """
    return hashlib.sha256(track.content_hash + repr(_version(check_readable(track))).encode()).hexdigest()[:32]


def _version(status: os.stat_result) -> tuple[int, int]:
    """Return what changes when a file is replaced; the library's hash changes only when it is indexed again."""
    return status.st_size, status.st_mtime_ns


class _ByteCache:
    """The most recently used values, up to a number of bytes. Safe for many threads."""

    def __init__(self, limit: int) -> None:
        self._limit, self._size = limit, 0
        self._lock = threading.Lock()
        self._values: OrderedDict[object, bytes] = OrderedDict()

    def get(self, key: object, compute: Callable[[], bytes]) -> bytes:
        """Return a value; compute it if it is missing. Two callers may compute the same one.

        Empty values are not kept: they stand for what could not be found or read, which may change, and the limit
        would never evict them.
        """
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = compute()
        if not value:
            return value
        with self._lock:
            self._size += len(value) - len(self._values.pop(key, b""))
            self._values[key] = value
            while self._size > self._limit and len(self._values) > 1:
                self._size -= len(self._values.popitem(last=False)[1])
        return value
