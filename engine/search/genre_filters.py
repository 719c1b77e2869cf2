"""Which tracks have a genre: by tag, or by prediction if the tag names none that the encoder knows."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.db import Labels, labels_of_tracks, tracks_by_genre
from engine.db.text import fold
from engine.errors import NotFoundError
from engine.models.labels import own_name, spellings, tag_names
from engine.session import LibraryView

TYPO_RATIO = 0.6  # of difflib: above it an unknown name is probably a misspelling


@dataclass(frozen=True, eq=False)
class _Genres:
    """The genres of all tracks.

    Attributes:
        tagged: For each genre tag, its names and the ids of its tracks.
        names: Of all tags, and of the encoder's genres.
        predicted_ids, predicted_genres: Tracks whose tag names none of the encoder's genres, and the index of the
            predicted one.
    """

    tagged: list[tuple[frozenset[str], NDArray[np.int64]]]
    names: frozenset[str]
    predicted_ids: NDArray[np.int64]
    predicted_genres: NDArray[np.int16]


def of_genres(view: LibraryView, wanted: Sequence[str]) -> NDArray[np.int64] | None:
    """Return the ids of the tracks that have any of some genres, ascending; None without any.

    A genre may be a name ("rock") or several as a tag joins them ("Rock; Indie"): then a track needs all of these.

    Raises:
        NotFoundError: No track has such a genre; the hint names the nearest.
    """
    if not wanted:
        return None
    genres = view.file.genres
    known: _Genres = view.cached_tags("genres", lambda: _read_genres(view))
    chosen = [_names(name, genres, known.names) for name in wanted]
    single = [i for i, genre in enumerate(genres) if {genre} in chosen]
    tagged = (ids for names, ids in known.tagged if any(each <= names for each in chosen))
    return np.unique(np.concatenate([known.predicted_ids[np.isin(known.predicted_genres, single)], *tagged]))


def predicted_labels(view: LibraryView) -> Labels:
    """Return the likeliest genre and mood of every track."""
    return view.cached("labels", lambda: _read_labels(view))


def unknown_name(kind: str, name: str, known: Iterable[str]) -> NotFoundError:
    """Return the error for a name that no track has; its hint is the nearest of the known ones."""
    spelled = {fold(each): each for each in known}
    near = difflib.get_close_matches(fold(name), spelled, n=1, cutoff=TYPO_RATIO)
    hint = f"did you mean {spelled[near[0]]!r}?" if near else "`engine search WORDS` lists the names"
    return NotFoundError(f"no track of the library has the {kind} {name!r}", hint=hint)


def _names(name: str, genres: Sequence[str], known: frozenset[str]) -> frozenset[str]:
    """Return the genres that a name stands for: one, or all of a tag as it is written."""
    own = own_name(name)
    whole = own if own in genres else spellings().get(own, own)
    if whole in known:
        return frozenset((whole,))
    parts = frozenset(tag_names(name, genres))
    if parts and parts <= known:
        return parts
    raise unknown_name("genre", name, known)


def _read_genres(view: LibraryView) -> _Genres:
    genres = view.file.genres
    with view.read() as connection:
        tagged = [(frozenset(tag_names(tag, genres)), ids) for tag, ids in tracks_by_genre(connection).items()]
    labels = predicted_labels(view)
    by_tag = np.concatenate([np.zeros(0, np.int64), *(ids for names, ids in tagged if names & set(genres))])
    untagged = ~np.isin(labels.track_ids, by_tag)
    names = frozenset(genres).union(*(each for each, _ in tagged))
    return _Genres(tagged, names, labels.track_ids[untagged], labels.genres[untagged])


def _read_labels(view: LibraryView) -> Labels:
    with view.read() as connection:
        return labels_of_tracks(connection, view.encoder_id, view.coverage)
