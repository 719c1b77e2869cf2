"""Descriptions are read as their golden file says, and bad ones are refused in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine import InvalidError
from engine.find.parsing import read
from engine.find.reading import Found, Reading
from engine.models.vocabulary import WORDS
from engine.search.phrases import Phrase, Table, table_of

GOLDEN = json.loads((Path(__file__).parent / "understanding.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def table() -> Table:
    """The table for the whole vocabulary."""
    return table_of(tuple(word.word for word in WORDS))


def shown(reading: Reading) -> dict[str, list[str]]:
    """A reading as the golden file shows it."""
    terms = [
        f"{term.words}: {term.weight:g} ({', '.join(f'{tag} {share:.2g}' for tag, share in term.tags)})"
        for term in reading.terms
    ]
    conditions = [
        f"{each.words}: {'' if each.wanted else 'not '}{each.kind} {each.first:g}-{each.last:g}"
        for each in reading.conditions
    ]
    return {"terms": terms + conditions, "ignored": list(reading.ignored)}


@pytest.mark.parametrize("text", GOLDEN)
def test_understanding(text: str, table: Table) -> None:
    """Each sentence is understood as the reviewed file says."""
    assert shown(read(text, table)) == GOLDEN[text]


def test_the_golden_file_has_thirty_sentences() -> None:
    """Negations and degrees are covered by thirty sentences or more."""
    assert len(GOLDEN) >= 30


@pytest.mark.parametrize("text", ["", "  \n", "!?,;", "—"])
def test_text_without_words_is_refused(text: str, table: Table) -> None:
    """An empty description is an error of the user."""
    with pytest.raises(InvalidError, match="found no words"):
        read(text, table)


def test_long_text_is_refused(table: Table) -> None:
    """Ten thousand words are refused at once."""
    with pytest.raises(InvalidError, match="at most 100 words, found 10000"):
        read("sad " * 10_000, table)


@pytest.mark.parametrize(
    "text", ["спокойное пианино ночью", "静かなピアノ", "بيانو هادئ", "ruhige klaviermusik", "nan", "9" * 500, "🎹 🎹x"]
)
def test_other_languages_are_ignored_and_listed(text: str, table: Table) -> None:
    """Words of other scripts and languages are not understood, and none is lost."""
    reading = read(text, table)
    assert not reading.terms
    assert reading.ignored


def test_a_year_is_not_a_tempo(table: Table) -> None:
    """A number with bpm is a tempo, one that looks like a year is a year, any other is ignored."""
    reading = read("1985, 128bpm, 90 bpm, 2020s, 20s, 7 bpm", table)
    found = [(each.kind, each.first, each.last) for each in reading.conditions]
    years, tempi = (
        [("year", 1985, 1985), ("year", 2020, 2029), ("year", 2020, 2029)],
        [("tempo", 123, 133), ("tempo", 86, 94)],
    )
    assert sorted(found) == sorted([*years, *tempi])
    assert reading.ignored == ("7",)


def test_names_win_over_words_of_the_table(table: Table) -> None:
    """A name that holds a word of the table is the name; the same word elsewhere is the tag."""

    def lookup(phrase: Phrase) -> Found | None:
        return Found("artist", ("Daft Punk",)) if phrase == ("daft", "punk") else None

    reading = read("punk, not by Daft Punk, very happy", table, lookup)
    assert [(term.words, term.weight) for term in reading.terms] == [("punk", 1), ("very happy", 1.5)]
    assert [(name.values, name.weight, name.like) for name in reading.names] == [(("Daft Punk",), -1, False)]
    assert read("happy like daft punk", table, lookup).names[0].like


def test_an_encoder_with_few_tags_knows_few_words() -> None:
    """Phrases that stand for tags that an encoder lacks are not understood."""
    reading = read("calm piano with strings", table_of(("piano", "violin")))
    assert [term.tags for term in reading.terms] == [(("piano", 1.0),), (("violin", 1.0),)]
    assert reading.ignored == ("calm",)


def test_degrees_apart(table: Table) -> None:
    """Two degrees before one word multiply, whatever stands between them."""
    degrees = {" ".join(phrase): weight for phrase, weight in table.degrees.items()}
    for text, second in (("a bit then more and more calm", "more and more"), ("a bit and more calm", "more")):
        assert [term.weight for term in read(text, table).terms] == [degrees["a bit"] * degrees[second]]


def test_a_phrase_ends_where_a_name_begins(table: Table) -> None:
    """Of "cool jazz messengers" the artist is found, although "cool jazz" is a phrase of the table."""

    def lookup(words: Phrase) -> Found | None:
        return Found("artist", ("Jazz Messengers",)) if words == ("jazz", "messengers") else None

    reading = read("cool jazz messengers", table, lookup)
    assert [name.values for name in reading.names] == [("Jazz Messengers",)]
    assert "messengers" not in reading.ignored


def test_long_numbers(table: Table) -> None:
    """A number of any length before "bpm" is a tempo or ignored."""
    assert read("calm " + "9" * 5000 + " bpm", table).ignored
    assert read("calm 120 bpm", table).conditions[0].kind == "tempo"
