"""Words at a place of a description: phrases of the table, names of the library, years and tempi.

A description is a sequence of pieces: words and punctuation. Each function matches the pieces from a given place on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.find.reading import Found
from engine.search.phrases import Phrase, Table

DECADE = re.compile(r"(?:(19|20)?([0-9])0s)")
DECADE_NAMES = {
    "twenties": 1920, "thirties": 1930, "forties": 1940, "fifties": 1950, "sixties": 1960, "seventies": 1970,
    "eighties": 1980, "nineties": 1990, "noughties": 2000, "aughts": 2000,
}  # fmt: skip
CENTURY_FROM = 3  # "20s" is 2020 to 2029, "30s" is 1930 to 1939
YEAR = re.compile(r"(?:19|20)[0-9]{2}")
TEMPO = re.compile(r"[0-9]{2,3}")
BPM = re.compile(r"([0-9]{2,3})bpm")
TEMPO_RANGE = range(30, 301)
TEMPO_TOLERANCE = 0.04  # of a named tempo: "120 bpm" is 115 to 125
SHORTEST_COMPARATIVE = 4  # letters: "over" is none

Lookup = Callable[[Phrase], Found | None]


@dataclass(frozen=True)
class NamedWords:
    """Words that name something in the library."""

    length: int  # in pieces
    found: Found


@dataclass(frozen=True)
class Quantity:
    """A year, a decade or a tempo."""

    kind: str  # of `Condition`
    first: float
    last: float
    length: int  # in pieces


def matched(pieces: Sequence[str], at: int, phrases: Mapping[Phrase, object] | frozenset[Phrase], most: int) -> int:
    """Return the number of pieces in the longest phrase that begins at a place, or 0."""
    return next((n for n in range(min(most, len(pieces) - at), 0, -1) if tuple(pieces[at : at + n]) in phrases), 0)


def tagged(pieces: Sequence[str], at: int, table: Table) -> tuple[Phrase, int] | None:
    """Return the longest phrase of tags at a place and its length; plurals and comparatives count, too."""
    for n in range(min(table.longest, len(pieces) - at), 0, -1):
        phrase = tuple(pieces[at : at + n])
        for form in _base_forms(phrase[-1]):
            if (*phrase[:-1], form) in table.tags:
                return (*phrase[:-1], form), n
    return None


def _base_forms(word: str) -> Iterator[str]:
    """Yield a word and its possible base forms, if it looks like a plural or comparative: pianos, happier, sadder."""
    yield word
    yield from (word.removesuffix(ending) for ending in ("s", "es") if word.endswith(ending))
    if word.endswith("er") and len(word) > SHORTEST_COMPARATIVE:
        stem = word.removesuffix("er")
        yield from (stem, stem + "e")
        if stem.endswith("i"):
            yield stem[:-1] + "y"
        if stem[-1] == stem[-2]:
            yield stem[:-1]


def quantity(pieces: Sequence[str], at: int) -> Quantity | None:
    """Return the year, decade or tempo at a place."""
    word, after = pieces[at], pieces[at + 1] if at + 1 < len(pieces) else ""
    if decade := DECADE.fullmatch(word):
        century = int(decade[1] or (20 if int(decade[2]) < CENTURY_FROM else 19)) * 100
        return Quantity("year", century + int(decade[2]) * 10, century + int(decade[2]) * 10 + 9, 1)
    if word in DECADE_NAMES:
        return Quantity("year", DECADE_NAMES[word], DECADE_NAMES[word] + 9, 1)
    tempo = int(word) if after == "bpm" and TEMPO.fullmatch(word) else None
    tempo = int(joined[1]) if (joined := BPM.fullmatch(word)) else tempo
    if tempo in TEMPO_RANGE and tempo is not None:
        margin = tempo * TEMPO_TOLERANCE
        return Quantity("tempo", round(tempo - margin), round(tempo + margin), 1 if joined else 2)
    return Quantity("year", int(word), int(word), 1) if YEAR.fullmatch(word) else None


def function_length(pieces: Sequence[str], at: int, table: Table) -> int:
    """Return the length of a function phrase (no meaning of its own) at a place, punctuation included, or 0."""
    empty = pieces[at] in table.skipped or not pieces[at][0].isalnum()
    kinds = (table.negations, table.degrees, table.ends, table.joins, table.likes)
    return max(int(empty), *(matched(pieces, at, kind, table.longest) for kind in kinds))


def names_in(pieces: Sequence[str], table: Table, lookup: Lookup) -> dict[int, NamedWords]:
    """Return the names of the library in a text, by their first place.

    A name has at least one word that is not in the table; longer names win.
    """
    unknown, at = set(), 0
    while at < len(pieces):
        found, number = tagged(pieces, at, table), quantity(pieces, at)
        step = max(found[1] if found else 0, number.length if number else 0, function_length(pieces, at, table))
        if not step:
            unknown.add(at)
        at += step or 1
    names: dict[int, NamedWords] = {}
    for place in sorted(unknown):
        if any(start <= place < start + named.length for start, named in names.items()):
            continue
        for start, end in _spans_around(pieces, place):
            match = lookup(tuple(pieces[start:end]))
            if match:
                names[start] = NamedWords(end - start, match)
                break
    return names


def _spans_around(pieces: Sequence[str], place: int, most: int = 4) -> Iterator[tuple[int, int]]:
    """Yield the spans of up to `most` words around a place, without punctuation, longest first."""
    for n in range(most, 0, -1):
        for start in range(max(0, place - n + 1), place + 1):
            if start + n <= len(pieces) and all(piece[0].isalnum() for piece in pieces[start : start + n]):
                yield start, start + n
