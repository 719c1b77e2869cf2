"""Tempo and key of signals whose tempo and key are known, and of whole files."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.db import AudioFeatures
from engine.errors import AudioError
from engine.indexer.features.audio_features import SAMPLE_RATE, key, measure, tempo
from engine.indexer.features.key import KEYS
from tests.audio import tone, write_audio

TEMPO_TOLERANCE = 0.01
OVERTONES = 5
CHORD_SECONDS = 1.5
MAJOR_STEPS = {"I": (0, 4, 7), "ii": (2, 5, 9), "IV": (5, 9, 12), "V": (7, 11, 14), "vi": (9, 12, 16)}
MINOR_STEPS = {"i": (0, 3, 7), "iv": (5, 8, 12), "V": (7, 11, 14), "VI": (8, 12, 15), "VII": (10, 14, 17)}
TONICS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


def clicks(beats_a_minute: float, seconds: float = 40) -> NDArray[np.float32]:
    """Short bursts of noise, one a beat: (n,) at SAMPLE_RATE."""
    samples = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    burst = np.random.default_rng(0).standard_normal(800) * np.exp(-np.arange(800) / 150) * 0.3
    for beat in np.arange(0.2, seconds - 0.1, 60 / beats_a_minute):
        start = round(beat * SAMPLE_RATE)
        samples[start : start + len(burst)] += burst
    return samples


def chords(tonic: int, steps: dict[str, tuple[int, ...]], progression: str) -> NDArray[np.float32]:
    """A progression, three times, on tones with overtones; `tonic` in semitones above C: (n,) at SAMPLE_RATE."""
    played = [_chord(tonic, steps[name]) for name in progression.split()]
    return np.concatenate(played * 3)


def _chord(tonic: int, steps: tuple[int, ...]) -> NDArray[np.float32]:
    notes = [130.81 * 2 ** ((tonic + step) / 12) for step in steps]
    tones = [tone(n * k, CHORD_SECONDS, SAMPLE_RATE, 0.1 / k) for n in notes for k in range(1, OVERTONES + 1)]
    return np.sum(tones, axis=0, dtype=np.float32)


@pytest.mark.parametrize("beats", [75, 90, 103.3, 120, 150])
def test_tempo(beats: float) -> None:
    """Clicks have the tempo at which they come, to 1 %."""
    assert tempo(clicks(beats)) == pytest.approx(beats, rel=TEMPO_TOLERANCE)


def test_fast() -> None:
    """Clicks that come very fast or slowly have their tempo, or one an octave from it."""
    for beats in (48, 220):
        found = tempo(clicks(beats))
        assert found is not None
        octaves = np.log2(found / beats)
        assert abs(octaves - round(octaves)) < TEMPO_TOLERANCE
        assert abs(octaves) < 1.5


def test_no_tempo() -> None:
    """Noise, a drone, silence and what is too short have no tempo."""
    noise = np.random.default_rng(1).standard_normal(30 * SAMPLE_RATE).astype(np.float32) * 0.1
    drone = tone(220, 30, SAMPLE_RATE) + tone(330, 30, SAMPLE_RATE, 0.3)
    for samples in (noise, drone, np.zeros(30 * SAMPLE_RATE, np.float32), clicks(120, 3), clicks(120, 0)):
        assert tempo(samples) is None


@pytest.mark.parametrize("progression", ["I IV V I", "I vi ii V I", "I V vi IV I"])
@pytest.mark.parametrize("tonic", [0, 3, 6, 7, 10])
def test_major(tonic: int, progression: str) -> None:
    """Progressions of a major key are heard in it."""
    assert key(chords(tonic, MAJOR_STEPS, progression)) == f"{TONICS[tonic]} major"


@pytest.mark.parametrize("progression", ["i iv V i", "i VI iv V i", "i VII VI V i"])
@pytest.mark.parametrize("tonic", [0, 1, 4, 6, 9])
def test_minor(tonic: int, progression: str) -> None:
    """Progressions of a minor key are heard in it."""
    assert key(chords(tonic, MINOR_STEPS, progression)) == f"{TONICS[tonic]} minor"


def test_detuned() -> None:
    """A third of a semitone off concert pitch, the key is still heard."""
    samples = chords(2, MAJOR_STEPS, "I IV V I")
    stretched = np.interp(np.arange(0, len(samples), 2 ** (0.33 / 12)), np.arange(len(samples)), samples)
    assert key(stretched.astype(np.float32)) == "D major"


def test_no_key() -> None:
    """Noise, silence and what is too short have no key."""
    noise = np.random.default_rng(1).standard_normal(30 * SAMPLE_RATE).astype(np.float32) * 0.1
    short = chords(0, MAJOR_STEPS, "I IV V I")[: 3 * SAMPLE_RATE]
    for samples in (noise, np.zeros(30 * SAMPLE_RATE, np.float32), short, short[:0]):
        assert key(samples) is None


def test_names() -> None:
    """There are 24 keys."""
    assert len(set(KEYS)) == 24
    assert {name.split(" ")[1] for name in KEYS} == {"major", "minor"}


def test_middle(tmp_path: Path) -> None:
    """Of a long file the middle minute gives tempo and key, and all of it the loudness."""
    loud = np.random.default_rng(1).standard_normal(30 * SAMPLE_RATE).astype(np.float32) * 0.3
    chord = np.resize(chords(9, MINOR_STEPS, "i iv V i"), 60 * SAMPLE_RATE)
    middle = chord * 0.2 + clicks(96, 60)
    write_audio(tmp_path / "a.flac", np.concatenate([loud, middle, loud]), SAMPLE_RATE)
    found = measure(tmp_path / "a.flac")
    assert found.tempo == pytest.approx(96, rel=TEMPO_TOLERANCE)
    assert found.key == "A minor"
    write_audio(tmp_path / "b.flac", middle, SAMPLE_RATE)
    quiet = measure(tmp_path / "b.flac")
    assert quiet.key == found.key
    assert found.loudness is not None
    assert quiet.loudness is not None
    assert found.loudness > quiet.loudness + 3


def test_nothing_to_measure(tmp_path: Path) -> None:
    """Silence has nothing, and a second of sound has a loudness only."""
    write_audio(tmp_path / "silence.wav", np.zeros(10 * SAMPLE_RATE, np.float32), SAMPLE_RATE)
    assert measure(tmp_path / "silence.wav") == AudioFeatures(None, None, None)
    write_audio(tmp_path / "short.wav", tone(1000, 1, SAMPLE_RATE), SAMPLE_RATE)
    short = measure(tmp_path / "short.wav")
    assert (short.tempo, short.key) == (None, None)
    assert short.loudness == pytest.approx(-6, abs=0.2)


@pytest.mark.parametrize("content", [b"", b"no sound at all" * 100, b"ID3" + b"\0" * 1000])
def test_no_sound(tmp_path: Path, content: bytes) -> None:
    """What is no sound is an AudioError of one line."""
    (tmp_path / "a.mp3").write_bytes(content)
    with pytest.raises(AudioError) as caught:
        measure(tmp_path / "a.mp3")
    assert "\n" not in str(caught.value)


def test_truncated(tmp_path: Path) -> None:
    """A file cut off in its middle is measured by what is left of it."""
    write_audio(tmp_path / "a.mp3", clicks(120, 40), SAMPLE_RATE)
    whole = (tmp_path / "a.mp3").read_bytes()
    (tmp_path / "b.mp3").write_bytes(whole[: len(whole) // 2])
    assert measure(tmp_path / "b.mp3").tempo == pytest.approx(120, rel=TEMPO_TOLERANCE)


def test_memory(tmp_path: Path) -> None:
    """A file three times as long takes no more memory."""
    peaks = []
    for half_minutes in (3, 9):
        write_audio(tmp_path / "a.wav", np.tile(clicks(120, 30), half_minutes), SAMPLE_RATE)
        measure(tmp_path / "a.wav")  # filters that are kept from the first use do not count
        tracemalloc.start()
        measure(tmp_path / "a.wav")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.05 * peaks[0]
