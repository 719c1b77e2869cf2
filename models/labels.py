"""The names that heads answer with, and how other people's labels map onto them.

The fifteen genres are GTZAN's ten (Tzanetakis and Cook 2002) and five more that AllMusic's catalogue has; the four
moods are the quadrants of Russell's circumplex as used by the 4Q audio emotion data set (Panda, Malheiro, Paiva 2018).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from importlib import resources

GENRES = (
    "blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock",
    "electronic", "folk", "latin", "rnb", "world",
)  # fmt: skip
MOODS = ("happy", "tense", "sad", "calm")
QUADRANTS = {"Q1": "happy", "Q2": "tense", "Q3": "sad", "Q4": "calm"}

# AllMusic's catalogue names that cover several of the fifteen, or that its own meaning narrows. A user's "Pop/Rock" is
# split at the slash instead: somebody who writes it does not mean metal.
ALLMUSIC = {"Pop/Rock": frozenset({"pop", "rock", "metal"}), "International": frozenset({"world"})}

TAG_SEPARATORS = ";/,"


@cache
def spellings() -> dict[str, str]:
    """The shipped table: a case-folded spelling of a genre tag -> one of GENRES."""
    table = json.loads(resources.files(__package__).joinpath("genre_spellings.json").read_text("utf-8"))
    return {spelling: genre for genre, variants in table.items() for spelling in (genre, *variants)}


def split_tag(tag: str) -> list[str]:
    """The case-folded parts of a user's genre tag, in order, without repeats: "Rock; Indie/Pop" -> rock, indie, pop.

    A tag that the table spells with its separator ("hip-hop/rap") is kept whole.
    """
    whole = " ".join(tag.casefold().split())
    if whole in spellings():
        return [whole]
    for separator in TAG_SEPARATORS[1:]:
        whole = whole.replace(separator, TAG_SEPARATORS[0])
    return list(dict.fromkeys(part for piece in whole.split(TAG_SEPARATORS[0]) if (part := piece.strip())))


def map_tag(tag: str | None) -> list[str]:
    """The genres among GENRES that a user's tag names, in the tag's own order; empty where it names none of them."""
    parts = split_tag(tag or "")
    return list(dict.fromkeys(genre for part in parts if (genre := spellings().get(part))))


def map_training_labels(labels: Iterable[str]) -> frozenset[str]:
    """The set of GENRES that a training clip's labels allow; labels that fit nothing are ignored."""
    allowed: set[str] = set()
    for label in labels:
        allowed |= ALLMUSIC.get(label) or frozenset(map_tag(label))
    return frozenset(allowed)
