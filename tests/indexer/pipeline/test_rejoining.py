"""Files that were retagged and renamed in one go (`rejoining`): the track stays, with its id and plays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine import Engine, Play
from engine.db import add_plays, get_signature, list_plays
from tests.audio import write_audio
from tests.conftest import GENRES, RATE, SECONDS, Collection, make_song, write_song

RECORDING = "9aed8738-6cdc-4a7d-9b1c-0b8f3ab5a4f2"
ANOTHER = "1111111a-6cdc-4a7d-9b1c-0b8f3ab5a4f2"


def track_id_of(engine: Engine, path: Path) -> int:
    """The id of a file's track, which must be there."""
    found = engine.locate(path)[1]
    assert found is not None
    return found


def rename(own: Collection, number: int, seed: int | None = None, name: str = "renamed.wav", **tags: str) -> Path:
    """Write a song of the collection anew, with other tags and another name, in place of its file."""
    own.song(number).unlink()
    return write_song(own.folder / name, number if seed is None else seed, "Polka", SECONDS, title="Retagged", **tags)


def test_same_sound(engine: Engine, own: Collection) -> None:
    """A retagged and renamed file is its old track: id, plays, fingerprint and other signatures stay, tags are new."""
    track_id, session = track_id_of(engine, own.song(2)), engine._session
    with session.database.write() as connection:
        add_plays(connection, [Play(100.0, "like", track_id)])
    new = rename(own, 2)
    report = engine.index(own.folder)
    assert (report.moved, report.new, report.vanished, report.failed) == (1, 0, [], [])
    assert track_id_of(engine, new) == track_id
    assert engine.search("polka")[0].track_id == track_id
    assert engine.stats().tracks == len(GENRES)
    with session.database.read() as connection:
        assert list_plays(connection) == [Play(100.0, "like", track_id)]
        assert get_signature(connection, track_id, session.encoder_id, session.coverage) is not None
    assert engine.index(own.folder).unchanged == len(GENRES)


def test_in_another_folder(engine: Engine, own: Collection) -> None:
    """The old track is found although only the new folder is indexed."""
    track_id = track_id_of(engine, own.song(2))
    (own.folder.parent / "elsewhere").mkdir()
    new = rename(own, 2, name="../elsewhere/renamed.wav").resolve()
    assert engine.index(new.parent).moved == 1
    assert track_id_of(engine, new) == track_id


def test_same_recording(engine: Engine, own: Collection, tmp_path: Path) -> None:
    """A new encoding of a file that is gone is its track where both name one MusicBrainz recording, else a new one."""
    tags = {"musicbrainz_trackid": RECORDING, "title": "First"}
    for name in ("first", "second"):
        write_audio(own.folder / f"{name}.flac", make_song(50), RATE, tags=tags)
    write_audio(own.folder / "third.flac", make_song(51), RATE, tags={"musicbrainz_trackid": ANOTHER})
    engine.index(own.folder)
    track_id = track_id_of(engine, own.folder / "first.flac")
    (own.folder / "first.flac").unlink()
    (own.folder / "third.flac").unlink()
    write_audio(own.folder / "better.ogg", make_song(50) * 0.7, RATE, codec="flac", tags=tags)
    write_audio(own.folder / "other.flac", make_song(52), RATE, tags={"title": "Unknown"})
    report = engine.index(own.folder)
    assert (report.moved, report.new, len(report.vanished)) == (1, 1, 1)
    assert track_id_of(engine, own.folder / "better.ogg") == track_id


@pytest.mark.parametrize("change", ["other sound", "longer", "not gone"])
def test_other_files_are_new(engine: Engine, own: Collection, change: str) -> None:
    """Another sound of the same length, a longer one, and a copy beside its original are new tracks."""
    if change == "not gone":
        write_song(own.folder / "renamed.wav", 2, "Polka", SECONDS, title="Retagged")
    elif change == "longer":
        own.song(2).unlink()
        write_audio(own.folder / "renamed.wav", np.tile(make_song(2), 2), RATE)
    else:
        rename(own, 2, seed=77)
    report = engine.index(own.folder)
    assert (report.moved, report.new, len(report.vanished)) == (0, 1, 0 if change == "not gone" else 1)


def test_each_track_is_joined_once(engine: Engine, own: Collection) -> None:
    """Of two new files with the sound of one that is gone, one is its track."""
    rename(own, 2)
    write_song(own.folder / "twice.wav", 2, "Polka", SECONDS, title="Retagged twice")
    report = engine.index(own.folder)
    assert (report.moved, report.new, report.vanished) == (1, 1, [])


@pytest.mark.parametrize("change", ["content", "tags", "name", "tags and name", "encoding"])
def test_removed_and_added_again(engine: Engine, own: Collection, change: str) -> None:
    """A removed track that is indexed again has its id and plays, whatever else changed meanwhile."""
    track_id, session, path = track_id_of(engine, own.song(2)), engine._session, own.song(2)
    with session.database.write() as connection:
        add_plays(connection, [Play(100.0, "like", track_id)])
    engine.remove(path)
    engine.index(write_song(own.folder.parent / "later.wav", 77))
    content = path.read_bytes()
    path.unlink()
    if change == "tags and name":
        path = write_song(own.folder / "renamed.wav", 2, "Polka", SECONDS)
    elif change == "name":
        path = own.folder / "renamed.wav"
        path.write_bytes(content)
    elif change == "tags":
        write_song(path, 2, "Polka", SECONDS)
    elif change == "encoding":
        write_audio(path, make_song(2) * np.float32(0.5), RATE, tags={"title": "Softer"})
    else:
        path.write_bytes(content)
    assert engine.index(path).new == 1
    assert track_id_of(engine, path) == track_id
    with session.database.read() as connection:
        assert list_plays(connection) == [Play(100.0, "like", track_id)]
