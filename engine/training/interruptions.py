"""Sounds that are no music, for pooling to learn to pass over: silence, noise, hum, applause; and speech from files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import AudioError
from engine.indexer.audio.decode import AudioFile
from engine.models.encoder import SAMPLE_RATE

Samples = NDArray[np.float32]

EACH = 40  # windows of noise and of applause; a quarter of it of silence and of hum
MOST_SPEECH = 220  # windows
LEVEL = 0.1  # RMS of full scale, before a random gain


def synthesise(samples: int, seed: int = 0) -> list[Samples]:
    """Windows of `samples` at SAMPLE_RATE: silence with dither, coloured noise, mains hum, applause."""
    rng = np.random.default_rng(seed)
    silence = [_white(samples, rng) * 10 ** (-rng.uniform(60, 110) / 20) for _ in range(EACH // 4)]
    noise = [_noise(samples, rng.uniform(0, 2), rng) * 10 ** (-rng.uniform(0, 60) / 20) for _ in range(EACH)]
    hum = [_hum(samples, rng) for _ in range(EACH // 4)]
    applause = [_applause(samples, 10 ** rng.uniform(1.3, 2.8), rng) for _ in range(EACH)]
    return [np.zeros(samples, np.float32), *silence, *noise, *hum, *applause]


def speech_windows(files: Sequence[Path], samples: int, seed: int = 0) -> list[Samples]:
    """At most MOST_SPEECH windows of `samples`, from spoken recordings in random order with short pauses between."""
    rng = np.random.default_rng(seed)
    waiting: Samples = np.zeros(0, np.float32)
    windows: list[Samples] = []
    for index in rng.permutation(len(files)):
        pause = np.zeros(int(rng.uniform(0.05, 0.5) * SAMPLE_RATE), np.float32)
        waiting = np.concatenate([waiting, *_decoded(files[index]), pause])
        while len(waiting) >= samples and len(windows) < MOST_SPEECH:
            windows.append(waiting[:samples])
            waiting = waiting[samples:]
    return windows


def _decoded(path: Path) -> Iterator[Samples]:
    try:
        with AudioFile.open(path) as audio:
            yield from audio.blocks(20.0, SAMPLE_RATE)
    except AudioError:
        return


def _white(samples: int, rng: np.random.Generator) -> Samples:
    return rng.normal(0, 1, samples).astype(np.float32)


def _noise(samples: int, slope: float, rng: np.random.Generator) -> Samples:
    """Noise whose power falls as 1 / f^slope: white 0, pink 1, brown 2."""
    frequencies = np.fft.rfftfreq(samples)
    frequencies[0] = frequencies[1]
    shape = (rng.normal(size=len(frequencies)) + 1j * rng.normal(size=len(frequencies))) / frequencies ** (slope / 2)
    noise = np.fft.irfft(shape, samples)
    return (LEVEL * noise / noise.std()).astype(np.float32)


def _hum(samples: int, rng: np.random.Generator) -> Samples:
    """Mains hum of 50 or 60 Hz with odd and even harmonics over pink noise."""
    time = np.arange(samples) / SAMPLE_RATE
    mains = rng.choice([50, 60])
    tones = sum(np.sin(2 * np.pi * h * mains * time + rng.uniform(0, 6)) / h for h in (1, 2, 3, 5))
    return (LEVEL / 2 * tones + _noise(samples, 1, rng) / 2).astype(np.float32)


def _applause(samples: int, claps_a_second: float, rng: np.random.Generator) -> Samples:
    """Claps at random times: bursts of noise of some 10 ms around 1 to 2.5 kHz, in a room of 0.2 s."""
    sound = np.zeros(samples, np.float32)
    for start in rng.integers(0, samples - 600, rng.poisson(claps_a_second * samples / SAMPLE_RATE)):
        length = int(rng.uniform(150, 420))
        time = np.arange(length)
        tone = np.sin(2 * np.pi * rng.uniform(800, 2600) * time / SAMPLE_RATE)
        burst = rng.normal(0, 1, length) * np.exp(-5 * time / length) * tone
        sound[start : start + length] += (rng.uniform(0.1, 1) * burst).astype(np.float32)
    room = (rng.normal(0, 0.03, SAMPLE_RATE // 5) * np.exp(-np.arange(SAMPLE_RATE // 5) / 900)).astype(np.float32)
    room[0] = 1
    return 2 * LEVEL * np.convolve(sound, room)[:samples].astype(np.float32)
