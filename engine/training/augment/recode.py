"""Round trips through lossy codecs, in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import cast

import av
import numpy as np
import torch
from av.audio.codeccontext import AudioCodecContext
from av.error import FFmpegError
from torch import Tensor

from engine.errors import TrainingError
from engine.training.augment.effects import fit_length, resample

TAIL = 4096  # samples of silence appended; exceeds the delay of every codec here
VORBIS_KBPS_PER_QUALITY = 27.0  # FFmpeg's Vorbis encoder takes a quality instead of a bit rate
FF_QP2LAMBDA = 118  # FFmpeg's scale of qualities


@dataclass(frozen=True)
class Codec:
    """FFmpeg's parameters of a codec.

    Attributes:
        encoder, decoder: Names in FFmpeg.
        rates: Supported sample rates in Hz, ascending; empty if any rate is supported.
        layout: "mono", or "stereo" if the encoder supports nothing else.
        sample_format: Input format of the encoder.
    """

    encoder: str
    decoder: str
    rates: tuple[int, ...] = ()
    layout: str = "mono"
    sample_format: str = "fltp"


MPEG_RATES = (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
CODECS = {
    "mp3": Codec("libmp3lame", "mp3float", MPEG_RATES),
    "aac": Codec("aac", "aac", MPEG_RATES),
    "opus": Codec("libopus", "opus", (48_000,), sample_format="flt"),
    "vorbis": Codec("vorbis", "vorbis", layout="stereo"),
}


def recode(samples: Tensor, sample_rate: int, codec: str, kbps: float) -> Tensor:
    """Encode and decode: (L,) -> (L,), aligned with the input.

    Args:
        samples: Mono; peaks above full scale are not clipped.
        sample_rate: In Hz; a codec that does not support it runs at its next higher rate.
        codec: One of CODECS.
        kbps: Bit rate of one channel; corresponds to a stereo file of twice this rate.

    Raises:
        TrainingError: This build of FFmpeg lacks the codec, or cannot encode at this rate.
    """
    length, rate = len(samples), _coding_rate(CODECS[codec], sample_rate)
    peak = max(1.0, samples.abs().max().item())  # some codecs clip beyond full scale
    at_rate = samples if rate == sample_rate else resample(samples, round(length * rate / sample_rate))
    try:
        lag = _lag(codec, rate)
        decoded = _round_trip(at_rate.numpy() / peak, CODECS[codec], rate, kbps)
    except (FFmpegError, ValueError) as error:
        raise TrainingError(
            f"expected FFmpeg to code {codec} at {rate} Hz and {kbps:g} kbit/s, found: {error}",
            hint="leave it out of the augmentation's codecs",
        ) from error
    aligned = fit_length(torch.from_numpy(decoded[lag:]), len(at_rate)) * peak
    return aligned if rate == sample_rate else resample(aligned, length)


def _coding_rate(codec: Codec, sample_rate: int) -> int:
    if not codec.rates:
        return sample_rate
    return next((rate for rate in codec.rates if rate >= sample_rate), codec.rates[-1])


@cache
def _lag(codec: str, rate: int) -> int:
    """Measure the delay of a codec in samples by cross-correlation, since decoders skip different parts of it."""
    burst = np.random.default_rng(0).uniform(-0.5, 0.5, rate // 2).astype(np.float32)
    decoded = _round_trip(burst, CODECS[codec], rate, kbps=96)
    n = len(burst) + len(decoded)
    correlation = np.fft.irfft(np.fft.rfft(decoded, n) * np.conj(np.fft.rfft(burst, n)), n)
    return int(correlation[:TAIL].argmax())


def _round_trip(samples: np.ndarray, codec: Codec, rate: int, kbps: float) -> np.ndarray:
    """Encode and decode samples (n,); the result is delayed by the codec's lag and has at least n + lag samples."""
    encoder = _encoder(codec, rate, kbps)
    packets = [packet for frame in _frames(samples, encoder) for packet in encoder.encode(frame)]
    packets += encoder.encode(None)
    decoder = cast("AudioCodecContext", av.CodecContext.create(codec.decoder, "r"))
    decoder.extradata = encoder.extradata
    decoder.sample_rate, decoder.layout = rate, codec.layout
    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.float32)


def _encoder(codec: Codec, rate: int, kbps: float) -> AudioCodecContext:
    encoder = cast("AudioCodecContext", av.CodecContext.create(codec.encoder, "w"))
    encoder.sample_rate, encoder.layout, encoder.format = rate, codec.layout, codec.sample_format
    encoder.time_base = Fraction(1, rate)
    if codec.encoder == "vorbis":
        quality = min(max(kbps / VORBIS_KBPS_PER_QUALITY, 1.0), 10.0)
        encoder.options = {
            "strict": "experimental",
            "flags": "+qscale",
            "global_quality": str(round(FF_QP2LAMBDA * quality)),
        }
    else:
        encoder.bit_rate = round(kbps * 1000)
    encoder.open()
    return encoder


def _frames(samples: np.ndarray, encoder: AudioCodecContext) -> Iterator[av.AudioFrame]:
    """Yield full frames of the encoder's size, with silence appended."""
    size = encoder.frame_size or 1024
    padded = np.pad(samples.astype(np.float32), (0, TAIL + -(len(samples) + TAIL) % size))
    channels = np.stack([padded] * encoder.layout.nb_channels)  # (channels, n)
    for start in range(0, channels.shape[1], size):
        part = np.ascontiguousarray(channels[:, start : start + size])
        frame = av.AudioFrame.from_ndarray(part, format=encoder.format.name, layout=encoder.layout.name)
        frame.sample_rate, frame.pts, frame.time_base = encoder.sample_rate, start, encoder.time_base
        yield frame
