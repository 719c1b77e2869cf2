"""The results of `Engine.explain` and `Engine.explain_pair`."""

from __future__ import annotations

from dataclasses import dataclass

from engine.search.results import Span, TagProbability


@dataclass(frozen=True)
class Moment:
    """A stretch of a track.

    Attributes:
        start, end: In seconds.
        weight: Its share of the track's attention, 0 to 1.
        genre: The encoder's genre that it speaks for: the likeliest one if the track were this window alone.
        tags: The encoder's words that are surest in it, at most five, the surest first; none for an encoder without.
    """

    start: float
    end: float
    weight: float
    genre: str
    tags: tuple[TagProbability, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """What an encoder attended to in a track (Sridhar 2024, sections 3.2 and 3.4).

    Attributes:
        duration: Of the track in seconds.
        windows: Everything that was heard, in time order; weights sum to 1. With coverage "windows" they are samples
            of the track, with gaps between or overlaps; with "full" they follow each other.
        moments: The signature moments, heaviest first: windows that weigh at least the average, 1 / S, where those that
            overlap or touch are merged into one. A moment's weight is the sum of its windows', its genre and tags are
            those of the heaviest of them (of the first, among equals).
    """

    duration: float
    windows: tuple[Moment, ...]
    moments: tuple[Moment, ...]


@dataclass(frozen=True)
class WindowPair:
    """A window of one track, one of the other, and what the two add to the cosine; below 0 where they differ."""

    a: Span
    b: Span
    contribution: float


@dataclass(frozen=True)
class PairExplanation:
    """Why two tracks are near.

    Attributes:
        cosine: Of the two sums of windows, -1 to 1; the contributions sum to it. The library keeps windows as float16
            and signatures as float32, so it may differ from the cosine of the signatures by a few 1e-4.
        similarity: max(0, cosine), as in `Match`.
        pairs: Every pair of windows, the largest contribution first.
    """

    cosine: float
    similarity: float
    pairs: tuple[WindowPair, ...]
