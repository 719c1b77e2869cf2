"""The contract of `encoder` for every architecture in the registry; covers the blocks in `layers.residual`, too."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine.models.encoder import Encoder
from engine.models.labels import GENRES, MOODS
from tests.models.conftest import MakeTrack

SAME_COSINE = 0.9999


@pytest.fixture
def threads() -> Iterator[None]:
    """Give torch's number of threads back after a test that changes it."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def signature(encoder: Encoder, windows: torch.Tensor) -> np.ndarray:
    """The signature of one track's windows."""
    return encoder.summarise(encoder.vectors_of(windows)).signature


@pytest.mark.parametrize("count", [1, 3])
def test_shapes_norms_and_sums(fresh: Encoder, make_track: MakeTrack, count: int) -> None:
    """A track gives a finite unit signature, a weight a segment that sums to one, and two probability distributions."""
    segments = count * fresh.plan.segments
    embedding = fresh.summarise(fresh.vectors_of(make_track(fresh.plan.samples, count)))
    assert embedding.signature.shape == (fresh.dim,)
    assert embedding.segment_vectors.shape == (segments, fresh.dim)
    assert embedding.attention.shape == (segments,)
    assert embedding.genres.shape == (len(GENRES),)
    assert embedding.moods.shape == (len(MOODS),)
    for values in (
        embedding.signature,
        embedding.segment_vectors,
        embedding.attention,
        embedding.genres,
        embedding.moods,
    ):
        assert np.isfinite(values).all()
        assert values.dtype == np.float32
    assert np.linalg.norm(embedding.signature) == pytest.approx(1, abs=1e-5)
    for shares in (embedding.attention, embedding.genres, embedding.moods):
        assert shares.min() > 0
        assert shares.sum() == pytest.approx(1, abs=1e-5)


def test_signature_is_the_weighted_sum(fresh: Encoder, make_track: MakeTrack) -> None:
    """The signature is the normalised sum of attention times h, and the heads read that sum before it is normalised."""
    embedding = fresh.summarise(fresh.vectors_of(make_track(fresh.plan.samples, 4)))
    weighted = zip(embedding.attention, embedding.segment_vectors, strict=True)
    raw = torch.from_numpy(np.sum([weight * vector for weight, vector in weighted], axis=0))
    np.testing.assert_allclose(embedding.signature, raw / raw.norm(), atol=1e-5)
    with torch.no_grad():
        genres = fresh.logits(fresh.genre_head, raw).softmax(dim=0)
        moods = fresh.logits(fresh.mood_head, raw).softmax(dim=0)
    np.testing.assert_allclose(embedding.genres, genres, atol=1e-5)
    np.testing.assert_allclose(embedding.moods, moods, atol=1e-5)


def test_every_parameter_learns(fresh: Encoder, make_track: MakeTrack) -> None:
    """Genre and mood losses together reach every parameter that can matter with a finite gradient."""
    fresh.zero_grad()
    vectors, scores = fresh(fresh.front_end(make_track(fresh.plan.samples, 5)))
    raw = fresh.pool(vectors[None], scores[None])
    target = torch.tensor([1])
    (F.cross_entropy(fresh.genre_head(raw), target) + F.cross_entropy(fresh.mood_head(raw), target)).backward()
    gradients = {name: parameter.grad for name, parameter in fresh.named_parameters()}
    assert all(gradient is not None and torch.isfinite(gradient).all() for gradient in gradients.values())
    largest = {name: gradient.abs().max().item() for name, gradient in gradients.items() if gradient is not None}
    assert not {name for name, size in largest.items() if size < 1e-8}
    fresh.zero_grad()


def test_a_track_does_not_depend_on_its_batch(fresh: Encoder, make_track: MakeTrack) -> None:
    """A track in a batch of others, across the border of a chunk, gets the signature that it gets alone."""
    count, at_once = 2, 3  # the chunk ends within the second track
    tracks = [make_track(fresh.plan.samples, count, seed) for seed in range(2)]
    together = fresh.vectors_of(torch.cat(tracks), at_once).split(count * fresh.plan.segments)
    for track, vectors in zip(tracks, together, strict=True):
        assert signature(fresh, track) @ fresh.summarise(vectors).signature > SAME_COSINE


@pytest.mark.usefixtures("threads")
def test_the_number_of_threads_does_not_matter(fresh: Encoder, make_track: MakeTrack) -> None:
    """One thread and two give the same signature."""
    track = make_track(fresh.plan.samples, 2)
    found = []
    for count in (1, 2):
        torch.set_num_threads(count)
        found.append(signature(fresh, track))
    assert found[0] @ found[1] > SAME_COSINE


def test_the_same_samples_give_the_same_numbers(fresh: Encoder, make_track: MakeTrack) -> None:
    """Encoding twice gives the same signature to the bit: nothing is drawn at random."""
    track = make_track(fresh.plan.samples, 2)
    assert np.array_equal(signature(fresh, track), signature(fresh, track))


def test_gain_does_not_matter(fresh: Encoder, make_track: MakeTrack) -> None:
    """A track that is louder or softer keeps its signature."""
    track = make_track(fresh.plan.samples, 2)
    plain = signature(fresh, track)
    for gain in (0.5, 2.0, 0.05):
        assert plain @ signature(fresh, gain * track) > SAME_COSINE, gain


def test_other_music_gets_another_signature(shipped: Encoder, make_track: MakeTrack) -> None:
    """Not everything is alike: the tones of another track are further apart, and noise is further still."""
    tracks = [signature(shipped, make_track(shipped.plan.samples, 4, seed)) for seed in (0, 1)]
    noise = signature(shipped, 0.1 * torch.randn(4, shipped.plan.samples, generator=torch.Generator().manual_seed(0)))
    assert tracks[0] @ tracks[1] < 0.999
    assert tracks[0] @ noise < 0.9


@pytest.mark.parametrize("sound", ["silence", "clipped", "one impulse"])
def test_odd_sound_stays_finite(fresh: Encoder, sound: str) -> None:
    """Digital silence, full-scale square waves and a lone impulse give finite signatures."""
    windows = torch.zeros(2, fresh.plan.samples)
    if sound == "clipped":
        windows = torch.sign(torch.sin(torch.arange(fresh.plan.samples) * 0.05)).repeat(2, 1) * 8
    elif sound == "one impulse":
        windows[:, 1000] = 1.0
    assert np.isfinite(signature(fresh, windows)).all()


def test_a_window_is_encoded_by_itself(fresh: Encoder, make_track: MakeTrack) -> None:
    """The front-end is pure: a window's features do not depend on the windows beside it."""
    windows = make_track(fresh.plan.samples, 3)
    together = fresh.front_end(windows)
    segments = fresh.plan.segments
    for name, features in fresh.front_end(windows[1:2]).items():
        torch.testing.assert_close(features, together[name][segments : 2 * segments], atol=1e-4, rtol=0)
