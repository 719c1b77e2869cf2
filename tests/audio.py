"""Sound for tests, made on the spot: tones, chirps, steps, and files of every format that PyAV can write."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from numpy.typing import NDArray

CODECS = {
    ".wav": "pcm_s16le",
    ".aiff": "pcm_s16be",
    ".flac": "flac",
    ".mp3": "libmp3lame",
    ".ogg": "vorbis",
    ".opus": "libopus",
    ".m4a": "aac",
    ".aac": "aac",
    ".wma": "wmav2",
    ".ac3": "ac3",
    ".wv": "wavpack",
    ".mka": "flac",
}
"""The codec that a file's extension stands for here."""

LOSSY = frozenset({"libmp3lame", "vorbis", "libopus", "aac", "wmav2", "ac3"})
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
FRAME = 1 << 14  # samples given to an encoder at a time; FFmpeg cuts them as the encoder needs


def tone(frequency: float, seconds: float, sample_rate: int = 44_100, level: float = 0.5) -> NDArray[np.float32]:
    """Give a sine of peak `level`, shape (n,)."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    return (level * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


def steps(seconds: int, sample_rate: int = 44_100, level: float = 0.5) -> NDArray[np.float32]:
    """Give a tone that changes each second: 400 Hz, then 450 Hz, and so on, so that a window tells where it lies."""
    return np.concatenate([tone(step_frequency(i), 1, sample_rate, level) for i in range(seconds)])


def step_frequency(second: int) -> float:
    """Give the frequency in Hz that `steps` plays during a second."""
    return 400.0 + 50.0 * second


def chirp(seconds: float, sample_rate: int = 44_100, low: float = 300.0, rise: float = 100.0) -> NDArray[np.float32]:
    """Give a sine that rises from `low` Hz by `rise` Hz a second: its frequency tells the time."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    return (0.5 * np.sin(2 * np.pi * (low + rise * time / 2) * time)).astype(np.float32)


def peak_frequency(samples: NDArray[np.float32], sample_rate: int) -> float:
    """Give the strongest frequency in Hz, to about a tenth of an FFT bin."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 4 * len(samples)))
    return float(spectrum.argmax() * sample_rate / (4 * len(samples)))


def stft(
    samples: NDArray[np.float32], frame: int, hop: int, window: NDArray[np.float64] | None = None, pad: str = "reflect"
) -> NDArray[np.complex128]:
    """The short-time Fourier transform by its definition, under a Hann window: (frame // 2 + 1, 1 + n // hop).

    Frames are centred on multiples of `hop`. librosa's is the same, but compiles for some twenty seconds first.
    """
    padded = np.pad(samples.astype(np.float64), frame // 2, mode=pad)  # type: ignore[call-overload]
    weights = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame) if window is None else window
    starts = range(0, len(samples) + 1, hop)
    return np.stack([np.fft.rfft(padded[start : start + frame] * weights) for start in starts], axis=1)


def decibels(samples: NDArray[np.float32]) -> float:
    """Give the root mean square level in dB of full scale."""
    return float(20 * np.log10(np.sqrt(np.mean(np.square(samples, dtype=np.float64))) + 1e-12))


def write_audio(
    path: Path | bytes,
    samples: NDArray[np.float32],
    sample_rate: int = 44_100,
    *,
    tags: Mapping[str, str] | None = None,
    codec: str | None = None,
    bitrate: int | None = None,
    container: str | None = None,
    options: Mapping[str, str] | None = None,
    codec_options: Mapping[str, str] | None = None,
) -> None:
    """Write samples (n,) or (n, channels) to a file whose extension chooses container and codec.

    Args:
        path: Where to write; bytes are for names that are not UTF-8 (give `codec` and `container` with them).
        samples: In [-1, 1].
        sample_rate: Hz.
        tags: Written to the container, or to the stream where the format keeps them there.
        codec: FFmpeg's name of an encoder, instead of the extension's.
        bitrate: Bits per second, for lossy codecs; 128,000 unless given.
        container: FFmpeg's name of a muxer, instead of the extension's.
        options: For the muxer.
        codec_options: For the encoder.
    """
    extension = Path(path).suffix if isinstance(path, Path) else ""
    with (
        open(path, "wb") as file,  # noqa: PTH123 (bytes are no Path)
        av.open(file, "w", format=container or _muxer(extension), options=dict(options or {})) as output,
    ):
        name = codec or CODECS[extension]
        if name == "vorbis" and samples.ndim == 1:
            samples = np.stack([samples, samples], axis=1)  # FFmpeg's own Vorbis encoder knows stereo only
        encoder_options = {"strict": "experimental", **(codec_options or {})}
        stream = cast("AudioStream", output.add_stream(name, rate=sample_rate, options=encoder_options))
        channels = 1 if samples.ndim == 1 else samples.shape[1]
        stream.layout = LAYOUTS[channels]
        if bitrate or name in LOSSY:
            stream.bit_rate = bitrate or 128_000
        output.metadata.update(tags or {})
        for start in range(0, len(samples), FRAME):
            output.mux(stream.encode(_frame(samples[start : start + FRAME], channels, sample_rate, start)))
        output.mux(stream.encode(None))


def write_video(path: Path, seconds: float = 1.0, samples: NDArray[np.float32] | None = None) -> None:
    """Write an .mp4 or .mkv of grey pictures at 10 per second, with sound at 44.1 kHz if samples (n,) are given."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        audio = None
        if samples is not None:
            audio = output.add_stream("aac", rate=44_100)
            audio.layout = "mono"
        for _ in range(round(seconds * 10)):
            picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 128, np.uint8), format="rgb24")
            output.mux(video.encode(picture))
        output.mux(video.encode(None))
        if audio is not None and samples is not None:
            for start in range(0, len(samples), FRAME):
                output.mux(audio.encode(_frame(samples[start : start + FRAME], 1, 44_100, start)))
            output.mux(audio.encode(None))


def _muxer(extension: str) -> str:
    names = {".m4a": "ipod", ".wma": "asf", ".aac": "adts", ".mka": "matroska"}
    return names.get(extension, extension.lstrip("."))


def _frame(samples: NDArray[np.float32], channels: int, sample_rate: int, position: int) -> AudioFrame:
    planar = np.ascontiguousarray(samples.reshape(len(samples), channels).T, dtype=np.float32)
    frame = AudioFrame.from_ndarray(planar.reshape(1, -1, order="F"), format="flt", layout=LAYOUTS[channels])
    frame.sample_rate = sample_rate
    frame.pts = position
    return frame
