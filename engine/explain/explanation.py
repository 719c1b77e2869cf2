"""Explanations: the attention over a track's windows, and the similarity of two tracks split over their windows.

A window is one of the encoder's segments. A track's un-normalised signature is r = sum_i a_i h_i over its windows'
attentions a_i (which sum to 1) and vectors h_i (Sridhar 2024, section 3.2). By linearity, the cosine of two tracks is
exactly a sum over all pairs of their windows:

    cos(r_A, r_B) = sum_ij a_i b_j <h_i, h_j> / (|r_A| |r_B|)
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.db.signatures import damaged
from engine.db.text import displayable
from engine.embedding import TrackEmbedding
from engine.errors import InvalidError, QueryError
from engine.explain.results import Explanation, Moment, PairExplanation, WindowPair
from engine.models.numpy_heads import segment_genres, segment_seconds, segment_words
from engine.search.embeddings import EmbeddedTrack, embed
from engine.search.references import TrackName
from engine.search.results import Span
from engine.search.word_tags import tags_of
from engine.session import LibraryView

MOST_TAGS = 5  # of a window
MOST_PAIRS = 1_000_000  # of windows: two tracks of an hour with full coverage
ROUNDING = 1e-6  # of float32 attention around the exact average

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Timeline:
    """A track's S windows in time order: starts and ends in seconds, weights that sum to 1, vectors (S, D)."""

    duration: float
    starts: Floats
    ends: Floats
    weights: Floats
    vectors: Floats


def explain_track(view: LibraryView, track: TrackName, plot: str | os.PathLike[str] | None = None) -> Explanation:
    """Return the attention over a track's windows; see `Engine.explain`."""
    if plot is not None:
        from engine.util.plotting import picture_path

        plot = picture_path(plot)  # fail before the work
    embedded = embed(view, track)
    timeline = _timeline_of(view, embedded)
    vectors = timeline.vectors.astype(np.float32)
    genres = segment_genres(view.file, vectors)
    tags = [tags_of(row, view.file.words)[:MOST_TAGS] for row in segment_words(view.file, vectors)]
    numbers = np.stack([timeline.starts, timeline.ends, timeline.weights], axis=1).tolist()
    windows = tuple(
        Moment(start, end, w, genre, said) for (start, end, w), genre, said in zip(numbers, genres, tags, strict=True)
    )
    explanation = Explanation(timeline.duration, windows, signature_moments(windows))
    if plot is not None:
        from engine.explain.picture import draw_explanation

        draw_explanation(plot, view.decoders, embedded.resolved, explanation)
    return explanation


def explain_two(view: LibraryView, a: TrackName, b: TrackName) -> PairExplanation:
    """Split the cosine of two tracks over their windows; see `Engine.explain_pair`."""
    first, second = (_timeline_of(view, embed(view, track)) for track in (a, b))
    count = len(first.starts) * len(second.starts)
    if count > MOST_PAIRS:
        raise InvalidError(
            f"expected at most {MOST_PAIRS:,} pairs of windows, found {count:,}: both tracks are long and have "
            "full coverage",
            hint="use --coverage windows",
        )
    return decompose(first, second)


def make_timeline(embedding: TrackEmbedding, duration_seconds: float, segment_seconds: float) -> Timeline:
    """Return a track's windows in time order, cut at the end of the track.

    Args:
        embedding: Of the track, with its segments.
        duration_seconds: Of the track.
        segment_seconds: Of a segment. A track shorter than a window was padded with silence: windows end with the
            track, and a window of padding only has length 0.
    """
    order = np.argsort(embedding.starts, kind="stable")
    starts = embedding.starts[order].astype(np.float64)
    weights = embedding.attention[order].astype(np.float64)
    return Timeline(
        duration_seconds,
        starts.clip(0, duration_seconds),
        (starts + segment_seconds).clip(0, duration_seconds),
        weights / weights.sum(),
        embedding.segment_vectors[order].astype(np.float64),
    )


def signature_moments(windows: tuple[Moment, ...]) -> tuple[Moment, ...]:
    """Merge the windows (in time order, at least one) that weigh at least the average; see `Explanation`."""
    merged: list[list[Moment]] = []
    for window in windows:
        if window.weight * len(windows) < 1 - ROUNDING:
            continue
        if merged and window.start <= max(earlier.end for earlier in merged[-1]) + ROUNDING:
            merged[-1].append(window)
        else:
            merged.append([window])
    return tuple(sorted(map(_merged, merged), key=lambda moment: (-moment.weight, moment.start)))


def _merged(parts: Sequence[Moment]) -> Moment:
    heaviest = max(parts, key=lambda part: part.weight)
    end, weight = max(part.end for part in parts), sum(part.weight for part in parts)
    return Moment(parts[0].start, end, weight, heaviest.genre, heaviest.tags)


def decompose(a: Timeline, b: Timeline) -> PairExplanation:
    """Split the cosine of two tracks over all pairs of their windows.

    Raises:
        QueryError: The windows of a track sum to zero, so that no angle is defined.
    """
    weighted_a, weighted_b = a.weights[:, None] * a.vectors, b.weights[:, None] * b.vectors  # (S, D)
    norms = float(np.linalg.norm(weighted_a.sum(axis=0)) * np.linalg.norm(weighted_b.sum(axis=0)))
    if not norms > 0:
        raise QueryError(
            "expected windows with a sum above zero, found zero", hint="remove the track and index it again"
        )
    shares = weighted_a @ weighted_b.T / norms  # (S_A, S_B)
    cosine = float(shares.sum())
    spans_a, spans_b = _spans(a), _spans(b)
    rows, columns = np.unravel_index(np.argsort(-shares, axis=None, kind="stable"), shares.shape)
    pairs = tuple(
        WindowPair(spans_a[i], spans_b[j], share)
        for i, j, share in zip(rows.tolist(), columns.tolist(), shares[rows, columns].tolist(), strict=True)
    )
    return PairExplanation(cosine, min(1.0, max(0.0, cosine)), pairs)


def _spans(timeline: Timeline) -> list[Span]:
    return [Span(*place) for place in zip(timeline.starts.tolist(), timeline.ends.tolist(), strict=True)]


def _timeline_of(view: LibraryView, embedded: EmbeddedTrack) -> Timeline:
    _check_windows(view, embedded)
    return make_timeline(embedded.embedding, float(embedded.duration_seconds), segment_seconds(view.file))


def _check_windows(view: LibraryView, embedded: EmbeddedTrack) -> None:
    """Raise SignatureError if stored windows have no weights: there are none, or the numbers are damaged."""
    starts, attention = embedded.embedding.starts, embedded.embedding.attention
    if not len(starts):
        found = "expected windows, found none"
    elif starts.min() < 0:
        found = f"expected windows that start at 0 s or later, found {starts.min():.3g} s"
    elif attention.min() < 0 or not attention.sum(dtype=np.float64) > 0:
        found = "expected attention of 0 or more with a sum above zero, found other numbers"
    else:
        return
    track = embedded.resolved.track
    stored = track is not None and not embedded.resolved.stale  # else the signature of a file with the same bytes
    holders = {track.id} if track is not None and stored else embedded.identical_ids - {embedded.resolved.track_id}
    if not holders:
        raise QueryError(f"{displayable(embedded.resolved.path)}: {found}")
    with view.read() as connection:
        raise damaged(connection, min(holders), found)
