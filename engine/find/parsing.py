"""Parse a description into terms: the tags, years and tempi that its words name, with weights.

A sentence is read from left to right; the longest phrase of the table wins. A negation ("no", "without", "not too")
negates the phrases after it, across "and" and "or", up to a comma, "but" or "with". A degree ("very", "a bit") scales
the weight of the next phrase.
"""

from __future__ import annotations

import difflib
import itertools
import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engine.errors import InvalidError
from engine.find.matching import Lookup, NamedWords, function_length, names_in, quantity, tagged
from engine.find.reading import Condition, Name, Reading, Term
from engine.search.phrases import APOSTROPHES, Phrase, Table, words_in

MOST_WORDS = 100  # of a description
PIECE = re.compile(r"[^\W_]+(?:&[^\W_]+)*|[,;.!?:()/\n]")
STRONGEST = 2.0  # weight of a term, at most
TYPO_LENGTH, TYPO_RATIO = 6, 0.86  # an unknown word this long may be a misspelling of one this close

Guess = Callable[[str, Table], Phrase | None]


def read(
    text: str, table: Table, lookup: Lookup = lambda _: None, guess: Guess = lambda _word, _table: None
) -> Reading:
    """Read a description.

    Args:
        text: Free text in English.
        table: The phrases of the encoder's tags.
        lookup: Returns the kind and the full names in the library that some words match, or None.
        guess: Returns the phrase of the table nearest in meaning to an unknown word, or None.

    Raises:
        InvalidError: The text is empty or has more than 100 words.
    """
    pieces = PIECE.findall(APOSTROPHES.sub("", unicodedata.normalize("NFKC", text).casefold()))
    count = len(words_in(text))
    if not count:
        raise InvalidError("expected a description, found no words", hint='try "calm piano at night, no vocals"')
    if count > MOST_WORDS:
        raise InvalidError(f"expected at most {MOST_WORDS} words, found {count}", hint="shorten the description")
    return _Reader(pieces, table, names_in(pieces, table, lookup), guess).run()


@dataclass
class _Reader:
    """One pass over the pieces of a text."""

    pieces: list[str]
    table: Table
    named: Mapping[int, NamedWords]
    guess: Guess
    negation: Phrase = ()
    degrees: tuple[Phrase, ...] = ()
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
        """Read one phrase, which ends where a name begins at the latest, and return its length."""
        pieces = self.pieces[: min((start for start in self.named if start > at), default=len(self.pieces))]
        if at in self.named:
            named = self.named[at]
            length, words = named.length, self._words(at, named.length)
            self.names.append(Name(words, named.found.kind, named.found.values, self._weight(), self.like))
        elif number := quantity(pieces, at):
            length, words, wanted = number.length, self._words(at, number.length), self._weight() > 0
            self.conditions.append(Condition(words, number.kind, number.first, number.last, wanted))
        else:
            found, function = tagged(pieces, at, self.table), function_length(pieces, at, self.table)
            if function > (found[1] if found else 0):
                if not self._goes_on(at):
                    self._follow(tuple(self.pieces[at : at + function]))
                return function
            length = self._term(at, *found) if found else self._unknown(at)
        self.degrees, self.like = (), False
        return length

    def _goes_on(self, at: int) -> bool:
        """Return whether a comma at a place separates items of a negated list."""
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
            self.degrees += (phrase,)
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
        """Replace an unknown word by the phrase that it misspells or means, or ignore it."""
        word = self.pieces[at]
        singles = [phrase[0] for phrase in self.table.tags if len(phrase) == 1] if len(word) >= TYPO_LENGTH else []
        close = difflib.get_close_matches(word, singles, n=1, cutoff=TYPO_RATIO)
        phrase = (close[0],) if close else self.guess(word, self.table)
        if phrase:
            return self._term(at, phrase, 1)
        self.ignored.append(self._words(at, 1))
        return 1

    def _words(self, at: int, length: int) -> str:
        return " ".join([*self.negation, *itertools.chain(*self.degrees), *self.pieces[at : at + length]])

    def _weight(self) -> float:
        """Return the weight of the next phrase: the negation's times the degrees'."""
        degrees = (self.table.degrees[phrase] for phrase in self.degrees)
        weight = self.table.negations.get(self.negation, 1.0) * math.prod(degrees)
        return max(-STRONGEST, min(STRONGEST, weight))
