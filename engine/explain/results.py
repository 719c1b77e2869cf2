"""The results of `Engine.explain` and `Engine.explain_pair`."""

from __future__ import annotations

from dataclasses import dataclass

from engine.search.results import Span, TagProbability


@dataclass(frozen=True)
class Moment:
    """A part of a track.

    Attributes:
        start, end: In seconds.
        weight: Share of the track's attention, 0 to 1.
        genre: The likeliest genre if the track were this window alone.
        tags: The encoder's most probable words for it, at most five, best first; empty for an encoder without words.
    """

    start: float
    end: float
    weight: float
    genre: str
    tags: tuple[TagProbability, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """The attention of an encoder over a track (Sridhar 2024, sections 3.2 and 3.4).

    Attributes:
        duration: Of the track in seconds.
        windows: All windows in time order; weights sum to 1. With coverage "windows" they sample the track, with gaps
            or overlaps; with "full" they are adjacent.
        moments: The signature moments, heaviest first: windows that weigh at least the average, 1 / S, merged where
            they overlap or touch. A moment's weight is the sum of its windows', its genre and tags are those of the
            heaviest (the first, if several are).
    """

    duration: float
    windows: tuple[Moment, ...]
    moments: tuple[Moment, ...]


@dataclass(frozen=True)
class WindowPair:
    """A window of each track, and the pair's contribution to the cosine, which may be negative."""

    a: Span
    b: Span
    contribution: float


@dataclass(frozen=True)
class PairExplanation:
    """The similarity of two tracks, split over their windows.

    Attributes:
        cosine: Of the two sums of windows, -1 to 1; the contributions sum to it. Windows are stored as float16 and
            signatures as float32, so it may differ from the cosine of the signatures by a few 1e-4.
        similarity: max(0, cosine), as in `Match`.
        pairs: Every pair of windows, the largest contribution first.
    """

    cosine: float
    similarity: float
    pairs: tuple[WindowPair, ...]


@dataclass(frozen=True)
class AspectLikeness:
    """The similarity of two tracks in one aspect.

    Attributes:
        aspect: "timbre", "rhythm", "harmony" or "mood".
        similarity: max(0, cosine).
        percentile: Share of the library's pairs of tracks that are less alike in this aspect, 0 to 1; 0.5 in a library
            of one track.
    """

    aspect: str
    similarity: float
    percentile: float


@dataclass(frozen=True)
class AspectExplanation:
    """The similarity of two tracks in each aspect, and a summary such as "same groove, other sound"."""

    aspects: tuple[AspectLikeness, ...]
    summary: str
