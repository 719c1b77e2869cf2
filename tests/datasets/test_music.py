"""Music without labels: which files are taken, and what is kept of them."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from engine.datasets.clips import Clip, ClipSamples
from engine.datasets.music import BalancedPair, MusicSamples, UnlabelledTrack, find_tracks
from engine.errors import TrainingError
from engine.models.encoder import SAMPLE_RATE
from tests.audio import tone, write_audio
from tests.datasets.trees import touch

RATE = 8_000


def write_tone(path: Path, seconds: float) -> Path:
    """A tone as a small file."""
    write_audio(path, tone(440, seconds, RATE), RATE)
    return path


def test_files_of_one_subfolder_are_of_one_folder(tmp_path: Path) -> None:
    """Each file comes once, with the number of its first subfolder; labelled files and other kinds are left out."""
    names = ("a/1.mp3", "a/deep/2.flac", "b/3.ogg", "4.wav", "b/cover.jpg", "b/labelled.wav")
    touch(*(tmp_path / name for name in names))
    found = find_tracks([str(tmp_path), str(tmp_path / "a")], [tmp_path / "b" / "labelled.wav"])
    folders = {str(track.path.relative_to(tmp_path)): track.folder for track in found}
    assert set(folders) == {"a/1.mp3", "a/deep/2.flac", "b/3.ogg", "4.wav"}
    assert folders["a/1.mp3"] == folders["a/deep/2.flac"]
    assert len({folders["a/1.mp3"], folders["b/3.ogg"], folders["4.wav"]}) == 3


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    """A folder that is not there is an error that names it."""
    with pytest.raises(TrainingError, match=r"expected a folder of music, found none at .*missing"):
        find_tracks([str(tmp_path / "missing")])


def test_whole_tracks_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracks of 45 s or more are read up to the limit; others are left out with the reason."""
    monkeypatch.setattr("engine.datasets.music.MAX_TRACK_SECONDS", 50.0)
    lengths = {"long.wav": 52.0, "enough.wav": 45.0, "short.wav": 44.0}
    files = [write_tone(tmp_path / name, seconds) for name, seconds in lengths.items()]
    (tmp_path / "text.wav").write_text("no sound")
    music = MusicSamples([UnlabelledTrack(path, 0) for path in [*files, tmp_path / "text.wav"]], tmp_path / "cache")
    assert [music.length(i) / SAMPLE_RATE for i in range(len(music))] == pytest.approx([50, 45], abs=0.01)
    assert [path.name for path, _ in music.skipped] == ["short.wav", "text.wav"]
    assert music.skipped[0][1] == "shorter than 45 s"


def test_a_track_and_a_clip_of_one_file_are_cached_apart(tmp_path: Path) -> None:
    """A file that is read as a clip is cut at two minutes; as a track it is whole, in whichever order they are read."""
    path, cache = write_tone(tmp_path / "a.wav", 125), tmp_path / "cache"
    for _ in range(2):
        clips = ClipSamples([Clip(path, "train", "", "", frozenset(), None)], cache)
        music = MusicSamples([UnlabelledTrack(path, 0)], cache)
        assert (clips.length(0) / SAMPLE_RATE, music.length(0) / SAMPLE_RATE) == pytest.approx((120, 125), abs=0.01)
    assert clips.key(0) != music.key(0)


def test_half_is_drawn_from_either_collection(samples: ClipSamples, tmp_path: Path) -> None:
    """However many clips and tracks there are, each side gets half of the numbers, and each of its members as many."""
    music = MusicSamples(
        [UnlabelledTrack(write_tone(tmp_path / f"{i}.wav", 46 + i), 0) for i in range(3)], tmp_path / "cache"
    )
    both = BalancedPair(samples, music)
    lengths = Counter(both.length(i) for i in range(len(both)))
    assert lengths[samples.length(0)] == len(both) / 2
    assert [lengths[music.length(i)] for i in range(3)] == [len(both) / 6] * 3
    assert np.array_equal(both.read(1, 100, 50), music.read(0, 100, 50))
