"""Tags: the same facts from every format's spelling, and nothing that cannot be trusted."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.indexer.audio.decode import AudioFile
from engine.indexer.audio.tags import MAX_CHARACTERS, Tags, read_tags
from tests.audio import tone, write_audio

RECORDING = "b1a9c0e9-d987-4042-ae91-78d6a3267d69"


@pytest.mark.parametrize("extension", [".mp3", ".flac", ".ogg", ".opus", ".m4a", ".wma", ".mka"])
def test_formats(tmp_path: Path, extension: str) -> None:
    """Artist, title, album, genre and year come back from the tags of every format."""
    path = tmp_path / f"a{extension}"
    rate = 48_000 if extension == ".opus" else 44_100
    tags = {"artist": "Björk", "title": "Jóga", "album": "Homogenic", "genre": "Electronic", "date": "1997-09-22"}
    write_audio(path, tone(440, 1, rate), rate, tags=tags)
    with AudioFile.open(path) as audio:
        read = read_tags(audio.info.metadata)
    assert read == Tags(artist="Björk", title="Jóga", album="Homogenic", genre="Electronic", year=1997)


@pytest.mark.parametrize("key", ["musicbrainz_trackid", "musicbrainz track id", "musicbrainz/track id"])
def test_recording_id(key: str) -> None:
    """The recording id is read under each format's key and comes out in lower case; what is no UUID is dropped."""
    assert read_tags({key: f" {RECORDING.upper()} "}).recording_id == RECORDING
    assert read_tags({key: RECORDING[:-1]}).recording_id is None
    assert read_tags({key: "'; DROP TABLE tracks; --"}).recording_id is None


@pytest.mark.parametrize(
    ("text", "isrc"),
    [
        ("GBAYE0000351", "GBAYE0000351"),
        ("gb-aye-00-00351", "GBAYE0000351"),
        ("junk; USRC17607839", "USRC17607839"),
        ("GBAYE000035", None),
        ("ÄÖAYE0000351", None),
        ("GBAYE\u0660\u0660\u0660\u0660\u0663\u0665\u0661", None),
    ],
)
def test_isrc(text: str, isrc: str | None) -> None:
    """An ISRC loses its hyphens; what is none is dropped."""
    assert read_tags({"tsrc": text}).isrc == isrc


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("1997", 1997),
        ("1997-09-22", 1997),
        ("22.09.1997", 1997),
        ("19970922", 1997),
        ("0", None),
        ("0001", None),
        ("3000", None),
        ("19", None),
        ("12345", None),
    ],
)
def test_year(text: str, year: int | None) -> None:
    """The year is the first number of four digits from 1000 to 2999."""
    assert read_tags({"date": text}).year == year


def test_year_elsewhere() -> None:
    """A date that holds no year does not hide one under another key."""
    assert read_tags({"date": "unknown", "tyer": "1984"}).year == 1984


def test_control_characters() -> None:
    """Control characters go, values separated by NUL are kept apart, and line breaks become spaces."""
    read = read_tags({"artist": "\x1b[31mA\0\0B\0", "title": " two\nlines\x07 ", "album": "\ud800x"})
    assert (read.artist, read.title, read.album) == ("[31mA; B", "two lines", "x")


def test_empty() -> None:
    """A tag of nothing but blanks says nothing, and the next key is asked."""
    assert read_tags({"artist": " \0\n", "author": "Someone", "title": ""}) == Tags(artist="Someone")


def test_long() -> None:
    """A tag that holds a book is cut to 1,000 characters."""
    assert read_tags({"title": "x" * 10_000_000}).title == "x" * MAX_CHARACTERS


def test_many(tmp_path: Path) -> None:
    """A file of 500 tags is read."""
    path = tmp_path / "a.flac"
    write_audio(path, tone(440, 1), tags={**{f"key{i}": f"value {i}" for i in range(500)}, "title": "kept"})
    with AudioFile.open(path) as audio:
        assert len(audio.info.metadata) > 500
        assert read_tags(audio.info.metadata).title == "kept"
