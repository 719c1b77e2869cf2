"""The colours of a map: one for each of the most frequent values of a field, in the page and in the picture.

The first eight colours are those of Okabe and Ito 2008 ("Color Universal Design"), distinct for all common forms of
colour blindness; brown and violet were chosen to stay as far from them. Shapes distinguish groups without colour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.map.results import MapTrack

INK = "ink"  # black on white, white on black
COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", INK, "#80461B", "#8A2BE2",
)  # fmt: skip
MOST = len(COLOURS)  # values that have a colour of their own; the others are grey


@dataclass(frozen=True)
class Grouping:
    """N tracks grouped by one field.

    Attributes:
        name: Of the field.
        values: Every value that occurs; the first `coloured` have a colour of their own, in this order.
        coloured: At most MOST.
        codes: N indices into `values`, -1 for a track without a value.
        ordered: Whether the coloured values have a natural order, as years do.
    """

    name: str
    values: tuple[str, ...]
    coloured: int
    codes: tuple[int, ...]
    ordered: bool


def groupings(tracks: Sequence[MapTrack]) -> tuple[Grouping, ...]:
    """Group tracks by genre, mood, artist and year (by decades)."""
    decades = [None if track.year is None else f"{track.year // 10 * 10}s" for track in tracks]
    return (
        group("genre", [track.genre for track in tracks]),
        group("mood", [track.mood for track in tracks]),
        group("artist", [track.artist for track in tracks]),
        group("year", decades, ordered=True),
    )


def group(name: str, values: Sequence[str | None], *, ordered: bool = False) -> Grouping:
    """Group tracks by one field, most frequent values first; `ordered` sorts the coloured ones."""
    counts = Counter(value for value in values if value is not None)
    ranked = sorted(counts, key=lambda value: (-counts[value], value))
    first = sorted(ranked[:MOST], key=lambda value: (len(value), value)) if ordered else ranked[:MOST]
    listed = (*first, *ranked[MOST:])
    codes = {value: code for code, value in enumerate(listed)}
    return Grouping(name, listed, len(first), tuple(codes.get(value, -1) if value else -1 for value in values), ordered)
