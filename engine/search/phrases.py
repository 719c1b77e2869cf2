"""The table of phrases: synonyms, mixtures, negations and degrees from `phrases.json`, for the tags of one encoder."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from engine.search.word_tags import UNINFORMATIVE

APOSTROPHES = re.compile(r"['\u2019\u02bc`\u00b4]")
WORD = re.compile(r"[^\W_]+(?:&[^\W_]+)*")  # letters and digits of any script; "&" inside, as in R&B

CARRIED_FROM = 1.0  # z-score with the best F1 for genres of valid clips, of 0.5 to 2 (scripts/descriptions.py)
MIXTURE_FROM = 0.8  # the same for a mean of several tags, which spreads less

Phrase = tuple[str, ...]
Mixture = tuple[tuple[str, float], ...]  # tags with weights; the magnitudes sum to 1


@dataclass(frozen=True)
class Table:
    """Phrases as tuples of folded words.

    Attributes:
        tags: The tags that each phrase names, with weights.
        carried_from: The least z-score of such a mixture in a track that carries it, where it is not `CARRIED_FROM`.
        negations: Phrases that negate the next ones: -1, or -0.5 for "not too".
        degrees: Phrases that scale the weight of the next one.
        ends: Words that end a negation.
        joins: Words that continue one.
        lists: Negations that also hold for a list with commas: "without speech, applause or noise".
        likes: Phrases before the name of something to sound like.
        skipped: Words without a meaning for the sound.
        longest: Words in the longest phrase.
    """

    tags: Mapping[Phrase, Mixture]
    carried_from: Mapping[Phrase, float]
    negations: Mapping[Phrase, float]
    degrees: Mapping[Phrase, float]
    ends: frozenset[Phrase]
    joins: frozenset[Phrase]
    lists: frozenset[Phrase]
    likes: frozenset[Phrase]
    skipped: frozenset[str]
    longest: int


def words_in(text: str) -> list[str]:
    """Return the words of a text: case-folded, without apostrophes, split at hyphens and punctuation."""
    return WORD.findall(APOSTROPHES.sub("", unicodedata.normalize("NFKC", text).casefold()))


@lru_cache(maxsize=8)
def table_of(tags: Sequence[str]) -> Table:
    """Return the table for an encoder's tags; phrases that name none of them are left out."""
    data = json.loads(resources.files(__package__).joinpath("phrases.json").read_text("utf-8"))
    mixtures = {tag: {tag: 1.0} for tag in tags if tag not in UNINFORMATIVE}
    for tag, phrases in data["synonyms"].items():
        mixtures |= {phrase: {tag: 1.0} for phrase in phrases}
    mixtures |= data["mixtures"]
    for name, phrases in data["same"].items():
        mixtures |= dict.fromkeys(phrases, data["mixtures"][name])
    known = {_phrase(text): mixture for text, weights in mixtures.items() if (mixture := _known(weights, tags))}
    negations, degrees = (
        {_phrase(text): value for text, value in data[key].items()} for key in ("negations", "degrees")
    )
    ends, joins, lists, likes = (frozenset(map(_phrase, data[key])) for key in ("ends", "joins", "lists", "likes"))
    longest = max(map(len, (*known, *negations, *degrees, *ends, *likes)))
    carried_from = {
        _phrase(text): data["carried_from"][name]
        for name in data["carried_from"]
        for text in (name, *data["same"].get(name, ()))
    }
    skipped = frozenset(data["skipped"])
    return Table(known, carried_from, negations, degrees, ends, joins, lists, likes, skipped, longest)


def _phrase(text: str) -> Phrase:
    return tuple(words_in(text)) or (text,)


def _known(weights: Mapping[str, float], tags: Sequence[str]) -> Mixture:
    """Return the part of a mixture that an encoder has tags for; empty unless one of them has a positive weight."""
    there = {tag: weight for tag, weight in weights.items() if tag in tags}
    total = sum(map(abs, there.values()))
    return tuple((tag, weight / total) for tag, weight in there.items()) if any(w > 0 for w in there.values()) else ()
