"""How strongly a track carries a tag, compared with other tracks: standardised log-odds of the encoder's words.

The word head reads the sum of a track's segments before it is normalised (`engine.models.encoder`), so the log-odds of
word t in a track with unit signature s and norm r are linear in s:

    l_t = r (w_t . s) + b_t

The library stores s and the probabilities (float16), not r. For one track these are V equations in the one unknown r.
Weighted by p (1 - p), the slope of the logistic function and so the precision of l given a rounded p, least squares
give

    r = sum_t p_t (1 - p_t) (l_t - b_t) (w_t . s) / sum_t p_t (1 - p_t) (w_t . s)^2

Words differ in their priors: on 466 clips the median of "happy" is 0.05 and that of "piano" 0.002, so probabilities of
different words are not comparable. Their z-scores are: z_t = (l_t - mean_t) / deviation_t over typical tracks, which
are a sample of the library's own and, counted as PRIOR_TRACKS more, those that `typical_tags.json` describes. Rankings
by one word are those of its probability; `scripts/descriptions.py` compares ways to combine several.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from engine.db import word_batches, words_of_tracks
from engine.errors import NotFoundError
from engine.models.numpy_heads import LinearHead, word_head
from engine.session import LibraryView
from engine.util.sampling import drawn

SAMPLE = 2_000  # tracks of the library whose tags are typical for it
PRIOR_TRACKS = 200  # weight of the shipped description, in tracks
FLOOR = 0.05  # least standard deviation of log-odds: a library of copies has none
SMALLEST = 6e-8  # probability that float16 distinguishes from 0
LARGEST = 1 - 2.0**-11  # and from 1
ROOM = 1e-12

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TagModel:
    """The word head of an encoder and the typical log-odds of its V words.

    Attributes:
        tags: The words, in order.
        head: Weight (V, D), bias (V,).
        mean, deviation: Of the log-odds over typical tracks, (V,).
        norm: The median norm of the library's tracks.
    """

    tags: tuple[str, ...]
    head: LinearHead
    mean: Floats
    deviation: Floats
    norm: float

    def positions(self, tags: tuple[str, ...]) -> NDArray[np.intp]:
        """Return the positions of some tags."""
        return np.array([self.tags.index(tag) for tag in tags], np.intp)

    def levels(self, signatures: Floats, norms: Floats, positions: NDArray[np.intp]) -> Floats:
        """Return z-scores (M, T) of some tags in tracks with signatures (M, D) and norms (M,)."""
        slopes = self.head.weight[positions] / self.deviation[positions, None]  # (T, D)
        offsets = (self.head.bias[positions] - self.mean[positions]) / self.deviation[positions]
        found: Floats = norms[:, None] * (signatures @ slopes.T) + offsets
        return found


@dataclass(frozen=True, eq=False)
class Norms:
    """The norm of every track with words: track ids (N,), ascending, and norms (N,)."""

    track_ids: Ids
    norms: Floats

    def of(self, ids: Ids) -> Floats:
        """Return the norms (M,) of tracks (M,); NaN for a track without words."""
        if not len(self.track_ids):
            return np.full(len(ids), np.nan, np.float32)
        places = np.minimum(np.searchsorted(self.track_ids, ids), len(self.track_ids) - 1)
        return np.where(self.track_ids[places] == ids, self.norms[places], np.float32(np.nan))


def tag_model(view: LibraryView) -> TagModel:
    """Return the tags of the library's encoder.

    Raises:
        QueryError: The encoder has no words, or no track of the library has.
        EncoderError: The weights are missing or damaged.
    """
    if not view.file.words:
        raise NotFoundError(
            f"the encoder {view.encoder_id} predicts no tags",
            hint="index the library with one that does: engine --encoder attention_signature index PATH",
        )
    return view.cached("tag model", lambda: _make_model(view))


def all_norms(view: LibraryView) -> Norms:
    """Return the norm of every track with words; reads all stored words once."""
    return view.cached("tag norms", lambda: _read_norms(view))


def norms_of(view: LibraryView, ids: Ids, signatures: Floats) -> Floats:
    """Return the norms (M,) of tracks with signatures (M, D) from their stored words; NaN for a track without."""
    with view.read() as connection:
        stored = words_of_tracks(connection, view.encoder_id, view.coverage, ids.tolist(), len(view.file.words))
    norms = np.full(len(ids), np.nan, np.float32)
    rows = [row for row, track_id in enumerate(ids.tolist()) if track_id in stored]
    if rows:
        probabilities = np.stack([stored[int(ids[row])] for row in rows])
        norms[rows] = fitted_norms(tag_head(view), signatures[rows], probabilities)
    return norms


def tag_head(view: LibraryView) -> LinearHead:
    """Return the word head of the library's encoder."""
    return view.cached("tag head", lambda: word_head(view.file, view.snapshot.dimensions))


def fitted_norms(head: LinearHead, signatures: Floats, probabilities: Floats) -> Floats:
    """Return r (M,) as derived above, from signatures (M, D) and probabilities (M, V)."""
    return norms_along(head, signatures @ head.weight.T, probabilities)


def norms_along(head: LinearHead, directions: Floats, probabilities: Floats) -> Floats:
    """Return r (M,) from w_t . s (M, V) and probabilities (M, V)."""
    weight = probabilities * (1 - probabilities)
    rest = logits(probabilities) - head.bias
    found: Floats = (weight * rest * directions).sum(axis=1) / ((weight * directions**2).sum(axis=1) + ROOM)
    return found


def logits(probabilities: Floats) -> Floats:
    """Return the log-odds of stored probabilities, of the same shape; 0 and 1 become the nearest that float16 holds."""
    p = np.clip(probabilities, SMALLEST, LARGEST)
    found: Floats = np.log(p / (1 - p))
    return found


def _make_model(view: LibraryView) -> TagModel:
    head = tag_head(view)
    ids = drawn(view.snapshot.known(view.snapshot.ids), SAMPLE)
    signatures = view.snapshot.take(ids)
    norms = norms_of(view, ids, signatures)
    known = np.isfinite(norms)
    if not known.any():
        raise NotFoundError(
            f"no track of the library has tags of {view.encoder_id}",
            hint="remove its tracks and index them again",
        )
    sample = norms[known, None] * (signatures[known] @ head.weight.T) + head.bias
    mean, deviation = _blended(sample, _typical(view.encoder_id))
    return TagModel(view.file.words, head, mean, deviation, float(np.median(norms[known])))


def _blended(sample: Floats, typical: tuple[Floats, Floats] | None) -> tuple[Floats, Floats]:
    """Return the joint mean and deviation (V,) of a sample (n, V) and of PRIOR_TRACKS typical tracks.

    The variance of two groups is the mean of their variances and of their means' squared distances.
    """
    mean, variance = sample.mean(axis=0), sample.var(axis=0)
    if typical is not None:
        share = len(sample) / (len(sample) + PRIOR_TRACKS)
        gap = mean - typical[0]
        variance = share * variance + (1 - share) * typical[1] ** 2 + share * (1 - share) * gap**2
        mean = share * mean + (1 - share) * typical[0]
    return mean.astype(np.float32), np.sqrt(np.maximum(variance, FLOOR**2)).astype(np.float32)


@cache
def _typical(encoder: str) -> tuple[Floats, Floats] | None:
    """Return the mean and deviation (V,) of log-odds shipped for an encoder, or None."""
    shipped = json.loads(resources.files(__package__).joinpath("typical_tags.json").read_text("utf-8")).get(encoder)
    if shipped is None:
        return None
    return np.array(shipped["mean"], np.float32), np.array(shipped["deviation"], np.float32)


def _read_norms(view: LibraryView) -> Norms:
    head, snapshot = tag_head(view), view.snapshot
    ids, norms = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    with view.read() as connection:
        for batch in word_batches(connection, view.encoder_id, view.coverage, len(view.file.words)):
            known = np.isin(batch.track_ids, snapshot.known(batch.track_ids))
            ids.append(batch.track_ids[known])
            norms.append(fitted_norms(head, snapshot.take(ids[-1]), batch.probabilities[known]))
    order = np.argsort(np.concatenate(ids))
    return Norms(np.concatenate(ids)[order], np.concatenate(norms)[order])
