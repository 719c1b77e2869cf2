"""Tags: the probabilities of an encoder's words, and the choice of tags to display."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.search.results import TagProbability

LIKELY = 0.5  # probability above which a tag is displayed
AT_LEAST = 3  # tags displayed even if fewer are likely
UNINFORMATIVE = frozenset(["music"])  # applies to nearly every track, never displayed

Floats = NDArray[np.float32]


def tags_of(probabilities: Floats, words: Sequence[str]) -> tuple[TagProbability, ...]:
    """Return an encoder's words with their probabilities (V,), most probable first; empty without probabilities."""
    if not len(probabilities):
        return ()
    surest = np.argsort(-probabilities, kind="stable")
    names = map(words.__getitem__, surest.tolist())
    return tuple(map(TagProbability, names, probabilities[surest].tolist()))


def telling(tags: Sequence[TagProbability], most: int) -> tuple[TagProbability, ...]:
    """Select the tags to display from sorted ones: the likely ones, at least three and at most `most`."""
    informative = [tag for tag in tags if tag.tag not in UNINFORMATIVE]
    likely = sum(tag.probability > LIKELY for tag in informative)
    return tuple(informative[: min(most, max(likely, AT_LEAST))])


def mean_words(each: Sequence[Floats]) -> Floats:
    """Return the mean of the probability vectors (V,) that are not empty; empty if all are."""
    known = [probabilities for probabilities in each if len(probabilities)]
    return np.mean(known, axis=0) if known else np.zeros(0, np.float32)
