"""Open a file for FFmpeg safely.

Python opens the file and gives FFmpeg an object, never the path, because paths need not be UTF-8 and FFmpeg reads
"http:..." or "concat:..." as protocols. Only demuxers of single files are permitted (`engine.indexer.audio.formats`)
and no protocol, so that a playlist renamed .mp3 opens nothing else.
"""

from __future__ import annotations

import errno
import os
import stat

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition

from engine.errors import AudioError, reason_of
from engine.indexer.audio.formats import DEMUXERS, TEXT_PROBE_BYTES, name_for_ffmpeg

BUFFER_BYTES = 1 << 16
METADATA_ERRORS = "surrogateescape"  # tags need not be UTF-8: `engine.indexer.audio.tags` decodes their bytes


class Source:
    """A regular file for FFmpeg to read; Python's exceptions do not pass through FFmpeg.

    Raises:
        AudioError: The file cannot be opened, is not regular, or is empty.

    Attributes:
        name: For FFmpeg, to recognise raw formats; without the path.
        size: In bytes.
        fault: The first read error, which FFmpeg may take for the end of the file.
    """

    def __init__(self, path: bytes | str | os.PathLike[str]) -> None:
        # Non-blocking: opening a FIFO would otherwise wait for a writer.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        try:
            descriptor = os.open(path, flags)
        except (OSError, ValueError) as error:
            raise AudioError(f"cannot be opened: {reason_of(error)}") from error
        status = os.fstat(descriptor)
        regular = stat.S_ISREG(status.st_mode)
        if not regular or not status.st_size:
            os.close(descriptor)
            raise AudioError("the file is empty" if regular else "not a regular file")
        self.size = status.st_size
        self.fault: OSError | None = None
        self._file = os.fdopen(descriptor, "rb", buffering=0)
        self.name = name_for_ffmpeg(os.fsencode(path), self.at(0, TEXT_PROBE_BYTES))

    def read(self, size: int) -> bytes:
        """Read at most `size` bytes; after an error, nothing more."""
        try:
            return self._file.read(size) or b""
        except OSError as error:
            self.fault = self.fault or error
            return b""

    def seek(self, offset: int, whence: int) -> int:
        """Seek; return a negative number where a damaged file sends FFmpeg outside, as FFmpeg expects."""
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return -errno.EINVAL

    def tell(self) -> int:
        """Return the position; without this method PyAV treats a file as a stream that cannot seek."""
        return self._file.tell()

    def at(self, offset: int, count: int) -> bytes:
        """Read at an offset and restore the position; nothing where a damaged file points outside."""
        if not 0 <= offset < self.size:
            return b""
        before = self._file.tell()
        try:
            self._file.seek(offset)
            return self.read(min(count, self.size - offset))
        except (OSError, ValueError, OverflowError):
            return b""
        finally:
            self._file.seek(before)

    def check(self) -> None:
        """Raise AudioError if a read failed: the decoded samples are incomplete."""
        if self.fault is not None:
            raise AudioError(f"cannot be read to its end: {reason_of(self.fault)}") from self.fault

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def open_container(source: Source, demuxers: str = DEMUXERS) -> InputContainer:
    """Open a source as a container; raise AudioError if none of the demuxers reads it."""
    options = {"format_whitelist": demuxers, "protocol_whitelist": "none"}
    try:
        return av.open(source, mode="r", options=options, metadata_errors=METADATA_ERRORS, buffer_size=BUFFER_BYTES)
    except (av.FFmpegError, OSError, ValueError) as error:
        source.check()
        # FFmpeg reports EINVAL for a format that is not on the list.
        refused = getattr(error, "errno", None) == errno.EINVAL
        reason = "its content is of another kind, such as a playlist or a picture" if refused else reason_of(error)
        raise AudioError(f"not a sound file that can be read: {reason}") from error


def sound_stream(container: InputContainer) -> AudioStream:
    """Choose an audio stream as FFmpeg does, among those with a decoder: the default one, not a commentary.

    It decodes in one thread, as files are processed in parallel.
    """
    streams = [stream for stream in container.streams.audio if stream.codec_context is not None]
    if not streams:
        container.close()
        raise AudioError("no decoder for its audio stream" if container.streams.audio else "no audio stream")
    best = container.streams.best("audio")
    preferred = [stream for stream in streams if best is not None and stream.index == best.index]
    preferred += [stream for stream in streams if stream.disposition & Disposition.default]
    stream = (preferred or streams)[0]
    stream.codec_context.thread_count = 1
    return stream
