"""Whatever opens a file of sound does so in a process of its own: a decoder's crash costs that file, nothing else."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import Engine
from engine.datasets.clips import Clip, ClipSamples
from engine.datasets.music import MusicSamples, UnlabelledTrack
from engine.errors import QueryError
from engine.search.results import Classification, GenreProbability
from tests.conftest import Collection, write_song
from tests.faulty_decoders import break_decoders, write_faulty
from tests.test_architecture import modules

CRASHED = "crashed the decoder"
DECODES = (  # what runs in decoders' processes
    "engine.indexer.audio",
    "engine.indexer.pipeline.decoding",
    "engine.indexer.features.fingerprint",
    "engine.indexer.features.audio_features",
    "engine.indexer.features.loudness",
    "engine.server.media.transcoding",
    "engine.server.media.waveform",
    "engine.server.media.covers",
    "engine.training.augment.recode",  # of sound that it has just encoded itself
)
OPENERS = {"AudioFile", "probe", "read_track"}


@pytest.fixture
def bad(own: Collection, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A track of the library whose file crashes decoders from now on."""
    write_faulty(own.song(3), "crash")
    break_decoders(own.folder.parent / "path", monkeypatch)
    return own.song(3)


def judged(path: Path) -> Classification:
    """A classification whose tags are to be written."""
    return Classification(str(path), None, None, (GenreProbability("rock", 0.9),), (), (), ())


def test_only_decoders_open_sound() -> None:
    """No module imports PyAV or opens sound, except those whose functions decoders' processes run."""
    for name, file in modules().items():
        if name.startswith(DECODES):
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                assert not {alias.name.split(".")[0] for alias in node.names} & {"av", "mutagen"} or "tags" in name
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("engine.indexer"):
                assert not {alias.name for alias in node.names} & OPENERS, name


@pytest.mark.parametrize(
    "question",
    [
        lambda engine, path: engine.similar(path),
        lambda engine, path: engine.classify(path),
        lambda engine, path: engine.explain(path),
        lambda engine, path: engine.explain_pair(path, path),
        lambda engine, path: engine.path(path, path, 3),
        lambda engine, path: engine.playlist([path], 3),
    ],
)
def test_questions(bad: Path, engine: Engine, question: Callable[[Engine, Path], object]) -> None:
    """A question about a file that crashes the decoder fails in one line, and the next question is answered."""
    stray = write_faulty(bad.parent.parent / "stray.wav", "crash")
    with pytest.raises(QueryError, match=CRASHED):
        question(engine, stray)
    assert engine.similar(bad.with_name("song04.wav")).matches


def test_pictures(bad: Path, engine: Engine, tmp_path: Path) -> None:
    """A picture of a track whose file crashes the decoder is refused in one line."""
    number = engine.locate(bad)[1]
    with pytest.raises(QueryError, match=CRASHED):
        engine.explain(number, plot=tmp_path / "picture.png")
    assert not (tmp_path / "picture.png").exists()


def test_orders(bad: Path, engine: Engine) -> None:
    """An order leaves out a file that crashes the decoder, and says so."""
    others = [bad.with_name(f"song{number:02}.wav") for number in (4, 5)]
    playlist = engine.order([*others, write_faulty(bad.parent.parent / "stray.wav", "crash")])
    assert len(playlist.tracks) == 2
    assert any(CRASHED in problem for problem in playlist.problems)


def test_tags(bad: Path, engine: Engine) -> None:
    """Tags are written into the other files."""
    pytest.importorskip("mutagen")
    content = bad.read_bytes()
    report = engine.write_tags([judged(bad), judged(bad.with_name("song15.wav"))], write=True)
    assert [failed.path for failed in report.failed] == [str(bad)]
    assert CRASHED in report.failed[0].reason
    assert [change.written for change in report.changes] == [True]
    assert bad.read_bytes() == content


def test_fingerprints_and_features(bad: Path, engine: Engine) -> None:
    """Fingerprints and features of the other tracks are computed; the file is listed with its reason."""
    report = engine.measure(bad.parent)
    assert report.measured == 15


def test_labelled_clips_and_music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data sets leave out a file that crashes the decoder, and read the rest."""
    break_decoders(tmp_path / "path", monkeypatch)
    paths = [
        write_song(tmp_path / "a.wav", 1),
        write_faulty(tmp_path / "b.wav", "crash"),
        write_song(tmp_path / "c.wav", 2),
    ]
    clips = ClipSamples([Clip(p, "train", "", "d", frozenset(), None) for p in paths], tmp_path / "cache")
    assert ([clip.path for clip in clips.clips], [path for path, _ in clips.skipped]) == (paths[::2], paths[1:2])
    assert CRASHED in clips.skipped[0][1]
    music = MusicSamples([UnlabelledTrack(path, 0) for path in paths[1:2]], tmp_path / "cache")
    assert CRASHED in music.skipped[0][1]
