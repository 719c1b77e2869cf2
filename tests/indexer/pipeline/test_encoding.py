"""From files to signatures: the same sound gives the same signature, whatever stands beside it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.errors import AudioError
from engine.indexer.audio.reading import read_track
from engine.indexer.pipeline.decoders import Decoders
from engine.indexer.pipeline.decoding import read_stretches
from engine.indexer.pipeline.encoding import TrackEncoder
from engine.models.checkpoint import load_encoder
from engine.models.encoder import CHUNK_WINDOWS, SAMPLE_RATE, Encoder
from engine.models.labels import GENRES, MOODS
from engine.models.weights_files import find_encoder
from tests.audio import write_audio
from tests.conftest import RATE, make_song
from tests.embedding import decoders, embed_file
from tests.words import WORDS, worded_encoder

SAME = 1e-5  # float32 rounding: batches of other sizes take other paths through the libraries
CLOSE = 0.98  # cosine of what is the same to the ear


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The encoder that ships, on the CPU."""
    return load_encoder(find_encoder())


def song(folder: Path, seed: int, seconds: float = 5.2, gain: float = 1.0, rate: int = RATE) -> bytes:
    """Write a song; returns its path."""
    path = folder / f"{seed}-{seconds}-{gain}-{rate}.wav"
    write_audio(path, gain * make_song(seed, seconds), rate)
    return os.fsencode(path)


@pytest.mark.parametrize("coverage", ["windows", "full"])
@pytest.mark.parametrize("seconds", [0.6, 5.2, 50.0])
def test_shapes(tmp_path: Path, encoder: Encoder, coverage: str, seconds: float) -> None:
    """A track of any length gives a unit signature, distributions that sum to 1, and windows that lie in the track."""
    track = embed_file(song(tmp_path, 1, seconds), encoder, coverage)
    encoded = track.embedding
    assert track.duration_seconds == pytest.approx(seconds, abs=0.01)
    assert encoded.signature.shape == (encoder.dim,)
    assert np.linalg.norm(encoded.signature) == pytest.approx(1, abs=1e-5)
    assert (encoded.genres.shape, encoded.moods.shape) == ((len(GENRES),), (len(MOODS),))
    for shares in (encoded.genres, encoded.moods, encoded.attention):
        assert shares.min() >= 0
        assert shares.sum() == pytest.approx(1, abs=1e-5)
    assert len(encoded.starts) == len(encoded.attention) == len(encoded.segment_vectors)
    assert encoded.starts.min() >= 0
    assert encoded.starts.max() < seconds


@pytest.mark.parametrize("coverage", ["windows", "full"])
def test_words(tmp_path: Path, coverage: str) -> None:
    """A track has a probability for each of the encoder's words."""
    path, worded = song(tmp_path, 1, 1.5), worded_encoder()
    encoded = embed_file(path, worded, coverage).embedding
    expected = worded.summarise(torch.from_numpy(encoded.segment_vectors)).words
    np.testing.assert_allclose(encoded.words, expected, atol=SAME, rtol=0)
    assert (encoded.words.shape, encoded.words.dtype) == ((len(WORDS),), np.float32)


def test_batch(tmp_path: Path, encoder: Encoder) -> None:
    """A track encoded among others has the signature that it has alone."""
    track_encoder = TrackEncoder(encoder)
    songs = [song(tmp_path, seed, seconds) for seed, seconds in ((1, 5.2), (2, 0.8), (3, 45))]
    tracks = [track_encoder.read(path, decoders()) for path in songs]
    for together, track in zip(track_encoder.embed_batch(tracks), tracks, strict=True):
        alone = track_encoder.embed(track.starts, track.windows)
        assert np.allclose(together.signature, alone.signature, atol=SAME)
        assert np.allclose(together.genres, alone.genres, atol=SAME)
        assert np.array_equal(together.starts, alone.starts)


@pytest.mark.parametrize("coverage", ["windows", "full"])
def test_again(tmp_path: Path, encoder: Encoder, coverage: str) -> None:
    """The same file gives the same signature again, to the bit."""
    path = song(tmp_path, 1, 12.0)
    first, second = (embed_file(path, encoder, coverage).embedding for _ in range(2))
    assert np.array_equal(first.signature, second.signature)


def test_gain(tmp_path: Path, encoder: Encoder) -> None:
    """Half the gain does not change what a track sounds like; another song does."""
    original = embed_file(song(tmp_path, 1), encoder).embedding.signature
    quiet = embed_file(song(tmp_path, 1, gain=0.5), encoder).embedding.signature
    other = embed_file(song(tmp_path, 2), encoder).embedding.signature
    assert quiet @ original > CLOSE
    assert other @ original < quiet @ original


def test_formats(tmp_path: Path, encoder: Encoder) -> None:
    """A song sounds alike as WAV, FLAC at 44.1 kHz in stereo, and MP3."""
    mono = make_song(3, 8.0)
    wide = np.repeat(mono, 2)  # at twice the rate, sample and hold
    write_audio(tmp_path / "a.wav", mono, RATE)
    write_audio(tmp_path / "a.flac", np.stack([wide, wide], axis=1), 2 * RATE)
    write_audio(tmp_path / "a.mp3", mono, RATE)
    vectors = [
        embed_file(os.fsencode(tmp_path / f"a{end}"), encoder).embedding.signature for end in (".wav", ".flac", ".mp3")
    ]
    assert vectors[1] @ vectors[0] > CLOSE
    assert vectors[2] @ vectors[0] > CLOSE


def test_full_reads_all(tmp_path: Path, encoder: Encoder) -> None:
    """Read in full, windows follow each other to the end of the track; a short rest at the end does not count."""
    step = encoder.plan.seconds
    for seconds, count in ((3 * step, 3), (3 * step + 0.6 * step, 4), (3 * step + 0.3 * step, 3)):
        encoded = embed_file(song(tmp_path, 1, seconds), encoder, "full").embedding
        assert np.allclose(encoded.starts, np.arange(count) * step)


def test_stopped(tmp_path: Path, encoder: Encoder) -> None:
    """Who stops an indexing run does not wait for the end of a long file that is read in full."""
    path = song(tmp_path, 1, 4 * 33)  # more windows than go through the network at once
    own = Decoders(1)
    stretches = own.stream(read_stretches, path, 4.0, SAMPLE_RATE, 32)
    assert len(next(stretches).windows) == 32
    own.close()
    with pytest.raises(AudioError, match="stopped"):
        list(stretches)
    with pytest.raises(AudioError, match="stopped"):
        TrackEncoder(encoder).embed_file(path, "full", own)


@pytest.mark.parametrize("coverage", ["windows", "full"])
@pytest.mark.parametrize(("content", "reason"), [(b"", None), (b"RIFF" + b"x" * 500, None), (None, "silence")])
def test_no_sound(tmp_path: Path, encoder: Encoder, coverage: str, content: bytes | None, reason: str | None) -> None:
    """What holds no sound raises AudioError, with one line why."""
    path = tmp_path / "bad.wav"
    if content is None:
        write_audio(path, np.zeros(5 * RATE, np.float32), RATE)
    else:
        path.write_bytes(content)
    with pytest.raises(AudioError, match=reason) as caught:
        embed_file(os.fsencode(path), encoder, coverage)
    assert "\n" not in str(caught.value)
    assert str(caught.value)


def test_several_stretches(tmp_path: Path, encoder: Encoder) -> None:
    """A file of more windows than go through the network at once is one track: all its seconds, windows and sound."""
    path = song(tmp_path, 1, 4.0 * (CHUNK_WINDOWS + 1) + 2)
    track_encoder = TrackEncoder(encoder)
    track = track_encoder.embed_full(path, decoders())
    count = CHUNK_WINDOWS + 2
    assert track.duration_seconds == pytest.approx(4 * count - 2, abs=0.01)
    assert track.embedding.starts == pytest.approx(4.0 * np.arange(count))
    stretches = list(decoders().stream(read_stretches, path, 4.0, SAMPLE_RATE, count))
    together = track_encoder.embed(4.0 * np.arange(count), stretches[0].windows)
    assert np.allclose(track.embedding.signature, together.signature, atol=SAME)


@pytest.mark.parametrize(
    "sent",
    [
        {"starts": [0.0]}, {"starts": [0.0, float("nan")]}, {"starts": [-1.0, 0.0]}, {"duration_seconds": float("inf")},
        {"windows": np.zeros((2, 100), np.float32)}, {"windows": np.zeros(2, np.float32)},
    ],
    ids=repr,
)  # fmt: skip
def test_decoders_are_not_trusted(
    tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch, sent: dict[str, object]
) -> None:
    """Windows of another shape, a time too few or one that is no time cost the file that they came from."""
    path = song(tmp_path, 1)
    track = read_track(path, encoder.plan.seconds, 2, SAMPLE_RATE, "sound")
    with Decoders(1) as own:
        monkeypatch.setattr(own, "call", lambda *_: replace(track, **sent))
        with pytest.raises(AudioError, match="expected windows of shape"):
            TrackEncoder(encoder).read(path, own)


def test_the_processor_takes_over(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not one window fits, a copy on the CPU computes in float32, although the GPU computed in bf16."""
    monkeypatch.setattr(encoder, "reduced", True)
    monkeypatch.setattr(Encoder, "device", property(lambda self: torch.device("cuda" if self.reduced else "cpu")))
    track_encoder = TrackEncoder(encoder)
    track_encoder.at_once = 1
    assert track_encoder._fall_back()
    assert (track_encoder._network.reduced, track_encoder.encoder.reduced) == (False, True)
    assert "the CPU took over" in track_encoder.notes()[0]
    assert track_encoder.at_once == CHUNK_WINDOWS


def test_too_little_memory(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows that do not fit into a GPU's memory together go through it in smaller parts, with the same answers."""
    windows = np.random.default_rng(0).standard_normal((10, encoder.plan.samples)).astype(np.float32) * 0.1
    starts = [4.0 * i for i in range(10)]
    expected = TrackEncoder(encoder).embed(starts, windows)
    embed = encoder.embed

    def small(features: dict[str, torch.Tensor]) -> torch.Tensor:
        if len(features["mel"]) > 3:
            raise torch.OutOfMemoryError
        return embed(features)

    monkeypatch.setattr(encoder, "embed", small)
    track_encoder = TrackEncoder(encoder)
    found = track_encoder.embed(starts, windows)
    assert track_encoder.at_once <= 3
    assert "windows were encoded at once" in track_encoder.notes()[0]
    assert np.allclose(found.signature, expected.signature, atol=1e-5)
    assert TrackEncoder(encoder).notes() == []
