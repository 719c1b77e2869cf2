"""Music to search from: tracks, all tracks of an artist or an album, added and taken away.

Source: Sridhar 2024, section 3.2.2 (sums and differences of signatures), for tracks instead of genres.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.db import Track, predictions, tracks_by_names, vectors_of_tracks, words_of_tracks
from engine.db.signatures import damaged
from engine.db.text import fs_name
from engine.errors import QueryError
from engine.search.references import Embedding, TrackName
from engine.search.results import Seed
from engine.search.word_tags import mean_words
from engine.session import LibrarySession

GROUPS = {"artist": "artist:", "album": "album:"}
SMALLEST_SUM = 1e-3  # of the norm of a sum of unit vectors: below it they cancel out


@dataclass(frozen=True, eq=False)
class Query:
    """What is searched for.

    Attributes:
        heard: The signature (D,), predictions, and the tracks that may be no answer.
        seeds: The tracks that it was made of.
        tracks: Those of them that are in the library.
    """

    heard: Embedding
    seeds: tuple[Seed, ...]
    tracks: tuple[Track, ...]


def combine(session: LibrarySession, like: Sequence[TrackName], unlike: Sequence[TrackName]) -> Query:
    """The normalised sum of what is liked minus the sum of what is not; predictions are the mean of what is liked.

    Args:
        opened: The library.
        like, unlike: Tracks, or `artist:NAME`, `album:NAME`: the mean of their tracks, which counts like one track.

    Raises:
        QueryError: Nothing is liked, one of them is unknown or gives no signature, or the sum is zero.
    """
    if not like:
        raise QueryError("expected something to be like, found only what to be unlike; add --like TRACK")
    added = [query_from_reference(session, name) for name in like]
    taken = [query_from_reference(session, name) for name in unlike]
    total = _sum(added) - (_sum(taken) if taken else 0.0)
    norm = float(np.linalg.norm(total))
    if norm < SMALLEST_SUM:
        raise QueryError("these seeds cancel out: nothing is left to be like; leave one of them out")
    everything = [*added, *taken]
    heard = Embedding(
        (total / norm).astype(np.float32),
        np.mean([seed.heard.genres for seed in added], axis=0),
        np.mean([seed.heard.moods for seed in added], axis=0),
        mean_words([seed.heard.words for seed in added]),
        frozenset().union(*(seed.heard.itself for seed in everything)),
    )
    signs = [+1] * len(added) + [-1] * len(taken)
    seeds = [Seed(s.track_id, s.path, sign) for found, sign in zip(everything, signs, strict=True) for s in found.seeds]
    return Query(heard, tuple(seeds), tuple(track for found in everything for track in found.tracks))


def query_from_reference(session: LibrarySession, name: TrackName) -> Query:
    """One seed: a track, or the normalised mean of an artist's or an album's tracks.

    Raises:
        QueryError: There is no such track, artist or album, or no signature of it.
        SignatureError: Its stored signature does not fit the encoder.
    """
    group = group_of(name)
    if group is not None:
        return _group(session, *group)
    question, heard = session.hear(name, segments=False)
    track_id = question.track.id if question.track else None
    stored = track_id or min(heard.itself, default=0)
    _check_fit(session, stored, heard.genres, heard.moods, heard.words)
    return Query(heard, (Seed(track_id, fs_name(question.path), 1),), (question.track,) if question.track else ())


def group_of(name: TrackName) -> tuple[str, str] | None:
    """("artist", NAME) or ("album", NAME) for `artist:NAME`, `album:NAME`, unless a file is called that."""
    text = name if isinstance(name, str) else ""
    for kind, prefix in GROUPS.items():
        if text.startswith(prefix) and not Path(text).exists():
            return kind, text[len(prefix) :].strip()
    return None


def _group(session: LibrarySession, kind: str, name: str) -> Query:
    with session.database.read() as connection:
        tracks = tracks_by_names(connection, kind, [name])
        ids = [track.id for track in tracks]
        vectors = vectors_of_tracks(connection, session.encoder_id, session.coverage, ids)
        predicted = predictions(connection, session.encoder_id, session.coverage, ids)
        words = words_of_tracks(connection, session.encoder_id, session.coverage, ids)
    if not tracks:
        raise QueryError(f"no track of the library has the {kind} {name!r}; `engine search WORDS` lists what there is")
    if not len(vectors.vectors):
        raise QueryError(
            f"no track with the {kind} {name!r} has a signature of {session.encoder_id} ({session.coverage}); "
            f"add them: engine --encoder {session.encoder_id} index --coverage {session.coverage} PATH"
        )
    for track_id, each in predicted.items():
        _check_fit(session, track_id, each.genres, each.moods, words.get(track_id, ()))
    heard = Embedding(
        _unit(vectors.vectors.astype(np.float64).mean(axis=0)),
        np.mean([each.genres for each in predicted.values()], axis=0),
        np.mean([each.moods for each in predicted.values()], axis=0),
        mean_words(list(words.values())),
        frozenset(ids),
    )
    known = {int(track_id) for track_id in vectors.track_ids}
    members = tuple(track for track in tracks if track.id in known)
    return Query(heard, tuple(Seed(track.id, track.name, 1) for track in members), members)


def _check_fit(session: LibrarySession, track_id: int, genres: Sized, moods: Sized, words: Sized) -> None:
    """Raise SignatureError unless there is a number for each of the encoder's labels; words may be missing."""
    file = session.file
    heads = {"genres": (genres, file.genres), "moods": (moods, file.moods)}
    if len(words):
        heads["words"] = (words, file.words)
    for name, (numbers, labels) in heads.items():
        if len(numbers) != len(labels):
            with session.database.read() as connection:
                raise damaged(connection, track_id, f"expected {len(labels)} {name}, found {len(numbers)}")


def _sum(seeds: Sequence[Query]) -> NDArray[np.float64]:
    return np.sum([seed.heard.signature for seed in seeds], axis=0, dtype=np.float64)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float32]:
    return (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)
