"""What a sound is called in the words of an encoder: probabilities as tags, and which of them to show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.search.results import TagProbability

LIKELY = 0.5  # from above this probability on, a word is said
AT_LEAST = 3  # the surest are said where fewer words are likely
SAID_OF_ALL = frozenset(["music"])  # true of nearly every track: left out where people read

Floats = NDArray[np.float32]


def tags_of(probabilities: Floats, words: Sequence[str]) -> tuple[TagProbability, ...]:
    """An encoder's words (V) with their probabilities (V), the surest first; none where there are no probabilities."""
    if not len(probabilities):
        return ()
    surest = np.argsort(-probabilities, kind="stable")
    return tuple(TagProbability(words[i], float(probabilities[i])) for i in surest.tolist())


def telling(tags: Sequence[TagProbability], most: int) -> tuple[TagProbability, ...]:
    """The tags to show of all, which come the surest first: the likely ones, at least three and at most MOST."""
    told = [tag for tag in tags if tag.tag not in SAID_OF_ALL]
    likely = sum(tag.probability > LIKELY for tag in told)
    return tuple(told[: min(most, max(likely, AT_LEAST))])


def mean_words(each: Sequence[Floats]) -> Floats:
    """The mean probabilities (V) of several sounds, of those that have any; empty where none has."""
    known = [probabilities for probabilities in each if len(probabilities)]
    return np.mean(known, axis=0) if known else np.zeros(0, np.float32)
