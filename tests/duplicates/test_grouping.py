"""Duplicates: one recording in several files, distinguished from tracks that only sound alike.

Covers `engine.search.distinct`, too.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from engine import Duplicates, Engine, IndexProgress, LibraryError, QueryError
from engine.db import get_signature, put_signature
from engine.duplicates.grouping import repeated
from engine.indexer.features import chromaprint, fingerprinting
from engine.search import distinct
from engine.search.ranking import Ranking
from tests.audio import write_audio
from tests.versions import HOLLOW, Sound, brighter, melody

RATE = 44_100
SECONDS = 14
PROGRAM = "fpcalc-of-this-test"
SAME = ["song.flac", "song.wv", "song.mp3", "song.m4a", "song.opus"]
"""Files of one recording, the best first."""


def song(seed: int, rate: int = RATE, **changes: object) -> Sound:
    """A melody of SECONDS."""
    return melody(seed, SECONDS, rate, **changes)  # type: ignore[arg-type]


def write(folder: Path, name: str, sound: Sound, rate: int = RATE, title: str = "", **options: object) -> None:
    """Write a song of the one artist of these tests."""
    tags = {"artist": "The Same", "title": title or name}
    write_audio(folder / name, sound, rate, tags=tags, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two libraries of versions of a song and of others, with and without fingerprints. Copy it."""
    base = tmp_path_factory.mktemp("versions")
    music = base / "music"
    music.mkdir()
    write(music, "song.flac", song(1))
    write(music, "song.wv", song(1)[RATE:] / 2)
    write(music, "song.mp3", song(1)[2 * RATE :] * 1.9, bitrate=128_000)
    write(music, "song.m4a", song(1)[RATE // 3 :], bitrate=96_000)
    write(music, "song.opus", song(1, 48_000)[48_000 // 7 :], 48_000, bitrate=64_000)
    write(music, "bright.flac", brighter(song(1), RATE), title="song.flac (Remastered 2009)")
    write(music, "played again.flac", song(1, harmonics=HOLLOW))
    write(music, "moved.flac", song(1, up=2, tempo=1.06))
    for seed in (2, 3, 4):
        write(music, f"other{seed}.flac", song(seed))
    write(music, "jingle.flac", song(5)[:RATE])
    shutil.copy(music / "jingle.flac", music / "jingle copy.flac")
    with Engine.open(base / "library.db", device="cpu") as engine:
        assert not engine.index(music).failed
    shutil.copy(base / "library.db", base / "fingerprinted.db")
    with pytest.MonkeyPatch.context() as patch, Engine.open(base / "fingerprinted.db", device="cpu") as engine:
        patch.setattr(chromaprint, "PROGRAM", PROGRAM)
        engine.duplicates()
    return base


@pytest.fixture
def library(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A fingerprinted library that the test may change, opened where there is no fpcalc."""
    with opened(made / "fingerprinted.db", tmp_path, monkeypatch) as engine:
        yield engine


@pytest.fixture
def unfingerprinted(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The same library without fingerprints."""
    with opened(made / "library.db", tmp_path, monkeypatch) as engine:
        yield engine


@contextmanager
def opened(library: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Copy a library and its music into a folder, and open it there."""
    (folder / "programs").mkdir()
    monkeypatch.setenv("PATH", f"{folder / 'programs'}:/usr/bin:/bin")
    monkeypatch.setattr(chromaprint, "PROGRAM", PROGRAM)
    shutil.copytree(library.parent / "music", folder / "music")
    shutil.copy(library, folder / "library.db")
    with Engine.open(folder / "library.db", device="cpu") as engine:
        engine.relocate(library.parent / "music", folder / "music")
        yield engine


def names(found: Duplicates, kind: str) -> list[list[str]]:
    """The files of each group of a kind."""
    return [[Path(track.path).name for track in group.tracks] for group in found.groups if group.kind == kind]


def ids(library: Engine, *files: str) -> list[int]:
    """The ids of these files."""
    found = {Path(track.path).name: track.track_id for track in library.search("")}
    return [found[name] for name in files]


def stored(library: Engine) -> list[tuple[int, str, bytes]]:
    """What the library holds of fingerprints."""
    with sqlite3.connect(library._session.database.path) as connection:
        return connection.execute("SELECT track_id, kind, fingerprint FROM fingerprints ORDER BY 1, 2").fetchall()


def program(tmp_path: Path, script: str) -> None:
    """Put a shell script where the library looks for fpcalc."""
    path = tmp_path / "programs" / PROGRAM
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_same_recording(library: Engine) -> None:
    """Re-encodings, trimmed and made louder or softer, are one recording, the lossless and then the higher rate first;
    byte-identical files are, however short; nothing else is."""
    found = library.duplicates("same_recording")
    assert sorted(names(found, "same_recording")) == sorted([SAME, ["jingle copy.flac", "jingle.flac"]])
    assert {group.kind for group in found.groups} == {"same_recording"}
    assert (found.left_out, found.notes) == ((), ())


def test_files(library: Engine) -> None:
    """Each file has its codec and bit rate, each group a score up to 1, which byte-identical files have."""
    jingle, group = library.duplicates("same_recording").groups
    assert jingle.score == 1
    assert 0.5 < group.score < 1
    assert [track.codec for track in group.tracks] == ["flac", "wavpack", "mp3", "aac", "opus"]
    rates = [track.bitrate for track in group.tracks]
    assert rates[2] == 128_000
    for track, rate in zip(group.tracks, rates, strict=True):
        assert rate == pytest.approx(os.path.getsize(track.path) * 8 / SECONDS, rel=0.25)  # noqa: PTH202


def test_partial_files_come_last(library: Engine, tmp_path: Path) -> None:
    """A file that lacks a part comes after every whole one, the longest first, whatever its codec or bit rate; one that
    was cut off, though its header names the whole length, does too. A trim of two seconds is no lack."""
    music = tmp_path / "music"
    write(music, "half.flac", song(1)[: 7 * RATE])
    write(music, "most.flac", song(1)[: 10 * RATE])
    write(music, "cut off.flac", song(1))
    whole = (music / "cut off.flac").read_bytes()
    (music / "cut off.flac").write_bytes(whole[: len(whole) * 4 // 10])
    library.index(music)
    group = next(each for each in library.duplicates("same_recording").groups if len(each.tracks) > 2)
    assert [Path(track.path).name for track in group.tracks] == [*SAME, "most.flac", "half.flac", "cut off.flac"]
    assert [track.partial for track in group.tracks] == [False] * 5 + [True] * 3
    (works,) = (each for each in library.duplicates("same_work").groups)
    assert {Path(track.path).name for track in works.tracks if track.partial} == {
        "most.flac", "half.flac", "cut off.flac"
    }  # fmt: skip
    opus, half, most = ids(library, "song.opus", "half.flac", "most.flac")
    assert repeated(library._session.view(), [opus, half, most]) == {half, most}


def test_a_short_version_is_not_partial(library: Engine, tmp_path: Path) -> None:
    """Another recording of the same work may be shorter: only files of one recording are measured by each other."""
    write(tmp_path / "music", "bright short.flac", brighter(song(1)[: 9 * RATE], RATE))
    library.index(tmp_path / "music")
    (works,) = library.duplicates("same_work").groups
    partial = {Path(track.path).name: track.partial for track in works.tracks}
    assert partial["bright short.flac"]  # beside bright.flac
    (tmp_path / "music" / "bright.flac").unlink()
    (works,) = library.duplicates("same_work").groups
    partial = {Path(track.path).name: track.partial for track in works.tracks}
    assert "bright.flac" not in partial
    assert not partial["bright short.flac"]


def test_same_work(library: Engine) -> None:
    """A remaster is the same work, and brings all files of its recording; other songs of its artist are no group."""
    (works,) = names(library.duplicates("same_work"), "same_work")
    assert {*SAME, "bright.flac"} <= set(works)
    assert not set(works) & {"other2.flac", "other3.flac", "other4.flac", "jingle.flac"}


def test_both_kinds(unfingerprinted: Engine) -> None:
    """Without a kind both come, recordings first, and asking again reads no file."""
    found = unfingerprinted.duplicates()
    assert [group.kind for group in found.groups] == ["same_recording", "same_recording", "same_work"]
    read: list[IndexProgress] = []
    assert unfingerprinted.duplicates(progress=read.append) == found
    assert read == []


def test_unknown_kind(library: Engine) -> None:
    """A kind that there is not is refused."""
    with pytest.raises(QueryError, match="same_recording or same_work"):
        library.duplicates("same")


def test_a_file_that_is_away(unfingerprinted: Engine, tmp_path: Path) -> None:
    """A file that is away is left out and reported, fingerprinted before or not; it is back when it is back."""
    (tmp_path / "music" / "song.wv").rename(tmp_path / "song.wv")
    found = unfingerprinted.duplicates("same_recording")
    assert sorted(map(len, names(found, "same_recording"))) == [2, 4]
    assert [Path(each.path).name for each in found.left_out] == ["song.wv"]
    assert "No such file" in found.left_out[0].reason
    (tmp_path / "song.wv").rename(tmp_path / "music" / "song.wv")
    assert SAME in names(unfingerprinted.duplicates(), "same_recording")
    (tmp_path / "music" / "song.flac").unlink()
    found = unfingerprinted.duplicates("same_recording")
    assert SAME[1:] in names(found, "same_recording")
    assert [Path(each.path).name for each in found.left_out] == ["song.flac"]


def test_a_file_that_changed(library: Engine, tmp_path: Path) -> None:
    """A file that changed is left out until it was indexed again, then fingerprinted anew."""
    library.duplicates("same_recording")
    (track_id,) = ids(library, "song.mp3")
    before = [row for row in stored(library) if row[0] == track_id]
    write(tmp_path / "music", "song.mp3", song(2)[RATE:], bitrate=96_000)
    found = library.duplicates("same_recording")
    assert [(Path(each.path).name, "index it again" in each.reason) for each in found.left_out] == [("song.mp3", True)]
    library.index(tmp_path / "music")
    found = library.duplicates("same_recording")
    assert ["other2.flac", "song.mp3"] in names(found, "same_recording")
    assert [row for row in stored(library) if row[0] == track_id] != before


def test_a_file_that_does_not_decode(unfingerprinted: Engine, tmp_path: Path) -> None:
    """A file of which nothing decodes any more is left out and reported, and the others are grouped."""
    path = tmp_path / "music" / "song.wv"
    times = path.stat()
    path.write_bytes(bytes(times.st_size))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    found = unfingerprinted.duplicates("same_recording")
    assert [Path(each.path).name for each in found.left_out] == ["song.wv"]
    assert [name for name in SAME if name != "song.wv"] in names(found, "same_recording")


def test_a_crash_loses_a_batch_at_most(unfingerprinted: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was stored before an interruption is not read again."""
    monkeypatch.setattr(fingerprinting, "BATCH_TRACKS", 3)
    total = 0

    def stop(reached: IndexProgress) -> None:
        nonlocal total
        total = reached.total
        if reached.done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        unfingerprinted.duplicates("same_recording", stop)
    kept = {row[0] for row in stored(unfingerprinted)}
    assert len(kept) == 6
    read: list[IndexProgress] = []
    assert SAME in names(unfingerprinted.duplicates("same_recording", read.append), "same_recording")
    assert {progress.total for progress in read} == {total - 6}


def test_silence_is_no_recording(library: Engine, tmp_path: Path) -> None:
    """Two files that begin with two minutes of silence, and go on differently, are no group."""
    for seed in (6, 7):
        quiet = np.concatenate([np.zeros(121 * 8000, np.float32), melody(seed, 6, 8000)])
        write_audio(tmp_path / "music" / f"hidden{seed}.flac", quiet, 8000)
    library.index(tmp_path / "music")
    for track_id, _, fingerprint in stored(library):
        assert track_id not in ids(library, "hidden6.flac", "hidden7.flac") or not fingerprint
    grouped = [name for group in names(library.duplicates("same_recording"), "same_recording") for name in group]
    assert "hidden6.flac" not in grouped


def test_empty(tmp_path: Path) -> None:
    """An empty library says that it holds nothing, and what to do."""
    with Engine.open(tmp_path / "library.db") as engine, pytest.raises(LibraryError, match="engine index"):
        engine.duplicates()


def test_two_encoders(library: Engine) -> None:
    """Signatures of a second encoder change nothing, and its library's fingerprints are shared."""
    before = library.duplicates()
    fingerprints = stored(library)
    with sqlite3.connect(library._session.database.path) as connection:
        columns = "track_id, coverage, vector, genres, moods"
        connection.execute(f"INSERT INTO signatures (encoder, {columns}) SELECT 'other@1', {columns} FROM signatures")
    assert library.duplicates() == before
    assert stored(library) == fingerprints


@pytest.mark.parametrize("column", ["isrc", "recording_id"])
def test_tags_make_candidates(library: Engine, column: str) -> None:
    """A file without a signature of this encoder is compared with those whose ISRC or MusicBrainz recording it has."""
    (mp3,) = ids(library, "song.mp3")
    with sqlite3.connect(library._session.database.path) as connection:
        connection.execute("DELETE FROM signatures WHERE track_id = ?", (mp3,))
    assert [name for name in SAME if name != "song.mp3"] in names(
        library.duplicates("same_recording"), "same_recording"
    )
    with sqlite3.connect(library._session.database.path) as connection:
        connection.execute(
            f"UPDATE tracks SET {column} = 'x' WHERE id IN (?, ?)", ids(library, "song.mp3", "song.flac")
        )
    assert SAME in names(library.duplicates("same_recording"), "same_recording")


def test_other_tags_join_no_recordings(library: Engine) -> None:
    """A MusicBrainz recording that two songs wrongly share makes them no recording."""
    with sqlite3.connect(library._session.database.path) as connection:
        for name in ("other2.flac", "other3.flac"):
            connection.execute("UPDATE tracks SET recording_id = 'r' WHERE id = ?", ids(library, name))
    grouped = [name for group in names(library.duplicates(), "same_recording") for name in group]
    assert not {"other2.flac", "other3.flac"} & set(grouped)


@pytest.mark.parametrize("script", ["sleep 600", "echo rubbish", "exit 1"])
def test_a_program_that_does_not_work(
    unfingerprinted: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    """An fpcalc that hangs or talks rubbish is reported once, and our own fingerprint answers."""
    monkeypatch.setattr(chromaprint, "TIMEOUT_SECONDS", 0.5)
    program(tmp_path, script)
    found = unfingerprinted.duplicates("same_recording")
    assert SAME in names(found, "same_recording")
    assert len(found.notes) == 1
    assert "our own fingerprint" in found.notes[0]
    assert {row[1] for row in stored(unfingerprinted)} == {"semitones:1", "outline:1"}


def test_a_program_that_breaks_down(unfingerprinted: Engine, tmp_path: Path) -> None:
    """An fpcalc that works at first and then no more is reported once, and our own fingerprint answers."""
    answer = '{"duration": 10, "fingerprint": [1, 2, 3]}'
    program(tmp_path, f"[ -e {tmp_path}/asked ] && exec echo rubbish; touch {tmp_path}/asked; echo '{answer}'")
    found = unfingerprinted.duplicates("same_recording")
    assert SAME in names(found, "same_recording")
    assert len(found.notes) == 1


@pytest.mark.skipif(shutil.which("fpcalc") is None, reason="fpcalc is not installed")
def test_chromaprint(unfingerprinted: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chromaprint finds the same recordings as our own fingerprint."""
    own = unfingerprinted.duplicates("same_recording")
    monkeypatch.undo()
    found = unfingerprinted.duplicates("same_recording")
    assert names(found, "same_recording") == names(own, "same_recording")
    assert {row[1] for row in stored(unfingerprinted)} == {"semitones:1", "outline:1", "chromaprint:1"}


def test_repeated(library: Engine, tmp_path: Path) -> None:
    """Of some tracks, all but the best file of a recording are repeated, and all of an origin's, or of a file's."""
    mp3, other, flac, bright, opus = ids(library, "song.mp3", "other2.flac", "song.flac", "bright.flac", "song.opus")
    view, outside = library._session.view(), str(tmp_path / "music" / "song.wv")
    assert repeated(view, [mp3, other, flac, bright, opus]) == {mp3, opus}
    assert repeated(view, [opus, mp3]) == {opus}
    assert repeated(view, [other, flac, bright], origins=[mp3, opus]) == {flac}
    assert repeated(view, [other, flac, bright, opus], files=[str(tmp_path / "gone.ogg"), outside]) == {flac, opus}
    assert repeated(view, [other, bright, flac, 999]) == frozenset()
    assert repeated(view, []) == frozenset()


def test_repeated_while_files_are_away(unfingerprinted: Engine, tmp_path: Path) -> None:
    """Tracks that were fingerprinted before, or are byte-identical, are compared while their files are away."""
    mp3, flac, opus = ids(unfingerprinted, "song.mp3", "song.flac", "song.opus")
    jingles = ids(unfingerprinted, "jingle.flac", "jingle copy.flac")
    repeated(unfingerprinted._session.view(), [mp3, flac])
    shutil.rmtree(tmp_path / "music")
    assert repeated(unfingerprinted._session.view(), [mp3, flac, opus]) == {mp3}
    assert repeated(unfingerprinted._session.view(), jingles) == {max(jingles)}


def test_similar_without_duplicates(library: Engine) -> None:
    """Each recording is among the matches once, by its best file, and is as similar as it was; ranks have no gaps."""
    (other,) = ids(library, "other2.flac")
    before = library.similar(other, k=20).matches
    found = library.similar(other, k=20, no_duplicates=True).matches
    left = {Path(match.path).name for match in found}
    assert left - {"jingle.flac", "jingle copy.flac"} == {
        "song.flac", "bright.flac", "played again.flac", "moved.flac", "other3.flac", "other4.flac"
    }  # fmt: skip
    assert len(left) == len(found) == 7
    assert [match.rank for match in found] == list(range(1, 8))
    assert [(m.track_id, m.similarity) for m in found] == [
        (m.track_id, m.similarity) for m in before if Path(m.path).name in left
    ]


def test_no_duplicates_of_the_query(library: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other files of the query's recording are no answer, and others move up; whether or not the library has it.

    A file that the library does not have is decoded in another process, as every file is.
    """
    monkeypatch.setattr("engine.indexer.features.fingerprint.AudioFile.open", lambda _: pytest.fail("decoded here"))
    (mp3, other) = ids(library, "song.mp3", "other2.flac")
    assert {Path(match.path).name for match in library.similar(mp3, k=3).matches} & set(SAME)
    write(tmp_path, "outside.ogg", song(1)[RATE // 2 :] * 0.8)
    from_library = library.similar(mp3, k=3, no_duplicates=True).matches
    from_file = library.similar(tmp_path / "outside.ogg", k=3, no_duplicates=True).matches
    from_both = library.similar_to([tmp_path / "outside.ogg", other], k=3, no_duplicates=True).matches
    for found in (from_library, from_file, from_both):
        assert len(found) == 3
        assert not {Path(match.path).name for match in found} & set(SAME)


def place(library: Engine, track_ids: list[int]) -> None:
    """Give tracks new signatures, each a step further from the first one, all of them close to each other."""
    with library._session.database.write() as connection:
        for rank, track_id in enumerate(track_ids):
            held = get_signature(connection, track_id, library.encoder, "windows")
            assert held is not None
            vector = np.zeros_like(held.embedding.signature)
            vector[:2] = np.cos(0.03 * rank), np.sin(0.03 * rank)
            put_signature(connection, replace(held, embedding=replace(held.embedding, signature=vector)))


@pytest.mark.parametrize(("rank", "best"), [(2, "song.flac"), (12, "bright.flac"), (13, "song.mp3")])
def test_the_best_file_of_the_nearest(library: Engine, tmp_path: Path, rank: int, best: str) -> None:
    """With k = 1, the nearest track gives way to a lossless file of its recording among the twelve nearest."""
    write(tmp_path / "music", "other6.flac", song(6))
    write(tmp_path / "music", "other7.flac", song(7))
    library.index(tmp_path / "music")
    library.remove(tmp_path / "music" / "song.wv")
    ranked = [
        "song.mp3", "bright.flac", "played again.flac", "moved.flac", "other3.flac", "other4.flac", "other6.flac",
        "other7.flac", "jingle.flac", "jingle copy.flac", "song.m4a", "song.opus",
    ]  # fmt: skip
    ranked.insert(rank - 1, "song.flac")
    place(library, ids(library, "other2.flac", *ranked))
    plain = library.similar("search:other2", k=13, ranking=Ranking(hubs=True)).matches
    assert [Path(match.path).name for match in plain] == ranked
    (found,) = library.similar("search:other2", k=1, no_duplicates=True, ranking=Ranking(hubs=True)).matches
    assert Path(found.path).name == best


def test_variety_without_duplicates(library: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn answers, too, hold each recording once and are as many as asked for, also of tracks beyond the nearest."""
    monkeypatch.setattr(distinct, "POOL_FACTOR", 1)
    monkeypatch.setattr(distinct, "POOL_EXTRA", 0)
    (other,) = ids(library, "other2.flac")
    drawn = set()
    for seed in range(12):
        found = library.similar(other, k=4, no_duplicates=True, ranking=Ranking(variety=1.0, seed=seed)).matches
        left = [Path(match.path).name for match in found]
        recordings = {"song" if name in SAME else name.split(" ")[0].removesuffix(".flac") for name in left}
        assert len(left) == len(recordings) == 4
        drawn.add(tuple(left))
    assert len(drawn) > 4


def test_named_as_the_contract_says(library: Engine) -> None:
    """A group's fields are those of the JSON."""
    group = asdict(library.duplicates("same_recording").groups[0])
    assert list(group) == ["kind", "score", "tracks"]
    assert list(group["tracks"][0]) == ["track_id", "path", "codec", "bitrate", "partial"]
