"""Fingerprint the first two minutes of a file: one fingerprint of the recording, one coarse outline of the music.

Both come from one spectrogram in semitones, of frames as in Chromaprint: 11,025 Hz mono, 4096 samples (0.37 s) every
1365 (8.08 a second).

`semitones:1`, after Haitsma and Kalker 2002, section 4.2: one word of 32 bits a frame. With e_t,m the log energy of
frame t in band m, bit m of word t is 1 if e_t,m - e_t,m+1 > e_t-L,m - e_t-L,m+1, for 33 bands of a semitone from 285 Hz
to 1.92 kHz (theirs are about as wide). Differs: frames are 0.12 s apart, not 0.01 s, so that two minutes take 4 kB; the
lag L is three frames, which share no sample, so differences are larger (9 % wrong bits in re-encoded clips instead of
14 %); a floor 50 dB below the loudest energy makes all bands below it equal.

`outline:1`: twice a second, twelve pitch classes in four steps each (a coarse chroma, as CENS, Mueller, Kurth and
Clausen 2005) and the levels of twelve half-octaves from 53 Hz to 3.4 kHz in half decibels.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from engine.errors import AudioError
from engine.indexer.audio.decode import AudioFile
from engine.indexer.audio.samples import Samples

SEMITONES, OUTLINE = "semitones:1", "outline:1"  # increase a kind's number when its words change

SAMPLE_RATE = 11_025
SECONDS = 120
FRAME, HOP = 4096, 1365  # samples
FRAMES_PER_SECOND = SAMPLE_RATE / HOP
BLOCK_SECONDS = 4
FRAMES_AT_ONCE = 256

LOWEST = 55.0  # Hz, the middle of the first semitone
BANDS = 72
FIRST_BAND = 29  # of the 33 whose differences are signed
SIGNED_BANDS = 33
LAG = 3  # L, frames; such frames share no sample
FLOOR = 1e-5  # of the loudest: -50 dB
TINY = 1e-30  # replaces a largest energy of 0

OUTLINE_FRAMES = 4  # frames of the spectrogram in one of the outline
OUTLINE_WORDS = 4  # a frame: one of pitch classes, three of levels
PITCH_CLASSES = 12
CHROMA_STEPS = (0.085, 0.1, 0.13)  # shares of the logarithmic energy; the mean is 1/12
LOG_RANGE = 1000.0
LEVEL_BANDS = 12
LEVELS_PER_DECIBEL = 2
LEVEL_ZERO = -100.0  # dB relative to a full-scale sine; it and lower levels are stored as 0
FULL_SCALE = (FRAME / 4) ** 2  # the power of a full-scale sine under a Hann window

Words = NDArray[np.uint32]
Energies = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class FirstSound:
    """A file's first SECONDS, (L,) mono at SAMPLE_RATE or fewer, its codec, and its bits per second if known."""

    samples: Samples
    codec: str
    bitrate: int | None


@dataclass(frozen=True, eq=False)
class Outline:
    """A coarse description of N half seconds; silent ones are zero.

    Attributes:
        chroma: (N, 12), steps 0 to 3 of each pitch class, from A.
        powers: (N, 12) of half-octaves from the lowest; 1 is a full-scale sine.
    """

    chroma: NDArray[np.float32]
    powers: NDArray[np.float64]


def first_sound(path: bytes | str | os.PathLike[str]) -> FirstSound:
    """Decode the beginning of a file; raise AudioError, without the path, if it has no sound."""
    with AudioFile.open(path) as audio:
        blocks = list(islice(audio.blocks(BLOCK_SECONDS, SAMPLE_RATE), SECONDS // BLOCK_SECONDS))
        if not blocks:
            raise AudioError(f"no sound could be decoded: {audio.trouble or 'the file holds no frames'}")
        return FirstSound(np.concatenate(blocks), audio.info.codec, audio.info.bitrate)


def fingerprints(samples: Samples) -> dict[str, Words]:
    """Return fingerprints of sound (L,) at SAMPLE_RATE by kind; empty if it is shorter than a few frames."""
    energies = semitone_energies(samples)
    return {SEMITONES: semitone_words(energies), OUTLINE: outline_words(energies)}


def semitone_energies(samples: Samples) -> Energies:
    """Return the power in each semitone (T, BANDS) of sound (L,); T is 0 for less than one frame."""
    if len(samples) < FRAME:
        return np.zeros((0, BANDS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]  # (T, FRAME), no copy
    window, bands = np.hanning(FRAME).astype(np.float32), _bands()
    parts = (frames[i : i + FRAMES_AT_ONCE] * window for i in range(0, len(frames), FRAMES_AT_ONCE))
    powers = (np.square(np.abs(np.fft.rfft(part, axis=1))).astype(np.float32) for part in parts)
    return (np.concatenate([power @ bands for power in powers]) / FULL_SCALE).astype(np.float32)


def semitone_words(energies: Energies) -> Words:
    """Return the words (T - LAG,) of energies (T, BANDS); 0 for frames that are silent relative to the loudest."""
    if len(energies) <= LAG or not energies.max() > 0:
        return np.zeros(0, np.uint32)
    signed = energies[:, FIRST_BAND : FIRST_BAND + SIGNED_BANDS]
    logarithms = np.log(signed + FLOOR * max(float(signed.max()), TINY))
    slopes = logarithms[:, :-1] - logarithms[:, 1:]  # (T, 32)
    bits = slopes[LAG:] > slopes[:-LAG]
    words = np.packbits(bits, axis=1, bitorder="little").view("<u4")[:, 0].astype(np.uint32)
    quiet = _quiet(energies)
    words[quiet[LAG:] & quiet[:-LAG]] = 0
    return words


def outline_words(energies: Energies) -> Words:
    """Return the outline (OUTLINE_WORDS * (T // OUTLINE_FRAMES),) of energies (T, BANDS), frame by frame."""
    count = len(energies) // OUTLINE_FRAMES
    if not count or not energies.max() > 0:
        return np.zeros(0, np.uint32)
    mean = energies[: count * OUTLINE_FRAMES].reshape(count, OUTLINE_FRAMES, BANDS).mean(axis=1)
    logarithms = np.log1p(LOG_RANGE * mean / max(float(mean.max()), TINY))
    folded = logarithms.reshape(count, -1, PITCH_CLASSES).sum(axis=1)  # (N, 12), all octaves
    shares = folded / np.maximum(folded.sum(axis=1, keepdims=True), 1e-12)
    steps = np.digitize(shares, CHROMA_STEPS).astype(np.uint32)
    halves = mean.reshape(count, LEVEL_BANDS, -1).sum(axis=2)
    decibels = 10 * np.log10(np.maximum(halves, 1e-20)) - LEVEL_ZERO
    levels = np.clip(np.round(decibels * LEVELS_PER_DECIBEL), 0, 255).astype(np.uint8)
    words = np.zeros((count, OUTLINE_WORDS), np.uint32)
    words[:, 0] = (steps << np.arange(0, 2 * PITCH_CLASSES, 2, dtype=np.uint32)).sum(axis=1)
    words[:, 1:] = np.ascontiguousarray(levels).view("<u4")
    words[_quiet(mean)] = 0
    return words.reshape(-1)


def read_outline(words: Words) -> Outline:
    """Decode words of `outline_words`."""
    rows = words[: len(words) // OUTLINE_WORDS * OUTLINE_WORDS].reshape(-1, OUTLINE_WORDS)
    steps = rows[:, :1] >> np.arange(0, 2 * PITCH_CLASSES, 2, dtype=np.uint32) & 3  # (N, 12)
    levels = np.ascontiguousarray(rows[:, 1:].astype("<u4")).view(np.uint8)
    powers = np.where(levels > 0, 10 ** ((levels / LEVELS_PER_DECIBEL + LEVEL_ZERO) / 10), 0.0)
    return Outline(steps.astype(np.float32), powers)


def _quiet(energies: Energies) -> NDArray[np.bool_]:
    """Return which frames (T,) are below FLOOR times the loudest."""
    totals = energies.sum(axis=1)
    return totals <= FLOOR * totals.max()


@cache
def _bands() -> Energies:
    """Return the share of each bin in each semitone, (FRAME // 2 + 1, BANDS)."""
    edges = LOWEST * 2 ** ((np.arange(BANDS + 1) - 0.5) / 12) * FRAME / SAMPLE_RATE  # in bins
    bins = np.arange(FRAME // 2 + 1)[:, None]
    overlap = np.minimum(bins + 0.5, edges[1:]) - np.maximum(bins - 0.5, edges[:-1])
    return np.clip(overlap, 0, 1).astype(np.float32)
