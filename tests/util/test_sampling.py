"""Samples and differences of sorted ids (engine.util.sampling)."""

from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st

from engine.util.sampling import drawn, without

IDS = st.lists(st.integers(0, 60), max_size=30)


@given(IDS, IDS)
def test_without_is_the_difference_of_the_sets(ids: list[int], excluded: list[int]) -> None:
    """Whatever is excluded, in whatever order and however often, the rest stays in order."""
    some = np.unique(np.array(ids, np.int64))
    found = without(some, np.array(excluded, np.int64))
    np.testing.assert_array_equal(found, np.setdiff1d(some, np.array(excluded, np.int64)))


def test_the_same_ids_give_the_same_sample() -> None:
    """A sample is sorted, has no id twice, and is drawn again alike."""
    ids = np.arange(0, 3000, 3)
    sample = drawn(ids, 100)
    assert len(np.unique(sample)) == len(sample) == 100
    np.testing.assert_array_equal(sample, drawn(ids, 100))
    np.testing.assert_array_equal(drawn(ids[:50], 100), ids[:50])
