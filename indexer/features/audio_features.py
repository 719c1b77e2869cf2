"""Measure tempo, key and loudness of one file by decoding all of it, in the memory of one minute of sound.

- Tempo: librosa's beat tracker (Ellis 2007, "Beat tracking by dynamic programming") over a minute from the middle; the
  slope of a line through its beats, which is finer than its own grid of tempos.
- Key: the key k that maximises the correlation r_k = cov(c, p_k) / (sd(c) sd(p_k)) of the minute's mean chroma c (12,)
  with the 24 rotations p_k of a major and a minor profile (Krumhansl 1990, "Cognitive Foundations of Musical Pitch",
  chapter 4); profiles from Temperley 2007, "Music and Probability", table 6.1 (Kostka-Payne corpus).
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
SHORTEST_SECONDS = 5.0  # of reliable tempo and key

HOP = 512  # samples between two values of the onset strength
FAINTEST_ONSETS = 0.1  # standard deviation of onset strength; a drone has 0.06, the calmest music measured 0.29
FEWEST_BEATS = 4
STEADY = 3.0  # least autocorrelation of onsets at one beat, in standard errors; noise reached 2.4

CHROMA_WINDOW = 8192  # samples; bins of 2.7 Hz separate semitones above 50 Hz
CHROMA_HOP = 2048
LEAST_CONTRAST = 0.09  # deviation over mean of the twelve; noise has 0.08, the least tonal music measured 0.10
MAJOR_PROFILE = (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400)
MINOR_PROFILE = (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330)
PROFILES = np.array([np.roll(profile, i) for profile in (MAJOR_PROFILE, MINOR_PROFILE) for i in range(12)])  # (24, 12)
MAJOR_TONICS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MINOR_TONICS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
KEYS = (*(f"{tonic} major" for tonic in MAJOR_TONICS), *(f"{tonic} minor" for tonic in MINOR_TONICS))


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
    """Return the beats per minute of music (n,) at SAMPLE_RATE; None if it is too short or has no steady pulse.

    Octave errors occur: half or twice, seldom three halves, of the tempo that a listener taps.
    """
    import librosa

    if _is_too_little(samples):
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
    """Return the key, one of KEYS, of music (n,) at SAMPLE_RATE; None if it is too short or not tonal."""
    import librosa

    if _is_too_little(samples):
        return None
    frames = librosa.feature.chroma_stft(y=samples, sr=SAMPLE_RATE, n_fft=CHROMA_WINDOW, hop_length=CHROMA_HOP)
    chroma = frames.mean(axis=1)  # (12,)
    if chroma.std() < LEAST_CONTRAST * chroma.mean():
        return None
    return KEYS[int(np.argmax(np.corrcoef(PROFILES, chroma)[-1, :-1]))]


def _middle(audio: AudioFile, seconds: float) -> Samples:
    """Return at most MIDDLE_SECONDS from the middle of a file of known decoded length, (n,) mono at SAMPLE_RATE."""
    starts, length = plan_starts(seconds, MIDDLE_SECONDS, 1), min(seconds, MIDDLE_SECONDS)
    samples = audio.cut(starts, length, SAMPLE_RATE, seeking=True)[0]
    if len(samples) < (length - TOLERANCE_SECONDS) * SAMPLE_RATE:  # the file cannot seek
        samples = audio.cut(starts, length, SAMPLE_RATE, seeking=False)[0]
    return samples


def _is_too_little(samples: Samples) -> bool:
    return len(samples) < SHORTEST_SECONDS * SAMPLE_RATE or bool(np.abs(samples).max() < SILENCE_PEAK)


def _is_steady(onsets: Samples, period: float) -> bool:
    """Return whether the autocorrelation of n onset values at one beat exceeds chance (standard error n^-1/2)."""
    deviation, lag = onsets - onsets.mean(), round(period)  # (n,), hops
    likeness = float(deviation[lag:] @ deviation[:-lag]) / float(deviation @ deviation)
    return likeness * math.sqrt(len(onsets)) >= STEADY
