"""The score of one term of a description.

A term is a mixture of tags with weight w. With z the mixture of its tags' z-scores (`engine.search.tag_scores`):

    a wanted term adds       w log sigma(z),      sigma the logistic function: every wanted term must hold
    an unwanted one takes    |w| max(0, z - 1.5) / 4,   z the largest of its tags': only a prominent tag lowers a score

On the AllMusic moods and genres of 104 valid clips of 4QAED, average precision of pairs that must both hold is 0.204
for this sum, 0.200 for the sum of z, 0.201 for that of log p, 0.183 for that of p (chance 0.025). Of one label without
another it is 0.258, where the first alone has 0.256; without the threshold it is 0.183, since labels go together
(`scripts/descriptions.py`). A description of unwanted terms only ranks by log sigma(-z).
"""

from __future__ import annotations

import numpy as np

from engine.search.tag_scores import Floats

UNWANTED_FROM, UNWANTED_SLOPE = 1.5, 0.25  # z-score above which an unwanted tag counts, and how much


def term_score(z: Floats, weight: float, *, alone: bool) -> Floats:
    """Return a term's contribution to the scores of tracks, shaped like z: rising with z if wanted, else falling.

    Args:
        z: The mixture of the term's tags if it is wanted, else the largest of them.
        weight: The term's.
        alone: The description has no wanted term and no wanted target.
    """
    if weight > 0:
        return weight * log_sigmoid(z)
    if alone:
        return -weight * log_sigmoid(-z)
    found: Floats = weight * UNWANTED_SLOPE * np.maximum(0, z - UNWANTED_FROM)
    return found


def log_sigmoid(z: Floats) -> Floats:
    """Return log(1 / (1 + exp(-z)))."""
    found: Floats = -np.logaddexp(np.float32(0), -z)
    return found
