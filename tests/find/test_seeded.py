"""Descriptions beside a seed: `similar(but=...)` and `playlist(drift=...)`; tests of engine.playlists.drifting, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import Engine, Filters, InvalidError, QueryError
from tests.cli.conftest import Command, command  # noqa: F401 (a fixture)
from tests.find.conftest import SONGS
from tests.find.test_finding import by_probability


def test_but_orders_what_is_near(described: Engine) -> None:
    """All neighbours are there, with their cosines; a strong description orders them by itself."""
    plain = {match.track_id: match.similarity for match in described.similar(1, 10).matches}
    ordered = described.similar(1, 10, but="extremely guitar").matches
    assert {match.track_id: match.similarity for match in ordered} == pytest.approx(plain, abs=1e-6)
    ranks = by_probability(described, "guitar")
    assert ordered[0].track_id in ranks[:3]
    assert ordered[0].track_id != ranks[-1]
    combined = described.similar_to([1, 2], k=10, but="guitar, no piano").matches
    assert {match.track_id for match in combined} == {3, 4, 5, 6}


def test_but_takes_filters_and_names(described: Engine) -> None:
    """Filters, the cap on an artist and names in the description restrict the answer."""
    named = described.similar(1, 10, but="guitar by Delta Mile Trio")
    assert {match.artist for match in named.matches} == {"Delta Mile Trio"}
    found = described.similar(1, 10, but="guitar", filters=Filters(artists=("delta mile trio",), per_artist=1))
    assert [match.artist for match in found.matches] == ["Delta Mile Trio"]


def test_but_tells_what_it_understood(
    described: Engine,
    library_file: Path,
    command: Command,  # noqa: F811
) -> None:
    """The answer names the tags that count and the words that nothing answered, as text and as JSON."""
    result = described.similar(1, 3, but="very sad, no piano, blorp")
    assert [(entry.words, entry.tag, entry.weight) for entry in result.understood] == [
        ("very sad", "sad", 1.5), ("no piano", "piano", -1.0)
    ]  # fmt: skip
    assert result.ignored == ("blorp",)
    assert described.similar_to([1, 2], k=2, but="sad").understood[0].tag == "sad"
    arguments = ("--library", library_file, "similar", "id:1")
    shown = command(*arguments, "--but", "very sad, no piano, blorp").out
    assert "understood very sad (sad), no piano (not piano)" in shown
    assert "ignored   blorp" in shown
    (query,) = command(*arguments, "--but", "sad blorp", "--json").document["queries"]
    assert (query["understood"], query["ignored"]) == ([{"words": "sad", "tag": "sad", "weight": 1.0}], ["blorp"])
    (plain,) = command(*arguments, "--json").document["queries"]
    assert not {"understood", "ignored"} & plain.keys()
    assert "understood" not in command(*arguments).out


def test_but_refuses_what_it_does_not_understand(described: Engine) -> None:
    """A description without meaning is an error of the user."""
    with pytest.raises(InvalidError, match="found nothing to search for"):
        described.similar(1, but="blorp")


def test_drift_rises(described: Engine) -> None:
    """A drifting radio has ever more of the tag, and none of the seeds."""
    made = described.playlist([1], 5, drift="more and more guitar")
    ranks = by_probability(described, "guitar")
    assert [track.track_id for track in made.tracks] == [track for track in ranks[::-1] if track != 1]
    assert len(made.tracks) == len(SONGS) - 1
    assert len(described.playlist([1], 2, drift="less guitar").tracks) == 2


def test_drift_needs_a_sound(described: Engine) -> None:
    """A name or a year is nothing to drift towards; unknown words are named beside an answer."""
    with pytest.raises(QueryError, match="expected a sound to drift towards"):
        described.playlist([1], 3, drift="by Ruby Lane")
    assert described.playlist([1], 3, drift="ever sadder blorp").notes == ("nothing answered 'blorp'",)


def test_commands(described: Engine, library_file: Path, command: Command) -> None:  # noqa: F811
    """`--but`, `--drift`, `--by` and `--unlike` reach the library, and exclude options that order answers otherwise."""
    found = command("--library", library_file, "similar", "1", "--but", "sad guitar", "--json").document
    assert len(found["queries"][0]["matches"]) == 5
    plain = [track.track_id for track in described.playlist([1]).tracks]
    for options, named in (
        (["--drift", "more and more guitar"], {"drift": "more and more guitar"}),
        (["--by", "mood"], {"by": "mood"}),
        (["--unlike", "2"], {"unlike": [2]}),
    ):
        made = command("--library", library_file, "playlist", "1", *options, "--json").document["tracks"]
        listed = [track["track_id"] for track in made]
        assert listed == [track.track_id for track in described.playlist([1], **named).tracks]  # type: ignore[arg-type]
        assert listed != plain
    for words in (
        ["similar", "1", "--but", "sad", "--variety"],
        ["similar", "1", "--but", "sad", "--group", "artist"],
        ["playlist", "--from", "1", "--to", "2", "--drift", "sad"],
    ):
        assert command("--library", library_file, *words).code == 2


def test_an_aspect_and_a_description_exclude_each_other(described: Engine) -> None:
    """`by` orders tracks by an aspect, `but` and `drift` by a description: both at once are refused."""
    for ask in (
        lambda: described.similar(1, by="mood", but="sad"),
        lambda: described.similar_to([1], by="mood", but="sad"),
        lambda: described.playlist([1], by="mood", drift="sad"),
    ):
        with pytest.raises(InvalidError, match="exclude each other"):
            ask()


def test_tags_filter_beside_an_aspect(described: Engine) -> None:
    """Tags are those of the encoder, whatever tracks are compared by."""
    carry = Filters(tags=("guitar",))
    plain = {match.track_id for match in described.similar(1, 10, filters=carry).matches}
    assert {match.track_id for match in described.similar(1, 10, filters=carry, by="mood").matches} <= plain
