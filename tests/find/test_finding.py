"""Tracks are found by the tags, years and names that a description stands for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine import Engine, Filters, FindResult, InvalidError, NotFoundError, documents
from engine.find import scoring
from tests.cli.conftest import Command, command  # noqa: F401 (a fixture)
from tests.find.conftest import SONGS
from tests.words import WORDS, make_library, worded_encoder, write_encoder


def titles(result: FindResult) -> list[str | None]:
    """The titles of the matches, best first."""
    return [match.title for match in result.matches]


def by_probability(library: Engine, tag: str) -> list[int]:
    """Ids of all tracks, those first in which a tag is likeliest."""
    found = {
        track: {each.tag: each.probability for each in library.classify(track).tags}[tag]
        for track in range(1, len(SONGS) + 1)
    }
    return sorted(found, key=lambda track: -found[track])


@pytest.mark.parametrize("tag", ["guitar", "piano", "choir"])
def test_one_tag_ranks_by_its_probability(described: Engine, tag: str) -> None:
    """A single word orders tracks as the encoder's probability of it does, and without it the other way round."""
    wanted = [match.track_id for match in described.find(tag).matches]
    assert wanted == by_probability(described, tag)
    assert [match.track_id for match in described.find(f"no {tag}").matches] == wanted[::-1]


def test_a_match_shows_the_tags_that_it_carries(described: Engine) -> None:
    """Tags of a match are those of the description, above the typical level, with the stored probability."""
    result = described.find("very sad piano, no applause", 2)
    assert [(entry.words, entry.tag, entry.weight) for entry in result.understood] == [
        ("very sad", "sad", 1.5), ("piano", "piano", 1.0), ("no applause", "applause", -1.0)
    ]  # fmt: skip
    assert [match.rank for match in result.matches] == [1, 2]
    for match in result.matches:
        stored = {each.tag: each.probability for each in described.classify(match.track_id).tags}
        assert {tag.tag for tag in match.tags} <= {"sad", "piano"}
        assert all(tag.level > 0.5 for tag in match.tags)
        assert all(tag.probability == pytest.approx(stored[tag.tag], abs=2e-3) for tag in match.tags)
        assert 0 <= match.similarity <= 1


def test_a_name_restricts(described: Engine) -> None:
    """An artist, a genre and a title of the library count as such, also in other scripts; "not by" excludes them."""
    assert set(titles(described.find("sad by Ruby Lane"))) == {"Blue Before Noon", "Hat Trick"}
    assert set(titles(described.find("sad, not by Ruby Lane"))) == {str(s["title"]) for s in SONGS[2:]}
    assert titles(described.find("whale song")) == ["Porchlight"]
    assert titles(described.find("Утекай")) == ["Утекай"]
    assert titles(described.find("guitar by ヨルシカ")) == ["Guitar Sad"]
    assert set(titles(described.find("lane"))) == {"Blue Before Noon", "Hat Trick"}
    assert titles(described.find("Gravel Road")) == ["Gravel Road"]


def test_either_of_two_names(described: Engine) -> None:
    """Two artists are both searched, as two years are; a title and an artist narrow each other."""
    either = {"Blue Before Noon", "Hat Trick", "Guitar Sad"}
    assert set(titles(described.find("Ruby Lane or ヨルシカ"))) == either
    assert set(titles(described.find("1957 or 1958"))) == {"Blue Before Noon", "Hat Trick"}
    assert titles(described.find("Gravel Road by Delta Mile Trio")) == ["Gravel Road"]
    assert not titles(described.find("Gravel Road by Ruby Lane"))


def test_a_name_after_like_is_a_sound(described: Engine) -> None:
    """With "like", an artist's own tracks are left out and the others ranked by nearness to them."""
    result = described.find("like Ruby Lane")
    assert result.understood[0].tag == "like Ruby Lane"
    near = described.similar_to(["artist:Ruby Lane"], k=10)
    assert sorted(match.track_id for match in result.matches) == sorted(match.track_id for match in near.matches)
    assert not {"Blue Before Noon", "Hat Trick"} & set(titles(result))


def test_years(described: Engine) -> None:
    """Decades and years restrict to tracks of these years, several to any of them; "not" excludes them."""
    assert set(titles(described.find("sad songs from the fifties"))) == {"Blue Before Noon", "Hat Trick"}
    assert set(titles(described.find("50s and 80s guitar"))) == {"Blue Before Noon", "Hat Trick", "Gravel Road"}
    assert set(titles(described.find("guitar, not from the 50s"))) == {str(s["title"]) for s in SONGS[2:]}
    assert described.find("guitar of 1812 and 1903").ignored == ("1812", "1903")


def test_a_tempo_needs_measurements(described: Engine) -> None:
    """A tempo is ignored, and said to be, before any track was measured."""
    assert described.find("120 bpm guitar").ignored == ("120 bpm",)


def test_filters_combine(described: Engine) -> None:
    """Filters apply on top of a description, the cap on an artist included."""
    jazz = described.find("sad", filters=Filters(genres=("jazz",)))
    assert set(titles(jazz)) == {"Blue Before Noon", "Hat Trick"}
    one_each = described.find("sad", filters=Filters(per_artist=1))
    assert len({match.artist for match in one_each.matches}) == len(one_each.matches) == 4
    assert titles(described.find("sad by Ruby Lane", filters=Filters(genres=("rock",)))) == []


def test_contradictions_cancel(described: Engine) -> None:
    """Opposite words cancel; nothing else to search for is an error, anything else goes on and says so."""
    with pytest.raises(InvalidError, match="cancel each other out"):
        described.find("sad, not sad")
    result = described.find("piano, sad, not sad")
    assert [entry.tag for entry in result.understood] == ["piano"]
    assert result.ignored == ("sad, not sad",)


def test_a_repetition_counts_once(described: Engine) -> None:
    """Two words for one tag are one, with the larger weight."""
    assert [(e.tag, e.weight) for e in described.find("sad, very sad, a bit sad").understood] == [("sad", 1.5)]


def test_unwanted_words_alone_rank(described: Engine) -> None:
    """A description of unwanted things only finds the tracks that have least of them."""
    result = described.find("no guitar, no piano")
    assert len(result.matches) == len(SONGS)
    assert not any(match.tags for match in result.matches)


def test_bad_input(described: Engine) -> None:
    """Nothing understood, no words, too many, and a k below 1 are errors of the user."""
    for text in ("", "спокойно и медленно", "music", "nan"):
        with pytest.raises(InvalidError):
            described.find(text)
    with pytest.raises(InvalidError, match="at most 100 words"):
        described.find("sad " * 10_000)
    with pytest.raises(InvalidError, match="expected k of 1 or more"):
        described.find("sad", 0)
    assert described.find("sad. " + "'; DROP TABLE tracks; -- %_\"*").matches


def test_an_encoder_without_tags(tmp_path: Path) -> None:
    """A library of an encoder that predicts no words says so, and how to get one that does."""
    weights = write_encoder(tmp_path / "encoder.safetensors", worded_encoder(words=()))
    collection = make_library(tmp_path, weights, songs=1)
    with Engine.open(collection.library, device="cpu") as library, pytest.raises(NotFoundError) as caught:
        library.find("sad")
    assert "predicts no tags" in caught.value.message
    assert "--encoder attention_signature index" in caught.value.hint


def test_command(described: Engine, library_file: Path, command: Command) -> None:  # noqa: F811
    """The command prints what was understood, what was not, and the matches with their tags; --json the document."""
    shown = command("--library", library_file, "find", "sad", "blorp", "piano", "-k", "2")
    assert shown.code == 0
    assert "understood sad, piano" in shown.out
    assert "ignored" in shown.out
    assert "blorp" in shown.out
    printed = command("--library", library_file, "find", "sad blorp piano", "-k", "2", "--json").document
    assert printed == json.loads(json.dumps(documents.find(described.find("sad blorp piano", 2))))
    assert list(printed) == ["text", "understood", "ignored", "matches"]
    table = command("--library", library_file, "find", "sad", "--csv", "--artist", "ruby lane").out.splitlines()
    assert table[0].startswith("rank,track_id")
    assert table[0].endswith("similarity,tags")
    assert len(table) == 3
    refused = command("--library", library_file, "find", "sad, not sad")
    assert (refused.code, refused.out, refused.err.count("\n")) == (1, "", 1)


def test_tags_command(library_file: Path, command: Command) -> None:  # noqa: F811
    """`engine tags` lists every tag of the encoder with its tracks, as lines, CSV and JSON."""
    lines = command("--library", library_file, "tags").out.splitlines()
    document = command("--library", library_file, "tags", "--json").document
    assert [line.split(maxsplit=1) for line in lines] == [
        [str(each["tracks"]), each["tag"]] for each in document["tags"]
    ]
    assert {each["tag"] for each in document["tags"]} == set(WORDS)
    assert command("--library", library_file, "tags", "--csv").out.splitlines()[0] == "tag,tracks"


@pytest.mark.parametrize(
    "text",
    ["guitar", "very sad piano, no applause", "no guitar, no piano", "like Ruby Lane, sad", "choir by Ruby Lane"],
)
def test_a_large_library(described: Engine, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where columns of tags bound the scores, the answer is that of scoring every track."""
    exact = described.find(text)
    monkeypatch.setattr(scoring, "COLUMNS_FROM", 0)
    found = described.find(text)
    assert [match.track_id for match in found.matches] == [match.track_id for match in exact.matches]
    assert [match.similarity for match in found.matches] == pytest.approx(
        [match.similarity for match in exact.matches], abs=1e-5
    )
