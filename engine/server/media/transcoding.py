"""Encode a file's sound for streaming; runs in a decoder's process (`engine.indexer.pipeline.decoders`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from engine.indexer.audio.decode import AudioFile

PART_BYTES = 1 << 15  # handed over at once: about two seconds
BITRATES = range(32, 321)  # kbit/s
DEFAULT_BITRATE = 160


@dataclass(frozen=True)
class Codec:
    """A codec for streams: names in FFmpeg, supported sample rates (Hz), the media type."""

    container: str
    encoder: str
    rates: tuple[int, ...]
    media_type: str


CODECS = {
    "opus": Codec("ogg", "libopus", (48_000,), "audio/ogg"),
    "mp3": Codec("mp3", "libmp3lame", (44_100, 48_000), "audio/mpeg"),
}
OPTIONS = {"ogg": {"page_duration": "500000"}, "mp3": {"write_xing": "0", "id3v2_version": "0"}}


@dataclass(frozen=True, eq=False)
class EncodedPart:
    """Some bytes of the encoded file, (n,) of uint8."""

    data: NDArray[np.uint8]


class _Buffer:
    """A file to FFmpeg that cannot seek."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)

    def take(self) -> EncodedPart:
        part = EncodedPart(np.frombuffer(bytes(self.data), np.uint8))
        self.data.clear()
        return part


def transcode(path: bytes, codec: str, bitrate: int, start: float) -> Iterator[EncodedPart]:
    """Encode a file from `start` to its end, in stereo at most.

    Args:
        path: An audio file.
        codec: One of `CODECS`.
        bitrate: In kbit/s, one of `BITRATES`.
        start: In seconds.

    Raises:
        AudioError: The file cannot be read.
    """
    target, buffer = CODECS[codec], _Buffer()
    with AudioFile.open(path) as audio:
        if start > 0 and audio.seek(start):
            skipped = 0.0  # a seek goes to a key frame at or before the moment
        else:
            skipped = start
        rate = audio.info.sample_rate if audio.info.sample_rate in target.rates else target.rates[-1]
        with av.open(buffer, "w", format=target.container, options=OPTIONS[target.container]) as output:
            stream = output.add_stream(target.encoder, rate=rate, layout="stereo")
            assert isinstance(stream, AudioStream)
            stream.bit_rate = 1000 * bitrate
            stream.time_base = Fraction(1, rate)
            for frame in audio.frames():
                if skipped > 0:
                    skipped -= frame.samples / frame.sample_rate
                    continue
                frame.pts = None  # counted by the encoder: timestamps may have gaps
                output.mux(stream.encode(frame))
                if len(buffer.data) >= PART_BYTES:
                    yield buffer.take()
            output.mux(stream.encode(None))
        yield buffer.take()
