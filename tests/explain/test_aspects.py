"""Two tracks compared by aspect: cosines, percentiles, the summary (engine.explain.aspects)."""

from __future__ import annotations

import pytest

from engine import AspectLikeness, Engine, documents
from engine.errors import InvalidError
from engine.explain.aspects import summary_of


def test_a_track_is_itself_in_every_aspect(shared: Engine) -> None:
    """Compared with itself, a track has cosine 1, above all pairs of the library."""
    found = shared.explain_aspects(1, 1)
    assert [each.aspect for each in found.aspects] == ["timbre", "rhythm", "harmony", "mood"]
    assert all(each.similarity > 0.99 and each.percentile > 0.95 for each in found.aspects)
    assert found.summary.startswith("same ")


def test_the_cosine_is_that_of_similar(shared: Engine) -> None:
    """The similarity in an aspect is the one that `similar` shows by it."""
    match = shared.similar(1, 1, by="rhythm").matches[0]
    (likeness,) = shared.explain_aspects(1, match.track_id, "rhythm").aspects
    assert likeness.similarity == pytest.approx(match.similarity, abs=2e-3)


def test_the_document(shared: Engine) -> None:
    """The document holds the aspects and the summary."""
    document = documents.aspect_explanation(shared.explain_aspects(1, 2, "mood"))
    assert list(document) == ["aspects", "summary"]
    assert list(document["aspects"][0]) == ["aspect", "similarity", "percentile"]


def test_an_unknown_aspect_is_refused(shared: Engine) -> None:
    """An aspect that does not exist is one clear line."""
    with pytest.raises(InvalidError, match="tempo"):
        shared.explain_aspects(1, 2, "tempo")


@pytest.mark.parametrize(
    ("percentiles", "summary"),
    [
        ({"timbre": 0.1, "rhythm": 0.99}, "same groove, other sound"),
        ({"harmony": 0.8, "mood": 0.6}, "similar harmony"),
        ({"mood": 0.5}, "no aspect stands out"),
    ],
)
def test_the_summary_names_what_stands_out(percentiles: dict[str, float], summary: str) -> None:
    """Aspects are the same, similar, other, or not worth a word."""
    assert summary_of([AspectLikeness(name, 0.5, percentile) for name, percentile in percentiles.items()]) == summary
