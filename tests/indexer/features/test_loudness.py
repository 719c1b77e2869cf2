"""Loudness: what EBU Tech 3341 asks of a meter, and what files do to one."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from engine.indexer.audio.decode import AudioFile
from engine.indexer.features.loudness import LoudnessMeter
from tests.audio import tone, write_audio

TOLERANCE = 0.1  # LU, of EBU Tech 3341


def sine(decibels: float, seconds: float, rate: int = 48_000, channels: int = 2) -> NDArray[np.float32]:
    """A tone of 1 kHz with its peak at so many dBFS in every channel: (n, channels)."""
    return np.stack([tone(1000, seconds, rate, 10 ** (decibels / 20))] * channels, axis=1)


def loudness(path: Path) -> float | None:
    """The loudness of a file."""
    meter = LoudnessMeter()
    with AudioFile.open(path) as audio:
        for frame in audio.frames():
            meter.push(frame)
    return meter.loudness()


def written(path: Path, samples: NDArray[np.float32], rate: int = 48_000, codec: str | None = None) -> Path:
    """Write a file; returns its path."""
    write_audio(path, samples, rate, codec=codec)
    return path


@pytest.mark.parametrize("level", [-23.0, -33.0])
def test_reference(tmp_path: Path, level: float) -> None:
    """Cases 1 and 2 of Tech 3341: 20 s of a stereo sine of 1 kHz at -23 (-33) dBFS read -23 (-33) LUFS."""
    assert loudness(written(tmp_path / "a.wav", sine(level, 20))) == pytest.approx(level, abs=TOLERANCE)


def test_gate(tmp_path: Path) -> None:
    """Case 3 of Tech 3341: 10 s at -36, 60 s at -23, 10 s at -36 dBFS read -23 LUFS: the quiet ends are gated."""
    samples = np.concatenate([sine(-36, 10), sine(-23, 60), sine(-36, 10)])
    assert loudness(written(tmp_path / "a.flac", samples)) == pytest.approx(-23, abs=TOLERANCE)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 96_000, 192_000])
def test_rates(tmp_path: Path, rate: int) -> None:
    """The sample rate makes no difference."""
    assert loudness(written(tmp_path / "a.wav", sine(-23, 5, rate), rate)) == pytest.approx(-23, abs=TOLERANCE)


def test_mono(tmp_path: Path) -> None:
    """One channel is as loud as the same in two: it comes out of two speakers."""
    assert loudness(written(tmp_path / "a.wav", sine(-23, 5, channels=1))) == pytest.approx(-23, abs=TOLERANCE)


def test_surround(tmp_path: Path) -> None:
    """Case 6 of Tech 3341: in 5.0, -28 dBFS in front, -24 in the centre and -30 behind read -23 LUFS."""
    levels = (-28, -28, -24, None, -30, -30)  # the fourth, of low frequencies, does not count
    channels = [sine(level, 10, channels=1)[:, 0] if level else np.zeros(480_000, np.float32) for level in levels]
    assert loudness(written(tmp_path / "a.flac", np.stack(channels, 1))) == pytest.approx(-23, abs=TOLERANCE)


@pytest.mark.parametrize("count", range(1, 9))
def test_unnamed_channels(tmp_path: Path, count: int) -> None:
    """A file that does not say where its channels belong is measured; each one more makes it no quieter."""
    for channels in (max(1, count - 1), count):
        with wave.open(str(tmp_path / f"{channels}.wav"), "wb") as file:
            file.setparams((channels, 2, 48_000, 0, "NONE", ""))
            file.writeframes((sine(-23, 3, channels=channels) * 32_767).astype("<i2").tobytes())
    fewer, found = (loudness(tmp_path / f"{channels}.wav") for channels in (max(1, count - 1), count))
    assert fewer is not None
    assert found is not None
    assert found >= fewer - TOLERANCE


@pytest.mark.parametrize("extension", [".flac", ".ogg", ".opus", ".m4a", ".wma", ".aiff", ".wv"])
def test_formats(tmp_path: Path, extension: str) -> None:
    """The codec makes no difference."""
    assert loudness(written(tmp_path / f"a{extension}", sine(-23, 10))) == pytest.approx(-23, abs=TOLERANCE)


def test_silence(tmp_path: Path) -> None:
    """Silence, and sound too short to be gated, have no loudness."""
    assert loudness(written(tmp_path / "a.wav", np.zeros((96_000, 2), np.float32))) is None
    assert loudness(written(tmp_path / "b.wav", sine(-23, 0.3))) is None
    assert LoudnessMeter().loudness() is None


def test_garbage(tmp_path: Path) -> None:
    """NaN and samples beyond all measure spoil only the frame that they stand in."""
    samples = sine(-23, 10)
    samples[100_000], samples[200_000, 1], samples[300_000] = np.nan, np.inf, 1e30
    path = written(tmp_path / "a.wav", samples, codec="pcm_f32le")
    assert loudness(path) == pytest.approx(-23, abs=TOLERANCE)


def test_change(tmp_path: Path) -> None:
    """A stream that changes its rate, or from integers to floats, on the way is measured as one."""
    meter = LoudnessMeter()
    for rate, form, scale in ((44_100, "s16", 32_767), (48_000, "s16", 32_767), (44_100, "flt", 1)):
        for block in np.split(sine(-23, 10, rate) * scale, 100):
            packed = np.ascontiguousarray(block.astype(np.float32 if form == "flt" else np.int16).reshape(1, -1))
            frame = AudioFrame.from_ndarray(packed, format=form, layout="stereo")
            frame.sample_rate = rate
            meter.push(frame)
    assert meter.seconds == pytest.approx(30)
    assert meter.loudness() == pytest.approx(-23, abs=TOLERANCE)
