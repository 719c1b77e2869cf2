"""Windows lie where the sound is, and only sound has a weight."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engine.errors import AudioError
from engine.indexer.audio.decoded_levels import levels_of
from engine.indexer.audio.placement import audible_segments, floor_of, levels, sound_bounds
from engine.indexer.audio.reading import place_in, plan_starts, read_track
from engine.indexer.pipeline.encoding import TrackEncoder
from engine.models.checkpoint import build
from engine.models.encoder import Encoder
from tests.audio import write_audio
from tests.embedding import decoders, embed_file

RATE = 22_050
SECONDS, COUNT = 4.0, 10
CLOSE = 0.1  # seconds by which windows of the same sound may differ: levels are taken over blocks of that length
SMALL = {
    "attention_signature": {"widths": (8, 16), "stem": 8, "frame_dim": 24, "dim": 32},
    "icff_net": {"widths": (4, 8, 8, 8, 8), "width": 8, "hidden": 8, "dim": 8},
}

Sound = NDArray[np.float32]


def music(seconds: float, seed: int = 0) -> Sound:
    """Notes of half a second: chords over a little noise."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    pitches = random.choice([220.0, 277.2, 329.6, 440.0, 554.4], (int(seconds * 2) + 1, 2))
    heights = pitches[(time * 2).astype(int)]
    notes = np.sin(2 * np.pi * heights * time[:, None]).sum(axis=1) * np.exp(-3 * (time % 0.5))
    return (0.2 * notes + 0.01 * random.standard_normal(len(time))).astype(np.float32)


def noise(seconds: float, decibels: float) -> Sound:
    """White noise with an RMS of `decibels` below full scale."""
    random = np.random.default_rng(9)
    return (10 ** (decibels / 20) * random.standard_normal(round(seconds * RATE))).astype(np.float32)


def silence(seconds: float) -> Sound:
    """Digital silence."""
    return np.zeros(round(seconds * RATE), np.float32)


def write(folder: Path, *parts: Sound, rate: int = RATE) -> bytes:
    """Write the parts as one file of 16 bits."""
    path = folder / "a.wav"
    write_audio(path, np.concatenate(parts), rate)
    return os.fsencode(path)


def starts(folder: Path, *parts: Sound) -> NDArray[np.float64]:
    """Where windows of a file that holds these parts start."""
    return np.array(read_track(write(folder, *parts), SECONDS, COUNT, RATE, "sound").starts)


@pytest.fixture(scope="module", params=SMALL)
def encoder(request: pytest.FixtureRequest) -> Encoder:
    """Small untrained encoders whose window is one segment, and seven."""
    torch.manual_seed(0)
    return build(request.param, SMALL[request.param]).eval()


@pytest.mark.parametrize("decibels", [None, -80.0])
@pytest.mark.parametrize("pad_seconds", [5, 60])
@pytest.mark.parametrize("end", [True, False])
def test_quiet_ends_do_not_move_the_windows(
    tmp_path: Path, decibels: float | None, pad_seconds: int, end: bool
) -> None:
    """Silence or noise at -80 dBFS before or after the sound leaves the windows where they were in the sound."""
    sound = music(60)
    quiet = np.zeros(pad_seconds * RATE, np.float32) if decibels is None else noise(pad_seconds, decibels)
    found = starts(tmp_path, *((sound, quiet) if end else (quiet, sound)))
    np.testing.assert_allclose(found - (0 if end else pad_seconds), starts(tmp_path, sound), atol=CLOSE)


@pytest.mark.parametrize(
    "parts",
    [
        [music(60)],
        [silence(7), music(40), noise(9, -80)],
        [music(60), silence(180), music(60)],
        [music(20), silence(60), music(3), silence(50), music(30)],
        [silence(37), music(1), silence(82)],
        [silence(37), 0.003 * music(1), silence(82)],
        [0.003 * music(60), silence(60), 0.003 * music(9)],
        [music(2)],
    ],
    ids=["music", "quiet ends", "gap", "gaps", "a second", "a quiet second", "quiet", "short"],
)
def test_in_memory_as_in_a_file(tmp_path: Path, parts: list[Sound]) -> None:
    """Samples in memory get the windows that the same samples get in a file."""
    in_memory = place_in(np.concatenate(parts), SECONDS, COUNT, RATE, "sound")
    np.testing.assert_allclose(in_memory, starts(tmp_path, *parts), atol=CLOSE)


def test_bad_samples_in_memory_count_as_silence() -> None:
    """A sample that is no number does not move the windows, as it does not in a file."""
    samples = np.concatenate([silence(20), music(40)])
    expected = place_in(samples, SECONDS, COUNT, RATE, "sound")
    samples[RATE] = np.nan
    assert place_in(samples, SECONDS, COUNT, RATE, "sound") == expected


def test_windows_of_a_steady_track_stay(tmp_path: Path) -> None:
    """Where sound fills the file, windows are spread from 0 to the end, to the bit as without a look at the level."""
    np.testing.assert_array_equal(starts(tmp_path, music(50)), plan_starts(50.0, SECONDS, COUNT))


def test_a_gap_moves_windows_to_sound(tmp_path: Path) -> None:
    """Minutes of silence in the middle get no window; the songs on both sides share them."""
    found = read_track(write(tmp_path, music(60), np.zeros(180 * RATE, np.float32), music(60)), 4.0, 10, RATE, "sound")
    assert len(found.starts) == 10
    assert (levels(found.windows) > floor_of(0.1)).all()
    assert sum(start < 60 for start in found.starts) == sum(start > 236 for start in found.starts) == 5


def test_one_second_of_sound_is_found(tmp_path: Path) -> None:
    """In two minutes of digital silence the one second of sound between two windows is what is read."""
    found = starts(tmp_path, np.zeros(37 * RATE, np.float32), music(1), np.zeros(82 * RATE, np.float32))
    assert len(found) == 1
    assert 34 <= found[0] <= 37


def test_silence_is_an_error(tmp_path: Path) -> None:
    """A file without any sound is refused, as it always was."""
    with pytest.raises(AudioError, match="silence"):
        starts(tmp_path, np.zeros(30 * RATE, np.float32))


def test_a_very_quiet_recording_is_heard() -> None:
    """A recording at -66 dBFS counts as sound, and the hiss 20 dB below it does not."""
    assert audible_segments(np.array([5e-4, 4e-4, 5e-5], np.float32)).tolist() == [True, True, False]


def test_something_always_speaks() -> None:
    """Digital silence, and levels that are no numbers, leave one segment."""
    assert audible_segments(np.zeros(4, np.float32)).sum() >= 1
    assert audible_segments(np.full(4, np.nan, np.float32)).sum() >= 1
    assert audible_segments(np.zeros(0, np.float32)).tolist() == []


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_bad_level_silences_no_other(bad: float) -> None:
    """A level that is no number counts as silence beside those that are."""
    assert audible_segments(np.array([0.1, bad, 0.2, 1e-6], np.float32)).tolist() == [True, False, True, False]


def test_bounds_to_a_block() -> None:
    """The bounds of the sound are right to a tenth of a second, the end of the samples included."""
    samples = np.concatenate([np.zeros(RATE, np.float32), music(2.53)])
    assert sound_bounds(samples, RATE, 1e-3) == pytest.approx((1.0, 3.53), abs=0.1)
    assert sound_bounds(np.zeros(RATE, np.float32), RATE, 1e-3) is None
    assert sound_bounds(samples[:0], RATE, 1e-3) is None


@pytest.mark.parametrize("rate", [1_004, 8_000, 11_025, 22_050])
def test_bounds_do_not_drift(rate: int) -> None:
    """At rates of which a tenth of a second is no whole number of samples, bounds late in a track are as right."""
    samples = np.zeros(600 * rate, np.float32)
    samples[580 * rate : 583 * rate] = 0.5
    for found in (sound_bounds(samples, rate, 1e-3), levels_of(samples, rate).bounds(0.0, 600.0, 1e-3)):
        assert found == pytest.approx((580.0, 583.0), abs=0.11)
    assert levels_of(samples, rate).bounds(500.03, 581.02, 1e-3) == pytest.approx((580.0, 581.02), abs=0.11)
    assert levels_of(samples, rate).bounds(0.0, 579.0, 1e-3) is None


def test_sound_ends_with_the_samples() -> None:
    """The last block is short; its end is that of the samples."""
    sound = music(3.53)
    assert sound_bounds(sound, RATE, 1e-3) == (0.0, len(sound) / RATE)
    assert levels_of(sound, RATE).bounds(0.0, 9.0, 1e-3) == (0.0, len(sound) / RATE)


def test_a_sound_late_in_a_file_is_found(tmp_path: Path) -> None:
    """At 11,025 Hz, the window of a second of sound after ten minutes of silence has it in its middle."""
    rate = 11_025
    samples = np.zeros(620 * rate, np.float32)
    samples[610 * rate : 611 * rate] = 0.5
    found = read_track(write(tmp_path, samples, rate=rate), 1.2, COUNT, RATE, "sound")
    assert found.starts == [pytest.approx(610.5 - 0.6, abs=CLOSE)]


@pytest.mark.parametrize("coverage", ["windows", "full"])
def test_silent_segments_have_no_weight(tmp_path: Path, encoder: Encoder, coverage: str) -> None:
    """In a track of which most is digital silence, silent segments weigh exactly 0 and the rest sum to 1."""
    parts = [np.zeros(22 * RATE, np.float32) for _ in range(4)]
    parts[2] = music(22)
    encoded = embed_file(write(tmp_path, *parts), encoder, coverage).embedding
    ends = encoded.starts + encoder.plan.segment_seconds
    silent = (ends <= 44) | (encoded.starts >= 66)
    assert (encoded.attention[silent] == 0).all()
    assert encoded.attention[~silent].min() > 0
    assert encoded.attention.sum() == pytest.approx(1, abs=1e-5)


def crescendo() -> Sound:
    """Twenty minutes that grow by 60 dB."""
    sound = np.tile(music(20), 60)
    return sound * (10 ** (np.linspace(-60, 0, len(sound)) / 20)).astype(np.float32)


def clicks() -> Sound:
    """Forty seconds with a click of one sample each second."""
    sound = np.zeros(40 * RATE, np.float32)
    sound[::RATE] = 0.9
    return sound


@pytest.mark.parametrize(
    "make",
    [crescendo, clicks, lambda: noise(30, -20), lambda: music(1.5), lambda: music(4.0)],
    ids=["crescendo", "clicks", "noise", "short", "one window"],
)
def test_odd_tracks_have_sensible_weights(tmp_path: Path, encoder: Encoder, make: Callable[[], Sound]) -> None:
    """A crescendo, a click track, white noise and tracks of one window get a finite unit signature and full weights."""
    encoded = embed_file(write(tmp_path, make()), encoder).embedding
    assert np.isfinite(encoded.signature).all()
    assert np.linalg.norm(encoded.signature) == pytest.approx(1, abs=1e-5)
    assert encoded.attention.sum() == pytest.approx(1, abs=1e-5)
    assert encoded.attention.min() >= 0


def test_encoders_of_before_read_the_whole(tmp_path: Path, encoder: Encoder) -> None:
    """With placement "whole" windows are spread over the silence, too, and all of them have a weight."""
    path = write(tmp_path, music(45), np.zeros(45 * RATE, np.float32))
    plan = encoder.plan
    try:
        encoder.plan = dataclasses.replace(plan, placement="whole")
        decoded = TrackEncoder(encoder).read(path, decoders())
        encoded = TrackEncoder(encoder).embed(decoded.starts, decoded.windows)
    finally:
        encoder.plan = plan
    assert decoded.starts == plan_starts(90.0, plan.seconds, plan.count)
    assert encoded.attention.min() > 0
