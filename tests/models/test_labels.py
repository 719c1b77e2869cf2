"""Labels and spellings: what users and catalogues write, and which genre it names."""

import json
from importlib import resources

import pytest

from engine.models.labels import (
    GENRES,
    MOODS,
    QUADRANTS,
    map_tag,
    map_training_labels,
    own_name,
    spellings,
    split_tag,
    tag_names,
    valence,
)


def shipped_table() -> list[tuple[str, str]]:
    """Every (genre, spelling) pair of the shipped file, repeats included."""
    text = resources.files("engine.models").joinpath("genre_spellings.json").read_text("utf-8")
    pairs = json.loads(text, object_pairs_hook=list)
    return [(genre, spelling) for genre, variants in pairs for spelling in (genre, *variants)]


def test_every_genre_has_spellings_and_no_other_has() -> None:
    """The table's keys are the fifteen genres, once each, and each genre spells itself."""
    assert sorted({genre for genre, _ in shipped_table()}) == sorted(GENRES)
    assert len(set(GENRES)) == 15
    assert all(spellings()[genre] == genre for genre in GENRES)


def test_spellings_are_as_they_are_looked_up() -> None:
    """Every spelling is case-folded, with single spaces: otherwise no tag would ever meet it."""
    assert [s for _, s in shipped_table() if s != " ".join(s.casefold().split())] == []


def test_a_spelling_names_one_genre() -> None:
    """No spelling stands under two genres, or twice under one."""
    names = [spelling for _, spelling in shipped_table()]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_every_spelling_reaches_its_genre() -> None:
    """Whatever separators a spelling holds, and in whatever case it is written, the tag means its genre alone."""
    for genre, spelling in shipped_table():
        assert map_tag(spelling) == (genre,)
        assert map_tag(f"  {spelling.upper()} ") == (genre,)


@pytest.mark.parametrize(
    ("tag", "parts"),
    [
        ("Rock", ["rock"]),
        ("Rock; Jazz / Blues, Soul", ["rock", "jazz", "blues", "soul"]),
        ("Pop/Rock", ["pop", "rock"]),
        ("rock;Rock; ROCK", ["rock"]),
        ("Hip-Hop/Rap", ["hip-hop/rap"]),
        ("  Deep   House ", ["deep house"]),
        ("STRASSENMUSIK; Straßenmusik", ["strassenmusik"]),
        ("Zydeco;;/,", ["zydeco"]),
        ("", []),
        (" ; / ", []),
    ],
)
def test_tags_are_split_and_folded(tag: str, parts: list[str]) -> None:
    """Tags split at semicolon, slash and comma, folded, without repeats or empty parts; known spellings stay whole."""
    assert split_tag(tag) == parts


@pytest.mark.parametrize(
    ("tag", "genres"),
    [
        ("Pop/Rock", ["pop", "rock"]),
        ("Zydeco", []),
        ("Zydeco; Bebop", ["jazz"]),
        ("Bebop, Swing", ["jazz"]),
        ("Soul;Rap", ["rnb", "hiphop"]),
        ("R&B", ["rnb"]),
        (None, []),
        ("", []),
    ],
)
def test_tags_map_in_their_own_order(tag: str | None, genres: list[str]) -> None:
    """A tag names genres in its order; what the table does not know names none."""
    assert map_tag(tag) == tuple(genres)


def test_catalogue_names_allow_what_they_cover() -> None:
    """AllMusic's Pop/Rock covers pop, rock and metal, and its International is world; the rest maps as tags do."""
    assert map_training_labels(["Pop/Rock"]) == {"pop", "rock", "metal"}
    assert map_training_labels(["International"]) == {"world"}
    assert map_training_labels(["Pop/Rock", "Jazz"]) == {"pop", "rock", "metal", "jazz"}
    assert map_training_labels(["pop/rock"]) == {"pop", "rock"}
    assert map_training_labels(["Field recordings"]) == frozenset()


def test_quadrants_are_the_four_moods() -> None:
    """Q1 to Q4 name each mood once."""
    assert list(QUADRANTS) == ["Q1", "Q2", "Q3", "Q4"]
    assert sorted(QUADRANTS.values()) == sorted(MOODS)


@pytest.mark.parametrize(
    ("tag", "named", "mapped"),
    [
        ("K-Pop", ["k-pop"], ["k-pop"]),
        ("Old-Time / Historic", ["old-time / historic"], ["old-time / historic"]),
        ("k-pop; Bebop", ["k-pop", "jazz"], ["k-pop"]),
        ("Hard Rock; Zydeco, rock", ["rock", "zydeco"], ["rock"]),
        (None, [], []),
    ],
)
def test_tags_name_an_encoders_own_genres(tag: str | None, named: list[str], mapped: list[str]) -> None:
    """A tag names an encoder's own genres first; its other parts keep the fifteen's names or their own."""
    genres = ("k-pop", "old-time / historic", "rock")
    assert tag_names(tag, genres) == named
    assert map_tag(tag, tuple(genres)) == tuple(mapped)


def test_own_names_can_be_printed() -> None:
    """A label becomes a name in one case and one line, whatever it holds."""
    assert own_name("  Hip-Hop\t\n Rap ") == "hip-hop rap"
    assert own_name("a\x1b[2J\udcff") == "a\ufffd[2j\ufffd"
    assert own_name(" \n ") == ""


def test_contest_classes_allow_both_of_their_genres() -> None:
    """The ISMIR 2004 contest's joined classes cover the genres that their names join."""
    assert map_training_labels(["jazz_blues"]) == {"jazz", "blues"}
    assert map_training_labels(["metal_punk"]) == {"metal", "rock"}
    assert map_training_labels(["rock_pop"]) == {"rock", "pop"}


def test_valence_is_three_moods_renormalised() -> None:
    """Sad, calm and happy, without tense, share out one; where all is tense no degree is likelier."""
    found = valence({"happy": 0.3, "tense": 0.4, "sad": 0.1, "calm": 0.2})
    assert list(found) == ["sad", "neutral", "happy"]
    assert list(found.values()) == pytest.approx([1 / 6, 1 / 3, 1 / 2])
    assert list(valence({"happy": 0, "tense": 1, "sad": 0, "calm": 0}).values()) == pytest.approx([1 / 3] * 3)


def test_other_moods_have_no_valence() -> None:
    """An encoder that was trained on other moods has no valence."""
    assert valence({"glad": 1.0}) == {}
    assert valence({"happy": 0.5, "sad": 0.5}) == {}
