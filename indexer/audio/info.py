"""The headers of a file: duration, rate, channels, codec, bit rate."""

from __future__ import annotations

from dataclasses import dataclass

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from engine.errors import AudioError

SAMPLE_RATES = range(1_000, 1_536_001)  # Hz; the highest is the decoder's output rate for DSD256


@dataclass(frozen=True)
class AudioInfo:
    """The headers of a file.

    Attributes:
        duration_seconds: None if not stated.
        sample_rate: In Hz.
        channels: Their number.
        codec, container: FFmpeg's names; a container may have several, "mov,mp4,m4a,...".
        metadata: Tags by casefolded keys; several values of one key are separated by NUL.
        bitrate: Bits per second of the stream, else of the file; None if unknown, or if the file has moving pictures.
    """

    duration_seconds: float | None
    sample_rate: int
    channels: int
    codec: str
    container: str
    metadata: dict[str, str]
    bitrate: int | None = None


def describe(container: InputContainer, stream: AudioStream, metadata: dict[str, str]) -> AudioInfo:
    """Return the headers of an open container and one of its streams; raise AudioError for an absurd sample rate."""
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
    """Return bits per second: the stream's, else the container's, else file size over duration."""
    if stream.bit_rate:
        return int(stream.bit_rate)
    if any(video.average_rate for video in container.streams.video):  # cover art has no frame rate
        return None
    if container.bit_rate:
        return int(container.bit_rate)
    return round(container.size * 8 / duration) if duration and container.size else None
