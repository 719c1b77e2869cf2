"""Weights of aspects: read, checked, put into order."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from engine.errors import InvalidError
from engine.search.aspect_weights import AspectWeights


@pytest.mark.parametrize(
    ("by", "weights"),
    [
        ("rhythm", (("rhythm", 1.0),)),
        ("rhythm=2,timbre=1", (("timbre", 1.0), ("rhythm", 2.0))),
        (" mood = 0.5 , harmony ", (("harmony", 1.0), ("mood", 0.5))),
        ({"rhythm": 2, "timbre": 1}, (("timbre", 1.0), ("rhythm", 2.0))),
    ],
)
def test_weights_are_read(by: Mapping[str, float] | str, weights: tuple[tuple[str, float], ...]) -> None:
    """A text and a mapping give the same weights, in one order; a weight that is not given is 1."""
    assert AspectWeights.of(by).weights == weights


@pytest.mark.parametrize(
    "by",
    [
        "", ",", "groove", "rhythm=", "rhythm=two", "rhythm=0", "rhythm=-1", "rhythm=nan", "rhythm=inf",
        "rhythm,rhythm=2", {}, {"rhythm": 0}, {"rhythm": float("nan")}, {"tempo": 1},
    ],
)  # fmt: skip
def test_others_are_refused(by: Mapping[str, float] | str) -> None:
    """Unknown aspects, repeats, and weights that are no numbers above 0 are refused in one line."""
    with pytest.raises(InvalidError) as caught:
        AspectWeights.of(by)
    assert "expected" in caught.value.message
    assert "\n" not in str(caught.value)
