"""From a description to terms: which words stand for which tags, years and tempi, and how much each counts.

A sentence is read from left to right; the longest phrase of the table wins. A negation ("no", "without", "not too")
turns the phrases after it, over "and" and "or", up to a comma, "but" or "with". A degree ("very", "a bit") weighs the
next phrase.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from engine.errors import InvalidError
from engine.search.phrases import APOSTROPHES, Mixture, Phrase, Table, words_in

MOST_WORDS = 100  # of a description
PIECE = re.compile(r"[^\W_]+(?:&[^\W_]+)*|[,;.!?:()/\n]")
DECADE = re.compile(r"(?:(19|20)?([0-9])0s)")
DECADE_NAMES = {
    "twenties": 1920, "thirties": 1930, "forties": 1940, "fifties": 1950, "sixties": 1960, "seventies": 1970,
    "eighties": 1980, "nineties": 1990, "noughties": 2000, "aughts": 2000,
}  # fmt: skip
CENTURY_FROM = 3  # "20s" is 2020 to 2029, "30s" is 1930 to 1939
YEAR = re.compile(r"(?:19|20)[0-9]{2}")
BPM = re.compile(r"([0-9]{2,3})bpm")
TEMPO_RANGE = range(30, 301)
TEMPO_TOLERANCE = 0.04  # of a named tempo: "120 bpm" is 115 to 125
STRONGEST = 2.0  # weight of a term, at most
SHORTEST_COMPARATIVE = 4  # letters: "over" is none
TYPO_LENGTH, TYPO_RATIO = 6, 0.86  # an unknown word this long may be a misspelling of one this close


@dataclass(frozen=True)
class Term:
    """Words of a description that stand for tags.

    Attributes:
        words: As they stand in the text, with their negation and degree.
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
    """The kind ("artist", "genre" or "title") and the full names that some words have in the library."""

    kind: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class _Named:
    length: int  # in pieces
    found: Found


@dataclass(frozen=True)
class _Special:
    kind: str  # of `Condition`
    first: float
    last: float
    length: int  # in pieces


Guess = Callable[[str, Table], Phrase | None]
Lookup = Callable[[Phrase], Found | None]


def read(
    text: str, table: Table, lookup: Lookup = lambda _: None, guess: Guess = lambda _word, _table: None
) -> Reading:
    """Read a description.

    Args:
        text: Free text in English.
        table: The phrases of the encoder's tags.
        lookup: Returns the kind and the full names that some words have in the library, or None.
        guess: Returns the phrase of the table that an unknown word means, or None.

    Raises:
        InvalidError: The text is empty or has more than 100 words.
    """
    pieces = PIECE.findall(APOSTROPHES.sub("", unicodedata.normalize("NFKC", text).casefold()))
    count = len(words_in(text))
    if not count:
        raise InvalidError("expected a description, found no words", hint='try "calm piano at night, no vocals"')
    if count > MOST_WORDS:
        raise InvalidError(f"expected at most {MOST_WORDS} words, found {count}", hint="shorten the description")
    named = _names(pieces, table, lookup)
    return _Reader(pieces, table, named, guess).run()


def _matched(pieces: Sequence[str], at: int, phrases: Mapping[Phrase, object] | frozenset[Phrase], most: int) -> int:
    """Return the number of pieces in the longest phrase that begins at a place, or 0."""
    return next((n for n in range(min(most, len(pieces) - at), 0, -1) if tuple(pieces[at : at + n]) in phrases), 0)


def _tagged(pieces: Sequence[str], at: int, table: Table) -> tuple[Phrase, int] | None:
    """Return the longest phrase of tags at a place and its length; plurals and comparatives count, too."""
    for n in range(min(table.longest, len(pieces) - at), 0, -1):
        phrase = tuple(pieces[at : at + n])
        for form in _base_forms(phrase[-1]):
            if (*phrase[:-1], form) in table.tags:
                return (*phrase[:-1], form), n
    return None


def _base_forms(word: str) -> Iterator[str]:
    """Yield a word and what it may be a plural or a comparative of: pianos, happier, sadder, calmer."""
    yield word
    yield from (word.removesuffix(ending) for ending in ("s", "es") if word.endswith(ending))
    if word.endswith("er") and len(word) > SHORTEST_COMPARATIVE:
        stem = word.removesuffix("er")
        yield from (stem, stem + "e")
        if stem.endswith("i"):
            yield stem[:-1] + "y"
        if stem[-1] == stem[-2]:
            yield stem[:-1]


def _special(pieces: Sequence[str], at: int) -> _Special | None:
    """Return the year, decade or tempo at a place."""
    word, after = pieces[at], pieces[at + 1] if at + 1 < len(pieces) else ""
    if decade := DECADE.fullmatch(word):
        century = int(decade[1] or (20 if int(decade[2]) < CENTURY_FROM else 19)) * 100
        return _Special("year", century + int(decade[2]) * 10, century + int(decade[2]) * 10 + 9, 1)
    if word in DECADE_NAMES:
        return _Special("year", DECADE_NAMES[word], DECADE_NAMES[word] + 9, 1)
    tempo = int(word) if word.isascii() and word.isdigit() and after == "bpm" else None
    tempo = int(joined[1]) if (joined := BPM.fullmatch(word)) else tempo
    if tempo in TEMPO_RANGE and tempo is not None:
        margin = tempo * TEMPO_TOLERANCE
        return _Special("tempo", round(tempo - margin), round(tempo + margin), 1 if joined else 2)
    return _Special("year", int(word), int(word), 1) if YEAR.fullmatch(word) else None


def _is_function(pieces: Sequence[str], at: int, table: Table) -> int:
    """Return the length of a phrase without a meaning of its own at a place, punctuation included, or 0."""
    empty = pieces[at] in table.skipped or not pieces[at][0].isalnum()
    kinds = (table.negations, table.degrees, table.ends, table.joins, table.likes)
    return max(int(empty), *(_matched(pieces, at, kind, table.longest) for kind in kinds))


def _names(pieces: Sequence[str], table: Table, lookup: Lookup) -> dict[int, _Named]:
    """Return the names of the library in a text, by their first place.

    A name holds at least one word that the table does not know; longer names win.
    """
    unknown, at = set(), 0
    while at < len(pieces):
        tagged, special = _tagged(pieces, at, table), _special(pieces, at)
        step = max(tagged[1] if tagged else 0, special.length if special else 0, _is_function(pieces, at, table))
        if not step:
            unknown.add(at)
        at += step or 1
    found: dict[int, _Named] = {}
    for place in sorted(unknown):
        if any(start <= place < start + named.length for start, named in found.items()):
            continue
        for start, end in _spans_around(pieces, place):
            match = lookup(tuple(pieces[start:end]))
            if match:
                found[start] = _Named(end - start, match)
                break
    return found


def _spans_around(pieces: Sequence[str], place: int, most: int = 4) -> Iterator[tuple[int, int]]:
    """Yield the spans of up to `most` words around a place, without punctuation, longest first."""
    for n in range(most, 0, -1):
        for start in range(max(0, place - n + 1), place + 1):
            if start + n <= len(pieces) and all(piece[0].isalnum() for piece in pieces[start : start + n]):
                yield start, start + n


@dataclass
class _Reader:
    """One pass over the pieces of a text."""

    pieces: list[str]
    table: Table
    named: Mapping[int, _Named]
    guess: Guess
    negation: Phrase = ()
    degrees: Phrase = ()
    like: bool = False
    terms: list[Term] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    names: list[Name] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def run(self) -> Reading:
        """Read all pieces."""
        at = 0
        while at < len(self.pieces):
            at += self._step(at)
        return Reading(tuple(self.terms), tuple(self.conditions), tuple(self.names), tuple(self.ignored))

    def _step(self, at: int) -> int:
        """Read one phrase and return its length."""
        if at in self.named:
            named = self.named[at]
            length, words = named.length, self._words(at, named.length)
            self.names.append(Name(words, named.found.kind, named.found.values, self._weight(), self.like))
        elif special := _special(self.pieces, at):
            length, words, wanted = special.length, self._words(at, special.length), self._weight() > 0
            self.conditions.append(Condition(words, special.kind, special.first, special.last, wanted))
        else:
            tagged, function = _tagged(self.pieces, at, self.table), _is_function(self.pieces, at, self.table)
            if function > (tagged[1] if tagged else 0):
                if not self._goes_on(at):
                    self._follow(tuple(self.pieces[at : at + function]))
                return function
            length = self._term(at, *tagged) if tagged else self._unknown(at)
        self.degrees, self.like = (), False
        return length

    def _goes_on(self, at: int) -> bool:
        """Return whether a comma at a place is one in a list of unwanted things."""
        if self.pieces[at] != "," or self.negation not in self.table.lists:
            return False
        after = self.pieces[at + 1 :]
        clause = after[: next((n for n, piece in enumerate(after) if not piece[0].isalnum()), len(after))]
        return any((piece,) in self.table.joins for piece in clause)

    def _follow(self, phrase: Phrase) -> None:
        """Begin or end a negation, or add a degree."""
        if phrase in self.table.negations:
            self.negation, self.degrees = phrase, ()
        elif phrase in self.table.degrees:
            self.degrees += phrase
        elif phrase in self.table.likes:
            self.like = True
        elif phrase in self.table.ends or not phrase[0][0].isalnum():
            self.negation, self.degrees, self.like = (), (), False

    def _term(self, at: int, phrase: Phrase, length: int) -> int:
        self.terms.append(Term(self._words(at, length), self.table.tags[phrase], self._weight()))
        if phrase[:1] in self.table.negations:  # "no vocals or drums"
            self.negation = phrase[:1]
        return length

    def _unknown(self, at: int) -> int:
        """Take an unknown word for the phrase that it misspells or means, or ignore it."""
        word = self.pieces[at]
        singles = [phrase[0] for phrase in self.table.tags if len(phrase) == 1] if len(word) >= TYPO_LENGTH else []
        close = difflib.get_close_matches(word, singles, n=1, cutoff=TYPO_RATIO)
        phrase = (close[0],) if close else self.guess(word, self.table)
        if phrase:
            return self._term(at, phrase, 1)
        self.ignored.append(self._words(at, 1))
        return 1

    def _words(self, at: int, length: int) -> str:
        return " ".join([*self.negation, *self.degrees, *self.pieces[at : at + length]])

    def _weight(self) -> float:
        """Return the weight of the next phrase: the negation's times the degrees'."""
        weight, left = self.table.negations.get(self.negation, 1.0), self.degrees
        while left:
            length = _matched(left, 0, self.table.degrees, len(left))
            weight *= self.table.degrees[left[:length]]
            left = left[length:]
        return max(-STRONGEST, min(STRONGEST, weight))
