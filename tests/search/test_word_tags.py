"""Tags of tracks: most probable first, the same stored or computed, means of several, damage reported."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine import Engine, SignatureError, Span, TagProbability
from engine.db import get_signature, open_database
from engine.explain.explanation import signature_moments
from engine.explain.results import Moment
from engine.search.word_tags import mean_words, tags_of, telling
from tests.conftest import Collection, write_song
from tests.words import WORDS, make_library, worded_encoder, write_encoder

STORED = 1e-3  # by which float16 may move a probability


def tags(*probabilities: float) -> tuple[TagProbability, ...]:
    """Tags a, b, c ... of these probabilities."""
    return tuple(TagProbability(name, p) for name, p in zip("abcdefghijkl", probabilities, strict=False))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """Three songs, heard by an encoder with words. Only read it."""
    base = tmp_path_factory.mktemp("worded")
    return make_library(base, write_encoder(base / "worded.safetensors", worded_encoder()))


@pytest.fixture
def mine(made: Collection, tmp_path: Path) -> Path:
    """A copy of the library that the test may change."""
    return Path(shutil.copy(made.library, tmp_path / "library.db"))


@pytest.fixture
def library(made: Collection) -> Iterator[Engine]:
    """The shared library, opened."""
    with Engine.open(made.library, device="cpu") as engine:
        yield engine


def by_word(found: tuple[TagProbability, ...]) -> dict[str, float]:
    """Probabilities by word."""
    return {entry.tag: entry.probability for entry in found}


def change(library: Path, statement: str, *values: object) -> None:
    """Change a library behind Engine's back."""
    with sqlite3.connect(library) as connection:
        connection.execute(statement, values)
    connection.close()


def test_tags_are_all_words_the_surest_first() -> None:
    """Each word comes with its own probability, in falling order; equals keep the encoder's order."""
    found = tags_of(np.array([0.1, 0.7, 0.1, 0.9], np.float32), ("a", "b", "c", "d"))
    assert [entry.tag for entry in found] == ["d", "b", "a", "c"]
    assert [entry.probability for entry in found] == pytest.approx([0.9, 0.7, 0.1, 0.1])
    assert tags_of(np.zeros(0, np.float32), ("a", "b")) == ()


def test_likely_words_tell_or_else_the_three_surest() -> None:
    """What is above one half is said, up to a number; where nothing is, three words are."""
    assert telling(tags(0.9, 0.8, 0.51, 0.5, 0.1), 8) == tags(0.9, 0.8, 0.51)
    assert telling(tags(0.9, 0.8, 0.7), 2) == tags(0.9, 0.8)
    assert telling(tags(0.5, 0.4, 0.3, 0.2), 8) == tags(0.5, 0.4, 0.3)
    assert telling((TagProbability("music", 0.9), *tags(0.8, 0.4, 0.3, 0.2)), 8) == tags(0.8, 0.4, 0.3)
    assert telling((), 8) == ()


def test_the_mean_is_of_those_that_have_words() -> None:
    """Sounds without words do not count towards the mean; where none has any, there is none."""
    none, some, more = (np.array(p, np.float32) for p in ([], [0.2, 0.4], [0.4, 0.8]))
    np.testing.assert_allclose(mean_words([none, some, more]), [0.3, 0.6], rtol=1e-6)
    assert len(mean_words([none, none])) == 0


def test_indexing_stores_what_the_encoder_says(library: Engine, made: Collection) -> None:
    """A library's signatures have every word, and `classify` answers with them."""
    with open_database(made.library, create=False) as database, database.read() as connection:
        stored = get_signature(connection, 1, library.encoder, "windows")
    assert stored is not None
    found = library.classify(1)
    assert by_word(found.tags) == pytest.approx(dict(zip(WORDS, stored.embedding.words.tolist(), strict=True)))
    shares = [entry.probability for entry in found.tags]
    assert shares == sorted(shares, reverse=True)
    assert library.similar(1).tags == found.tags


def test_heard_outside_as_inside(library: Engine, tmp_path: Path) -> None:
    """A file that the library does not hold has the words that it has once it is a track."""
    path = write_song(tmp_path / "new.wav", 1, title="another")  # the sound of track 2, in other bytes
    outside, inside = library.classify(path), library.classify(2)
    assert outside.track_id is None
    assert by_word(outside.tags) == pytest.approx(by_word(inside.tags), abs=STORED)


def test_a_copy_has_the_words_of_its_original(made: Collection, mine: Path, tmp_path: Path) -> None:
    """A file with a track's bytes is not heard again, and has its words."""
    copy = Path(shutil.copy(made.song(0), tmp_path / "copy.wav"))
    with Engine.open(mine, device="cpu") as engine:
        before = engine.classify(copy)
        engine.index(copy)
        after = engine.classify(copy)
        assert (before.track_id, after.track_id) == (None, 4)
        assert before.tags == after.tags == engine.classify(1).tags


def test_several_seeds_have_the_mean_of_their_words(library: Engine) -> None:
    """Words of what is liked together are the mean; what is not liked does not count."""
    first, second = (by_word(library.classify(track).tags) for track in (1, 2))
    expected = {word: (first[word] + second[word]) / 2 for word in WORDS}
    assert by_word(library.similar_to([1, 2], [3]).tags) == pytest.approx(expected, abs=1e-6)
    assert by_word(library.classify("artist:Band 0").tags) == pytest.approx(first, abs=1e-6)


def test_a_part_of_a_track_has_its_own_words(library: Engine) -> None:
    """A part that is heard by itself has every word, and not those of the whole."""
    part = library.similar(1, at=Span(1.0, 3.0))
    assert set(by_word(part.tags)) == set(WORDS)
    assert by_word(part.tags) != by_word(library.classify(1).tags)


def test_a_part_of_a_track_that_is_away(made: Collection, mine: Path, tmp_path: Path) -> None:
    """While the file is away, the words of a part come from its stored windows."""
    elsewhere = Path(shutil.copytree(made.folder, tmp_path / "elsewhere"))
    with Engine.open(mine, device="cpu") as engine:
        engine.relocate(made.folder, elsewhere)
        shutil.rmtree(elsewhere)
        assert set(by_word(engine.similar(1, at=Span(1.0, 3.0)).tags)) == set(WORDS)


def test_moments_say_their_surest_words(library: Engine) -> None:
    """Each window has five words, the surest first, and a moment those of its heaviest window."""
    explained = library.explain(1)
    for moment in (*explained.windows, *explained.moments):
        shares = [entry.probability for entry in moment.tags]
        assert len(shares) == 5
        assert shares == sorted(shares, reverse=True)
        assert set(by_word(moment.tags)) <= set(WORDS)
    assert {moment.tags for moment in explained.moments} <= {window.tags for window in explained.windows}
    windows = (Moment(0, 2, 0.3, "a", tags(0.1)), Moment(2, 4, 0.7, "b", tags(0.2)))
    assert signature_moments((*windows, Moment(4, 6, 0.0, "c")))[0].tags == tags(0.2)


def test_encoders_without_words_have_no_tags(tmp_path: Path) -> None:
    """Where the encoder has no words, lists of tags are empty and everything else is answered."""
    weights = write_encoder(tmp_path / "bare.safetensors", worded_encoder(words=()))
    collection = make_library(tmp_path, weights, songs=2)
    with Engine.open(collection.library, device="cpu") as engine:
        assert engine.classify(1).tags == engine.similar(1).tags == engine.similar_to([1, 2]).tags == ()
        assert {window.tags for window in engine.explain(1).windows} == {()}


def test_a_signature_of_before_there_were_words(mine: Path) -> None:
    """A signature that was stored without words answers without them, also beside others that have some."""
    change(mine, "DELETE FROM words WHERE signature_id = 1")
    with Engine.open(mine, device="cpu") as engine:
        assert engine.classify(1).tags == ()
        assert engine.classify(1).genres
        both = by_word(engine.similar_to([1, 2]).tags)
        assert both == pytest.approx(by_word(engine.classify(2).tags), abs=1e-6)
        assert {len(window.tags) for window in engine.explain(1).windows} == {5}


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE words SET probabilities = x'0000' WHERE signature_id = 1", f"expected {len(WORDS)} words, found 1"),
        ("UPDATE signatures SET genres = x'00000000' WHERE id = 1", "expected 15 genres, found 1"),
        ("UPDATE signatures SET moods = CAST(moods || x'00000000' AS BLOB) WHERE id = 1", "expected 4 moods, found 5"),
    ],
)
def test_what_does_not_fit_the_encoder_is_one_tracks_trouble(mine: Path, statement: str, message: str) -> None:
    """Stored numbers that are not one for each of the encoder's labels name the track; other tracks answer."""
    change(mine, statement)
    with Engine.open(mine, device="cpu") as engine:
        for ask in (
            lambda: engine.classify(1),
            lambda: engine.similar(1),
            lambda: engine.similar_to([1, 2]),
            lambda: engine.classify("artist:Band 0"),
        ):
            with pytest.raises(SignatureError, match=rf"track 1 \(.*{message}; remove that track and index it again"):
                ask()
        assert engine.classify(2).tags


def test_a_library_of_before_there_were_words(made: Collection, mine: Path) -> None:
    """A library of schema version 2 opens as it is, and has the words of what is indexed from then on."""
    change(mine, "DROP TABLE words")
    later = ("aspects", "access_keys", "users", "stars", "ratings", "playlist_tracks", "playlists", "play_queues")
    for table in ("search_trigrams", "search_words", "search_texts", *later):
        change(mine, f"DROP TABLE {table}")
    change(mine, "ALTER TABLE plays DROP COLUMN user")
    change(mine, "ALTER TABLE tracks ADD COLUMN search_text TEXT NOT NULL DEFAULT ''")
    change(mine, "PRAGMA user_version = 2")
    with Engine.open(mine, device="cpu") as engine:
        assert engine.classify(1).tags == ()
        engine.remove([made.song(2)])
        engine.index(made.song(2))
        assert set(by_word(engine.classify(made.song(2)).tags)) == set(WORDS)
