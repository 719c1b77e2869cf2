"""A part of a track is a query by itself, from its file or from its stored segments."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine import Engine, QueryError
from engine.db import Signature, put_signature
from engine.embedding import TrackEmbedding
from engine.models.weights_files import default_id
from engine.search.embeddings import embed
from engine.search.excerpt import query_from_excerpt
from engine.search.results import Span
from tests.audio import write_audio
from tests.conftest import RATE, Collection, make_song


def test_a_moment_is_what_a_file_of_it_is(engine: Engine, own: Collection) -> None:
    """Seconds 6 to 11 of a file sound like a file that holds only these."""
    first, second = make_song(50, 6), make_song(51, 5)
    both, alone = own.folder / "both.wav", own.folder / "alone.wav"
    write_audio(both, np.concatenate([first, second]), RATE)
    write_audio(alone, second, RATE)
    moment = query_from_excerpt(engine._session.view(), str(both), Span(6, 11)).embedding.signature
    whole = embed(engine._session.view(), str(alone)).embedding
    mixed = embed(engine._session.view(), str(both)).embedding
    assert float(moment @ whole.signature) > 0.99 > float(mixed.signature @ whole.signature)


def test_stored_windows_stand_in(engine: Engine, own: Collection) -> None:
    """When the file cannot be found, the stored windows that overlap the moment answer; all of them are the track."""
    own.song(3).unlink()
    whole = embed(engine._session.view(), 4).embedding
    found = query_from_excerpt(engine._session.view(), 4, Span(0, 5)).embedding
    assert float(found.signature @ whole.signature) > 0.999
    assert found.identical_ids == {4}
    with pytest.raises(QueryError, match="no stored window"):
        query_from_excerpt(engine._session.view(), 4, Span(60, 70))


@pytest.mark.parametrize(
    ("span", "rows"), [(Span(5, 7), [1]), (Span(3, 9), [0, 1, 2]), (Span(4, 8), [1]), (Span(11.5, 12.5), [2, 3])]
)
def test_windows_that_overlap(engine: Engine, own: Collection, span: Span, rows: list[int]) -> None:
    """Of a file that is gone, exactly the stored windows that share more than an edge with the part are pooled."""
    network = engine._session.view().encoder()
    assert network.plan.segment_seconds == 4
    random = np.random.default_rng(7)
    vectors = random.standard_normal((4, network.dim)).astype(np.float16).astype(np.float32)  # stored so
    starts, weights = np.float32([0, 4, 8, 12]), np.full(4, 0.25, np.float32)
    pooled = network.summarise(torch.from_numpy(vectors))
    held = TrackEmbedding(pooled.signature, pooled.genres, pooled.moods, starts, weights, vectors)
    with engine._session.database.write() as connection:
        put_signature(connection, Signature(4, default_id(), "windows", held))
    own.song(3).unlink()
    found = query_from_excerpt(engine._session.view(), 4, span).embedding
    expected = network.summarise(torch.from_numpy(vectors[rows]))
    for name in ("signature", "genres", "moods", "words"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-6)


def test_embeddings(engine: Engine) -> None:
    """`Engine.embedding` gives a track's own embedding, and that of a part of it without segments."""
    whole, stored = engine.embedding(1), embed(engine._session.view(), 1).embedding
    np.testing.assert_array_equal(whole.signature, stored.signature)
    assert whole.segment_vectors.shape == (len(whole.starts), len(whole.signature))
    part = engine.embedding(1, Span(0, 2))
    expected = query_from_excerpt(engine._session.view(), 1, Span(0, 2)).embedding
    np.testing.assert_allclose(part.signature, expected.signature, atol=1e-6)
    assert (part.starts.shape, part.segment_vectors.shape) == ((0,), (0, len(whole.signature)))
    assert float(part.signature @ whole.signature) < 0.9999


@pytest.mark.parametrize("moment", [Span(-1, 3), Span(3, 3.2), Span(4, 2), Span(0, float("nan"))])
def test_no_moment(engine: Engine, moment: Span) -> None:
    """A part that begins before the track, is too short, or ends before it begins is refused."""
    with pytest.raises(QueryError, match="expected a part"):
        query_from_excerpt(engine._session.view(), 1, moment)
