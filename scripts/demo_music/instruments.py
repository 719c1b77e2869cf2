"""Pitched instruments: each is a function of a MIDI pitch and a length in seconds that returns mono samples.

The samples peak at 1 and exceed the requested length by the instrument's release. The same arguments give the same
samples; they are cached, so treat them as read-only.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from .synth import (
    SAMPLE_RATE,
    Samples,
    band,
    count,
    distorted_strings,
    fading_sine,
    gate,
    hertz,
    noise,
    phase,
    plucked_string,
    stacked_sines,
    times,
    to_peak,
)

Voice = Callable[[int, float], Samples]

_REMEMBERED: Callable[[Voice], Voice] = lru_cache(maxsize=64)


@_REMEMBERED
def steel_guitar(pitch: int, seconds: float) -> Samples:
    """A steel-stringed acoustic guitar."""
    return plucked_string(pitch, max(seconds, 0.9), brightness=0.85, ring=2.2, release=0.15)


@_REMEMBERED
def nylon_guitar(pitch: int, seconds: float) -> Samples:
    """A nylon-stringed guitar."""
    return plucked_string(pitch, max(seconds, 0.5), brightness=0.35, ring=1.2, release=0.12)


@_REMEMBERED
def banjo(pitch: int, seconds: float) -> Samples:
    """A banjo or mandolin: bright and short."""
    return plucked_string(pitch, min(seconds, 0.5), brightness=1.0, ring=0.45, release=0.08)


@_REMEMBERED
def clean_guitar(pitch: int, seconds: float) -> Samples:
    """A clean electric guitar, as short as it is struck."""
    return plucked_string(pitch, seconds, brightness=0.6, ring=1.5, release=0.03)


@_REMEMBERED
def harpsichord(pitch: int, seconds: float) -> Samples:
    """A harpsichord: two bright strings, an octave apart."""
    low = plucked_string(pitch, seconds, brightness=1.0, ring=1.6, release=0.1)
    return to_peak(low + 0.5 * plucked_string(pitch + 12, seconds, brightness=1.0, ring=1.2, release=0.1))


@_REMEMBERED
def upright_bass(pitch: int, seconds: float) -> Samples:
    """A plucked double bass."""
    return to_peak(
        plucked_string(pitch, seconds, brightness=0.12, ring=0.9, release=0.06)
        + 0.5 * fading_sine(pitch, seconds, ring=0.5, release=0.06)
    )


@_REMEMBERED
def finger_bass(pitch: int, seconds: float) -> Samples:
    """A fingered electric bass."""
    return to_peak(
        plucked_string(pitch, seconds, brightness=0.3, ring=1.6, release=0.04)
        + 0.6 * fading_sine(pitch, seconds, ring=0.9, release=0.04)
    )


@_REMEMBERED
def sub_bass(pitch: int, seconds: float) -> Samples:
    """An 808's long, slightly driven sine."""
    return np.tanh(1.8 * fading_sine(pitch, seconds, 0.9, release=0.12)).astype(np.float32)


@_REMEMBERED
def synth_bass(pitch: int, seconds: float) -> Samples:
    """A sawtooth bass whose filter closes after each note's start."""
    n = count(seconds + 0.03)
    saw = stacked_sines(phase(pitch, n), [1 / k for k in range(1, 25)])
    dull = stacked_sines(phase(pitch, n), [1 / k**2.2 for k in range(1, 8)])
    sweep = np.exp(-times(n) / 0.12)
    return to_peak((saw * sweep + dull * (1 - sweep)) * gate(n, seconds, attack=0.004, release=0.03))


@_REMEMBERED
def piano(pitch: int, seconds: float) -> Samples:
    """A piano: slightly stretched partials, the higher the sooner gone."""
    n = count(max(seconds, 0.35) + 0.2)
    t, base = times(n), hertz(pitch)
    ring = 4.0 * 2 ** (-(pitch - 48) / 18)
    sound = np.zeros(n, np.float32)
    for k in range(1, 11):
        partial = k * base * (1 + 0.0004 * k * k) ** 0.5
        if partial < 0.45 * SAMPLE_RATE:
            sound += np.sin(2 * np.pi * partial * t) * np.exp(-t * (0.6 + 0.4 * k) / ring) / k**1.3
    return to_peak(sound * gate(n, max(seconds, 0.35), attack=0.003, release=0.2))


@_REMEMBERED
def electric_piano(pitch: int, seconds: float) -> Samples:
    """A tine piano: two-operator FM with a bell at the start."""
    n = count(seconds + 0.15)
    t, angle = times(n), phase(pitch, n)
    body = np.sin(angle + 1.4 * np.exp(-t / 0.5) * np.sin(angle))
    tine = 0.25 * np.exp(-t / 0.12) * np.sin(angle + 0.8 * np.sin(14 * angle))
    return to_peak((body + tine) * np.exp(-t / 1.6) * gate(n, seconds, attack=0.003, release=0.15))


@_REMEMBERED
def vibraphone(pitch: int, seconds: float) -> Samples:
    """A vibraphone: a fundamental and its double octave under a slow tremolo."""
    n = count(seconds + 0.5)
    t, angle = times(n), phase(pitch, n)
    sound = np.sin(angle) * np.exp(-t / 1.2) + 0.3 * np.sin(4 * angle) * np.exp(-t / 0.25)
    return to_peak(sound * (1 + 0.3 * np.sin(2 * np.pi * 5 * t)) * gate(n, seconds, attack=0.002, release=0.5))


@_REMEMBERED
def organ(pitch: int, seconds: float) -> Samples:
    """A drawbar organ through a slowly turning speaker."""
    n = count(seconds + 0.05)
    sound = stacked_sines(phase(pitch - 12, n, vibrato=0.05, rate=6.0), [0.7, 1.0, 0.6, 0.7, 0.0, 0.3, 0.0, 0.35])
    return to_peak(sound * (1 + 0.12 * np.sin(2 * np.pi * 6 * times(n))) * gate(n, seconds, 0.008, 0.05))


@_REMEMBERED
def strings(pitch: int, seconds: float) -> Samples:
    """A string section: three detuned players with slow bows."""
    n = count(seconds + 0.25)
    players = [(-0.07, 4.7), (0.0, 5.3), (0.06, 5.9)]
    partials = [k**-1.15 for k in range(1, 15)]
    sound = sum(stacked_sines(phase(pitch + detune, n, 0.1, rate), partials) for detune, rate in players)
    return to_peak(sound * gate(n, seconds, attack=min(0.12, seconds / 3), release=0.25))


@_REMEMBERED
def fiddle(pitch: int, seconds: float) -> Samples:
    """One violin, vibrato and all."""
    n = count(seconds + 0.08)
    sound = stacked_sines(
        phase(pitch, n, vibrato=0.2, rate=5.8), [1, 0.7, 0.75, 0.45, 0.5, 0.3, 0.3, 0.2, 0.15, 0.1, 0.1]
    )
    return to_peak(sound * gate(n, seconds, attack=0.05, release=0.08))


@_REMEMBERED
def flute(pitch: int, seconds: float) -> Samples:
    """A flute with some breath in it."""
    n = count(seconds + 0.08)
    breath = 0.05 * band(noise(pitch, n), hertz(pitch), min(4 * hertz(pitch), 9000))
    sound = stacked_sines(phase(pitch, n, vibrato=0.12, rate=5.0), [1.0, 0.35, 0.12, 0.04]) + breath
    return to_peak(sound * gate(n, seconds, attack=0.05, release=0.08))


@_REMEMBERED
def harmonica(pitch: int, seconds: float) -> Samples:
    """A reedy harmonica that bends into its notes."""
    n = count(seconds + 0.06)
    sound = stacked_sines(phase(pitch, n, 0.2, 5.5, scoop=0.7), [0.7, 1, 0.8, 0.6, 0.6, 0.35, 0.3, 0.2, 0.15])
    return to_peak(np.tanh(1.2 * sound) * gate(n, seconds, attack=0.03, release=0.06))


@_REMEMBERED
def saxophone(pitch: int, seconds: float) -> Samples:
    """A tenor saxophone: rich partials, breath, a small scoop."""
    n = count(seconds + 0.06)
    partials = [1, 0.9, 0.6, 0.75, 0.4, 0.3, 0.2, 0.2, 0.1, 0.08]
    sound = stacked_sines(phase(pitch, n, 0.18, 5.2, scoop=0.4), partials) + 0.06 * band(noise(pitch, n), 900, 5000)
    return to_peak(sound * gate(n, seconds, attack=0.035, release=0.06))


@_REMEMBERED
def trumpet(pitch: int, seconds: float) -> Samples:
    """A trumpet or brass section: it brightens as it speaks."""
    n = count(seconds + 0.05)
    angle = phase(pitch, n, vibrato=0.08, rate=5.5, scoop=0.15)
    bloom = 1 - np.exp(-times(n) / 0.06)
    bright = stacked_sines(angle, [0.7, 1, 0.95, 0.8, 0.6, 0.45, 0.3, 0.25, 0.15, 0.1])
    return to_peak((bloom * bright + 0.6 * stacked_sines(angle, [1, 0.4])) * gate(n, seconds, 0.02, 0.05))


@_REMEMBERED
def synth_lead(pitch: int, seconds: float) -> Samples:
    """Two detuned sawtooth oscillators."""
    n = count(seconds + 0.08)
    partials = [1 / k for k in range(1, 20)]
    sound = stacked_sines(phase(pitch - 0.06, n), partials) + stacked_sines(phase(pitch + 0.06, n, 0.1, 5.5), partials)
    return to_peak(sound * gate(n, seconds, attack=0.01, release=0.08))


@_REMEMBERED
def power_chord(pitch: int, seconds: float) -> Samples:
    """A distorted guitar's root, fifth and octave."""
    return distorted_strings((pitch, pitch + 7, pitch + 12), seconds, drive=9.0, ring=2.5)


@_REMEMBERED
def palm_mute(pitch: int, seconds: float) -> Samples:
    """The same guitar, its strings damped by the hand."""
    return distorted_strings((pitch, pitch + 7), min(seconds, 0.16), drive=6.0, ring=0.07)


@_REMEMBERED
def lead_guitar(pitch: int, seconds: float) -> Samples:
    """One distorted string, singing."""
    return distorted_strings((pitch,), seconds, drive=5.0, ring=3.0, vibrato=0.25)
