"""A file as FFmpeg may see it, for safety.

A file is opened by Python and handed to FFmpeg as an object, never by name, because names need not be UTF-8 and FFmpeg
takes "http:..." or "concat:..." for protocols. Only demuxers of single files are allowed (`FILE_FORMATS`), and no
protocol, so that a playlist renamed .mp3 opens nothing else.
"""

from __future__ import annotations

import errno
import os
import stat

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition

from engine.errors import AudioError

FILE_FORMATS = (
    "3gp,aa,aac,ac3,act,adx,aiff,amr,amrnb,amrwb,ape,asf,asf_o,ast,au,avi,caf,dsf,dts,dtshd,eac3,flac,flv,iff,ircam,"
    "loas,m4a,matroska,mlp,mov,mp3,mp4,mpc,mpc8,mpeg,mpegts,mxf,nistsphere,nsv,nut,ogg,oma,paf,qcp,qoa,rm,shn,sox,tak,"
    "truehd,tta,voc,vqf,w64,wav,wsd,wtv,wv,xwma"
)
BUFFER_BYTES = 1 << 16
METADATA_ERRORS = "surrogateescape"  # tags need not be UTF-8: `engine.indexer.audio.tags` decodes their bytes


class Source:
    """A regular file as FFmpeg reads it: without a name to read meaning into, and without Python's exceptions."""

    def __init__(self, path: bytes | str | os.PathLike[str]) -> None:
        # Not blocking: to open a FIFO would otherwise wait for its writer.
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
        self._file = os.fdopen(descriptor, "rb", buffering=0)

    def read(self, size: int) -> bytes:
        """Read at most `size` bytes."""
        return self._file.read(size) or b""

    def seek(self, offset: int, whence: int) -> int:
        """Seek; FFmpeg wants a negative number, not an exception, if a damaged file sends it to a place outside."""
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return -errno.EINVAL

    def tell(self) -> int:
        """Give the position; without this method PyAV takes a file for a stream that cannot seek."""
        return self._file.tell()

    def at(self, offset: int, count: int) -> bytes:
        """Read elsewhere, and come back: FFmpeg goes on where it stood. Nothing where a damaged file points outside."""
        if not 0 <= offset < self.size:
            return b""
        before = self._file.tell()
        try:
            self._file.seek(offset)
            return self._file.read(min(count, self.size - offset)) or b""
        except (OSError, ValueError, OverflowError):
            return b""
        finally:
            self._file.seek(before)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def open_container(source: Source) -> InputContainer:
    """Open a source as a container; raises AudioError where it is no sound file."""
    options = {"format_whitelist": FILE_FORMATS, "protocol_whitelist": "none"}
    try:
        return av.open(source, mode="r", options=options, metadata_errors=METADATA_ERRORS, buffer_size=BUFFER_BYTES)
    except (av.FFmpegError, OSError, ValueError) as error:
        # FFmpeg answers so to a format that is not on the list.
        refused = getattr(error, "errno", None) == errno.EINVAL
        reason = "its content is of another kind, such as a playlist or a picture" if refused else reason_of(error)
        raise AudioError(f"not a sound file that can be read: {reason}") from error


def sound_stream(container: InputContainer) -> AudioStream:
    """Choose an audio stream as FFmpeg does, among those that have a decoder: the default one, not a commentary.

    It is set to one thread: files are what runs in parallel here.
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


def reason_of(error: Exception) -> str:
    """An error in words."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
