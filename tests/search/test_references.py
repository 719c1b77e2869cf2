"""Names of tracks, their resolution and their answers; covers `references`, `embeddings` and `answers`."""

from __future__ import annotations

import math
import os
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from engine import Engine, InvalidError, NotFoundError, QueryError, SignatureError
from engine.models.labels import GENRES as LABELS, MOODS
from tests.audio import write_audio
from tests.conftest import GENRES, RATE, ROCKS, SECONDS, Collection, FirstRun, make_song, write_song

MUSIC = len(GENRES)


def test_complete(shared: Engine, first_run: FirstRun) -> None:
    """An answer holds all genres, moods and centroids, best first, and every other track when k allows."""
    result = shared.similar(first_run.collection.song(0), 1000)
    assert result.error is None
    assert {entry.genre for entry in result.genres} == set(LABELS)
    assert {entry.mood for entry in result.moods} == set(MOODS)
    for shares in ([g.probability for g in result.genres], [m.probability for m in result.moods]):
        assert shares == sorted(shares, reverse=True)
        assert math.isclose(sum(shares), 1, abs_tol=1e-5)
    distances = [centroid.distance for centroid in result.centroids]
    assert distances == sorted(distances)
    assert all(-1e-6 <= distance <= 2 for distance in distances)
    assert [match.rank for match in result.matches] == list(range(1, MUSIC))
    similarities = [match.similarity for match in result.matches]
    assert similarities == sorted(similarities, reverse=True)
    assert all(0 <= similarity <= 1 for similarity in similarities)


def test_fewer(shared: Engine) -> None:
    """A smaller k gives the beginning of the same list."""
    everything = shared.similar(1, 100).matches
    assert shared.similar(1, 4).matches == everything[:4]


def test_symmetric(shared: Engine) -> None:
    """Two tracks are as similar in one direction as in the other."""
    for match in shared.similar(1, 100).matches:
        back = {m.track_id: m.similarity for m in shared.similar(match.track_id, 100).matches}
        assert back[1] == pytest.approx(match.similarity, abs=1e-5)


@pytest.mark.parametrize("k", [0, -1])
def test_k(shared: Engine, k: int) -> None:
    """A k below 1 is refused."""
    with pytest.raises(QueryError, match="k of 1 or more"):
        shared.similar(1, k)


def test_names_of_a_track(shared: Engine, first_run: FirstRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """An id, its text, `id:`, the path as text, bytes, Path or relative all name the same track."""
    path = first_run.collection.song(4)
    expected = shared.similar(path)
    monkeypatch.chdir(path.parent)
    number = expected.track_id
    assert number is not None
    for name in (number, str(number), f"id:{number}", str(path), os.fsencode(path), path.name, f"./{path.name}"):
        assert shared.similar(name) == expected


def test_file_named_like_an_id(shared: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare number means the file of that name where there is one; `id:` and an int still mean the track."""
    monkeypatch.chdir(tmp_path)
    write_audio(tmp_path / "3.wav", make_song(70), RATE)
    (tmp_path / "3.wav").rename(tmp_path / "3")
    assert (shared.similar("3").path, shared.similar("3").track_id) == (str(tmp_path / "3"), None)
    assert shared.similar("id:3").track_id == shared.similar(3).track_id == 3


@pytest.mark.parametrize(
    "name", ["nowhere.wav", "999", "id:999", "id:0", 0, -1, 10**19, "", "id:x", "a\0b", b"\xff\xfe"]
)
def test_unknown(shared: Engine, name: int | str | bytes) -> None:
    """A name of nothing raises QueryError with one line."""
    with pytest.raises(QueryError) as caught:
        shared.similar(name)
    assert "\n" not in str(caught.value)
    assert shared.locate(name)[1] is None


def test_not_a_file(shared: Engine, tmp_path: Path) -> None:
    """A folder, a pipe and a device are refused at once; none is waited for."""
    os.mkfifo(tmp_path / "pipe.wav")
    for name in (tmp_path, tmp_path / "pipe.wav", Path("/dev/zero")):
        with pytest.raises(QueryError, match="expected a file"):
            shared.similar(name)


@pytest.mark.parametrize("content", [b"", b"no sound at all" * 50])
def test_no_sound(shared: Engine, tmp_path: Path, content: bytes) -> None:
    """A file without sound raises QueryError that names it."""
    (tmp_path / "bad.mp3").write_bytes(content)
    with pytest.raises(QueryError, match=r"bad\.mp3"):
        shared.similar(tmp_path / "bad.mp3")


def test_long_names(shared: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search for more letters than a file's name may have finds nothing; a relative name needs a current folder."""
    for nothing in ("x" * 300, "\u0301", "\u00b4"):  # accents alone are no words, and name no track
        with pytest.raises(NotFoundError, match="no track has all of the words"):
            shared.similar("search:" + nothing)
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(InvalidError, match="current folder, which no longer exists"):
        shared.similar("song.wav")


def test_outside(shared: Engine, tmp_path: Path) -> None:
    """A file outside the library is heard, answered, and not added."""
    path = write_song(tmp_path / "new.wav", 71)
    result = shared.similar(path, 100)
    assert (result.path, result.track_id, len(result.matches)) == (str(path), None, MUSIC)
    assert shared.stats().tracks == MUSIC


def test_copy_outside(shared: Engine, first_run: FirstRun, tmp_path: Path) -> None:
    """A copy outside the library answers as the track does, and does not find it."""
    shutil.copy(first_run.collection.song(6), tmp_path / "copy.wav")
    inside, outside = shared.similar(first_run.collection.song(6), 100), shared.similar(tmp_path / "copy.wav", 100)
    assert outside.matches == inside.matches
    assert outside.genres == inside.genres
    assert outside.track_id is None


def test_link_to_track(shared: Engine, first_run: FirstRun, tmp_path: Path) -> None:
    """A link to a track keeps its own name in the answer and does not find the track."""
    (tmp_path / "link.wav").symlink_to(first_run.collection.song(6))
    result = shared.similar(tmp_path / "link.wav", 100)
    assert result.path == str(tmp_path / "link.wav")
    assert str(first_run.collection.song(6)) not in [match.path for match in result.matches]


def test_tagged_copies(engine: Engine, own: Collection) -> None:
    """Copies inside the library are left out together; a retagged one is another file and stays."""
    shutil.copy(own.song(6), own.folder / "copy.wav")
    write_song(own.folder / "retagged.wav", 6, "Rock", SECONDS, album="Best Of")
    engine.index(own.folder)
    matches = engine.similar(own.song(6), 100).matches
    names = [Path(match.path).name for match in matches]
    assert "copy.wav" not in names
    assert names[0] == "retagged.wav"
    assert (matches[0].album, matches[0].similarity) == ("Best Of", pytest.approx(1, abs=1e-3))


def test_changed_since(engine: Engine, own: Collection) -> None:
    """A file that changed since it was indexed is heard anew, and still does not find its old self."""
    before = engine.similar(own.song(0), 100)
    write_audio(own.song(0), make_song(72), RATE)
    after = engine.similar(own.song(0), 100)
    assert after.track_id == before.track_id
    assert after.genres != before.genres
    assert before.track_id not in [match.track_id for match in after.matches]


def test_gone_since(engine: Engine, own: Collection) -> None:
    """A track whose disk is away still answers, from what the library holds."""
    before = engine.similar(own.song(0))
    own.song(0).unlink()
    assert engine.similar(own.song(0)) == before


def test_genre_source(shared: Engine) -> None:
    """A match shows the mapped tag where there is one, else the likeliest predicted genre, and says which."""
    for match in shared.similar(1, 100).matches:
        tag = GENRES[match.track_id - 1]
        if tag in ("Whale Song", None):
            best = shared.classify(match.track_id).genres[0].genre
            assert (match.genre, match.genre_source) == (best, "prediction")
        else:
            assert (match.genre, match.genre_source) == ("jazz" if tag == "Jazz" else "rock", "tag")


def test_tags_of_matches(shared: Engine) -> None:
    """A match carries its track's tags, null where it has none."""
    by_id = {match.track_id: match for match in shared.similar(1, 100).matches}
    assert (by_id[8].artist, by_id[8].title, by_id[8].album) == ("Band 7", "Song 7", None)


def test_centroid_kinds(shared: Engine) -> None:
    """Ten tagged tracks give a genre the library's own centroid; the others have the reference, where there is one."""
    assert sum(genre in (None, "Jazz", "Whale Song") for genre in GENRES) == MUSIC - ROCKS
    kinds = {centroid.genre: centroid.kind for centroid in shared.classify(1).centroids}
    assert kinds.pop("rock") == "library"
    assert set(kinds.values()) == {"reference"}
    assert set(kinds) <= set(LABELS)


def test_classify(shared: Engine) -> None:
    """Classification alone says the same of a track as a question for its neighbours."""
    alone, asked = shared.classify(2), shared.similar(2)
    assert (alone.genres, alone.moods, alone.centroids) == (asked.genres, asked.moods, asked.centroids)


def test_a_damaged_signature_is_one_tracks_trouble(engine: Engine, own: Collection) -> None:
    """A damaged row is named in the error, which is not that of the whole library; other tracks answer."""
    first, other = (engine.search(own.song(number).name)[0].track_id for number in (0, 1))
    with sqlite3.connect(own.library) as connection:
        connection.execute("UPDATE signatures SET genres = x'00' WHERE track_id = ?", (first,))
    with pytest.raises(SignatureError, match=f"track {first} "):
        engine.similar(first)
    assert engine.classify(other).error is None


@pytest.mark.parametrize("head", ["genres", "moods"])
@pytest.mark.parametrize("count", [0, 2, 400])
def test_stored_heads_of_a_wrong_length(own: Collection, head: str, count: int) -> None:
    """Stored genres or moods without names in the encoder are damage, reported in one line with the track's name."""
    raw = sqlite3.connect(own.library)
    raw.execute(f"UPDATE signatures SET {head} = ?", (np.ones(count, "<f4").tobytes(),))
    raw.commit()
    raw.close()
    with Engine.open(own.library, device="cpu") as engine:
        for ask in (lambda: engine.classify(1), lambda: engine.similar(1), lambda: engine.similar_to([1, 2])):
            with pytest.raises(SignatureError, match="index it again") as caught:
                ask()
            assert len(str(caught.value)) < 600
