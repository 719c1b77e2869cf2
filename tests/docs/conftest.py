"""The home directory of the documentation's examples: the demo collection's tracks under ~/Music, with other sound."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine import Engine
from tests.audio import write_audio
from tests.conftest import RATE, make_song
from tests.small_study import study_text

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from demo_music.styles import collection  # noqa: E402 (scripts/ joins the path first)

ENDINGS = ("flac", "mp3", "opus", "m4a", "mp3")  # as scripts/demo_music writes them
SONG_SECONDS = 90  # of the file that examples cut a part of


@dataclass(frozen=True)
class Home:
    """A home directory with music, a library, and the files that examples name."""

    folder: Path

    @property
    def library(self) -> Path:
        """The library of ~/Music."""
        return self.folder / "library.db"


@pytest.fixture(scope="session")
def first_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The home directory, made once. Only copy it."""
    home = Home(tmp_path_factory.mktemp("home") / "you")
    music = home.folder / "Music"
    for number, song in enumerate(collection()):
        path = music / song.artist / f"{song.title}.{ENDINGS[number % len(ENDINGS)]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        tags = {"artist": song.artist, "title": song.title, "album": song.album, "genre": song.style}
        rate = 48_000 if path.suffix == ".opus" else RATE
        write_audio(path, make_song(number), rate, tags=tags | {"date": str(song.year)})
    write_audio(home.folder / "song.mp3", make_song(90, SONG_SECONDS), RATE)
    write_audio(home.folder / "other.flac", make_song(91), RATE)
    (music / "Demos").mkdir()
    shutil.copy(home.folder / "other.flac", music / "Demos")
    (home.folder / "Rips").mkdir()
    write_audio(home.folder / "Rips" / "hat trick.mp3", make_song(22), RATE)
    _write_tables(home.folder)
    with Engine.open(home.library, encoder="attention_signature", device="cpu") as library:
        assert not library.index(music).failed
    return home


@pytest.fixture
def home(first_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A copy of the home directory, which a test may change and in which it runs."""
    copy = Home(tmp_path / "you")
    shutil.copytree(first_home.folder, copy.folder)
    shutil.copytree(copy.folder / "Music", copy.folder / "Archive", copy_function=os.link)
    with Engine.open(copy.library, device="cpu") as library:
        library.relocate(first_home.folder / "Music", copy.folder / "Music")
        library.backup(copy.folder / "music.bak")
    monkeypatch.chdir(copy.folder)
    monkeypatch.setenv("HOME", str(copy.folder))
    monkeypatch.setenv("ENGINE_LIBRARY", str(copy.library))
    return copy


def _write_tables(folder: Path) -> None:
    """Lay down a history of plays, a list, a table of clips, labelled music and a study."""
    liked = "Music/Inez Farrow Trio/Rain Check.mp3"
    (folder / "history.csv").write_text(f"time,path,event\n2026-05-01T20:15:00,{liked},like\n", "utf-8")
    tracks = sorted((folder / "Music" / "Los Faroles").iterdir())
    (folder / "list.m3u8").write_text("".join(f"Music/Los Faroles/{track.name}\n" for track in tracks), "utf-8")
    rows = ["file,split,artist,genres"]
    for number in range(8):
        genre = ("jazz", "metal")[number % 2]
        path = folder / "Labelled" / genre / f"Band {number}" / "song.wav"
        path.parent.mkdir(parents=True)
        write_audio(path, make_song(number), RATE)
        rows.append(f"{path.relative_to(folder)},{'valid' if number < 4 else 'train'},Band {number},{genre}")
    (folder / "clips.csv").write_text("\n".join(rows) + "\n", "utf-8")
    table = study_text(title="With and without attention", steps=2, batch=2, shares=[0.5, 0.0, 0.5])
    (folder / "table.toml").write_text(table, "utf-8")
