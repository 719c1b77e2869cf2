"""Our own fingerprint: what changes it and what does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.errors import AudioError
from engine.indexer.features.fingerprint import (
    HOP,
    LAG,
    OUTLINE,
    OUTLINE_FRAMES,
    OUTLINE_WORDS,
    SAMPLE_RATE,
    SECONDS,
    SEMITONES,
    fingerprints,
    first_sound,
    read_outline,
)
from tests.audio import tone, write_audio
from tests.versions import melody


def song(seed: int = 1, seconds: float = 10) -> NDArray[np.float32]:
    """A melody at the fingerprints' rate."""
    return melody(seed, seconds, SAMPLE_RATE)


def wrong(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> float:
    """The share of bits that differ."""
    return float(np.unpackbits((a ^ b).view(np.uint8)).mean())


def test_gain_changes_no_bit() -> None:
    """Half the volume gives the same words, up to what rounding decides."""
    loud, soft = (fingerprints(song() * gain)[SEMITONES] for gain in (1.0, 0.5))
    assert len(loud) > 60
    assert wrong(loud, soft) < 0.001


def test_a_later_start_drops_the_first_words() -> None:
    """Sound without its first five frames gives the words without the first five."""
    whole, later = (fingerprints(song()[start:])[SEMITONES] for start in (0, 5 * HOP))
    assert wrong(whole[5:], later) < 0.01


def test_other_songs_have_other_bits() -> None:
    """Two songs of one instrument differ in about half of their bits."""
    assert wrong(fingerprints(song(1))[SEMITONES], fingerprints(song(2))[SEMITONES]) > 0.4


def test_outline_tells_pitch_and_level() -> None:
    """A tone of 440 Hz at -12 dB is an A, the first pitch class, and its half-octave has -12 dB."""
    outline = read_outline(fingerprints(tone(440, 5, SAMPLE_RATE, level=0.251))[OUTLINE])
    assert (outline.chroma.argmax(axis=1) == 0).all()
    powers = outline.powers.sum(axis=1)
    assert 10 * np.log10(powers) == pytest.approx(np.full(len(powers), -12 + 1.76), abs=0.6)  # a window's leakage adds


def test_lengths() -> None:
    """There is a word a frame less the lag, and four words for every four frames."""
    found = fingerprints(song(seconds=10))
    frames = (10 * SAMPLE_RATE - 4096) // HOP + 1
    assert len(found[SEMITONES]) == frames - LAG
    assert len(found[OUTLINE]) == frames // OUTLINE_FRAMES * OUTLINE_WORDS


def test_too_short_or_silent() -> None:
    """Less sound than a few frames, and silence, give no words; a pause gives words of 0."""
    for nothing in (np.zeros(0, np.float32), song(seconds=0.3), np.zeros(5 * SAMPLE_RATE, np.float32)):
        assert [len(words) for words in fingerprints(nothing).values()] == [0, 0]
    pause = np.concatenate([song(seconds=3), np.zeros(5 * SAMPLE_RATE, np.float32), song(seconds=3)])
    found = fingerprints(pause)
    assert 25 < (found[SEMITONES] == 0).sum() < 40
    assert (read_outline(found[OUTLINE]).chroma.sum(axis=1) == 0).sum() > 5


def test_first_sound(tmp_path: Path) -> None:
    """Two minutes of a longer file are read, with codec and bit rate; of a shorter one all of it."""
    write_audio(tmp_path / "long.wav", song(seconds=SECONDS + 10), SAMPLE_RATE)
    write_audio(tmp_path / "short.mp3", tone(440, 3), bitrate=96_000)
    long, short = first_sound(tmp_path / "long.wav"), first_sound(tmp_path / "short.mp3")
    assert (len(long.samples), long.codec, long.bitrate) == (SECONDS * SAMPLE_RATE, "pcm_s16le", SAMPLE_RATE * 16)
    assert len(short.samples) / SAMPLE_RATE == pytest.approx(3, abs=0.1)
    assert (short.codec, short.bitrate) == ("mp3", 96_000)


def test_no_sound(tmp_path: Path) -> None:
    """A file that is away, or holds no sound, is refused in a line that does not name it."""
    (tmp_path / "text.mp3").write_text("not music" * 1000)
    for name in ("away.mp3", "text.mp3"):
        with pytest.raises(AudioError) as caught:
            first_sound(tmp_path / name)
        assert name not in str(caught.value)
