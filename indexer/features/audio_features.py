"""Tempo, key and loudness of one file, by decoding all of it. Memory: a minute of sound, whatever the file's length.

- Tempo: librosa's beat tracker (Ellis 2007, "Beat tracking by dynamic programming") over a minute from the middle; the
  slope of a line through its beats, which is finer than its own grid of tempos.
- Key: the mean chroma of that minute, correlated with 24 rotations of a key profile (Krumhansl 1990, "Cognitive
  Foundations of Musical Pitch", chapter 4). The profiles are those that Temperley 2007, "Music and Probability",
  table 6.1, counted in the Kostka-Payne corpus.
- Loudness: see `engine.indexer.features.loudness`.
"""

from __future__ import annotations

import math
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
SHORTEST_SECONDS = 5.0  # less music has no tempo and no key that one could rely on

HOP = 512  # samples between two values of the onset strength
FAINTEST_ONSETS = 0.1  # standard deviation; a drone has 0.06, the calmest music seen 0.29
FEWEST_BEATS = 4
STEADY = 3.0  # standard errors that the onsets' autocorrelation at one beat must have; noise reached 2.4

CHROMA_WINDOW = 8192  # 2.7 Hz: tells semitones apart from 50 Hz up
CHROMA_HOP = 2048
LEAST_CONTRAST = 0.09  # deviation over mean of the twelve; noise has 0.08, the least tonal music seen 0.10
MAJOR_PROFILE = (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400)
MINOR_PROFILE = (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330)
PROFILES = np.array([np.roll(profile, i) for profile in (MAJOR_PROFILE, MINOR_PROFILE) for i in range(12)])  # (24, 12)
MAJOR_TONICS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MINOR_TONICS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
KEYS = (*(f"{tonic} major" for tonic in MAJOR_TONICS), *(f"{tonic} minor" for tonic in MINOR_TONICS))


@dataclass(frozen=True, eq=False)
class MeasuredSound:
    """The middle of a file, (n,) mono at SAMPLE_RATE, and the loudness of all of it in LUFS, None for silence."""

    samples: Samples
    loudness: float | None


def measure(path: bytes | str | os.PathLike[str]) -> AudioFeatures:
    """Measure one file; what it has not is None.

    Raises:
        AudioError: No sound could be decoded; one line, which does not name the path.
    """
    return features_of(read_measured_sound(path))


def features_of(sound: MeasuredSound) -> AudioFeatures:
    """Return tempo, key and loudness; None for what the sound does not have."""
    from engine.db import AudioFeatures  # here: decoders' processes load no database

    return AudioFeatures(tempo(sound.samples), key(sound.samples), sound.loudness)


def read_measured_sound(path: bytes | str | os.PathLike[str]) -> MeasuredSound:
    """Decode a file and measure its loudness; raises AudioError where no sound could be decoded."""
    with AudioFile.open(path) as audio:
        meter = LoudnessMeter()
        for frame in audio.frames():
            meter.push(frame)
        if not meter.seconds:
            raise AudioError(f"no sound could be decoded: {audio.trouble or 'the file holds no frames'}")
        return MeasuredSound(_middle(audio, meter.seconds), meter.loudness())


def tempo(samples: Samples) -> float | None:
    """Beats a minute of music (n,) at SAMPLE_RATE; None where it is too short or has no steady pulse.

    The beat may be half or twice, seldom three halves, of the one that a listener taps.
    """
    import librosa

    if _says_nothing(samples):
        return None
    onsets = librosa.onset.onset_strength(y=samples, sr=SAMPLE_RATE, hop_length=HOP)
    if onsets.std() < FAINTEST_ONSETS:
        return None
    _, beats = librosa.beat.beat_track(onset_envelope=onsets, sr=SAMPLE_RATE, hop_length=HOP, trim=False)
    if len(beats) < FEWEST_BEATS:
        return None
    period = float(np.polyfit(np.arange(len(beats)), beats, 1)[0])  # in hops
    return 60 * SAMPLE_RATE / (HOP * period) if _is_steady(onsets, period) else None


def key(samples: Samples) -> str | None:
    """The name in KEYS of the key of music (n,) at SAMPLE_RATE; None where it is too short or has no pitches."""
    import librosa

    if _says_nothing(samples):
        return None
    frames = librosa.feature.chroma_stft(y=samples, sr=SAMPLE_RATE, n_fft=CHROMA_WINDOW, hop_length=CHROMA_HOP)
    chroma = frames.mean(axis=1)  # (12,)
    if chroma.std() < LEAST_CONTRAST * chroma.mean():
        return None
    return KEYS[int(np.argmax(np.corrcoef(PROFILES, chroma)[-1, :-1]))]


def _middle(audio: AudioFile, seconds: float) -> Samples:
    """At most MIDDLE_SECONDS of mono from the middle of a file whose decoded length is known: (n,) at SAMPLE_RATE."""
    starts, length = plan_starts(seconds, MIDDLE_SECONDS, 1), min(seconds, MIDDLE_SECONDS)
    samples = audio.cut(starts, length, SAMPLE_RATE, seeking=True)[0]
    if len(samples) < (length - TOLERANCE_SECONDS) * SAMPLE_RATE:  # the file cannot be sought in
        samples = audio.cut(starts, length, SAMPLE_RATE, seeking=False)[0]
    return samples


def _says_nothing(samples: Samples) -> bool:
    return len(samples) < SHORTEST_SECONDS * SAMPLE_RATE or bool(np.abs(samples).max() < SILENCE_PEAK)


def _is_steady(onsets: Samples, period: float) -> bool:
    """Whether onsets come again after one beat more often than by chance, whose standard error is 1 / sqrt(n)."""
    deviation, lag = onsets - onsets.mean(), round(period)
    likeness = float(deviation[lag:] @ deviation[:-lag]) / float(deviation @ deviation)
    return likeness * math.sqrt(len(onsets)) >= STEADY
