"""The query vector: sums and differences of tracks, artists and albums.

Source: Sridhar 2024, section 3.2.2 (sums and differences of signatures), for tracks instead of genres.
"""

from __future__ import annotations

import os
from collections.abc import Sequence, Sized
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.db import Track, predictions, tracks_by_names, vectors_of_tracks, words_of_tracks
from engine.db.signatures import damaged
from engine.errors import InvalidError, NotFoundError
from engine.search.embeddings import EmbeddedTrack, embed
from engine.search.references import GroupReference, TrackName, names_file
from engine.search.results import Seed
from engine.search.word_tags import mean_words
from engine.session import LibraryView

GROUPS = {"artist": "artist:", "album": "album:"}
SMALLEST_SUM = 1e-3  # norm below which a sum or mean of unit vectors counts as zero


@dataclass(frozen=True, eq=False)
class QueryEmbedding:
    """The signature and predictions that a search starts from.

    Attributes:
        signature: Unit vector, (D,).
        genres, moods: Probabilities, (G,) and (M,).
        words: Probabilities, (V,); empty for an encoder without words.
        identical_ids: Track ids of the query itself and of byte-identical files.
    """

    signature: NDArray[np.float32]
    genres: NDArray[np.float32]
    moods: NDArray[np.float32]
    words: NDArray[np.float32]
    identical_ids: frozenset[int]


@dataclass(frozen=True, eq=False)
class Query:
    """A query.

    Attributes:
        embedding: Signature (D,), predictions, and the tracks to leave out of the answer.
        seeds: The tracks that it is made of.
        tracks: The seeds that are in the library.
        one_track: Whether it is a single track, which the answer then names.
    """

    embedding: QueryEmbedding
    seeds: tuple[Seed, ...]
    tracks: tuple[Track, ...]
    one_track: bool = False


def combine(view: LibraryView, like: Sequence[TrackName], unlike: Sequence[TrackName] = ()) -> Query:
    """Return the normalised sum of `like` minus the sum of `unlike`; predictions are the mean of `like`.

    Args:
        view: The library.
        like, unlike: Tracks, or `artist:NAME`, `album:NAME`: the mean of their tracks, which counts like one track.

    Raises:
        QueryError: `like` is empty, a seed is unknown or gives no signature, or the sum is zero.
        SignatureError: A stored signature does not fit the encoder.
    """
    if not like:
        raise InvalidError(
            "expected at least one track to search by, found only tracks to subtract", hint="add --like TRACK"
        )
    added = [query_from_reference(view, name) for name in like]
    subtracted = [query_from_reference(view, name) for name in unlike]
    total = _sum(added) - (_sum(subtracted) if subtracted else 0.0)
    parts = [*added, *subtracted]
    embedding = QueryEmbedding(
        normalised(total, "these seeds", "leave one of them out"),
        np.mean([part.embedding.genres for part in added], axis=0),
        np.mean([part.embedding.moods for part in added], axis=0),
        mean_words([part.embedding.words for part in added]),
        frozenset().union(*(part.embedding.identical_ids for part in parts)),
    )
    signs = [+1] * len(added) + [-1] * len(subtracted)
    seeds = [Seed(s.track_id, s.path, sign) for part, sign in zip(parts, signs, strict=True) for s in part.seeds]
    return Query(embedding, tuple(seeds), tuple(track for part in parts for track in part.tracks))


def query_from_reference(view: LibraryView, name: TrackName) -> Query:
    """Return the query of one seed: a track, or the normalised mean of an artist's or an album's tracks.

    Raises:
        QueryError: There is no such track, artist or album, no signature of it, or the tracks' mean is zero.
        SignatureError: The stored signature does not fit the encoder.
    """
    group = group_of(name)
    return query_from_track(view, embed(view, name, segments=False)) if group is None else _group(view, *group)


def query_from_track(view: LibraryView, embedded: EmbeddedTrack) -> Query:
    """Return the query of one track.

    Raises:
        SignatureError: Its stored signature does not fit the encoder.
    """
    resolved, found = embedded.resolved, embedded.embedding
    track_id = resolved.track.id if resolved.track else None
    stored_as = track_id or min(embedded.identical_ids, default=0)
    _check_heads(view, stored_as, found.genres, found.moods, found.words)
    embedding = QueryEmbedding(found.signature, found.genres, found.moods, found.words, embedded.identical_ids)
    seed = Seed(track_id, os.fsdecode(resolved.path), 1)
    return Query(embedding, (seed,), (resolved.track,) if resolved.track else (), one_track=True)


def group_of(name: TrackName) -> tuple[str, str] | None:
    """Return ("artist", NAME) or ("album", NAME) for `artist:NAME`, `album:NAME`, unless a file has that name.

    A GroupReference is one whatever files there are.
    """
    text = name if isinstance(name, str) else ""
    for kind, prefix in GROUPS.items():
        if text.startswith(prefix) and (isinstance(name, GroupReference) or not names_file(text)):
            return kind, text[len(prefix) :].strip()
    return None


def normalised(vector: NDArray[np.float64], parts: str, hint: str) -> NDArray[np.float32]:
    """Return a sum or mean (D,) of unit vectors as a unit vector; raise InvalidError if its parts cancel out."""
    norm = float(np.linalg.norm(vector))
    if norm < SMALLEST_SUM:
        raise InvalidError(f"{parts} cancel out: nothing is left to search by", hint=hint)
    return (vector / norm).astype(np.float32)


def _group(view: LibraryView, kind: str, name: str) -> Query:
    with view.read() as connection:
        tracks = tracks_by_names(connection, kind, [name])
        ids = [track.id for track in tracks]
        stored = vectors_of_tracks(connection, view.encoder_id, view.coverage, ids)
        predicted = predictions(connection, view.encoder_id, view.coverage, ids)
        words = words_of_tracks(connection, view.encoder_id, view.coverage, ids)
    if not tracks:
        raise NotFoundError(
            f"no track of the library has the {kind} {name!r}", hint="`engine search WORDS` lists the names"
        )
    if not len(stored.vectors):
        raise NotFoundError(
            f"no track with the {kind} {name!r} has a signature of {view.encoder_id} ({view.coverage})",
            hint=f"add them: engine --encoder {view.encoder_id} index --coverage {view.coverage} PATH",
        )
    for track_id, each in predicted.items():
        _check_heads(view, track_id, each.genres, each.moods, words.get(track_id, ()))
    embedding = QueryEmbedding(
        normalised(
            stored.vectors.astype(np.float64).mean(axis=0), f"the tracks of {kind} {name!r}", "search by one of them"
        ),
        np.mean([each.genres for each in predicted.values()], axis=0),
        np.mean([each.moods for each in predicted.values()], axis=0),
        mean_words(list(words.values())),
        frozenset(ids),
    )
    known = {int(track_id) for track_id in stored.track_ids}
    members = tuple(track for track in tracks if track.id in known)
    return Query(embedding, tuple(Seed(track.id, track.name, 1) for track in members), members)


def _check_heads(view: LibraryView, track_id: int, genres: Sized, moods: Sized, words: Sized) -> None:
    """Raise SignatureError unless there is a number for each of the encoder's labels; words may be missing."""
    file = view.file
    heads = {"genres": (genres, file.genres), "moods": (moods, file.moods)}
    if len(words):
        heads["words"] = (words, file.words)
    for name, (numbers, labels) in heads.items():
        if len(numbers) != len(labels):
            with view.read() as connection:
                raise damaged(connection, track_id, f"expected {len(labels)} {name}, found {len(numbers)}")


def _sum(queries: Sequence[Query]) -> NDArray[np.float64]:
    return np.sum([query.embedding.signature for query in queries], axis=0, dtype=np.float64)
