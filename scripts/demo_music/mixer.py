"""Stems and their mix: panning, a simple reverb, one common gain."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.signal import oaconvolve

from .synth import SAMPLE_RATE, Samples

PEAK = 10 ** (-1 / 20)  # of the mix: -1 dBFS
FADE_SECONDS = 1.5


@dataclass(frozen=True)
class Rendering:
    """A rendered piece: `stems` is float32 (len(names), 2, n); their sum is the mix, which peaks at -1 dBFS."""

    names: tuple[str, ...]
    stems: np.ndarray
    sample_rate: int

    @property
    def mix(self) -> np.ndarray:
        """The rendered sound: float32, shape (2, n)."""
        return self.stems.sum(axis=0)


class Track:
    """One stem while it is being played: stereo, and its reverb send (mono)."""

    def __init__(self, n: int) -> None:
        self.stereo = np.zeros((2, n), np.float32)
        self.send = np.zeros(n, np.float32)

    def add(self, samples: Samples, start: int, level: float, pan: float, send: float) -> None:
        """Add a sound at sample `start`; samples beyond the end are cut. Pan runs from -1 (left) to 1 (right)."""
        stop = min(start + len(samples), len(self.send))
        if stop <= start:
            return
        sound = samples[: stop - start] * np.float32(level)
        angle = (pan + 1) * np.pi / 4
        self.stereo[0, start:stop] += sound * np.float32(np.cos(angle))
        self.stereo[1, start:stop] += sound * np.float32(np.sin(angle))
        if send:
            self.send[start:stop] += sound * np.float32(send)


def mix_down(tracks: Mapping[str, Track], room_seconds: float) -> Rendering:
    """Reverberate every stem, fade their ends and scale their sum to -1 dBFS with one common gain.

    Args:
        tracks: By stem name, all of one length.
        room_seconds: Time constant of the reverb's decay.
    """
    stems = np.stack([t.stereo + _reverb(t.send, room_seconds) for t in tracks.values()])
    fade = round(FADE_SECONDS * SAMPLE_RATE)
    stems[..., -fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    peak = float(np.abs(stems.sum(axis=0)).max())
    return Rendering(tuple(tracks), stems * np.float32(PEAK / peak), SAMPLE_RATE)


def _reverb(send: Samples, room_seconds: float) -> np.ndarray:
    """Stereo reverb, shape (2, n), computed at half the rate: a room swallows the highest octave anyway."""
    if not send.any():
        return np.zeros((2, len(send)), np.float32)
    half = 0.5 * (send[0 : len(send) // 2 * 2 : 2] + send[1::2])
    wet = oaconvolve(half[None], _room(room_seconds), axes=1)[:, : len(half)]
    full = np.zeros((2, len(send)), np.float32)
    full[:, 0 : 2 * len(half) : 2] = wet
    full[:, 1 : 2 * len(half) - 1 : 2] = 0.5 * (wet[:, :-1] + wet[:, 1:])
    return full


@lru_cache(maxsize=16)
def _room(room_seconds: float) -> np.ndarray:
    """A room's response: noise that decays, different for each ear, after 12 ms of silence."""
    rate = SAMPLE_RATE // 2
    t = np.arange(round(4.5 * room_seconds * rate)) / rate
    noise = np.random.default_rng(17).standard_normal((2, len(t)))
    # Averaging neighbours takes the edge off the noise: walls absorb treble.
    soft = 0.5 * (noise + np.roll(noise, 1, axis=1)) * np.exp(-t / room_seconds) * (t > 0.012)
    return (soft / np.sqrt((soft**2).sum(axis=1, keepdims=True))).astype(np.float32)
