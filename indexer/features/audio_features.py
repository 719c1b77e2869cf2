"""Measure tempo, key and loudness of one file by decoding all of it, in the memory of one minute of sound.

Tempo and key are those of a minute from the middle (`engine.indexer.features.tempo`, `engine.indexer.features.key`),
loudness is that of the whole (`engine.indexer.features.loudness`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import AudioError
from engine.indexer.audio.decode import SILENCE_PEAK, AudioFile
from engine.indexer.audio.reading import TOLERANCE_SECONDS, plan_starts
from engine.indexer.audio.samples import Samples
from engine.indexer.features.loudness import LoudnessMeter

if TYPE_CHECKING:
    from engine.db import AudioFeatures

SAMPLE_RATE = 22_050
MIDDLE_SECONDS = 60.0
SHORTEST_SECONDS = 5.0  # of reliable tempo and key


@dataclass(frozen=True, eq=False)
class MeasuredSound:
    """The middle of a file, (n,) mono at SAMPLE_RATE, and the loudness of the whole in LUFS (None for silence)."""

    samples: Samples
    loudness: float | None


def measure(path: bytes | str | os.PathLike[str]) -> AudioFeatures:
    """Measure one file; values that cannot be determined are None.

    Raises:
        AudioError: No sound could be decoded; one line without the path.
    """
    return features_of(read_measured_sound(path))


def features_of(sound: MeasuredSound) -> AudioFeatures:
    """Return tempo (BPM), key and loudness (LUFS); None for each that cannot be determined."""
    from engine.db import AudioFeatures  # imported here: decoder processes load no database

    return AudioFeatures(tempo(sound.samples), key(sound.samples), sound.loudness)


def read_measured_sound(path: bytes | str | os.PathLike[str]) -> MeasuredSound:
    """Decode a file and measure its loudness; raise AudioError if no sound could be decoded."""
    with AudioFile.open(path) as audio:
        meter = LoudnessMeter()
        for frame in audio.frames():
            meter.push(frame)
        if not meter.seconds:
            raise AudioError(f"no sound could be decoded: {audio.trouble or 'the file holds no frames'}")
        return MeasuredSound(_middle(audio, meter.seconds), meter.loudness())


def tempo(samples: Samples) -> float | None:
    """Return the beats per minute of music (n,) at SAMPLE_RATE; None if it is too short or has no steady pulse."""
    from engine.indexer.features.tempo import beats_per_minute  # imported here: decoder processes load no SciPy

    return None if _is_too_little(samples) else beats_per_minute(samples, SAMPLE_RATE)


def key(samples: Samples) -> str | None:
    """Return the key, one of `KEYS`, of music (n,) at SAMPLE_RATE; None if it is too short or not tonal."""
    from engine.indexer.features.key import key_of

    return None if _is_too_little(samples) else key_of(samples, SAMPLE_RATE)


def _middle(audio: AudioFile, seconds: float) -> Samples:
    """Return at most MIDDLE_SECONDS from the middle of a file of known decoded length, (n,) mono at SAMPLE_RATE."""
    starts, length = plan_starts(seconds, MIDDLE_SECONDS, 1), min(seconds, MIDDLE_SECONDS)
    samples = audio.cut(starts, length, SAMPLE_RATE, seeking=True)[0]
    if len(samples) < (length - TOLERANCE_SECONDS) * SAMPLE_RATE:  # the file cannot seek
        samples = audio.cut(starts, length, SAMPLE_RATE, seeking=False)[0]
    return samples


def _is_too_little(samples: Samples) -> bool:
    return len(samples) < SHORTEST_SECONDS * SAMPLE_RATE or bool(np.abs(samples).max() < SILENCE_PEAK)
