"""Where attention lies: places, thirds, and what is heard for the first time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.db import SegmentBlock
from engine.genres.attention import (
    FEWEST_WINDOWS,
    REPEATED,
    ROWS_AT_ONCE,
    SHORTEST_TRACK,
    AttentionStatistics,
    first_occurrence_share,
    measure_attention,
)

SECONDS = 10.0
NOTHING = AttentionStatistics(None, None, None, None)


def block(weights: list[list[float]], material: str = "", *, ids: int = 1) -> SegmentBlock:
    """Tracks of windows that follow each other; equal letters of `material` are equal vectors, others orthogonal."""
    attention = np.array(weights, np.float32)
    tracks, windows = attention.shape
    letters = material or "abcdefghijklmnopqrstuvwxyz"[:windows]
    vectors = np.stack([np.eye(26, dtype=np.float32)[ord(letter) - ord("a")] for letter in letters]) * 3
    return SegmentBlock(
        np.arange(ids, ids + tracks),
        np.full(tracks, windows * SECONDS),
        np.tile(np.arange(windows, dtype=np.float32) * SECONDS, (tracks, 1)),
        attention / attention.sum(axis=1, keepdims=True),
        np.tile(vectors, (tracks, 1, 1)),
    )


def share(material: str, *weights: float) -> float:
    """The share on first occurrences of one track."""
    one = block([list(weights) or [1.0] * len(material)], material)
    return float(first_occurrence_share(one.starts.astype(float), one.attention.astype(float), one.vectors, SECONDS)[0])


def test_places() -> None:
    """The centre is the mean position of the weight; thirds get the windows whose middles lie in them."""
    measured = measure_attention([block([[1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1], [1, 1, 1, 1, 1, 1]])], SECONDS)
    assert measured.values[:, 0] == pytest.approx([1 / 12, 11 / 12, 0.5])
    assert measured.values[:, 1] == pytest.approx([1, 0, 1 / 3])
    assert measured.values[:, 2] == pytest.approx([0, 1, 1 / 3])


def test_order_does_not_matter() -> None:
    """Windows that the encoder reads in another order give the same statistics."""
    one = block([[5, 1, 2, 7, 1, 3]], "abacbd")
    order = np.array([3, 0, 5, 1, 4, 2])
    turned = replace(one, starts=one.starts[:, order], attention=one.attention[:, order], vectors=one.vectors[:, order])
    expected = measure_attention([one], SECONDS).values
    np.testing.assert_allclose(measure_attention([turned], SECONDS).values, expected)
    assert not np.isnan(expected).any()


def test_excerpts_are_not_measured() -> None:
    """Tracks shorter than a minute, and those of too few windows, say nothing; one of a minute does."""
    assert SHORTEST_TRACK == 6 * SECONDS
    short, long = block([[1.0] * 5]), block([[1.0] * 6], ids=7)
    assert measure_attention([short, long], SECONDS).track_ids.tolist() == [7]
    few = replace(block([[1.0] * (FEWEST_WINDOWS - 1)]), durations=np.array([300.0]))
    assert measure_attention([few], SECONDS).mean_over([1]) == NOTHING
    assert measure_attention([], SECONDS).mean_over([1]) == NOTHING


def test_first_occurrence() -> None:
    """Of what repeats, the first time is new; what is heard once counts for neither side."""
    assert share("abab") == pytest.approx(1 / 2)
    assert share("aaaa") == pytest.approx(1 / 4)
    assert share("abcabx", 3, 1, 9, 1, 1, 9) == pytest.approx(4 / 6)
    assert np.isnan(share("abcd"))


def test_nearly_the_same() -> None:
    """Windows are the same material from a cosine of REPEATED on."""
    for cosine, repeats in ((REPEATED + 0.01, True), (REPEATED - 0.01, False)):
        vectors = np.array([[[1, 0], [cosine, np.sqrt(1 - cosine**2)]]], np.float32)
        found = first_occurrence_share(np.array([[0.0, 10.0]]), np.array([[0.3, 0.7]]), vectors, SECONDS)
        assert found[0] == pytest.approx(0.3) if repeats else np.isnan(found[0])


def test_overlap_is_no_repetition() -> None:
    """Windows that share sound are alike for that reason: they are no repetition of each other."""
    vectors = np.ones((1, 3, 2), np.float32)
    weights = np.array([[0.5, 0.3, 0.2]])
    assert np.isnan(first_occurrence_share(np.array([[0.0, 3.0, 6.0]]), weights, vectors, SECONDS)[0])
    found = first_occurrence_share(np.array([[0.0, 6.0, 12.0]]), weights, vectors, SECONDS)[0]
    assert found == pytest.approx(0.5 / 0.7)


def test_windows_of_nothing() -> None:
    """Windows without any content repeat nothing."""
    weights = np.full((1, 3), 1 / 3)
    found = first_occurrence_share(np.array([[0.0, 10.0, 20.0]]), weights, np.zeros((1, 3, 4), np.float32), SECONDS)
    assert np.isnan(found[0])


def test_long_tracks() -> None:
    """A track of more windows than are compared at once is measured as a whole."""
    count = 2 * ROWS_AT_ONCE + 7
    random = np.random.default_rng(0)
    vectors = np.eye(50, dtype=np.float32)[random.integers(0, 50, count)][None]
    weights = random.random((1, count))
    weights /= weights.sum()
    starts = np.arange(count)[None] * SECONDS
    new = np.zeros(count, bool)
    new[np.unique(vectors[0].argmax(axis=1), return_index=True)[1]] = True
    found = first_occurrence_share(starts, weights, vectors, SECONDS)
    assert found[0] == pytest.approx(weights[0, new].sum(), rel=1e-6)


def test_means() -> None:
    """A genre's statistics are the means over its tracks; one that has no repetition counts for the rest only."""
    blocks = [block([[1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1]]), block([[1.0] * 6], "aabbcc", ids=3)]
    measured = measure_attention(blocks, SECONDS)
    found = measured.mean_over([1, 2, 3, 99])
    assert (found.centre, found.first_third, found.last_third) == pytest.approx((0.5, 4 / 9, 4 / 9))
    assert found.first_occurrence_share == pytest.approx(0.5)
    assert measured.mean_over([1]).first_occurrence_share is None
    assert measured.mean_over([]) == NOTHING
