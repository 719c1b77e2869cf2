"""The measurement of duplicates: the set that it makes, and its figures."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import duplicates

from engine.indexer.audio.decode import AudioFile
from tests.audio import decibels, tone, write_audio


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Two artists with two tracks each, one of them twice under one title."""
    folder = tmp_path / "music"
    for artist in "AB":
        (folder / artist).mkdir(parents=True)
        for number in (1, 2):
            write_audio(folder / artist / f"{number}.flac", tone(220 * number, 3), tags={"title": f"Tone {number}"})
    write_audio(folder / "A" / "again.flac", tone(220, 3), tags={"title": "tone 1!"})
    return folder


def test_music(music: Path, tmp_path: Path) -> None:
    """A folder and a table give the same files by artist, one of each title."""
    found = duplicates.read_music(music)
    assert {artist: [path.name for path in files] for artist, files in found.items()} == {
        "a": ["1.flac", "2.flac"],
        "b": ["1.flac", "2.flac"],
    }
    rows = [f"music/{path.parent.name}/{path.name},{artist},{path.name}" for artist in found for path in found[artist]]
    (tmp_path / "table.csv").write_text("\n".join(["file,artist,title", *rows, "music/x.flac,,"]))
    assert duplicates.read_music(tmp_path / "table.csv") == found


def test_set(music: Path, tmp_path: Path) -> None:
    """Each track has its link and five re-encodings, up to 2 s shorter and up to 6 dB louder or softer."""
    made = tmp_path / "set"
    made.mkdir()
    assert len(duplicates.make_set(duplicates.read_music(music), 2, made)) == 2
    names = sorted(path.name for path in made.iterdir())
    tracks = [f"{artist}-{track}" for artist in (0, 1) for track in (0, 1)]
    assert names == sorted(f"{t}{ending}" for t in tracks for ending in [".original.flac", *duplicates.VERSIONS])
    lengths, levels = [], []
    for path in made.glob("*-?.*"):
        with AudioFile.open(path) as audio:
            samples = np.concatenate(list(audio.blocks(1, 44_100)))
        lengths.append(len(samples) / 44_100)
        levels.append(decibels(samples) - decibels(tone(220, 3)))
    assert 0.9 < min(lengths) < 2 < max(lengths) < 3.1
    assert -6.5 < min(levels) < -1
    assert 1 < max(levels) < 6.5


def test_limit() -> None:
    """The limit lies between the errors of one recording and those of others; where they overlap, F1 decides."""
    assert duplicates.choose_limit([0.1, 0.5, 0.2, 0.4], [True, False, True, False]) == pytest.approx(0.3)
    assert duplicates.choose_limit([0.1, 0.2, 0.3, 0.4], [True, False, True, True]) == pytest.approx(0.4)


def test_figures() -> None:
    """Precision is the share of what was found that is true, recall the share of what is true that was found."""
    found, true = ([frozenset(pair) for pair in pairs] for pairs in (["ab", "cd"], ["ab", "ef", "gh", "ij"]))
    assert duplicates.figures(found, true) == "precision 0.5000 (1 of 2 pairs)  recall 0.2500 (1 of 4 pairs)"


def test_too_little_music(music: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Music of one artist only is refused in one line."""
    monkeypatch.setattr(sys, "argv", ["duplicates.py", str(music / "A")])
    assert duplicates.main() == 2
    assert capsys.readouterr().err.count("\n") == 1
