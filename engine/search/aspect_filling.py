"""Rhythm and harmony of tracks that lack them: a few are described on first use, many by `engine index --features`."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.db import tracks_without_aspects
from engine.db.text import displayable
from engine.errors import AudioError, QueryError
from engine.search.results import Seed
from engine.session import LibraryView

FEW = 16  # most tracks that a query describes on the fly; a second of work

Floats = NDArray[np.float32]


def describe_few(view: LibraryView, kinds: Sequence[str]) -> None:
    """Describe and store the tracks that lack one of these kinds, if they are few; unreadable files are skipped.

    Each is tried once until signatures change.
    """
    view.cached(f"described {kinds}", lambda: _describe_few(view, kinds))


def described(view: LibraryView, seed: Seed) -> dict[str, Floats]:
    """Return rhythm and harmony of a file by kind, decoding it.

    Raises:
        QueryError: It cannot be read.
    """
    from engine.indexer.features.describing import describe_file

    try:
        return describe_file(view.decoders, os.fsencode(seed.path))
    except AudioError as error:
        raise QueryError(f"{displayable(seed.path)}: {error.message}", hint=error.hint) from error


def _describe_few(view: LibraryView, kinds: Sequence[str]) -> bool:
    if not kinds:
        return False
    with view.read() as connection:
        lacking = tracks_without_aspects(connection, kinds, [b"/"])
    if not 0 < len(lacking) <= FEW:
        return False
    from engine.errors import LibraryError
    from engine.indexer.features.describing import describe_tracks

    try:
        describe_tracks(view.database, lacking, view.threads)
    except LibraryError:  # the library cannot be written: the query is answered without them
        return False
    return True
