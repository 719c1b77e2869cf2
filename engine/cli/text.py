"""Answers as text: JSON, names, bars, counts, and one line for each problem."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from engine.cli.group import LONGEST_LINE
from engine.errors import CONTROLS

if TYPE_CHECKING:
    from engine.search.results import CentroidDistance, UnderstoodWords

NEAREST_CENTROIDS = 5  # listed of each answer
LABEL = 9  # characters of a line's label
UNWANTED = "not "  # before a tag that tracks should not have


def print_json(document: dict[str, Any]) -> None:
    """Print one document; refuse NaN, which JSON lacks, and escape control characters."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2)
    text = text.translate({code: f"\\u{code:04x}" for code in CONTROLS if code != ord("\n")})
    click.echo(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))  # names need not be UTF-8


def print_problem(problem: str, label: str = "engine") -> None:
    """Print one line about a problem on standard error."""
    line = displayable(problem)
    click.echo(f"{label}: {line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + '…'}", err=True)


def print_labelled(label: str, parts: Sequence[str]) -> None:
    """Print a line of an answer: its label, and the parts joined by commas; nothing for no parts."""
    if parts:
        click.echo(f"  {label:<{LABEL}} {', '.join(parts)}")


def print_understanding(understood: Sequence[UnderstoodWords], ignored: Sequence[str]) -> None:
    """Print the interpretation of a description: each phrase with its tags, and the words that matched nothing."""
    by_words: dict[str, list[str]] = {}
    for entry in understood:
        tag = displayable(entry.tag)
        by_words.setdefault(entry.words, []).append(f"{UNWANTED}{tag}" if entry.weight < 0 else tag)
    phrases = [
        displayable(words) if tags == [words] else f"{displayable(words)} ({' + '.join(tags)})"
        for words, tags in by_words.items()
    ]
    print_labelled("understood", phrases)
    print_labelled("ignored", [displayable(words) for words in ignored])


def print_centroids(centroids: Sequence[CentroidDistance]) -> None:
    """Print the nearest genre centroids, and the number of centroids that are the library's own."""
    near = ", ".join(f"{entry.genre} {entry.distance:.2f}" for entry in centroids[:NEAREST_CENTROIDS])
    own = sum(entry.kind == "library" for entry in centroids)
    click.echo(f"  nearest genre centroids  {near}  ({own} of {len(centroids)} from this library)")


def print_limited(lines: Iterable[str], most: int, *, indent: str = "  ") -> None:
    """Print the first lines, and the number of further ones."""
    lines = list(lines)
    for line in lines[:most]:
        click.echo(f"{indent}{line}")
    if len(lines) > most:
        click.echo(f"{indent}and {len(lines) - most} more")


def displayable(path: str) -> str:
    """Return a path for a terminal: one line without control characters."""
    from engine.db.text import displayable as escaped  # SQLAlchemy comes with engine.db

    return escaped(path)


def heading(path: str, track_id: int | None) -> str:
    """Return the title of an answer about one track: its path in bold, and its id."""
    return click.style(displayable(path), bold=True) + (f"  (track {track_id})" if track_id else "")


def name_cells(artist: str | None, title: str | None, path: str) -> tuple[str | None, str]:
    """Return a track's artist, and its title or else its file's name, for two columns of a table."""
    return artist, title or path.rsplit("/", 1)[-1]


def display_name(artist: str | None, title: str | None, path: str) -> str:
    """Return a track's name in one line: artist and title where both are known, else its title or file's name."""
    return displayable(f"{artist} - {title}" if artist and title else title or path.rsplit("/", 1)[-1])


def bar(share: float, width: int) -> str:
    """Draw a share, 0 to 1, as a bar."""
    filled = round(share * width)
    return "█" * filled + "░" * (width - filled)
