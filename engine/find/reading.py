"""The parts of a description: terms, conditions on years and tempo, and names of the library."""

from __future__ import annotations

from dataclasses import dataclass

from engine.search.phrases import Mixture


@dataclass(frozen=True)
class Term:
    """Words of a description that name tags.

    Attributes:
        words: As written in the text, with their negation and degree.
        tags: The tags with weights, whose magnitudes sum to 1.
        weight: -2 to 2; negative for a negated phrase.
    """

    words: str
    tags: Mixture
    weight: float


@dataclass(frozen=True)
class Condition:
    """Words of a description that name years or a tempo: `first` to `last` (years, or beats per minute)."""

    words: str
    kind: str  # "year" or "tempo"
    first: float
    last: float
    wanted: bool


@dataclass(frozen=True)
class Name:
    """Words of a description that name something in the library: see `engine.find.names`."""

    words: str
    kind: str  # "artist", "genre" or "title"
    values: tuple[str, ...]
    weight: float
    like: bool = False  # sound like it, rather than be by it


@dataclass(frozen=True)
class Reading:
    """The parts of a description in the order of the text."""

    terms: tuple[Term, ...] = ()
    conditions: tuple[Condition, ...] = ()
    names: tuple[Name, ...] = ()
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """The kind ("artist", "genre" or "title") and the full names in the library that some words match."""

    kind: str
    values: tuple[str, ...]
