"""What happens to files in real collections hardly moves a piece's signature: codecs, gain, a silence in front."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.signal import resample_poly

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from demo_music.styles import collection, render
from engine.models.encoder import Encoder
from tests.audio import write_audio
from tests.embedding import embed_file

TITLES = ("Hat Trick", "Slow Eclipse", "Greensleeves")  # a jazz, a metal and a folk piece
SAME_COSINE = 0.98  # in the mean over the pieces
RATE = 48_000  # Hz: one that Opus knows

Sound = NDArray[np.float32]


def silence_in_front(sound: Sound) -> Sound:
    """Half a second of it."""
    return np.concatenate([np.zeros((RATE // 2, 2), np.float32), sound], dtype=np.float32)


CHANGES: dict[str, tuple[str, Callable[[Sound], Sound], int | None]] = {
    "mp3 at 128 kbit/s": (".mp3", lambda sound: sound, 128_000),
    "opus at 64 kbit/s": (".opus", lambda sound: sound, 64_000),
    "half the gain": (".wav", lambda sound: sound * np.float32(0.5), None),
    "half a second of silence in front": (".wav", silence_in_front, None),
}


@pytest.fixture(scope="module")
def pieces() -> list[Sound]:
    """Rendered pieces, (n, 2) at RATE."""
    mixes = [render(song) for song in collection() if song.title in TITLES]
    return [resample_poly(mix.mix.T, RATE, mix.sample_rate).astype(np.float32) for mix in mixes]


def signature(encoder: Encoder, path: Path) -> torch.Tensor:
    """A file's signature, as indexing reads it."""
    encoded = embed_file(os.fsencode(path), encoder).embedding
    return torch.from_numpy(encoded.signature)


@pytest.fixture(scope="module")
def plain(pieces: list[Sound], shipped: Encoder, tmp_path_factory: pytest.TempPathFactory) -> torch.Tensor:
    """The pieces' own signatures, (pieces, D)."""
    folder = tmp_path_factory.mktemp("plain")
    return torch.stack([signature(shipped, written(piece, folder / f"{i}.wav")) for i, piece in enumerate(pieces)])


def written(sound: Sound, path: Path, bitrate: int | None = None) -> Path:
    """Write a file; its path."""
    write_audio(path, sound, RATE, bitrate=bitrate)
    return path


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_file_keeps_its_signature(
    change: str, pieces: list[Sound], plain: torch.Tensor, shipped: Encoder, tmp_path: Path
) -> None:
    """A piece that was coded, turned down or delayed keeps close to its own signature, and closer than to others'."""
    ending, alter, bitrate = CHANGES[change]
    paths = [written(alter(piece), tmp_path / f"{i}{ending}", bitrate) for i, piece in enumerate(pieces)]
    cosines = torch.stack([signature(shipped, path) for path in paths]) @ plain.T  # (pieces, pieces)
    assert len(pieces) == len(TITLES)
    assert cosines.diagonal().mean() > SAME_COSINE
    assert cosines.argmax(dim=1).tolist() == list(range(len(pieces)))


def test_different_pieces_are_not_alike(plain: torch.Tensor) -> None:
    """The closeness above means something: a jazz, a metal and a folk piece are well apart."""
    assert (plain @ plain.T - 2 * torch.eye(len(plain))).max() < 0.9
