"""Sound from any audio or video file: windows, blocks and durations, decoded by FFmpeg through PyAV.

Safety. A file is opened by Python and handed to FFmpeg as an object, never by name, because names need not be UTF-8
and FFmpeg takes "http:..." or "concat:..." for protocols. Only demuxers of single files are allowed (`FILE_FORMATS`),
and no protocol, so that a playlist renamed .mp3 opens nothing else.

Mono is the plain mean of all channels, the low-frequency one of 5.1 included: it cannot clip, and two channels that
carry the same sound give that sound. Resampling is FFmpeg's swresample at its default settings.

Timestamps lie (VBR mp3 without a header, truncated files, raw AAC), so `read_track` compares what was decoded with
what was planned, and measures the file in ever more costly ways until the two agree.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TypeAlias, cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from numpy.typing import NDArray

from engine.errors import AudioError

Samples: TypeAlias = NDArray[np.float32]

FILE_FORMATS = (
    "3gp,aa,aac,ac3,act,adx,aiff,amr,amrnb,amrwb,ape,asf,asf_o,ast,au,avi,caf,dsf,dts,dtshd,eac3,flac,flv,iff,ircam,"
    "loas,m4a,matroska,mlp,mov,mp3,mp4,mpc,mpc8,mpeg,mpegts,mxf,nistsphere,nsv,nut,ogg,oma,paf,qcp,qoa,rm,shn,sox,tak,"
    "truehd,tta,voc,vqf,w64,wav,wsd,wtv,wv,xwma"
)
EXACT_FORMATS = frozenset(  # those that state their length; FFmpeg estimates that of the others from the bit rate
    ["aiff", "ape", "au", "caf", "dsf", "flac", "matroska", "mov", "mpc8", "ogg", "tak", "tta", "w64", "wav", "wv"]
)
MINIMUM_SECONDS = 0.5  # less sound than this says nothing about a track
SILENCE_PEAK = 1e-5  # -100 dB; below it the file holds only dither or nothing
LOUDEST = 8.0  # +18 dB: more than any overshoot, and small enough that powers of float garbage stay finite
SAMPLE_RATES = range(1_000, 1_536_001)  # Hz; the highest is the decoder's output for DSD256
PRIMING_SECONDS = 0.35  # decoded and dropped before a window: mp3's bit reservoir, Opus' pre-roll
MARGIN_SECONDS = 0.02  # read around a window so that the resampler's filter sees real sound at its edges
WORTH_SEEKING_SECONDS = 1.5  # a shorter gap is decoded through, which costs less than a seek
TOLERANCE_SECONDS = 0.1  # by which a container's duration may miss what decodes, without a second look
BUFFER_BYTES = 1 << 16
FAR_SECONDS = 1e7  # beyond the end of any file


@dataclass(frozen=True)
class AudioInfo:
    """What the headers say: duration in seconds (None if unstated), Hz, channels, codec; tags with casefolded keys."""

    duration_seconds: float | None
    sample_rate: int
    channels: int
    codec: str
    metadata: dict[str, str]


@dataclass(frozen=True)
class TrackAudio:
    """One track's windows: where they start in seconds, and (W, L) float32 mono samples in [-8, 8]."""

    info: AudioInfo
    duration_seconds: float
    starts: list[float]
    windows: Samples


def read_track(path: bytes | str | os.PathLike[str], seconds: float, count: int, sample_rate: int) -> TrackAudio:
    """Read `count` windows of `seconds`, spread evenly over a file; one window, zero-padded, if the file is shorter.

    Raises:
        AudioError: unreadable, not sound, shorter than 0.5 s, or silent throughout. The message does not name the path.
    """
    with AudioFile.open(path) as audio:
        cuts = _plan_and_cut(audio, seconds, count, sample_rate)
        sound = sum(len(window) for window in cuts.windows) / sample_rate
        if sound == 0:
            raise AudioError(f"no sound could be decoded: {audio.trouble or 'the file holds no frames'}")
        if sound < MINIMUM_SECONDS:
            raise AudioError(f"only {sound:.2g} s of sound; at least {MINIMUM_SECONDS} s is needed")
        windows = _stack(cuts.windows, round(seconds * sample_rate))
        if np.abs(windows).max() < SILENCE_PEAK:
            raise AudioError(f"silence: nothing above {SILENCE_PEAK:g} of full scale in {len(cuts.starts)} windows")
        return TrackAudio(audio.info, cuts.duration, cuts.starts, windows)


def plan_starts(duration: float, seconds: float, count: int) -> list[float]:
    """Give the starts, in seconds, of `count` (> 1) windows spread over `duration`; [0.0] if only one fits."""
    if duration <= seconds:
        return [0.0]
    return [i * (duration - seconds) / (count - 1) for i in range(count)]


def probe(path: bytes | str | os.PathLike[str]) -> bool:
    """Say whether the content of a file, whatever its name, is sound: it opens, and one frame decodes."""
    try:
        with AudioFile.open(path) as audio:
            return next(audio.chunks(), None) is not None
    except AudioError:
        return False


@dataclass(frozen=True)
class _Chunk:
    """Consecutive mono samples at the file's own rate, and where the first one lies in the file (in samples)."""

    position: int
    samples: Samples


class AudioFile:
    """One open file: use it from one thread, as a context manager. Times are seconds from its first sample."""

    info: AudioInfo
    trouble: str  # FFmpeg's latest complaint about a packet; empty if all went well

    @classmethod
    def open(cls, path: bytes | str | os.PathLike[str]) -> AudioFile:
        """Open a regular file of sound.

        Raises:
            AudioError: one line, which does not name the path.
        """
        source = _Source(path)
        try:
            return cls(source)
        except BaseException:
            source.close()
            raise

    def __init__(self, source: _Source) -> None:
        self._source = source
        self.trouble = ""
        self._container = _open_container(source)
        self._stream = _sound_stream(self._container)
        self.info = _describe(self._container, self._stream)
        start, time_base = self._stream.start_time, self._stream.time_base
        self._origin = float(start * time_base) if start is not None and time_base else 0.0
        self._measured: float | None = None

    def __enter__(self) -> AudioFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Release the decoder and the file."""
        self._container.close()
        self._source.close()

    def duration(self) -> float:
        """Give the length in seconds: the container's word where its format states it exactly, else measured."""
        stated = self.info.duration_seconds
        exact = not EXACT_FORMATS.isdisjoint(self._container.format.name.split(","))
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

    def decoded_duration(self) -> float:
        """Give the length in seconds by decoding everything: slow, and the only measure that is always right."""
        self.rewind()
        ends = (chunk.position + len(chunk.samples) for chunk in self.chunks())
        return max(ends, default=0) / self.info.sample_rate

    def windows(self, starts: Sequence[float], seconds: float, sample_rate: int) -> Samples:
        """Read windows of `seconds` at `starts` (seconds) as (W, L) mono; what lies beyond the end is zero."""
        return _stack(self.cut(starts, seconds, sample_rate, seeking=True), round(seconds * sample_rate))

    def cut(self, starts: Sequence[float], seconds: float, sample_rate: int, seeking: bool) -> list[Samples]:
        """Read as `windows` does, but give less where the file ends; without `seeking`, decode all up to each."""
        tape = _Tape(self, seeking)
        return [_window(tape, start, seconds, sample_rate) for start in starts]

    def blocks(self, seconds: float, sample_rate: int) -> Iterator[Samples]:
        """Read the whole file as consecutive mono blocks of `seconds`, the last one shorter.

        Raises:
            AudioError: at the end, if there was less than 0.5 s of sound or only silence.
        """
        size = round(seconds * sample_rate)
        total, peak, held = 0, 0.0, np.zeros(0, np.float32)
        self.rewind()
        for piece in _resampled(self.chunks(), self.info.sample_rate, sample_rate):
            held = np.concatenate([held, piece])
            total, peak = total + len(piece), max(peak, float(np.abs(piece).max(initial=0)))
            while len(held) >= size:
                yield held[:size].copy()
                held = held[size:]
        if len(held):
            yield held
        if total < MINIMUM_SECONDS * sample_rate:
            raise AudioError(f"only {total / sample_rate:.2g} s of sound; at least {MINIMUM_SECONDS} s is needed")
        if peak < SILENCE_PEAK:
            raise AudioError(f"silence: nothing above {SILENCE_PEAK:g} of full scale")

    def seek(self, seconds: float) -> bool:
        """Go to the last key frame at or before a time; False if this file cannot be sought in."""
        time_base = self._stream.time_base
        if not time_base:
            return False
        try:
            self._container.seek(int((self._origin + seconds) / time_base), stream=self._stream)
        except (av.FFmpegError, OSError, ValueError, OverflowError) as error:
            self.trouble = _reason(error)
            return False
        return True

    def rewind(self) -> None:
        """Go to the beginning, by opening the file anew: this works even where seeking does not."""
        self._container.close()
        self._source.seek(0, os.SEEK_SET)
        self._container = _open_container(self._source)
        self._stream = _sound_stream(self._container)

    def chunks(self, sought: bool = False) -> Iterator[_Chunk]:
        """Decode from here to the end. The first timestamp says where that is; from then on samples are counted."""
        position = None
        for packet in self._packets():
            for frame in self._decode(packet):
                if position is None:
                    position = self._position(frame, sought)
                mono = _mono(frame)
                if frame.sample_rate != self.info.sample_rate:
                    mono = _resample(mono, frame.sample_rate, self.info.sample_rate)
                if position is not None and len(mono):
                    yield _Chunk(position, mono)
                    position += len(mono)

    def _packets(self) -> Iterator[Packet]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.FFmpegError, OSError, ValueError) as error:
                self.trouble = _reason(error)
                return
            yield packet

    def _decode(self, packet: Packet) -> list[AudioFrame]:
        """Decode one packet; a damaged one gives nothing, as in players."""
        try:
            return self._stream.decode(packet)
        except (av.FFmpegError, OSError, ValueError) as error:
            self.trouble = _reason(error)
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
        for packet in self._packets():
            if packet.pts is not None and time_base:
                end = float((packet.pts + (packet.duration or 0)) * time_base)
                latest = end if latest is None else max(latest, end)
        return latest


class _Tape:
    """The stretch of decoded sound around the reading point: grows to the right, forgets on the left."""

    def __init__(self, audio: AudioFile, seeking: bool) -> None:
        self.rate = audio.info.sample_rate
        self._audio = audio
        self._seeking = seeking
        self._begin = self._end = 0
        self._pieces: list[Samples] = []
        audio.rewind()
        self._chunks = audio.chunks()

    def read(self, begin: int, end: int) -> Samples:
        """Give the samples from `begin` to `end` (positions at the file's rate), fewer if the file ends before."""
        gap = begin - self._end
        if begin < self._begin or (self._seeking and gap > WORTH_SEEKING_SECONDS * self.rate):
            self._jump(begin)
        while self._end < end:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._append(chunk, begin)
        samples = np.concatenate(self._pieces) if self._pieces else np.zeros(0, np.float32)
        return samples[max(0, begin - self._begin) : max(0, end - self._begin)]

    def _append(self, chunk: _Chunk, wanted: int) -> None:
        if not self._pieces:
            self._begin = chunk.position
        self._pieces.append(chunk.samples)
        self._end = chunk.position + len(chunk.samples)
        while self._pieces and self._begin + len(self._pieces[0]) <= wanted:
            self._begin += len(self._pieces.pop(0))

    def _jump(self, begin: int) -> None:
        sought = self._seeking and self._audio.seek(max(0.0, begin / self.rate - PRIMING_SECONDS))
        if not sought:
            self._audio.rewind()
        self._begin = self._end = 0
        self._pieces = []
        self._chunks = self._audio.chunks(sought)


@dataclass(frozen=True)
class _Cuts:
    """A plan and what was read by it: a window is short where the file ends."""

    duration: float
    starts: list[float]
    windows: list[Samples]

    def as_planned(self, seconds: float, sample_rate: int) -> bool:
        """Say whether each window is as long as the duration promised."""
        expected = [min(seconds, self.duration - start) for start in self.starts]
        found = [len(window) / sample_rate for window in self.windows]
        return all(abs(f - e) <= TOLERANCE_SECONDS for f, e in zip(found, expected, strict=True))


def _plan_and_cut(audio: AudioFile, seconds: float, count: int, sample_rate: int) -> _Cuts:
    """Plan windows and read them, by ever better measures of the duration, until what was read is what was planned."""
    cuts = _Cuts(-1.0, [], [])
    for measure in (audio.duration, audio.measured_duration, audio.decoded_duration):
        duration, seeking = measure(), measure != audio.decoded_duration
        if seeking and duration == cuts.duration:
            continue
        starts = plan_starts(duration, seconds, count)
        cuts = _Cuts(duration, starts, audio.cut(starts, seconds, sample_rate, seeking))
        if cuts.as_planned(seconds, sample_rate):
            break
    return cuts


def _window(tape: _Tape, start: float, seconds: float, sample_rate: int) -> Samples:
    """Read one window and a margin around it, resample, cut the margin off: at most (L,)."""
    first = round(start * tape.rate)
    margin = min(first, round(MARGIN_SECONDS * tape.rate))
    last = first + round((seconds + MARGIN_SECONDS) * tape.rate)
    samples = _resample(tape.read(first - margin, last), tape.rate, sample_rate)
    skip = round(margin * sample_rate / tape.rate)
    return samples[skip : skip + round(seconds * sample_rate)]


def _stack(cuts: Sequence[Samples], length: int) -> Samples:
    windows = np.zeros((len(cuts), length), np.float32)
    for window, cut in zip(windows, cuts, strict=True):
        window[: len(cut)] = cut
    return windows


def _mono(frame: AudioFrame) -> Samples:
    """Average a frame's channels; full scale becomes 1.0."""
    channels, planar = frame.layout.nb_channels, frame.format.is_planar
    if planar and channels >= 8:
        # PyAV looks for the end of the planes' list past its eighth entry; packed sound has one plane only.
        return _mono(AudioResampler(format="flt").resample(frame)[0])
    form = _SAMPLE_FORMATS[frame.format.name.removesuffix("p")]
    count = frame.samples if planar else frame.samples * channels
    planes = [
        np.frombuffer(cast("memoryview", p), form.dtype, count) for p in frame.planes[: channels if planar else 1]
    ]
    columns = planes if planar else [planes[0][i::channels] for i in range(channels)]
    total = columns[0].astype(np.float32)
    for column in columns[1:]:
        total += column
    total -= form.zero * channels
    total *= np.float32(1 / (form.full * channels))
    return total


@dataclass(frozen=True)
class _SampleFormat:
    """How FFmpeg stores a sample: its type, the value of silence and that of full scale above it."""

    dtype: str
    zero: int
    full: int


_SAMPLE_FORMATS = {
    "u8": _SampleFormat("u1", 2**7, 2**7),
    "s16": _SampleFormat("i2", 0, 2**15),
    "s32": _SampleFormat("i4", 0, 2**31),
    "s64": _SampleFormat("i8", 0, 2**63),
    "flt": _SampleFormat("f4", 0, 1),
    "dbl": _SampleFormat("f8", 0, 1),
}


def _clean(samples: Samples) -> Samples:
    """Replace NaN and infinity by 0 and limit the rest: one bad sample would spoil all that the filters touch."""
    return np.clip(np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0), -LOUDEST, LOUDEST)


def _resample(samples: Samples, rate: int, wanted: int) -> Samples:
    pieces = list(_resampled(iter([_Chunk(0, samples)]), rate, wanted))
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def _resampled(chunks: Iterator[_Chunk], rate: int, wanted: int) -> Iterator[Samples]:
    """Resample a stream of chunks with one filter, so that no seam is heard."""
    resampler = AudioResampler(format="fltp", layout="mono", rate=wanted)
    for chunk in chunks:
        if not len(chunk.samples):
            continue
        cleaned = _clean(chunk.samples)
        if rate == wanted:
            yield cleaned
            continue
        frame = AudioFrame.from_ndarray(cleaned[None], format="fltp", layout="mono")
        frame.sample_rate = rate
        yield from (out.to_ndarray()[0] for out in resampler.resample(frame))
    if rate != wanted:
        yield from (out.to_ndarray()[0] for out in resampler.resample(None))


class _Source:
    """A regular file as FFmpeg reads it: without a name to read meaning into, and without Python's exceptions."""

    def __init__(self, path: bytes | str | os.PathLike[str]) -> None:
        # Not blocking: to open a FIFO would otherwise wait for its writer.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        try:
            descriptor = os.open(path, flags)
        except (OSError, ValueError) as error:
            raise AudioError(f"cannot be opened: {_reason(error)}") from error
        status = os.fstat(descriptor)
        regular = stat.S_ISREG(status.st_mode)
        if not regular or not status.st_size:
            os.close(descriptor)
            raise AudioError("the file is empty" if regular else "not a regular file")
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

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _open_container(source: _Source) -> InputContainer:
    options = {"format_whitelist": FILE_FORMATS, "protocol_whitelist": "none"}
    try:
        return av.open(source, mode="r", options=options, metadata_errors="replace", buffer_size=BUFFER_BYTES)
    except (av.FFmpegError, OSError, ValueError) as error:
        # FFmpeg answers so to a format that is not on the list.
        refused = getattr(error, "errno", None) == errno.EINVAL
        reason = "its content is of another kind, such as a playlist or a picture" if refused else _reason(error)
        raise AudioError(f"not a sound file that can be read: {reason}") from error


def _sound_stream(container: InputContainer) -> AudioStream:
    """Choose the first audio stream that has a decoder, set to one thread: files are what runs in parallel here."""
    streams = [stream for stream in container.streams.audio if stream.codec_context is not None]
    if not streams:
        container.close()
        raise AudioError("no decoder for its audio stream" if container.streams.audio else "no audio stream")
    streams[0].codec_context.thread_count = 1
    return streams[0]


def _describe(container: InputContainer, stream: AudioStream) -> AudioInfo:
    context = stream.codec_context
    if context.sample_rate not in SAMPLE_RATES:
        raise AudioError(f"sample rate {context.sample_rate} Hz; {SAMPLE_RATES[0]} to {SAMPLE_RATES[-1]} can be read")
    duration = None
    if stream.duration and stream.time_base:
        duration = float(stream.duration * stream.time_base)
    elif container.duration:
        duration = container.duration / av.time_base
    tags = {**container.metadata, **stream.metadata}
    metadata = {key.casefold(): value for key, value in tags.items()}
    return AudioInfo(duration, context.sample_rate, context.layout.nb_channels, context.name, metadata)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
