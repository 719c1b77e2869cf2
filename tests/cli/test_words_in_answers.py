"""What commands say of words: `classify`, `similar`, `explain`, as documents, as lines and as CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from tests.conftest import Collection
from tests.words import WORDS, make_library, worded_encoder, write_encoder

CERTAIN = (4, -3, 3, -4, 2.5, 2, 1.5, 1, 0.7, 0.5)  # logits: eight of ten words above one half, in falling order
UNSURE = (-1, -2, -3, -0.5, -4, -5, -6, -7, -8, -9)
SAID = [word for word, logit in zip(WORDS, CERTAIN, strict=True) if logit > 0]


@pytest.fixture(scope="module")
def certain(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """Two songs in which eight words are likely. Only read it."""
    base = tmp_path_factory.mktemp("certain")
    return make_library(base, write_encoder(base / "certain.safetensors", worded_encoder(CERTAIN)), songs=2)


@pytest.fixture(scope="module")
def unsure(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """Two songs in which no word is likely. Only read it."""
    base = tmp_path_factory.mktemp("unsure")
    return make_library(base, write_encoder(base / "unsure.safetensors", worded_encoder(UNSURE)), songs=2)


def line_of(out: str, title: str) -> str:
    """The one line that begins with a title."""
    (line,) = (line for line in out.splitlines() if line.startswith(f"  {title} "))
    return line


def names(tags: list[dict[str, Any]]) -> list[str]:
    """The words of a list of tags, each of which has just a word and its probability."""
    assert {tuple(tag) for tag in tags} == {("tag", "probability")}
    return [tag["tag"] for tag in tags]


def test_document(command: Command, certain: Collection) -> None:
    """A query's `tags` are all words, the surest first, whatever their sum; `similar` says the same."""
    (query,) = command("--library", certain.library, "classify", "--json", 1).document["queries"]
    assert names(query["tags"])[: len(SAID)] == SAID
    assert sorted(names(query["tags"])) == sorted(WORDS)
    shares = [tag["probability"] for tag in query["tags"]]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) > 1
    (similar,) = command("--library", certain.library, "similar", "--json", 1).document["queries"]
    assert similar["tags"] == query["tags"]


def test_tags_of_files_are_another_list(command: Command, certain: Collection) -> None:
    """With `--write-tags` the document's own `tags` stay the changes to files, beside each query's words."""
    document = command("--library", certain.library, "classify", "--write-tags", "--json", 1).document
    assert list(document) == ["encoder", "queries", "tags"]
    assert list(document["tags"]) == ["changes", "kept", "unsure", "failed"]
    assert names(document["queries"][0]["tags"])[0] == SAID[0]


def test_likely_words_on_a_line(command: Command, certain: Collection) -> None:
    """`classify` lists the words above one half with their probabilities, between valence and centroids."""
    outcome = command("--library", certain.library, "classify", 1)
    assert outcome.code == 0
    line = line_of(outcome.out, "sounds")
    assert line.startswith(f"  sounds    {SAID[0]} 0.98, {SAID[1]} 0.95, ")
    assert [part.rsplit(" ", 1)[0] for part in line[len("  sounds    ") :].split(", ")] == SAID
    titles = [line.split()[0] for line in outcome.out.splitlines()[1:] if line]
    assert titles == ["genre", "mood", "valence", "sounds", "nearest"]


def test_the_surest_where_none_is_likely(command: Command, unsure: Collection) -> None:
    """Where no word is above one half, the three surest are listed."""
    line = line_of(command("--library", unsure.library, "classify", 1).out, "sounds")
    assert line == "  sounds    speech 0.38, guitar 0.27, female vocals 0.12"


def test_similar_has_no_line_of_words(command: Command, certain: Collection) -> None:
    """On a terminal `similar` says what it said before there were words."""
    assert "sounds" not in command("--library", certain.library, "similar", 1).out


def test_csv(command: Command, certain: Collection, unsure: Collection) -> None:
    """A record's `tags` are up to five likely words with their probabilities, or the three surest."""
    for collection, expected in (
        (certain, ["guitar 0.98", "applause 0.95", "sad 0.92", "piano 0.88", "large room or hall 0.82"]),
        (unsure, ["speech 0.38", "guitar 0.27", "female vocals 0.12"]),
    ):
        out = command("--library", collection.library, "classify", "--csv", 1).out
        (record,) = csv.DictReader(io.StringIO(out, newline=""))
        assert list(record)[-1] == "tags"
        assert record["tags"].split("; ") == expected


def test_windows_in_words(command: Command, certain: Collection) -> None:
    """`explain` gives each window and moment five words, and a column of the likeliest three."""
    document = command("--library", certain.library, "explain", "--json", 1).document
    for moment in (*document["windows"], *document["moments"]):
        assert names(moment["tags"]) == SAID[:5]
    lines = command("--library", certain.library, "explain", 1).out.splitlines()
    titles = [line for line in lines if line.endswith("  sounds like")]
    assert [title.split("  ")[1] for title in titles] == ["signature moments, heaviest first", "all windows"]
    rows = [line for line in lines if line.startswith("    0:0")]
    assert len(rows) == len(document["windows"]) + len(document["moments"])
    assert all(row.endswith(f"  {', '.join(SAID[:3])}") for row in rows)
    assert titles[1].index("sounds like") == rows[-1].index(SAID[0])


def test_without_words(command: Command, tmp_path: Path) -> None:
    """With an encoder without words, lists are empty, a CSV field too, and no line or column speaks of them."""
    weights = write_encoder(tmp_path / "bare.safetensors", worded_encoder(words=()))
    library = make_library(tmp_path, weights, songs=2).library
    (query,) = command("--library", library, "classify", "--json", 1).document["queries"]
    assert query["tags"] == []
    assert "sounds" not in command("--library", library, "classify", 1).out
    assert command("--library", library, "classify", "--csv", 1).out.splitlines()[1].endswith(",")
    windows = command("--library", library, "explain", "--json", 1).document["windows"]
    assert all(window["tags"] == [] for window in windows)
    assert "sounds" not in command("--library", library, "explain", 1).out
