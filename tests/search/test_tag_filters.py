"""Filters by tags, the count of tags, and what is music: tests of engine.search.tag_filters and tag_scores."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch

from engine import Engine, Filters, LibraryError, NotFoundError, QueryError
from engine.models.encoder import Encoder
from engine.search.tag_filters import not_music
from engine.search.tag_scores import all_norms, fitted_norms, norms_of, tag_model
from tests.conftest import Collection
from tests.words import make_library, worded_encoder, write_encoder

SONGS = 6
WORDS = ("music", "speech", "silence", "piano", "guitar", "singing", "rapping", "instrumental")


def spread_encoder(words: tuple[str, ...] = WORDS) -> Encoder:
    """An encoder whose tags differ by more than they are rounded by, and to which all is music."""
    encoder = worded_encoder(words=words)
    with torch.no_grad():
        encoder.word_head.weight *= 30
        if "music" in words:
            encoder.word_head.weight[:3] *= 1e-3
            encoder.word_head.bias[:3] = torch.tensor([2.0, -4.0, -6.0])
    return encoder


def library_of(folder: Path, encoder: Encoder) -> Collection:
    """Six songs, indexed by an encoder."""
    return make_library(folder, write_encoder(folder / "encoder.safetensors", encoder), SONGS)


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Six songs with tags, open. Only read it."""
    collection = library_of(tmp_path_factory.mktemp("tagged"), spread_encoder())
    with Engine.open(collection.library, device="cpu") as library:
        yield library


def found(library: Engine, **filters: object) -> set[int]:
    """The ids of the neighbours of track 1 that pass some filters."""
    return {match.track_id for match in library.similar(1, SONGS, filters=Filters(**filters)).matches}  # type: ignore[arg-type]


def test_norms_follow_from_stored_words(tagged: Engine) -> None:
    """The norm of a signature before normalisation is that of the weighted sum of its segments."""
    view = tagged._session.view()
    ids = np.arange(1, SONGS + 1)
    sums = []
    for track in ids.tolist():
        from engine.search.embeddings import embed

        embedding = embed(view, int(track)).embedding
        sums.append(np.linalg.norm(embedding.attention @ embedding.segment_vectors))
    signatures = view.snapshot.take(ids)
    assert norms_of(view, ids, signatures) == pytest.approx(np.array(sums), rel=5e-3)
    assert all_norms(view).of(ids) == pytest.approx(np.array(sums), rel=5e-3)
    assert np.isnan(all_norms(view).of(np.array([99]))).all()


def test_norms_survive_certain_words() -> None:
    """Probabilities that float16 rounds to 0 or 1 do not spoil a norm."""
    from engine.models.numpy_heads import LinearHead

    head = LinearHead(np.array([[9.0, 0], [-9, 0], [0.3, 0], [0, 1]], np.float32), np.zeros(4, np.float32))
    signature = np.array([[1.0, 0]], np.float32)
    outputs = 4 * signature @ head.weight.T
    stored = (1 / (1 + np.exp(-outputs))).astype(np.float16).astype(np.float32)
    assert fitted_norms(head, signature, stored) == pytest.approx([4], rel=0.02)


def test_a_tag_filters(tagged: Engine) -> None:
    """With a tag come the tracks that carry it; without it come all others; several are any of them."""
    counts = {each.tag: each.tracks for each in tagged.tags()}
    piano, guitar = found(tagged, tags=("piano",)), found(tagged, tags=("guitar",))
    everything = found(tagged)
    assert everything == set(range(2, SONGS + 1))
    assert found(tagged, not_tags=("piano",)) == everything - piano
    assert found(tagged, tags=("piano", "guitar")) == piano | guitar
    assert 0 < counts["piano"] < SONGS
    assert len(piano) in (counts["piano"], counts["piano"] - 1)  # the query itself may carry it
    assert "music" not in counts
    assert sorted(counts.values(), reverse=True) == list(counts.values())


def test_a_phrase_filters(tagged: Engine) -> None:
    """A phrase of the table stands for its tags: vocals and no vocals exclude each other."""
    assert not found(tagged, tags=("vocals",)) & found(tagged, tags=("no vocals",))
    assert found(tagged, tags=("Pianos",)) == found(tagged, tags=("piano",))


def test_an_unknown_tag_is_refused(tagged: Engine) -> None:
    """An unknown tag is an error with the nearest as its hint."""
    with pytest.raises(NotFoundError) as caught:
        tagged.similar(1, filters=Filters(tags=("paino",)))
    assert caught.value.hint == "did you mean 'piano'?"
    with pytest.raises(NotFoundError, match="there is no tag ''"):
        tagged.similar(1, filters=Filters(not_tags=("",)))


def test_speech_is_no_music(tmp_path: Path) -> None:
    """Where the encoder finds speech, playlists leave it out by default, `similar` on request, and say so."""
    encoder = spread_encoder()
    with torch.no_grad():
        encoder.word_head.bias[:2] = torch.tensor([-1.0, 3.0])
    with Engine.open(library_of(tmp_path, encoder).library, device="cpu") as library:
        assert len(not_music(library._session.view())) == SONGS
        assert len(found(library)) == SONGS - 1
        assert found(library, music_only=True) == set()
        assert library.playlist([1]).tracks == ()
        assert library.playlist([1]).not_music == SONGS
        everything = library.playlist([1], filters=Filters(music_only=False))
        assert (len(everything.tracks), everything.not_music) == (SONGS - 1, 0)
        assert len(library.path(1, 2, 3).tracks) == 2
        assert len(library.path(1, 2, 3, filters=Filters(music_only=False)).tracks) == 3


def test_each_limit_of_music(tmp_path: Path) -> None:
    """Little music, speech near it or silence near it each make a track no music; just inside its limits it stays."""
    log_odds = np.array(
        [(-1.7, -9, -9), (2, 0.9, -9), (2, -9, -1.4), (-1.5, -9, -9), (2, 0.7, -9), (2, -9, -1.6)], np.float32
    )
    collection = library_of(tmp_path, spread_encoder(WORDS[:3]))
    with closing(sqlite3.connect(collection.library)) as connection, connection:
        for signature_id, row in enumerate(1 / (1 + np.exp(-log_odds)), start=1):
            blob = row.astype("<f2").tobytes()
            connection.execute("UPDATE words SET probabilities = ? WHERE signature_id = ?", (blob, signature_id))
        order = connection.execute("SELECT track_id FROM signatures ORDER BY id").fetchall()
    with Engine.open(collection.library, device="cpu") as library:
        assert set(not_music(library._session.view()).tolist()) == {track_id for (track_id,) in order[:3]}


def test_music_stays(tagged: Engine) -> None:
    """Music is never left out."""
    assert not len(not_music(tagged._session.view()))
    assert len(tagged.playlist([1]).tracks) == SONGS - 1


def test_an_encoder_that_cannot_tell_music(tmp_path: Path) -> None:
    """Without the word, playlists take everything, and asking for music only is an error."""
    with Engine.open(library_of(tmp_path, spread_encoder(("piano", "guitar"))).library, device="cpu") as library:
        assert len(library.playlist([1]).tracks) == SONGS - 1
        with pytest.raises(QueryError, match="does not distinguish music from other sound"):
            library.similar(1, filters=Filters(music_only=True))


def test_an_encoder_without_tags(tmp_path: Path) -> None:
    """Tags and their counts need an encoder with words."""
    with Engine.open(library_of(tmp_path, spread_encoder(("piano",))).library, device="cpu") as library:
        assert [each.tag for each in library.tags()] == ["piano"]
    bare = write_encoder(tmp_path / "bare.safetensors", worded_encoder(words=()))
    with Engine.open(make_library(tmp_path / "bare", bare, 2).library, device="cpu") as library:
        assert len(library.playlist([1]).tracks) == 1
        for ask in (library.tags, lambda: library.similar(1, filters=Filters(tags=("piano",)))):
            with pytest.raises(NotFoundError, match="predicts no tags"):
                ask()


def test_a_library_of_copies_has_a_scale(tmp_path: Path) -> None:
    """One track alone gives finite scores."""
    collection = make_library(tmp_path, write_encoder(tmp_path / "e.safetensors", spread_encoder()), 1)
    with Engine.open(collection.library, device="cpu") as library:
        model = tag_model(library._session.view())
        assert (model.deviation > 0).all()
        assert np.isfinite(model.mean).all()
        assert len(library.find("piano, no guitar").matches) == 1


@pytest.mark.parametrize("blob", [b"\0" * 5, np.full(len(WORDS), np.nan, "<f2").tobytes()], ids=["short", "NaN"])
def test_damaged_words_are_named(tmp_path: Path, blob: bytes) -> None:
    """Stored words that cannot be right are an error that names the track, in filters, counts and descriptions."""
    collection = library_of(tmp_path, spread_encoder())
    with sqlite3.connect(collection.library) as connection:
        connection.execute("UPDATE words SET probabilities = ? WHERE signature_id = 2", (blob,))
    connection.close()
    with Engine.open(collection.library, device="cpu") as library:
        for ask in (library.tags, lambda: library.find("piano"), lambda: found(library, tags=("piano",))):
            with pytest.raises(LibraryError, match=r"song01\.wav"):
                ask()


def test_a_track_without_words(tmp_path: Path) -> None:
    """A track whose words are missing is found by no tag and excluded by none, and counts as music."""
    collection = library_of(tmp_path, spread_encoder())
    with sqlite3.connect(collection.library) as connection:
        connection.execute("DELETE FROM words WHERE signature_id = 2")
    connection.close()
    with Engine.open(collection.library, device="cpu") as library:
        assert 2 not in {match.track_id for match in library.find("piano").matches}
        assert 2 not in found(library, tags=("piano",))
        assert 2 in found(library, not_tags=("piano",), music_only=True)
