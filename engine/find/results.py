"""The result of `Engine.find`."""

from __future__ import annotations

from dataclasses import dataclass

from engine.search.results import Match, UnderstoodWords


@dataclass(frozen=True)
class MatchedTag:
    """A tag of the description that a track carries.

    `probability` is the encoder's own; `level` is the share of typical tracks that carry less of it, 0 to 1.
    """

    tag: str
    probability: float
    level: float


@dataclass(frozen=True)
class FoundByWords(Match):
    """A track that fits a description: `similarity` is the fit, 0 to 1; `tags` are its matches, strongest first."""

    tags: tuple[MatchedTag, ...]


@dataclass(frozen=True)
class FindResult:
    """The tracks that fit a description, best first; its interpretation; and the words that matched nothing."""

    text: str
    understood: tuple[UnderstoodWords, ...]
    ignored: tuple[str, ...]
    matches: tuple[FoundByWords, ...]
