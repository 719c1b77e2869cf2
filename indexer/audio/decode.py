"""Decode audio and video files with FFmpeg through PyAV: durations, windows, blocks.

Each file is decoded in one thread; files run in parallel.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from types import TracebackType

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.packet import Packet

from engine.errors import AudioError, reason_of
from engine.indexer.audio.formats import DEMUXERS
from engine.indexer.audio.info import AudioInfo, describe
from engine.indexer.audio.samples import Chunk, Downmix, Samples, groups, resample, resampled, stack
from engine.indexer.audio.source import Source, open_container, sound_stream
from engine.indexer.audio.tags import read_metadata
from engine.indexer.audio.tape import StretchCache, Tape, cut_window

EXACT_FORMATS = frozenset(  # formats that state their length; for others FFmpeg estimates it from the bit rate
    ["aiff", "ape", "au", "caf", "dsf", "flac", "matroska", "mov", "mpc8", "ogg", "tak", "tta", "w64", "wav", "wv"]
)
MINIMUM_SECONDS = 0.5  # least sound that is encoded
SILENCE_PEAK = 1e-5  # -100 dBFS; below it there is at most dither
FAR_SECONDS = 1e7  # beyond the end of any file


def probe(path: bytes | str | os.PathLike[str]) -> bool:
    """Return whether a file, regardless of its name, opens as audio and one frame decodes."""
    try:
        with AudioFile.open(path) as audio:
            return next(audio.chunks(), None) is not None
    except AudioError:
        return False


class AudioFile:
    """One open file, for one thread, as a context manager. Times are seconds from its first sample.

    Attributes:
        info: Its headers.
        trouble: FFmpeg's latest error about a packet; empty if there was none.
        untouched: Whether nothing was read and no seek was made since it was opened.
    """

    info: AudioInfo
    trouble: str
    untouched: bool

    @classmethod
    def open(cls, path: bytes | str | os.PathLike[str], demuxers: str = DEMUXERS) -> AudioFile:
        """Open a regular file with one of FFmpeg's demuxers, whose names are separated by commas.

        Raises:
            AudioError: The file is not audio or cannot be read; one line without the path.
        """
        source = Source(path)
        try:
            return cls(source, demuxers)
        except BaseException:
            source.close()
            raise

    def __init__(self, source: Source, demuxers: str = DEMUXERS) -> None:
        self._source, self._demuxers = source, demuxers
        self.trouble = ""
        self._container = open_container(source, demuxers)
        self._stream = sound_stream(self._container)
        self.info = describe(self._container, self._stream, read_metadata(source, self._container, self._stream))
        source.check()
        start, time_base = self._stream.start_time, self._stream.time_base
        self._origin = float(start * time_base) if start is not None and time_base else 0.0
        self._measured: float | None = None
        self.untouched = True

    def __enter__(self) -> AudioFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Release the decoder and the file."""
        self._container.close()
        self._source.close()

    @property
    def size(self) -> int:
        """The file's length in bytes."""
        return self._source.size

    def peek(self, offset: int, size: int) -> bytes:
        """Return at most `size` of the file's bytes from `offset`, counted from its end if negative."""
        return self._source.at(offset if offset >= 0 else max(0, self.size + offset), size)

    def duration(self) -> float:
        """Return the length in seconds: as stated if the format states it exactly, else measured."""
        stated = self.info.duration_seconds
        exact = not EXACT_FORMATS.isdisjoint(self.info.container.split(","))
        return stated if exact and stated else self.measured_duration()

    def measured_duration(self) -> float:
        """Return the length in seconds by the packets' timestamps, without decoding; 0.0 if there are none."""
        if self._measured is None:
            # Without an index, FFmpeg itself scans to the end when it seeks: much faster than reading packets here.
            end = self._last_timestamp() if self.seek(FAR_SECONDS) else None
            if end is None:
                self.rewind()
                end = self._last_timestamp()
            self._measured = max(0.0, end - self._origin) if end is not None else 0.0
        return self._measured

    def windows(self, starts: Sequence[float], seconds: float, sample_rate: int) -> Samples:
        """Return mono windows (W, L) of `seconds` at `starts` (seconds), zero-padded beyond the end."""
        return stack(self.cut(starts, seconds, sample_rate, seeking=True), round(seconds * sample_rate))

    def cut(
        self,
        starts: Sequence[float],
        seconds: float,
        sample_rate: int,
        seeking: bool,
        cache: StretchCache | None = None,
    ) -> list[Samples]:
        """Return the windows unpadded; without `seeking`, decode everything before each.

        Stretches in `cache` are not decoded again; decoded ones are added to it.
        """
        tape = Tape(self, self.info.sample_rate, seeking, cache)
        return [cut_window(tape, start, seconds, sample_rate) for start in starts]

    def blocks(self, seconds: float, sample_rate: int) -> Iterator[Samples]:
        """Yield the whole file as consecutive mono blocks (L,) of `seconds`; the last one may be shorter.

        Raises:
            AudioError: At the end, if there was less than 0.5 s of sound or only silence.
        """
        size = round(seconds * sample_rate)
        total, waiting, peak = 0, 0, 0.0
        held: list[Samples] = []
        self.rewind()
        for piece in resampled(self.chunks(), self.info.sample_rate, sample_rate):
            total, peak = total + len(piece), max(peak, float(np.abs(piece).max(initial=0)))
            held.append(piece)
            waiting += len(piece)
            if waiting >= size:
                *whole, rest = _cut_up(np.concatenate(held), size)
                yield from whole
                held, waiting = [rest], len(rest)
        if waiting:
            yield np.concatenate(held)
        if total < MINIMUM_SECONDS * sample_rate:
            raise AudioError(
                f"only {total / sample_rate:.2g} s of sound", hint=f"at least {MINIMUM_SECONDS} s is needed"
            )
        if peak < SILENCE_PEAK:
            raise AudioError(f"silence: nothing above {SILENCE_PEAK:g} of full scale")

    def seek(self, seconds: float) -> bool:
        """Seek to the last key frame at or before a time; return False if this file cannot seek."""
        time_base = self._stream.time_base
        if not time_base:
            return False
        self.untouched = False
        try:
            self._container.seek(int((self._origin + seconds) / time_base), stream=self._stream)
        except (av.FFmpegError, OSError, ValueError, OverflowError) as error:
            self.trouble = reason_of(error)
            return False
        return True

    def rewind(self) -> None:
        """Go to the beginning by reopening the container, which works even if seeking does not."""
        if self.untouched:
            return
        self._container.close()
        self._source.seek(0, os.SEEK_SET)
        self._container = open_container(self._source, self._demuxers)
        self._stream = sound_stream(self._container)
        self.untouched = True

    def chunks(self, sought: bool = False) -> Iterator[Chunk]:
        """Decode from here to the end; the first timestamp gives the position, after which samples are counted.

        Args:
            sought: Whether a seek preceded; if so, nothing is yielded without a timestamp.
        """
        position, mix = None, Downmix()
        for frames in groups(self.frames()):
            if position is None:
                position = self._position(frames[0], sought)
            sound = mix.mono(frames)
            if frames[0].sample_rate != self.info.sample_rate:
                sound = resample(sound, frames[0].sample_rate, self.info.sample_rate)
            if position is not None and len(sound):
                yield Chunk(position, sound)
                position += len(sound)

    def frames(self) -> Iterator[AudioFrame]:
        """Decode all channels from here to the end; rate, layout and sample format may change on the way."""
        for packet in self.packets():
            yield from self._decode(packet)

    def packets(self) -> Iterator[Packet]:
        """Yield packets from here to the end, undecoded.

        Raises:
            AudioError: The file could not be read to its end.
        """
        self.untouched = False
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, OSError, ValueError) as error:
                self.trouble, packet = reason_of(error), None
            self._source.check()
            if packet is None:
                return
            yield packet

    def _decode(self, packet: Packet) -> list[AudioFrame]:
        """Decode one packet; a damaged one yields no frames, as in players."""
        try:
            return self._stream.decode(packet)
        except (av.FFmpegError, OSError, ValueError) as error:
            self.trouble = reason_of(error)
            return []

    def _position(self, frame: AudioFrame, sought: bool) -> int | None:
        """Return the sample of the file at which a frame begins; None if unknown."""
        if frame.pts is None or frame.time_base is None:
            return None if sought else 0
        position = round((float(frame.pts * frame.time_base) - self._origin) * self.info.sample_rate)
        # Some decoders (WMA) drop their first frame, so the beginning may be slightly off 0; a larger offset is wrong.
        return position if sought or abs(position) < self.info.sample_rate else 0

    def _last_timestamp(self) -> float | None:
        """Read packets to the end; return the end of the last one in the container's seconds."""
        latest = None
        time_base = self._stream.time_base
        for packet in self.packets():
            if packet.pts is not None and time_base:
                end = float((packet.pts + (packet.duration or 0)) * time_base)
                latest = end if latest is None else max(latest, end)
        return latest


def _cut_up(samples: Samples, size: int) -> list[Samples]:
    """Return pieces of `size` and the rest, which may be empty."""
    return [samples[at : at + size] for at in range(0, len(samples) + 1, size)]
