"""Genre and mood into files: what is planned, what is written, and what stays as it was."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import sys
from pathlib import Path
from typing import Any

import mutagen
import pytest
from mutagen.id3 import ID3, RVAD, TCON, TXXX

from engine import (
    Classification,
    Engine,
    EngineError,
    GenreProbability,
    LibraryError,
    MoodProbability,
    QueryError,
    TagReport,
)
from engine.indexer.audio.decode import AudioFile
from engine.indexer.audio.tags import Tags, read_tags
from tests.audio import tone, write_audio
from tests.conftest import Collection, write_song

TAGS = {"artist": "Björk", "title": "Jóga", "album": "Homogenic", "date": "1997", "comment": "keep this"}
WRITABLE = [".mp3", ".flac", ".ogg", ".opus", ".m4a", ".wav", ".aiff"]
OURS = {"genre", "mood", "tcon", "tmoo", "\xa9gen", "----:com.apple.itunes:mood"}


def judged(path: Path, genre: float = 0.9, mood: float = 0.8) -> Classification:
    """A file judged to be jazz and happy, with these probabilities."""
    genres = (GenreProbability("jazz", genre), GenreProbability("blues", 1 - genre))
    moods = (MoodProbability("happy", mood), MoodProbability("sad", 1 - mood))
    return Classification(str(path), None, None, genres, moods, (), ())


def song(path: Path, seconds: float = 1, **tags: str) -> Path:
    """A tagged file of any format."""
    rate = 48_000 if path.suffix == ".opus" else 44_100
    write_audio(path, tone(440, seconds, rate), rate, tags=TAGS | tags)
    return path


def heard(path: Path) -> dict[str, str]:
    """A file's tags as the library reads them."""
    with AudioFile.open(path) as audio:
        return audio.info.metadata


def sound(path: Path) -> bytes:
    """All decoded samples of a file."""
    with AudioFile.open(path) as audio:
        return b"".join(chunk.samples.tobytes() for chunk in audio.chunks())


def others(path: Path) -> dict[str, Any]:
    """Every tag that mutagen finds but those that are written here."""
    return {key: str(value) for key, value in (mutagen.File(path).tags or {}).items() if key.casefold() not in OURS}


def folder_bytes(folder: Path) -> dict[str, str]:
    """Every file of a folder, hidden ones too, with a digest of its content."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def writer(shared: Engine) -> Engine:
    """A library that knows none of the files written here."""
    return shared


def test_plan(writer: Engine, tmp_path: Path) -> None:
    """Without `write`, a plan names file, tag, old and new value, and touches nothing."""
    path = song(tmp_path / "a.flac")
    before = folder_bytes(tmp_path)
    report = writer.write_tags([judged(path)])
    found = [(change.path, change.tag, change.old, change.new, change.written) for change in report.changes]
    assert found == [(str(path), "genre", None, "jazz", False), (str(path), "mood", None, "happy", False)]
    assert folder_bytes(tmp_path) == before


@pytest.mark.parametrize("extension", WRITABLE)
def test_formats(writer: Engine, tmp_path: Path, extension: str) -> None:
    """Genre and mood come back from every format; its sound and all of its other tags are as they were."""
    path = song(tmp_path / f"a{extension}")
    before, tags, samples = others(path), read_tags(heard(path)), sound(path)
    report = writer.write_tags([judged(path)], write=True)
    assert report.failed == ()
    assert all(change.written for change in report.changes)
    found = heard(path)
    assert found["genre"] == "jazz"
    assert "happy" in (found.get("mood"), found.get("tmoo"))
    assert read_tags(found) == Tags(**{**vars(tags), "genre": "jazz"})
    assert others(path) == before
    assert sound(path) == samples
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("extension", WRITABLE)
def test_again(writer: Engine, tmp_path: Path, extension: str) -> None:
    """What was written is found by the next plan, which has nothing left to do; another value replaces it."""
    path = song(tmp_path / f"a{extension}")
    writer.write_tags([judged(path)], write=True)
    assert writer.write_tags([judged(path)]) == TagReport((), 0, 0, ())
    other = Classification(str(path), None, None, (GenreProbability("folk", 1),), (MoodProbability("calm", 1),), (), ())
    assert writer.write_tags([other], write=True).kept == 2
    report = writer.write_tags([other], write=True, overwrite=True)
    assert [(change.old, change.new) for change in report.changes] == [("jazz", "folk"), ("happy", "calm")]
    assert writer.write_tags([other], write=True, overwrite=True).changes == ()


@pytest.mark.parametrize("extension", WRITABLE)
def test_untagged(writer: Engine, tmp_path: Path, extension: str) -> None:
    """A file without any tags gets them."""
    rate = 48_000 if extension == ".opus" else 44_100
    write_audio(tmp_path / f"a{extension}", tone(440, 1, rate), rate, options={"write_id3v2": "0"})
    report = writer.write_tags([judged(tmp_path / f"a{extension}")], write=True)
    assert report.failed == ()
    assert heard(tmp_path / f"a{extension}")["genre"] == "jazz"


def test_kept(writer: Engine, tmp_path: Path) -> None:
    """A genre that is there stays, unless it shall be overwritten."""
    path = song(tmp_path / "a.wav", genre="Rock")
    report = writer.write_tags([judged(path)], write=True)
    assert (report.kept, [change.tag for change in report.changes]) == (1, ["mood"])
    assert heard(path)["genre"] == "Rock"
    (change,) = writer.write_tags([judged(path)], write=True, overwrite=True).changes
    assert (change.old, change.new) == ("Rock", "jazz")
    assert heard(path)["genre"] == "jazz"


def test_unsure(writer: Engine, tmp_path: Path) -> None:
    """Uncertain predictions are left out, by default those below 0.6."""
    path = song(tmp_path / "a.flac")
    report = writer.write_tags([judged(path, 0.59, 0.61)])
    assert (report.unsure, [change.tag for change in report.changes]) == (1, ["mood"])
    assert len(writer.write_tags([judged(path, 0.59, 0.61)], minimum=0.5).changes) == 2
    assert writer.write_tags([judged(path, 1, 1)], minimum=1).unsure == 0
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(QueryError, match="0 to 1"):
            writer.write_tags([judged(path)], minimum=wrong)


def test_own_moods(writer: Engine, tmp_path: Path) -> None:
    """An encoder without moods gives a genre only; a track that was not answered gives nothing."""
    path = song(tmp_path / "a.flac")
    only = Classification(str(path), None, None, (GenreProbability("jazz", 1),), (), (), ())
    assert [change.tag for change in writer.write_tags([only]).changes] == ["genre"]
    failed = Classification(str(path), None, "no such file", (), (), (), ())
    assert writer.write_tags([failed, Classification(None, None, "none", (), (), (), ())]) == TagReport((), 0, 0, ())


@pytest.mark.parametrize("extension", [".wma", ".mka", ".aac", ".wv", ".ac3"])
def test_unwritable(writer: Engine, tmp_path: Path, extension: str) -> None:
    """Another format gives one line, planned or written, and stays as it is; the files beside it are written."""
    path, other = song(tmp_path / f"a{extension}"), song(tmp_path / "b.flac")
    before = path.read_bytes()
    for write in (False, True):
        report = writer.write_tags([judged(path), judged(other)], write=write)
        (failed,) = report.failed
        assert failed.reason.startswith("cannot write tags into ")
        assert {change.path for change in report.changes} == {str(other)}
    assert path.read_bytes() == before
    assert heard(other)["genre"] == "jazz"


def test_bad_files(writer: Engine, tmp_path: Path) -> None:
    """A file that is gone, is no sound, or is read-only gives a line each; nothing is left beside them."""
    names = [tmp_path / "gone.mp3", tmp_path / "text.mp3", song(tmp_path / "locked.flac")]
    names[1].write_bytes(b"no sound")
    names[2].chmod(0o444)
    before = folder_bytes(tmp_path)
    report = writer.write_tags([judged(name) for name in names], write=True)
    assert [Path(failed.path).name for failed in report.failed] == [name.name for name in names]
    assert all("\n" not in failed.reason for failed in report.failed)
    assert report.changes == ()
    assert folder_bytes(tmp_path) == before


def test_damaged_tags(writer: Engine, tmp_path: Path) -> None:
    """A file whose tags mutagen cannot take, though FFmpeg plays it, gives a line and stays as it is."""
    path = song(tmp_path / "a.flac")
    content = bytearray(path.read_bytes())
    start = content.index(b"reference libFLAC" if b"reference libFLAC" in content else b"Lavf") - 4
    content[start : start + 4] = b"\xff\xff\xff\x7f"  # the length of the vendor's name
    path.write_bytes(content)
    report = writer.write_tags([judged(path)], write=True)
    assert len(report.failed) == 1
    assert path.read_bytes() == content
    assert len(list(tmp_path.iterdir())) == 1


def test_old_id3(writer: Engine, tmp_path: Path) -> None:
    """A tag of ID3v2.3 stays one, with the frames that 2.4 no longer has; a mood in a TXXX frame is replaced."""
    path = tmp_path / "a.mp3"
    write_audio(path, tone(440, 1), tags=TAGS, options={"id3v2_version": "3", "write_id3v1": "1"})
    tags = ID3(path, translate=False)
    tags.add(RVAD(adjustments=[1, 2]))
    tags.add(TXXX(encoding=1, desc="Mood", text=["gloomy"]))
    tags.add(TXXX(encoding=1, desc="Several", text=["one", "two"]))
    tags.save(path, v2_version=3, v23_sep=None)
    before = ID3(path, translate=False)
    assert before.version == (2, 3, 0)
    report = writer.write_tags([judged(path)], write=True, overwrite=True)
    assert [(change.tag, change.old) for change in report.changes] == [("genre", None), ("mood", "gloomy")]
    after = ID3(path, translate=False)
    assert after.version == (2, 3, 0)
    assert set(after) == (set(before) - {"TXXX:Mood"}) | {"TCON", "TMOO"}
    assert {key: after[key] for key in before if key in after} == {k: v for k, v in before.items() if k in after}
    assert "RVAD" in after
    assert path.read_bytes()[-128:-125] == b"TAG"


@pytest.mark.parametrize("newer", [None, {"title": "Jóga, the whole of it"}])
def test_id3v1(writer: Engine, tmp_path: Path, newer: dict[str, str] | None) -> None:
    """What only an ID3v1 tag says is kept, also beside an ID3v2 tag that says less but goes before it."""
    path = tmp_path / "a.mp3"
    write_audio(path, tone(440, 1), tags=newer, options={} if newer else {"id3v2_version": "0"})
    fields = (b"TAG", b"Joga".ljust(30), b"Bjork".ljust(30), b"Homogenic".ljust(30), b"1997", b"".ljust(30), b"\x11")
    with path.open("ab") as file:
        file.write(b"".join(fields))
    report = writer.write_tags([judged(path)], write=True, overwrite=True)
    assert report.failed == ()
    title = (newer or {"title": "Joga"})["title"]
    expected = Tags(artist="Bjork", title=title, album="Homogenic", genre="jazz", year=1997)
    assert read_tags(heard(path)) == expected
    assert path.read_bytes()[-128:-125] == b"TAG"


def test_numbered_genre(writer: Engine, tmp_path: Path) -> None:
    """A genre that stands there as ID3's number is shown by its name and replaced."""
    path = song(tmp_path / "a.mp3")
    tags = ID3(path)
    tags.add(TCON(encoding=0, text=["(17)"]))
    tags.save(path)
    (change, _) = writer.write_tags([judged(path)], write=True, overwrite=True).changes
    assert change.old == "Rock"
    assert heard(path)["genre"] == "jazz"


def test_attributes(writer: Engine, tmp_path: Path) -> None:
    """Permissions, owner and extended attributes are those of the file before; the time is that of the change."""
    path = song(tmp_path / "a.mp3")
    path.chmod(0o640)
    os.utime(path, ns=(1_000_000_000_000_000_001, 1_100_000_000_000_000_001))
    try:
        os.setxattr(path, "user.rating", b"5")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    before = path.stat()
    writer.write_tags([judged(path)], write=True)
    after = path.stat()
    assert after.st_mode == before.st_mode
    assert after.st_mtime_ns > before.st_mtime_ns
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)
    assert os.getxattr(path, "user.rating") == b"5"


def test_links(writer: Engine, tmp_path: Path) -> None:
    """What a symbolic link leads to is written, once, and the link stays; another hard link keeps the old file."""
    (tmp_path / "real").mkdir()
    path = song(tmp_path / "real" / "a.flac")
    (tmp_path / "link.flac").symlink_to("real/a.flac")
    (tmp_path / "hard.flac").hardlink_to(path)
    before = path.read_bytes()
    report = writer.write_tags([judged(tmp_path / "link.flac"), judged(path)], write=True)
    assert {change.path for change in report.changes} == {str(tmp_path / "link.flac")}
    assert (tmp_path / "link.flac").readlink() == Path("real/a.flac")
    assert heard(path)["genre"] == "jazz"
    assert (tmp_path / "hard.flac").read_bytes() == before


def test_odd_name(writer: Engine, tmp_path: Path) -> None:
    """A file whose name is not UTF-8 is written too."""
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.flac"))
    song(tmp_path / "a.flac").rename(odd)
    assert writer.write_tags([judged(odd)], write=True).failed == ()
    assert heard(odd)["genre"] == "jazz"


def test_library_follows(engine: Engine, own: Collection) -> None:
    """After writing, tracks have the new tags and the signatures they had; the next run opens none of the files."""
    (own.folder / "link.wav").symlink_to(own.song(13))
    assert engine.index(own.folder).new == 1
    before = _signatures(own.library)
    results = [engine.classify(own.song(number)) for number in (13, 14)]
    report = engine.write_tags(results, write=True, minimum=0)
    assert len(report.changes) == 4
    run = engine.index(own.folder)
    assert (run.new, run.unchanged, run.moved, run.failed) == (0, 17, 0, [])
    assert _signatures(own.library) == before
    with sqlite3.connect(own.library) as connection:
        query = "SELECT genre FROM tracks WHERE path IN (?, ?)"
        paths = [os.fsencode(path) for path in (own.song(13), own.folder / "link.wav")]
        genres = [genre for (genre,) in connection.execute(query, paths)]
    assert genres == [results[0].genres[0].genre] * 2
    assert engine.search(f"song14 {results[1].genres[0].genre}")
    again = engine.classify(own.song(13))
    assert (again.track_id, again.genres) == (results[0].track_id, results[0].genres)


def test_moved_after_writing(engine: Engine, own: Collection) -> None:
    """A file that was written and then moved is still recognised by its content."""
    engine.write_tags([engine.classify(own.song(13))], write=True, minimum=0)
    own.song(13).rename(own.folder / "elsewhere.wav")
    run = engine.index(own.folder)
    assert (run.new, run.moved) == (0, 1)


def test_stale_track(engine: Engine, own: Collection) -> None:
    """A file that changed since it was indexed is written, and heard at the next run, as it had to be anyway."""
    write_song(own.song(13), 99)
    engine.write_tags([engine.classify(own.song(13))], write=True, minimum=0)
    assert engine.index(own.folder).new == 1


def test_library_that_could_not_follow(engine: Engine, own: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that ends between file and library leaves nothing behind: the next indexing finds the genre, size equal."""
    path = song(own.folder / "padded.flac", 4)
    engine.index(own.folder)
    size, (track,) = path.stat().st_size, engine.search("padded")

    def full(*_: object) -> None:
        raise LibraryError("the disk is full", hint="free some space")

    with monkeypatch.context() as patched:
        patched.setattr("engine.tags.tagging.touch_track", full)
        with pytest.raises(LibraryError):
            engine.write_tags([judged(path)], write=True)
    assert (path.stat().st_size, engine.search("padded jazz")) == (size, ())
    engine.index(own.folder)
    assert [found.track_id for found in engine.search("padded jazz")] == [track.track_id]


def test_tags_count_for_centroids(engine: Engine, own: Collection) -> None:
    """Genres that were written count for the library's centroids at once."""
    kinds = {entry.genre: entry.kind for entry in engine.classify(1).centroids}
    assert kinds["reggae"] == "reference"
    paths = [str(own.song(number)) for number in range(10)]
    asked = [Classification(path, None, None, (GenreProbability("reggae", 1),), (), (), ()) for path in paths]
    engine.write_tags(asked, write=True, overwrite=True)
    kinds = {entry.genre: entry.kind for entry in engine.classify(1).centroids}
    assert kinds["reggae"] == "library"


def test_without_mutagen(writer: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without mutagen there is a plan; writing says how to install it, before it touches anything."""
    path = song(tmp_path / "a.flac")
    before = path.read_bytes()
    for name in [name for name in sys.modules if name.split(".")[0] == "mutagen"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mutagen", None)
    assert len(writer.write_tags([judged(path)]).changes) == 2
    with pytest.raises(EngineError, match=r"music-engine\[tags\]"):
        writer.write_tags([judged(path)], write=True)
    assert path.read_bytes() == before


def test_full_disk(writer: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the copy cannot be made the file stays, with a line, and nothing is left beside it."""
    path = song(tmp_path / "a.flac")
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    report = writer.write_tags([judged(path)], write=True)
    assert [failed.reason for failed in report.failed] == ["No space left on device"]
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def _signatures(library: Path) -> list[tuple[int, int, bytes]]:
    with sqlite3.connect(library) as connection:
        return list(connection.execute("SELECT id, track_id, vector FROM signatures ORDER BY id"))
