"""Drums and percussion: each is a function without arguments that returns mono samples with a peak of 1."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy.signal import butter, sosfilt

from .synth import SAMPLE_RATE, Samples

Drum = Callable[[], Samples]

_ONCE: Callable[[Drum], Drum] = lru_cache(maxsize=1)


@_ONCE
def kick() -> Samples:
    """An acoustic bass drum."""
    return _mix(_drop(0.3, 150, 52, 0.02, 0.09), 0.15 * _noise(1, 0.3, 1500, 5000, 0.006))


@_ONCE
def hard_kick() -> Samples:
    """A bass drum with a loud click, as metal wants it."""
    return _mix(_drop(0.22, 180, 58, 0.012, 0.06), 0.6 * _noise(2, 0.22, 2500, 8000, 0.004))


@_ONCE
def disco_kick() -> Samples:
    """A tight, dry bass drum."""
    return _mix(_drop(0.25, 220, 60, 0.015, 0.07), 0.3 * _noise(3, 0.25, 900, 4000, 0.008))


@_ONCE
def boom() -> Samples:
    """An 808's bass drum."""
    return np.tanh(2 * _drop(0.7, 130, 45, 0.03, 0.3)).astype(np.float32)


@_ONCE
def snare() -> Samples:
    """An acoustic snare drum."""
    return _mix(0.6 * _drop(0.3, 240, 185, 0.02, 0.07), _noise(4, 0.3, 900, 9000, 0.08))


@_ONCE
def big_snare() -> Samples:
    """A snare drum in a large room."""
    return _mix(0.7 * _drop(0.5, 280, 190, 0.02, 0.1), _noise(5, 0.5, 600, 8000, 0.14))


@_ONCE
def crisp_snare() -> Samples:
    """A short drum-machine snare."""
    return _mix(0.5 * _drop(0.2, 330, 220, 0.01, 0.04), _noise(6, 0.2, 1800, 12000, 0.05))


@_ONCE
def clap() -> Samples:
    """Four hands, nearly together."""
    late = [np.pad(_noise(7, 0.25, 900, 4500, 0.012), (round(d * SAMPLE_RATE), 0)) for d in (0, 0.01, 0.02)]
    tail = np.pad(_noise(8, 0.25, 900, 4500, 0.08), (round(0.03 * SAMPLE_RATE), 0))
    return _mix(*late, tail)


@_ONCE
def rim() -> Samples:
    """A stick across the rim."""
    return _mix(_drop(0.08, 1750, 1700, 0.01, 0.012), 0.5 * _drop(0.08, 480, 470, 0.01, 0.02))


@_ONCE
def brush() -> Samples:
    """A brush swept over the snare drum."""
    t = np.arange(round(0.3 * SAMPLE_RATE)) / SAMPLE_RATE
    return _mix(_noise(9, 0.3, 2000, 9000, 0.12) * np.minimum(t / 0.03, 1))


@_ONCE
def closed_hat() -> Samples:
    """A closed hi-hat."""
    return _mix(_noise(10, 0.1, 7000, 14500, 0.022))


@_ONCE
def open_hat() -> Samples:
    """An open hi-hat."""
    return _mix(_noise(11, 0.4, 6500, 14500, 0.13))


@_ONCE
def ride() -> Samples:
    """A ride cymbal: a ping over a wash."""
    pings = [0.12 * _drop(0.6, hertz, hertz, 0.1, 0.15) for hertz in (3140, 4270, 5390, 6810)]
    return _mix(*pings, _noise(12, 0.6, 5000, 13000, 0.16))


@_ONCE
def crash() -> Samples:
    """A crash cymbal."""
    return _mix(_noise(13, 1.6, 3000, 14000, 0.5))


@_ONCE
def low_tom() -> Samples:
    """A floor tom."""
    return _mix(_drop(0.4, 140, 90, 0.05, 0.13), 0.1 * _noise(14, 0.4, 800, 4000, 0.02))


@_ONCE
def high_tom() -> Samples:
    """A rack tom."""
    return _mix(_drop(0.35, 230, 160, 0.05, 0.11), 0.1 * _noise(15, 0.35, 800, 4000, 0.02))


@_ONCE
def shaker() -> Samples:
    """A shaker or a maraca."""
    t = np.arange(round(0.1 * SAMPLE_RATE)) / SAMPLE_RATE
    return _mix(_noise(16, 0.1, 5500, 12000, 0.025) * np.minimum(t / 0.012, 1))


@_ONCE
def conga() -> Samples:
    """An open conga."""
    return _mix(_drop(0.3, 240, 205, 0.02, 0.1), 0.2 * _noise(17, 0.3, 1000, 4000, 0.008))


@_ONCE
def conga_slap() -> Samples:
    """A slapped conga."""
    return _mix(_drop(0.12, 420, 330, 0.02, 0.03), 0.7 * _noise(18, 0.12, 1200, 6000, 0.018))


@_ONCE
def clave() -> Samples:
    """Two wooden sticks."""
    return _mix(_drop(0.1, 2500, 2490, 0.01, 0.022))


@_ONCE
def cowbell() -> Samples:
    """A cowbell."""
    return _mix(_drop(0.25, 562, 560, 0.01, 0.06), _drop(0.25, 845, 842, 0.01, 0.06))


@_ONCE
def stomp() -> Samples:
    """A foot on floorboards."""
    return _mix(_drop(0.2, 95, 65, 0.03, 0.05), 0.25 * _noise(19, 0.2, 200, 1200, 0.02))


def _drop(seconds: float, first_hertz: float, last_hertz: float, fall: float, ring: float) -> Samples:
    """A sine that falls in pitch and fades; `fall` and `ring` are time constants in seconds."""
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    hertz = last_hertz + (first_hertz - last_hertz) * np.exp(-t / fall)
    return (np.sin(2 * np.pi * np.cumsum(hertz) / SAMPLE_RATE) * np.exp(-t / ring)).astype(np.float32)


def _noise(seed: int, seconds: float, low_hertz: float, high_hertz: float, ring: float) -> Samples:
    n = round(seconds * SAMPLE_RATE)
    white = np.random.default_rng(seed).standard_normal(n)
    band = sosfilt(butter(2, (low_hertz, high_hertz), "bandpass", fs=SAMPLE_RATE, output="sos"), white)
    return (band * np.exp(-np.arange(n) / SAMPLE_RATE / ring)).astype(np.float32)


def _mix(*sounds: np.ndarray) -> Samples:
    total = np.zeros(max(len(s) for s in sounds), np.float32)
    for sound in sounds:
        total[: len(sound)] += sound
    # A short fade at the end: a sound cut while it rings would click.
    total[-64:] *= np.linspace(1, 0, 64, dtype=np.float32)
    return (total / np.abs(total).max()).astype(np.float32)
