"""Sound from any audio or video file: durations, windows, blocks, decoded by FFmpeg through PyAV.

One file is decoded in one thread: parallelism is over files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from engine.errors import AudioError
from engine.indexer.audio.formats import DEMUXERS
from engine.indexer.audio.samples import Chunk, Downmix, Samples, groups, resample, resampled, stack
from engine.indexer.audio.source import Source, open_container, reason_of, sound_stream
from engine.indexer.audio.tags import read_metadata
from engine.indexer.audio.tape import HeldStretches, Tape, cut_window

EXACT_FORMATS = frozenset(  # those that state their length; FFmpeg estimates that of the others from the bit rate
    ["aiff", "ape", "au", "caf", "dsf", "flac", "matroska", "mov", "mpc8", "ogg", "tak", "tta", "w64", "wav", "wv"]
)
MINIMUM_SECONDS = 0.5  # less sound than this says nothing about a track
SILENCE_PEAK = 1e-5  # -100 dB; below it the file holds only dither or nothing
SAMPLE_RATES = range(1_000, 1_536_001)  # Hz; the highest is the decoder's output for DSD256
FAR_SECONDS = 1e7  # beyond the end of any file


@dataclass(frozen=True)
class AudioInfo:
    """What the headers say: duration in seconds (None if unstated), Hz, channels; tags with casefolded keys,
    several values of one separated by NUL.

    `codec` and `container` are FFmpeg's names; a container may have several, "mov,mp4,m4a,...". The bit rate, in bits
    a second, is the stream's where it is stated, else that of the file; None where neither is known, or the file
    holds a film.
    """

    duration_seconds: float | None
    sample_rate: int
    channels: int
    codec: str
    container: str
    metadata: dict[str, str]
    bitrate: int | None = None


def probe(path: bytes | str | os.PathLike[str]) -> bool:
    """Say whether the content of a file, whatever its name, is sound: it opens, and one frame decodes."""
    try:
        with AudioFile.open(path) as audio:
            return next(audio.chunks(), None) is not None
    except AudioError:
        return False


class AudioFile:
    """One open file: use it from one thread, as a context manager. Times are seconds from its first sample."""

    info: AudioInfo
    trouble: str  # FFmpeg's latest complaint about a packet; empty if all went well
    untouched: bool  # opened, and nothing read or sought since

    @classmethod
    def open(cls, path: bytes | str | os.PathLike[str], demuxers: str = DEMUXERS) -> AudioFile:
        """Open a regular file of sound with one of FFmpeg's demuxers, separated by commas.

        Raises:
            AudioError: It is no sound, or cannot be read; one line, which does not name the path.
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
        self.info = _describe(self._container, self._stream, read_metadata(source, self._container, self._stream))
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
        """Give the file's length in bytes."""
        return self._source.size

    def peek(self, offset: int, size: int) -> bytes:
        """Give at most `size` of the file's bytes from `offset`, counted from its end if negative."""
        return self._source.at(offset if offset >= 0 else max(0, self.size + offset), size)

    def duration(self) -> float:
        """Give the length in seconds: the container's word where its format states it exactly, else measured."""
        stated = self.info.duration_seconds
        exact = not EXACT_FORMATS.isdisjoint(self.info.container.split(","))
        return stated if exact and stated else self.measured_duration()

    def measured_duration(self) -> float:
        """Give the length in seconds by the packets' timestamps, without decoding; 0.0 if there are none."""
        if self._measured is None:
            # Formats without an index are walked through by FFmpeg itself on the way to the end: much faster than here.
            end = self._last_timestamp() if self.seek(FAR_SECONDS) else None
            if end is None:
                self.rewind()
                end = self._last_timestamp()
            self._measured = max(0.0, end - self._origin) if end is not None else 0.0
        return self._measured

    def windows(self, starts: Sequence[float], seconds: float, sample_rate: int) -> Samples:
        """Read windows of `seconds` at `starts` (seconds) as (W, L) mono; what lies beyond the end is zero."""
        return stack(self.cut(starts, seconds, sample_rate, seeking=True), round(seconds * sample_rate))

    def cut(
        self,
        starts: Sequence[float],
        seconds: float,
        sample_rate: int,
        seeking: bool,
        held: HeldStretches | None = None,
    ) -> list[Samples]:
        """Read as `windows` does, but return less where the file ends; without `seeking`, decode all up to each.

        What `held` has of the windows is not decoded again, and what is decoded is added to it.
        """
        tape = Tape(self, self.info.sample_rate, seeking, held)
        return [cut_window(tape, start, seconds, sample_rate) for start in starts]

    def blocks(self, seconds: float, sample_rate: int) -> Iterator[Samples]:
        """Read the whole file as consecutive mono blocks of `seconds`, the last one shorter.

        Raises:
            AudioError: at the end, if there was less than 0.5 s of sound or only silence.
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
        """Go to the last key frame at or before a time; False if this file cannot be sought in."""
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
        """Go to the beginning, by opening the file anew: this works even where seeking does not."""
        if self.untouched:
            return
        self._container.close()
        self._source.seek(0, os.SEEK_SET)
        self._container = open_container(self._source, self._demuxers)
        self._stream = sound_stream(self._container)
        self.untouched = True

    def chunks(self, sought: bool = False) -> Iterator[Chunk]:
        """Decode from here to the end. The first timestamp says where that is; from then on samples are counted."""
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
        """Decode from here to the end, all channels; rate, layout and sample format may change on the way."""
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
        """Decode one packet; a damaged one gives nothing, as in players."""
        try:
            return self._stream.decode(packet)
        except (av.FFmpegError, OSError, ValueError) as error:
            self.trouble = reason_of(error)
            return []

    def _position(self, frame: AudioFrame, sought: bool) -> int | None:
        """Say at which sample of the file a frame begins; None if that cannot be known."""
        if frame.pts is None or frame.time_base is None:
            return None if sought else 0
        position = round((float(frame.pts * frame.time_base) - self._origin) * self.info.sample_rate)
        # Some decoders (WMA) swallow their first frame, so that the beginning may lie a little off 0; more is a lie.
        return position if sought or abs(position) < self.info.sample_rate else 0

    def _last_timestamp(self) -> float | None:
        """Read packets to the end; give where the last one ends, in the container's seconds."""
        latest = None
        time_base = self._stream.time_base
        for packet in self.packets():
            if packet.pts is not None and time_base:
                end = float((packet.pts + (packet.duration or 0)) * time_base)
                latest = end if latest is None else max(latest, end)
        return latest


def _cut_up(samples: Samples, size: int) -> list[Samples]:
    """Pieces of `size`, and what is left, perhaps nothing."""
    return [samples[at : at + size] for at in range(0, len(samples) + 1, size)]


def _describe(container: InputContainer, stream: AudioStream, metadata: dict[str, str]) -> AudioInfo:
    context = stream.codec_context
    if context.sample_rate not in SAMPLE_RATES:
        raise AudioError(f"sample rate {context.sample_rate} Hz; {SAMPLE_RATES[0]} to {SAMPLE_RATES[-1]} can be read")
    duration = None
    if stream.duration and stream.time_base:
        duration = float(stream.duration * stream.time_base)
    elif container.duration:
        duration = container.duration / av.time_base
    rate, codec, channels = context.sample_rate, context.codec.canonical_name, context.layout.nb_channels
    bitrate = _bitrate(container, stream, duration)
    return AudioInfo(duration, rate, channels, codec, container.format.name, metadata, bitrate)


def _bitrate(container: InputContainer, stream: AudioStream, duration: float | None) -> int | None:
    """Give bits a second: of the stream, else of the container, else of the file over its duration."""
    if stream.bit_rate:
        return int(stream.bit_rate)
    if any(video.average_rate for video in container.streams.video):  # a picture on a sleeve has no rate
        return None
    if container.bit_rate:
        return int(container.bit_rate)
    return round(container.size * 8 / duration) if duration and container.size else None
