"""Indexing: new, changed, moved, copied, broken and missing files, and interrupted runs.

Covers `ingest`, `prepare`, `batch`, `pool`, `storing`, `pruning` and `retagging`.
"""

from __future__ import annotations

import itertools
import os
import shutil
import struct
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from engine import Engine, EngineError, IndexProgress, LibraryError
from engine.db import Play, add_plays, get_aspects, list_plays, open_database
from engine.indexer.audio.scan import FoundFile, scan
from engine.indexer.pipeline.batch import encode_waiting
from engine.indexer.pipeline.encoding import TrackEncoder
from engine.indexer.pipeline.on_demand import EncoderOnDemand
from engine.indexer.pipeline.prepare import Preparation, Target
from engine.indexer.pipeline.reports import IndexReport
from engine.indexer.pipeline.storing import Storing
from tests.audio import tone, write_audio
from tests.conftest import GENRES, RATE, SECONDS, Collection, FirstRun, make_song, write_song
from tests.embedding import decoders

MIB = 1 << 20


def ids(engine: Engine) -> dict[str, int]:
    """Track ids by the names of their files."""
    return {Path(track.path).name: track.track_id for track in engine.search("")}


def signature(engine: Engine, track_id: int, folder: Path) -> np.ndarray:
    """What the library holds for a track."""
    engine.export(folder / "signatures.npz")
    with np.load(folder / "signatures.npz") as arrays:
        return np.asarray(arrays["signatures"][list(arrays["ids"]).index(track_id)])


def recordings(engine: Engine, folder: Path) -> dict[str, tuple[int, bytes, dict[str, bytes], list[float]]]:
    """What the library holds of each recording, by title: id, signature, aspects by kind, times of plays."""
    with engine._session.database.read() as connection:
        plays, tracks = list_plays(connection), engine.search("")
        aspects = get_aspects(connection, [track.track_id for track in tracks])
    found = {}
    for track in tracks:
        vectors = {kind: vector.tobytes() for kind, vector in aspects.get(track.track_id, {}).items()}
        times = [play.time for play in plays if play.track_id == track.track_id]
        found[str(track.title)] = (
            track.track_id,
            signature(engine, track.track_id, folder).tobytes(),
            vectors,
            times,
        )
    return found


def play_each(engine: Engine) -> None:
    """Play every track once, each at another time."""
    with engine._session.database.write() as connection:
        add_plays(connection, [Play(float(track_id), "play", track_id) for track_id in ids(engine).values()])


def rename_together(folder: Path, names: dict[str, str]) -> None:
    """Give files the names of each other, or new ones."""
    for old in names:
        (folder / old).rename(folder / f"{old}.aside")
    for old, new in names.items():
        (folder / f"{old}.aside").rename(folder / new)


def test_first(first_run: FirstRun) -> None:
    """The first run finds every song new and nothing else."""
    report = first_run.report
    assert (report.new, report.unchanged, report.moved) == (len(GENRES), 0, 0)
    assert (report.failed, report.vanished, report.interrupted) == ([], [], False)


def test_a_time_beyond_the_database(engine: Engine, own: Collection) -> None:
    """A file that was changed in the year 2300, as some archives state, is indexed, and unchanged on the next run."""
    os.utime(own.song(0), ns=(0, 10_413_792_000 * 10**9))
    if own.song(0).stat().st_mtime_ns < 2**63:
        pytest.skip("this file system has no such times")
    (own.folder / "bad.mp3").write_bytes(b"no sound")
    os.utime(own.folder / "bad.mp3", ns=(0, 10_413_792_000 * 10**9))
    first = engine.index(own.folder)
    assert [Path(failed.path).name for failed in first.failed] == ["bad.mp3"]
    again = engine.index(own.folder)
    assert (again.unchanged, again.failed, len(again.failed_before)) == (len(GENRES), [], 1)


class Deferred(TrackEncoder):
    """Encodes in batches, as on a GPU."""

    on_cpu = False


@pytest.mark.parametrize("coverage", ["windows", "full"])
def test_encoded_together(own: Collection, tmp_path: Path, coverage: str) -> None:
    """Files that are decoded first and encoded together, as for a GPU, get the signatures that they get one by one."""
    with Engine.open(tmp_path / "alone.db", device="cpu", threads=1, coverage=coverage) as engine:  # stored in order
        assert engine.index(own.folder).new == len(GENRES)
        engine.export(tmp_path / "alone.npz")
        encoder, target = EncoderOnDemand(engine._session.encoder), Target(engine.encoder, coverage)
        encoder.loaded = Deferred(engine._session.encoder())
    with open_database(tmp_path / "together.db", create=True) as database:
        report = IndexReport()
        preparation = Preparation(database, target, encoder, decoders())
        prepared = [preparation.prepare(found) for found in scan([os.fsencode(own.folder)])]
        Storing(database, target, report, set()).store(encode_waiting(prepared, encoder, decoders()))
        assert (report.new, report.failed) == (len(GENRES), [])
    with Engine.open(tmp_path / "together.db", coverage=coverage) as engine:
        engine.export(tmp_path / "together.npz")
    with np.load(tmp_path / "alone.npz") as alone, np.load(tmp_path / "together.npz") as together:
        assert alone["paths"].tolist() == together["paths"].tolist()
        cosines = (alone["signatures"] * together["signatures"]).sum(axis=1)
        assert cosines.min() > 0.999  # bf16 rounds


def test_threads_stay(own: Collection, tmp_path: Path) -> None:
    """A program that indexes finds torch with as many threads as before."""
    with Engine.open(tmp_path / "library.db", device="cpu", threads=2) as engine:
        engine._session.encoder()
        before = torch.get_num_threads()
        engine.index(own.folder)
        assert torch.get_num_threads() == before


def test_again(engine: Engine, own: Collection) -> None:
    """An unchanged file is not opened again: it may even be garbage by now."""
    before = own.song(0).stat()
    own.song(0).write_bytes(b"x" * before.st_size)
    os.utime(own.song(0), ns=(before.st_atime_ns, before.st_mtime_ns))
    seen: list[IndexProgress] = []
    report = engine.index(own.folder, seen.append)
    assert (report.new, report.unchanged, report.failed) == (0, len(GENRES), [])
    assert seen == []


def test_touched(engine: Engine, own: Collection) -> None:
    """A file with another time and the same bytes is unchanged, and is not opened by the run after."""
    os.utime(own.song(0), (1, 1))
    assert engine.index(own.folder).unchanged == len(GENRES)
    seen: list[IndexProgress] = []
    engine.index(own.folder, seen.append)
    assert seen == []


def test_changed(engine: Engine, own: Collection, tmp_path: Path) -> None:
    """A file with other sound and tags keeps its id and gets the new signature and tags."""
    track_id = ids(engine)["song03.wav"]
    old = signature(engine, track_id, tmp_path)
    write_song(own.song(3), 99, artist="Somebody Else")
    assert engine.index(own.folder).new == 1
    assert ids(engine)["song03.wav"] == track_id
    assert signature(engine, track_id, tmp_path) @ old < 0.9999
    assert [track.track_id for track in engine.search("somebody")] == [track_id]
    assert engine.search("song03.wav")[0].artist == "Somebody Else"


def test_moved(engine: Engine, own: Collection, tmp_path: Path) -> None:
    """A renamed file keeps its id and its signature to the bit, and nothing has vanished."""
    track_id = ids(engine)["song05.wav"]
    old = signature(engine, track_id, tmp_path)
    (own.folder / "below").mkdir()
    own.song(5).rename(own.folder / "below" / "renamed.wav")
    report = engine.index(own.folder, prune=True)
    assert (report.new, report.moved, report.vanished, report.pruned) == (0, 1, [], 0)
    assert ids(engine)["renamed.wav"] == track_id
    assert np.array_equal(signature(engine, track_id, tmp_path), old)


def test_moved_and_copied(engine: Engine, own: Collection) -> None:
    """Of two copies of a file that is gone, one inherits its id; the other is a new track."""
    track_id = ids(engine)["song05.wav"]
    shutil.copy(own.song(5), own.folder / "copy.wav")
    own.song(5).rename(own.folder / "moved.wav")
    report = engine.index(own.folder)
    assert (report.new, report.moved, report.vanished) == (1, 1, [])
    found = ids(engine)
    assert track_id in (found["copy.wav"], found["moved.wav"])
    assert len(found) == len(GENRES) + 1


def test_moved_over(engine: Engine, own: Collection) -> None:
    """A file moved onto another track's path keeps its id; the track whose bytes it replaced goes."""
    before = ids(engine)
    own.song(5).rename(own.song(0))
    report = engine.index(own.folder)
    assert (report.new, report.moved, report.vanished, report.failed) == (0, 1, [], [])
    after = ids(engine)
    assert after["song00.wav"] == before["song05.wav"]
    assert before["song00.wav"] not in after.values()


@pytest.mark.parametrize("rising", [True, False])
def test_shifted(engine: Engine, own: Collection, tmp_path: Path, rising: bool) -> None:
    """When every file takes its neighbour's name, each recording keeps its id, signature, aspects and plays."""
    play_each(engine)
    before = recordings(engine, tmp_path)
    if rising:  # song05 over song06, song04 over song05, ..., song00 over song01
        moves = [(number, number + 1) for number in range(5, -1, -1)]
    else:
        moves = [(number, number - 1) for number in range(1, 7)]
    for old, new in moves:
        own.song(old).rename(own.song(new))
    report = engine.index(own.folder, prune=True)
    assert (report.failed, engine.stats().encoders[0].tracks) == ([], len(GENRES) - 1)
    titles = {track.path: track.title for track in engine.search("")}
    assert [titles[str(own.song(new))] for _, new in moves] == [f"Song {old}" for old, _ in moves]
    del before[f"Song {moves[0][1]}"]
    assert recordings(engine, tmp_path) == before


def test_swapped(engine: Engine, own: Collection, tmp_path: Path) -> None:
    """Two files that swap names keep their ids, signatures, aspects and plays."""
    play_each(engine)
    before = recordings(engine, tmp_path)
    rename_together(own.folder, {"song00.wav": "song01.wav", "song01.wav": "song00.wav"})
    report = engine.index(own.folder)
    assert (report.moved, report.failed, report.vanished) == (2, [], [])
    titles = {Path(track.path).name: track.title for track in engine.search("")}
    assert (titles["song00.wav"], titles["song01.wav"]) == ("Song 1", "Song 0")
    assert recordings(engine, tmp_path) == before
    assert engine.index(own.folder).unchanged == len(GENRES)


@pytest.mark.parametrize("new", ["another.wav", "tail.wav"])
def test_chain(engine: Engine, own: Collection, tmp_path: Path, new: str) -> None:
    """A file that takes the name of one that gets a new name: both keep all they had, whichever is stored first."""
    play_each(engine)
    before = recordings(engine, tmp_path)
    rename_together(own.folder, {"song01.wav": new, "song00.wav": "song01.wav"})
    report = engine.index(own.folder)
    assert (report.moved, report.new, report.failed, report.vanished) == (2, 0, [], [])
    assert recordings(engine, tmp_path) == before
    assert engine.index(own.folder).unchanged == len(GENRES)


@pytest.mark.parametrize("ahead", [True, False])
@pytest.mark.parametrize(
    ("names", "overwritten"),
    [
        (["song00.wav", "song01.wav", "song00.wav"], None),
        (["song00.wav", "song01.wav", "song02.wav", "song00.wav"], None),
        (["song00.wav", "song02.wav", "song01.wav", "song00.wav"], None),
        (["song00.wav", "song01.wav", "song02.wav"], "Song 2"),
        (["song02.wav", "song01.wav", "song00.wav"], "Song 0"),
        (["song00.wav", "song01.wav", "tail.wav"], None),
        (["song01.wav", "song00.wav", "another.wav"], None),
    ],
)
def test_renamed_at_once(
    engine: Engine, own: Collection, tmp_path: Path, names: list[str], overwritten: str | None, ahead: bool
) -> None:
    """Files that take each other's names keep all they had, prepared before or after the first is stored."""
    play_each(engine)
    before = recordings(engine, tmp_path)
    before.pop(overwritten or "", None)
    rename_together(own.folder, dict(itertools.pairwise(names)))
    index_one_by_one(engine, [own.folder / name for name in sorted(set(names))], ahead)
    after = recordings(engine, tmp_path)
    assert {title: (each[0], *each[2:]) for title, each in after.items()} == {
        title: (each[0], *each[2:]) for title, each in before.items()
    }
    for title, each in after.items():  # one that was encoded again has the same signature up to rounding
        assert np.allclose(*(np.frombuffer(held[1], np.float32) for held in (each, before[title])), atol=1e-4)


def index_one_by_one(engine: Engine, paths: list[Path], ahead: bool) -> None:
    """Store files each for itself; with `ahead`, all are prepared before the first is stored."""
    database, encoder = engine._session.database, EncoderOnDemand(engine._session.encoder)
    target = Target(engine.encoder, "windows")
    preparation = Preparation(database, target, encoder, decoders())
    prepared = (preparation.prepare(found) for found in scan(map(os.fsencode, paths)) if isinstance(found, FoundFile))
    storing = Storing(database, target, IndexReport(), set())
    for item in list(prepared) if ahead else prepared:
        storing.store(encode_waiting([item], encoder, decoders()))


@pytest.mark.parametrize("first", ["song00.wav", "tail.wav"])
def test_copied_then_retagged(engine: Engine, own: Collection, first: str) -> None:
    """A track whose file is retagged keeps its id and plays, though a copy with the old tags lies beside it."""
    play_each(engine)
    shutil.copy(own.song(0), own.folder / "tail.wav")
    write_song(own.song(0), 0, GENRES[0], SECONDS, title="Retagged")
    rest = {"song00.wav", "tail.wav"} - {first}
    index_one_by_one(engine, [own.folder / name for name in (first, *rest)], ahead=True)
    assert (ids(engine)["song00.wav"], engine.search("retagged")[0].track_id) == (1, 1)
    with engine._session.database.read() as connection:
        assert [play.track_id for play in list_plays(connection) if play.time == 1.0] == [1]


@pytest.mark.parametrize("kind", ["library", "pipe"])
def test_copy_of_a_track_whose_file_is_no_sound(
    engine: Engine, own: Collection, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """What lies in the place of a copied track is not opened where that would drop the library's locks or block."""
    read: list[bytes] = []
    monkeypatch.setattr("engine.indexer.pipeline.storing.content_hash", lambda path: read.append(path) or b"")
    shutil.copy(own.song(0), own.folder / "copy.wav")
    own.song(0).unlink()
    if kind == "library":
        own.song(0).symlink_to(own.library)
    else:
        os.mkfifo(own.song(0))
    assert engine.index(own.folder / "copy.wav").new == 1
    assert read == []


def test_moved_and_replaced(engine: Engine, own: Collection) -> None:
    """A file that moved away while another took its name: both are indexed, each with its own sound."""
    own.song(5).rename(own.folder / "moved.wav")
    write_song(own.song(5), 88)
    assert engine.index(own.folder).failed == []
    titles = {Path(track.path).name: track.title for track in engine.search("")}
    assert (titles["song05.wav"], titles["moved.wav"]) == ("Song 88", "Song 5")


def test_same_bytes(tmp_path: Path) -> None:
    """The same bytes at two new paths are two tracks with one signature, and neither finds the other."""
    for name in ("a.wav", "b.wav"):
        write_song(tmp_path / name, 1, "Jazz")
    write_song(tmp_path / "c.wav", 2)
    with Engine.open(tmp_path / "library.db") as engine:
        assert engine.index([tmp_path]).new == 3
        found = ids(engine)
        first, second = (signature(engine, found[name], tmp_path) for name in ("a.wav", "b.wav"))
        assert np.allclose(first, second, atol=1e-5)
        assert [match.track_id for match in engine.similar(found["a.wav"]).matches] == [found["c.wav"]]


def test_copy_of_known(engine: Engine, own: Collection, tmp_path: Path) -> None:
    """A copy of a known track is a track with the same signature and tags."""
    shutil.copy(own.song(10), own.folder / "copy.wav")
    assert engine.index(own.folder).new == 1
    found = ids(engine)
    copy, original = (signature(engine, found[name], tmp_path) for name in ("copy.wav", "song10.wav"))
    assert np.array_equal(copy, original)
    (track,) = engine.search("copy.wav")
    assert (track.artist, track.title) == ("Band 10", "Song 10")


def test_silenced(engine: Engine, own: Collection) -> None:
    """A track whose file became silence stays, and its failure is reported in each run."""
    write_audio(own.song(2), np.zeros(RATE * 5, np.float32), RATE)
    (failed,) = engine.index(own.folder).failed
    assert failed.path == str(own.song(2))
    assert "silence" in failed.reason
    assert [track.path for track in engine.search("song02.wav")] == [str(own.song(2))]
    assert (engine.stats().tracks, engine.stats().failed) == (len(GENRES), 1)
    again = engine.index(own.folder)
    assert ([entry.path for entry in again.failed], again.failed_before) == ([str(own.song(2))], [])


def test_healed(engine: Engine, own: Collection) -> None:
    """A failed file that was replaced by sound is a track again."""
    own.song(2).write_bytes(b"not sound")
    assert len(engine.index(own.folder).failed) == 1
    write_song(own.song(2), 2)
    assert engine.index(own.folder).new == 1
    assert engine.stats().failed == 0


def test_retry(engine: Engine, own: Collection) -> None:
    """With retry a file that failed is read again, and fails again where nothing helped it."""
    own.song(2).write_bytes(b"not sound")
    engine.index(own.folder)
    report = engine.index(own.folder, retry=True)
    assert ([entry.path for entry in report.failed], report.failed_before) == ([str(own.song(2))], [])
    assert engine.stats().failed == 1


def test_unread_keeps_others(engine: Engine, own: Collection) -> None:
    """A track that one coverage cannot read today keeps what another coverage heard in the same bytes."""
    before = own.song(2).stat()
    own.song(2).write_bytes(b"x" * before.st_size)  # stands for a disk that fails: size and time are as they were
    os.utime(own.song(2), ns=(before.st_atime_ns, before.st_mtime_ns))
    with Engine.open(own.library, coverage="full") as full:
        report = full.index(own.song(2))
    assert [entry.path for entry in report.failed] == [str(own.song(2))]
    assert engine.similar(own.song(2)).error is None


def test_not_sound(engine: Engine, own: Collection) -> None:
    """A text is passed over, sound without an extension is taken, and garbage that claims to be sound has failed."""
    (own.folder / "notes.txt").write_text("milk, eggs")
    (own.folder / "broken.mp3").write_bytes(b"milk, eggs" * 100)
    write_song(own.folder / "plain.wav", 30).rename(own.folder / "plain")
    report = engine.index(own.folder)
    assert (report.new, report.passed_over, len(report.failed)) == (1, 1, 1)
    again = engine.index(own.folder)
    assert (again.new, again.passed_over, again.failed) == (0, 1, [])


def test_library_among_music(tmp_path: Path) -> None:
    """A library that lies in the folder it indexes is never read as music, nor are the files beside it."""
    write_song(tmp_path / "library.wav", 1)
    with Engine.open(tmp_path / "library") as engine:
        assert (engine.index(tmp_path).new, engine.index(tmp_path).passed_over) == (1, 0)
        engine.similar(1)
        seen: list[IndexProgress] = []
        assert engine.index(tmp_path, seen.append).unchanged == 1
    assert seen == []


def test_one_bad_file(tmp_path: Path) -> None:
    """Bad files among good ones cost only themselves."""
    for number in range(3):
        write_song(tmp_path / f"good{number}.wav", number)
    (tmp_path / "empty.flac").touch()
    (tmp_path / "cut.wav").write_bytes((tmp_path / "good0.wav").read_bytes()[:2000])
    (tmp_path / "dangling.mp3").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.mp3")
    with Engine.open(tmp_path / "library.db") as engine:
        report = engine.index([tmp_path / "good0.wav", tmp_path])
    assert report.new == 3
    assert sorted(Path(entry.path).name for entry in report.failed) == ["cut.wav", "dangling.mp3", "empty.flac"]
    assert all("\n" not in entry.reason and entry.reason for entry in report.failed)


def test_names(tmp_path: Path) -> None:
    """Names that are not UTF-8, or hold quotes, percent signs or line breaks, are indexed and asked like others."""
    names = [b"caf\xe9.wav", b"100%_';--.wav", b"two\nlines.wav", "\N{SNOWMAN}.wav".encode()]
    for seed, name in enumerate(names):
        shutil.copy(os.fsencode(write_song(tmp_path / "made.wav", seed)), os.fsencode(tmp_path) + b"/" + name)
    (tmp_path / "made.wav").unlink()
    with Engine.open(tmp_path / "library.db") as engine:
        assert engine.index(tmp_path).new == len(names)
        for name in names:
            assert engine.similar(os.fsencode(tmp_path) + b"/" + name).track_id is not None
        assert Path(engine.search("caf")[0].path).exists()


def test_links(engine: Engine, own: Collection) -> None:
    """A folder linked from elsewhere is followed once where wanted, its paths as the user sees them; a circle ends."""
    elsewhere = own.folder.parent / "elsewhere"
    elsewhere.mkdir()
    write_song(elsewhere / "linked.wav", 40)
    (own.folder / "link").symlink_to(elsewhere)
    (elsewhere / "circle").symlink_to(own.folder)
    assert engine.index(own.folder, follow_links=True).new == 1
    assert [track.path for track in engine.search("linked.wav")] == [str(own.folder / "link" / "linked.wav")]


def test_vanished(engine: Engine, own: Collection) -> None:
    """Files that are gone are reported and kept; with prune they go, and ids are not used again."""
    gone = ids(engine)["song15.wav"]
    own.song(15).unlink()
    report = engine.index(own.folder)
    assert (report.vanished, report.pruned) == ([str(own.song(15))], 0)
    assert engine.stats().tracks == len(GENRES)
    assert engine.index(own.folder, prune=True).pruned == 1
    assert "song15.wav" not in ids(engine)
    write_song(own.folder / "other.wav", 50)
    engine.index(own.folder)
    assert ids(engine)["other.wav"] > gone


def test_prune_within_roots(engine: Engine, own: Collection) -> None:
    """Pruning one folder leaves alone what vanished elsewhere, also in a folder whose name begins alike."""
    near = own.folder.parent / "music2"
    near.mkdir()
    write_song(near / "near.wav", 41)
    engine.index(near)
    (near / "near.wav").unlink()
    report = engine.index(own.folder, prune=True)
    assert (report.vanished, report.pruned) == ([], 0)
    assert "near.wav" in ids(engine)


@pytest.mark.parametrize("left", [0, 7, None])
def test_prune_refused(engine: Engine, own: Collection, left: int | None) -> None:
    """Nothing is pruned when the root is empty, or missing, or more than half of its tracks would go, until forced."""
    for number in range(left or 0, len(GENRES)):
        own.song(number).unlink()
    if left is None:
        own.folder.rmdir()
    report = engine.index(own.folder, prune=True)
    assert report.prune_refused
    assert "--force" in report.prune_refused
    assert (report.pruned, engine.stats().tracks) == (0, len(GENRES))
    forced = engine.index(own.folder, prune=True, force=True)
    assert (forced.prune_refused, forced.pruned) == (None, len(GENRES) - (left or 0))
    assert engine.stats().tracks == (left or 0)


def test_prune_half(engine: Engine, own: Collection) -> None:
    """Exactly half of the tracks may be pruned without force."""
    for number in range(len(GENRES) // 2):
        own.song(number).unlink()
    assert engine.index(own.folder, prune=True).pruned == len(GENRES) // 2


def test_unreadable_is_not_gone(engine: Engine, own: Collection) -> None:
    """Files behind a name that cannot be looked at are not taken for gone."""
    loop = own.folder / "loop"
    loop.mkdir()
    write_song(loop / "deep.wav", 42)
    engine.index(own.folder)
    shutil.rmtree(loop)
    loop.symlink_to("loop")  # a link to itself: the system answers "too many levels", not "no such file"
    report = engine.index(own.folder, prune=True)
    assert (report.vanished, report.pruned) == ([], 0)
    assert "deep.wav" in ids(engine)


@pytest.mark.parametrize("stop_at", [1, 8, 11])
def test_interrupted(tmp_path: Path, stop_at: int) -> None:
    """A run stopped at any file keeps what was stored and reports it; the next run does only the rest."""
    for number in range(12):
        write_song(tmp_path / f"{number:02}.wav", number)

    def stop(progress: IndexProgress) -> None:
        if progress.done == stop_at:
            raise KeyboardInterrupt

    with Engine.open(tmp_path / "library.db") as engine:
        first = engine.index(tmp_path, stop, prune=True)
        assert first.interrupted
        assert first.new == engine.stats().tracks <= stop_at
        second = engine.index(tmp_path)
        assert (second.new, second.unchanged, second.interrupted) == (12 - first.new, first.new, False)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


def test_progress(tmp_path: Path) -> None:
    """Progress counts every file that needs work, once, up to the total."""
    for number in range(3):
        write_song(tmp_path / f"{number}.wav", number)
    (tmp_path / "bad.wav").write_bytes(b"bad")
    seen: list[IndexProgress] = []
    with Engine.open(tmp_path / "library.db") as engine:
        engine.index([*sorted(tmp_path.glob("*.wav"))], seen.append)
    assert [(step.done, step.total) for step in seen] == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_readers_while_indexing(engine: Engine, own: Collection) -> None:
    """Questions from other threads are answered, whole and without error, while new tracks come in."""
    for number in range(20, 32):
        write_song(own.song(number), number)
    problems: list[Exception] = []
    counts: list[int] = []
    done = threading.Event()

    def ask() -> None:
        while not done.wait(0.02):
            try:
                result = engine.similar(own.song(1), 100)
                counts.append(len(result.matches))
                assert len({match.track_id for match in result.matches}) == len(result.matches)
            except Exception as error:
                problems.append(error)
                return

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    report = engine.index(own.folder)
    done.set()
    for thread in threads:
        thread.join()
    assert problems == []
    assert report.new == 12
    assert set(counts) <= set(range(len(GENRES) - 1, len(GENRES) + 12))
    assert len(engine.similar(own.song(1), 100).matches) == len(GENRES) + 11


def test_retagged_in_place(tmp_path: Path) -> None:
    """A new tag in a big file is seen though the file keeps its size and the place is not hashed."""
    path = tmp_path / "big.wav"
    path.write_bytes(big_wave(b"Rock"))
    write_song(tmp_path / "other.wav", 1)
    with Engine.open(tmp_path / "library.db") as engine:
        engine.index(tmp_path)
        assert [track.path for track in engine.search("rock")] == [str(path)]
        path.write_bytes(big_wave(b"Jazz"))
        os.utime(path, (1, 1))
        engine.index(tmp_path)
        assert [track.path for track in engine.search("jazz")] == [str(path)]
        assert engine.stats().encoders[0].tracks == 2


def big_wave(genre: bytes) -> bytes:
    """A WAV of 17 MiB whose genre tag lies 1.3 MiB into it."""
    sound = (tone(440, 20, RATE) * 32_000).astype("<i2").tobytes()
    sound = (sound * (1 + 17 * MIB // len(sound)))[: 17 * MIB]
    chunks = [
        chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)),
        chunk(b"JUNK", bytes(MIB + 300_000)),
        chunk(b"LIST", b"INFO" + chunk(b"IGNR", genre)),
        chunk(b"data", sound),
    ]
    return chunk(b"RIFF", b"WAVE" + b"".join(chunks))


def chunk(name: bytes, content: bytes) -> bytes:
    """One chunk of a RIFF file."""
    return name + struct.pack("<I", len(content)) + content


def test_coverages_apart(engine: Engine, own: Collection) -> None:
    """Two coverages live side by side: each answers with its own signatures only."""
    with Engine.open(own.library, coverage="full") as full:
        with pytest.raises(LibraryError, match="full"):
            full.similar(own.song(0))
        assert full.index([own.song(0), own.song(1), own.song(2)]).new == 3
        assert len(full.similar(own.song(0), 100).matches) == 2
    assert len(engine.similar(own.song(0), 100).matches) == len(GENRES) - 1
    held = {(entry.coverage, entry.tracks) for entry in engine.stats().encoders}
    assert held == {("windows", len(GENRES)), ("full", 3)}


def test_full_reports_bad_files(tmp_path: Path) -> None:
    """Reading in full, silence and garbage fail alone."""
    write_song(tmp_path / "good.wav", 1)
    write_audio(tmp_path / "silent.wav", np.zeros(RATE * 5, np.float32), RATE)
    (tmp_path / "bad.wav").write_bytes(b"bad")
    with Engine.open(tmp_path / "library.db", coverage="full") as engine:
        report = engine.index(tmp_path)
    assert report.new == 1
    assert sorted(Path(entry.path).name for entry in report.failed) == ["bad.wav", "silent.wav"]


def test_missing_path(engine: Engine, own: Collection) -> None:
    """A path that is not there has failed; the others are indexed."""
    write_audio(own.folder / "new.wav", make_song(60), RATE)
    report = engine.index([own.folder.parent / "nowhere", own.folder])
    assert [entry.path for entry in report.failed] == [str(own.folder.parent / "nowhere")]
    assert report.new == 1


def test_unknown_coverage(own: Collection) -> None:
    """An unknown coverage is refused before anything is written."""
    with pytest.raises(EngineError, match="coverage"):
        Engine.open(own.library, coverage="half")


def test_a_link_to_nowhere_fails_once(engine: Engine, own: Collection) -> None:
    """A dangling link fails in the first run, then is listed; a track whose link dangles for a while stays one."""
    target, link = own.folder / ".elsewhere.wav", own.folder / "link.wav"
    link.symlink_to(target)
    assert len(engine.index(own.folder).failed) == 1
    again = engine.index(own.folder)
    assert (len(again.failed), len(again.failed_before)) == (0, 1)
    write_song(target, 50)
    assert engine.index(own.folder).new == 1
    known = ids(engine)["link.wav"]
    target.rename(target.with_suffix(".away"))
    assert len(engine.index(own.folder).failed) == 1
    assert ids(engine)["link.wav"] == known
    assert engine.similar(known).matches


def test_links_out_of_the_folder(engine: Engine, own: Collection) -> None:
    """Links out of the folder are not followed; tracks behind them, from a run that did, answer and are not pruned."""
    elsewhere = own.folder.parent / "elsewhere"
    elsewhere.mkdir()
    write_song(elsewhere / "linked.wav", 40)
    write_song(elsewhere / "single.wav", 41)
    (own.folder / "link").symlink_to(elsewhere)
    (own.folder / "one.wav").symlink_to(elsewhere / "single.wav")
    (own.folder / "inside.wav").symlink_to(own.song(0))
    assert engine.index(own.folder).new == 1  # the link to a place inside
    assert engine.index(own.folder, follow_links=True).new == 3  # one of them by two links
    shutil.rmtree(elsewhere)
    report = engine.index(own.folder, prune=True, force=True)
    assert (report.new, report.failed, report.vanished, report.pruned) == (0, [], [], 0)
    (note,) = report.notes
    assert "3 tracks behind them unchanged" in note
    assert "\n" not in note
    assert engine.similar(own.folder / "link" / "linked.wav").matches


def test_tags_of_an_earlier_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an earlier version read the tags, the next run reads them anew, once, and leaves all else as it was."""
    folder = tmp_path / "music"
    (folder / "below").mkdir(parents=True)
    for number, place in enumerate((folder, folder / "below")):
        write_song(place / f"{number}.flac", number, artist="A1;A2")
    with Engine.open(tmp_path / "library.db", device="cpu") as engine:
        assert engine.index(folder).retagged == 0
        assert engine.index(folder).retagged == 0
        before, sounds = ids(engine), {i: signature(engine, i, tmp_path) for i in (1, 2)}
        with engine._session.database.write() as connection:
            connection.exec_driver_sql("UPDATE tracks SET artist = 'wrong', added_at = 7")
            connection.exec_driver_sql("DELETE FROM settings WHERE key LIKE 'tag%'")
            add_plays(connection, [Play(1.0, "like", 1)])
        monkeypatch.setattr("engine.indexer.pipeline.prepare.Preparation", None)  # nothing may be decoded
        report = engine.index(folder / "below")
        assert (report.retagged, report.unchanged, report.new) == (1, 1, 0)
        report = engine.index(folder)
        assert (report.retagged, report.unchanged, report.new) == (1, 2, 0)
        assert engine.index(folder).retagged == 0
        assert ids(engine) == before
        assert [track.artist for track in engine.search("a2")] == ["A1; A2", "A1; A2"]
        assert all(np.array_equal(signature(engine, i, tmp_path), sounds[i]) for i in (1, 2))
        with engine._session.database.read() as connection:
            assert [play.track_id for play in list_plays(connection)] == [1]
            assert connection.exec_driver_sql("SELECT DISTINCT added_at FROM tracks").scalars().all() == [7]


def test_tags_of_files_that_cannot_be_opened_wait(tmp_path: Path) -> None:
    """A track whose unchanged file cannot be opened keeps its tags, and they are read when it can be."""
    path = write_song(tmp_path / "a.flac", 1, artist="Real")
    with Engine.open(tmp_path / "library.db", device="cpu") as engine:
        engine.index(path)
        with engine._session.database.write() as connection:
            connection.exec_driver_sql("UPDATE tracks SET artist = 'Old'")
            connection.exec_driver_sql("DELETE FROM settings WHERE key LIKE 'tag%'")
        content, status = path.read_bytes(), path.stat()
        for data, retagged, artist in ((bytes(len(content)), 0, "Old"), (content, 1, "Real")):
            path.write_bytes(data)
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
            assert engine.index(path).retagged == retagged
            assert [track.artist for track in engine.search("")] == [artist]


def test_copies_of_tracks_of_an_earlier_version(tmp_path: Path) -> None:
    """A copy, and a file that moved, have the tags that are read now, not those that the track had."""
    (tmp_path / "music").mkdir()
    first = write_song(tmp_path / "music" / "a.flac", 1, artist="Real")
    with Engine.open(tmp_path / "library.db", device="cpu") as engine:
        engine.index(tmp_path / "music")
        with engine._session.database.write() as connection:
            connection.exec_driver_sql("UPDATE tracks SET artist = 'Old'")
        shutil.copy(first, tmp_path / "music" / "b.flac")
        engine.index(tmp_path / "music")
        assert {Path(track.path).name: track.artist for track in engine.search("")} == {
            "a.flac": "Old",
            "b.flac": "Real",
        }
        first.rename(tmp_path / "music" / "c.flac")
        assert engine.index(tmp_path / "music").moved == 1
        assert {track.artist for track in engine.search("")} == {"Real"}
