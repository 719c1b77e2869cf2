"""`Engine`, the library's face: opening, removing, relocating, exporting, and what it refuses."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest

from engine import DeviceError, EncoderError, Engine, LibraryError, QueryError
from engine.models.weights_files import default_id, shipped_path
from tests.conftest import GENRES, Collection, FirstRun, write_song

MUSIC = len(GENRES)
GONE = "attention_signature@000000"


def test_stats(shared: Engine) -> None:
    """A library tells how many tracks, failures and signatures it holds."""
    stats = shared.stats()
    assert (stats.tracks, stats.failed) == (MUSIC, 0)
    assert [(e.encoder, e.coverage, e.tracks) for e in stats.encoders] == [(default_id(), "windows", MUSIC)]


def test_search(shared: Engine) -> None:
    """Every word must occur in tags or path; case, quotes and percent signs are only characters."""
    assert [track.title for track in shared.search("BAND song11.wav")] == ["Song 11"]
    assert len(shared.search("jazz")) == 2
    assert len(shared.search("band")) == MUSIC
    assert len(shared.search("band", limit=3)) == 3
    for nothing in ("%", "song_1", "' OR 1=1 --", "jazz whale song"):
        assert shared.search(nothing) == ()


def test_not_made(tmp_path: Path) -> None:
    """A library that is not there is made only when asked for."""
    with pytest.raises(LibraryError, match="no library"):
        Engine.open(tmp_path / "none.db", create=False)
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize("content", [b"x", b"not a database" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_no_library(tmp_path: Path, content: bytes) -> None:
    """A file that is no library is refused and left as it was."""
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(LibraryError):
        Engine.open(path)
    assert path.read_bytes() == content


def test_empty(tmp_path: Path) -> None:
    """An empty library says that it holds nothing to compare with, and what to do."""
    song = write_song(tmp_path / "song.wav", 1)
    with Engine.open(tmp_path / "library.db") as engine, pytest.raises(LibraryError, match="engine index"):
        engine.similar(song)


def test_alone(tmp_path: Path) -> None:
    """The only track of a library has no neighbours, and is still described."""
    song = write_song(tmp_path / "song.wav", 1)
    with Engine.open(tmp_path / "library.db") as engine:
        engine.index(song)
        result = engine.similar(song)
    assert result.matches == ()
    assert len(result.genres) == 15


@pytest.mark.parametrize("spec", ["nonsense", "attention_signature@000000", "nowhere.safetensors", "@", "../x"])
def test_unknown_encoder(own: Collection, spec: str) -> None:
    """An encoder that is not installed is refused in one line."""
    with pytest.raises(EncoderError) as caught:
        Engine.open(own.library, encoder=spec)
    assert "\n" not in str(caught.value)


def test_encoder_by_file(own: Collection, tmp_path: Path) -> None:
    """The same weights named by id or by file are the same encoder; other bytes are another one."""
    copy = tmp_path / "copy.safetensors"
    shutil.copy(shipped_path("attention_signature"), copy)
    with (
        Engine.open(own.library, encoder=default_id()) as by_id,
        Engine.open(own.library, encoder=str(copy)) as by_file,
    ):
        assert by_id.encoder == by_file.encoder
        assert by_file.similar(1) == by_id.similar(1)


def test_a_library_outlives_its_weights(own: Collection) -> None:
    """When new weights replaced a library's own, it says so; indexed with them it is theirs, and the old ones stay."""
    with sqlite3.connect(own.library) as connection:
        for table in ("signatures", "settings"):
            column = "encoder" if table == "signatures" else "value"
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (GONE, default_id()))
    with pytest.raises(EncoderError, match=rf"made with {GONE}.*engine --encoder attention_signature index"):
        Engine.open(own.library)
    with Engine.open(own.library, encoder="attention_signature") as engine:
        engine.index(own.folder)
    with Engine.open(own.library) as engine:
        assert engine.encoder == default_id()
        assert {(e.encoder, e.tracks) for e in engine.stats().encoders} == {(default_id(), MUSIC), (GONE, MUSIC)}


def test_damaged_weights(own: Collection, tmp_path: Path) -> None:
    """Weights that are not safetensors are refused."""
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(shipped_path("attention_signature").read_bytes()[:5000])
    with pytest.raises(EncoderError):
        Engine.open(own.library, encoder=str(bad))


def test_weights_with_wrong_hash(own: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installed weights that changed on disk are refused before they are used, for tracks and for files."""
    content = bytearray(shipped_path("attention_signature").read_bytes())
    content[-1] ^= 1
    (tmp_path / "attention_signature.safetensors").write_bytes(content)
    monkeypatch.setattr("engine.models.weights_files.shipped_path", lambda name: tmp_path / f"{name}.safetensors")
    song = write_song(tmp_path / "song.wav", 1)
    with Engine.open(own.library) as engine:
        for question in (song, 1):
            with pytest.raises(EncoderError, match="wrong hash"):
                engine.similar(question)
        with pytest.raises(EncoderError, match="wrong hash"):
            engine.index(song)
        assert engine.stats().tracks == MUSIC


def test_no_cuda(own: Collection) -> None:
    """A GPU that is not there is refused, not silently replaced."""
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(DeviceError, match="cpu"):
        Engine.open(own.library, device="cuda")


def test_remove(engine: Engine, own: Collection) -> None:
    """Removed tracks are found no more; their files stay, and come back with the next run under their ids."""
    assert engine.remove([1, str(own.song(1)), "id:3"]) == 3
    found = {match.track_id for match in engine.similar(4, 100).matches}
    assert found == set(range(5, MUSIC + 1))
    assert own.song(1).exists()
    assert engine.index(own.folder).new == 3
    assert {match.track_id for match in engine.similar(4, 100).matches} == found | {1, 2, 3}


def test_remove_folder(engine: Engine, own: Collection) -> None:
    """A folder's name removes all tracks below it, also when the folder is gone, and none of `music2`."""
    near = own.folder.parent / "music2"
    near.mkdir()
    write_song(near / "near.wav", 41)
    engine.index(near)
    shutil.rmtree(own.folder)
    assert engine.remove(own.folder) == MUSIC
    assert [Path(track.path).name for track in engine.search("")] == ["near.wav"]


def test_remove_one_name(engine: Engine) -> None:
    """A single name is one name, never its letters."""
    assert engine.remove("12") == 1
    assert sorted(track.track_id for track in engine.search("")) == [i for i in range(1, MUSIC + 1) if i != 12]


def test_remove_id_or_folder(engine: Engine, own: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare number is an id where no such folder exists now, though tracks once lay in one."""
    monkeypatch.chdir(own.folder)
    (own.folder / "12").mkdir()
    write_song(own.folder / "12" / "inside.wav", 43)
    engine.index(own.folder)
    shutil.rmtree(own.folder / "12")
    assert engine.remove(["12"]) == 1
    assert [track.path for track in engine.search("inside.wav")] != []


def test_remove_nothing(engine: Engine, own: Collection) -> None:
    """One wrong name among right ones removes nothing."""
    for wrong in ("nowhere.wav", "999", str(own.folder.parent / "elsewhere")):
        with pytest.raises(QueryError):
            engine.remove([1, 2, wrong])
    assert engine.stats().tracks == MUSIC


def test_relocate(engine: Engine, own: Collection) -> None:
    """After a folder moved, its tracks answer at their new place, and the next run reads nothing again."""
    before = engine.similar(own.song(0))
    moved = own.folder.rename(own.folder.parent / "elsewhere")
    assert engine.relocate(own.folder, moved) == MUSIC
    after = engine.similar(moved / own.song(0).name)
    assert [m.track_id for m in after.matches] == [m.track_id for m in before.matches]
    assert all(match.path.startswith(str(moved)) for match in after.matches)
    report = engine.index(moved)
    assert (report.unchanged, report.new, report.moved) == (MUSIC, 0, 0)


def test_relocate_to_nowhere(engine: Engine, own: Collection) -> None:
    """A new folder that holds none of the files, or an old one without tracks, is refused, and nothing changes."""
    with pytest.raises(LibraryError, match="found none of them"):
        engine.relocate(own.folder, own.folder.parent / "nowhere")
    (own.folder.parent / "empty").mkdir()
    with pytest.raises(LibraryError, match="found none of them"):
        engine.relocate(own.folder, own.folder.parent / "empty")
    with pytest.raises(LibraryError, match="expected tracks of the library"):
        engine.relocate(own.folder.parent / "mistyped", own.folder)
    assert engine.search("song00.wav")[0].path == str(own.song(0))


def test_empty_names(engine: Engine) -> None:
    """An empty name, as an unset variable gives it, does not mean the current folder."""
    for ask in (engine.similar, engine.remove, engine.index, lambda name: engine.relocate(name, ".")):
        with pytest.raises(QueryError, match="empty name"):
            ask("")
    assert engine.stats().tracks == MUSIC


def test_closed(tmp_path: Path) -> None:
    """A library that was closed says so, and does not open itself again."""
    with Engine.open(tmp_path / "library.db") as engine:
        assert engine.stats().tracks == 0
    with pytest.raises(LibraryError, match="is closed"):
        engine.stats()


def test_opening_is_checked(tmp_path: Path) -> None:
    """A device or a number of threads that cannot be is refused at once."""
    for wrong in ({"device": "tpu"}, {"threads": 0}, {"threads": -3}):
        with pytest.raises(DeviceError, match="expected"):
            Engine.open(tmp_path / "library.db", **wrong)  # type: ignore[arg-type]


def test_export(shared: Engine, tmp_path: Path) -> None:
    """An export loads without pickle, one row a track, and its cosines are the similarities of the answers."""
    assert shared.export(tmp_path / "out.npz") == MUSIC
    with np.load(tmp_path / "out.npz", allow_pickle=False) as arrays:
        assert sorted(arrays) == ["encoder", "ids", "paths", "signatures"]
        ids, paths, signatures = arrays["ids"], arrays["paths"], arrays["signatures"]
        assert str(arrays["encoder"]) == shared.encoder
    assert not any(array.dtype.hasobject for array in (ids, paths, signatures))
    assert len(ids) == len(paths) == len(signatures) == MUSIC
    rows = {int(track_id): row for row, track_id in enumerate(ids)}
    for match in shared.similar(1, 100).matches:
        assert paths[rows[match.track_id]] == match.path
        cosine = float(signatures[rows[1]] @ signatures[rows[match.track_id]])
        assert match.similarity == pytest.approx(max(0.0, cosine), abs=1e-5)


def test_export_nowhere(shared: Engine, tmp_path: Path) -> None:
    """An export that cannot be written says so, and leaves nothing behind."""
    (tmp_path / "folder").mkdir()
    for target in (tmp_path / "no" / "out.npz", tmp_path / "folder"):
        with pytest.raises(LibraryError, match="cannot write"):
            shared.export(target)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_reopened(own: Collection) -> None:
    """A library answers the same after it was closed, copied elsewhere without its index file, and opened again."""
    with Engine.open(own.library) as engine:
        before = engine.similar(1, 100)
    elsewhere = own.library.with_name("copy.db")
    shutil.copy(own.library, elsewhere)
    with Engine.open(elsewhere, create=False) as engine:
        assert engine.similar(1, 100) == before


def test_own_coverage(tmp_path: Path) -> None:
    """The coverage of the first run stays the library's own."""
    write_song(tmp_path / "a.wav", 1)
    write_song(tmp_path / "b.wav", 2)
    with Engine.open(tmp_path / "library.db", coverage="full") as engine:
        engine.index(tmp_path / "a.wav")
    with Engine.open(tmp_path / "library.db") as engine:
        assert engine.coverage == "full"
        engine.index(tmp_path / "b.wav")
        assert [(e.coverage, e.tracks) for e in engine.stats().encoders] == [("full", 2)]


def test_two_engines(own: Collection) -> None:
    """What one opened library adds, another that was open already finds."""
    with Engine.open(own.library) as writer, Engine.open(own.library) as reader:
        assert len(reader.similar(1, 100).matches) == MUSIC - 1
        write_song(own.folder / "new.wav", 61)
        writer.index(own.folder)
        assert len(reader.similar(1, 100).matches) == MUSIC
        writer.remove([2])
        assert 2 not in [match.track_id for match in reader.similar(1, 100).matches]


def test_threads(first_run: FirstRun) -> None:
    """Many threads asking one freshly opened library get the answers that one thread gets."""
    with Engine.open(first_run.collection.library, device="cpu") as engine:
        answers: dict[int, object] = {}

        def ask(track_id: int) -> None:
            answers[track_id] = engine.similar(track_id, 100)

        threads = [threading.Thread(target=ask, args=(track_id,)) for track_id in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == {track_id: engine.similar(track_id, 100) for track_id in range(1, 9)}


def test_new_tags_new_centroids(engine: Engine, own: Collection) -> None:
    """Retagged tracks move between genres in an opened library: an eleventh rock track changes the centroid."""

    def rock() -> float:
        return next(c.distance for c in engine.classify(16).centroids if c.genre == "rock")

    before = rock()
    write_song(own.song(14), 14, "Rock")
    engine.index(own.folder)
    assert rock() != before


def test_read_only(own: Collection) -> None:
    """A library on a read-only disk answers; indexing into it is refused in one line."""
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere")
    own.library.chmod(0o400)
    own.library.parent.chmod(0o500)
    try:
        with Engine.open(own.library, create=False) as engine:
            assert len(engine.similar(1, 100).matches) == MUSIC - 1
            with pytest.raises(LibraryError):
                engine.index(own.folder)
    finally:
        own.library.parent.chmod(0o700)
