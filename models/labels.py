"""The default labels of the heads, and the mapping of users' and data sets' labels onto them.

The fifteen genres are GTZAN's ten (Tzanetakis and Cook 2002) and five more that AllMusic's catalogue has; the four
moods are the quadrants of Russell's circumplex as used by the 4Q audio emotion data set (Panda, Malheiro, Paiva 2018).
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from importlib import resources

GENRES = (
    "blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock",
    "electronic", "folk", "latin", "rnb", "world",
)  # fmt: skip
MOODS = ("happy", "tense", "sad", "calm")
QUADRANTS = {"Q1": "happy", "Q2": "tense", "Q3": "sad", "Q4": "calm"}
VALENCE = {"sad": "sad", "neutral": "calm", "happy": "happy"}  # mood of each degree

# AllMusic's catalogue names that cover several of the fifteen, or that its own meaning narrows. A user's "Pop/Rock" is
# split at the slash instead: users do not mean metal by it.
ALLMUSIC = {"Pop/Rock": frozenset({"pop", "rock", "metal"}), "International": frozenset({"world"})}
# The ISMIR 2004 genre contest's classes that join two genres (Cano et al. 2006, MTG-TR-2006-02).
ISMIR2004 = {
    "jazz_blues": frozenset({"jazz", "blues"}),
    "metal_punk": frozenset({"metal", "rock"}),
    "rock_pop": frozenset({"rock", "pop"}),
}
CATALOGUES = ALLMUSIC | ISMIR2004

TAG_SEPARATORS = ";/,"


@cache
def spellings() -> dict[str, str]:
    """Return the shipped table from case-folded spellings of genre tags to GENRES."""
    table = json.loads(resources.files(__package__).joinpath("genre_spellings.json").read_text("utf-8"))
    return {spelling: genre for genre, variants in table.items() for spelling in (genre, *variants)}


def split_tag(tag: str) -> list[str]:
    """Split a user's genre tag into case-folded parts, in order, each once: "Rock; Indie/Pop" -> rock, indie, pop.

    A tag that the table contains with its separator ("hip-hop/rap") is not split.
    """
    whole = " ".join(_folded(tag).split())
    if whole in spellings():
        return [whole]
    for separator in TAG_SEPARATORS[1:]:
        whole = whole.replace(separator, TAG_SEPARATORS[0])
    return list(dict.fromkeys(part for piece in whole.split(TAG_SEPARATORS[0]) if (part := piece.strip())))


def own_name(label: str) -> str:
    """Normalise a label: case-folded, in NFC, single spaces, unprintable characters as U+FFFD."""
    printable = "".join(c if c.isprintable() or c.isspace() else "\ufffd" for c in label)
    return " ".join(_folded(printable).split())


def tag_names(tag: str | None, genres: Sequence[str] = GENRES) -> list[str]:
    """Return the genres that a user's tag names, in its order, each once.

    Args:
        tag: As written in the file.
        genres: An encoder's. A part of the tag that is, or spells, one of them becomes that genre; other parts become
            one of GENRES if the table has them, else are unchanged.
    """
    whole = own_name(tag or "")
    parts = [whole] if whole in genres else split_tag(tag or "")
    return list(dict.fromkeys(part if part in genres else spellings().get(part, part) for part in parts))


@lru_cache(maxsize=4096)
def map_tag(tag: str | None, genres: tuple[str, ...] = GENRES) -> tuple[str, ...]:
    """Return the encoder's genres that a user's tag names, in the tag's own order; empty if it names none."""
    return tuple(name for name in tag_names(tag, genres) if name in genres)


def map_training_labels(labels: Iterable[str]) -> frozenset[str]:
    """Return the GENRES that a training clip's labels allow; unknown labels are ignored."""
    allowed: set[str] = set()
    for label in labels:
        allowed |= CATALOGUES.get(label) or frozenset(map_tag(label))
    return frozenset(allowed)


def valence(moods: Mapping[str, float]) -> dict[str, float]:
    """Return the valence of a track: shares of sad (Q3), neutral (Q4) and happy (Q1) that sum to 1.

    Tense (Q2) does not count: its valence is negative by definition, but no degree of its own.

    Args:
        moods: Probabilities by the names in MOODS; empty result if one is missing, as for encoders with other moods.
    """
    if not moods.keys() >= set(VALENCE.values()):
        return {}
    shares = {degree: moods[mood] for degree, mood in VALENCE.items()}
    total = sum(shares.values())
    if not total > 0:  # entirely tense: no degree is likelier than another
        return dict.fromkeys(VALENCE, 1 / len(VALENCE))
    return {degree: share / total for degree, share in shares.items()}


def _folded(label: str) -> str:
    """Return a label case-folded and in NFC: macOS decomposes accents."""
    return unicodedata.normalize("NFC", label.casefold())
