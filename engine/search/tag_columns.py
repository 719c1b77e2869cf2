"""The tags of a large library by column: the log-odds of every track for one tag, rounded to a byte.

A description names a few of some three hundred tags, so it reads only those columns, at one byte per track. Rounding
gives bounds, not scores: `engine.find.bounds` finds the few tracks that may be among the best, and those are scored
exactly. Columns are stored in a file beside the index (`engine.search.tag_columns_file`), made on first use. Tracks
added later are encoded in memory; once they and the removed ones exceed REWRITE_SHARE, the file is rewritten from the
old one and the new tracks' tags. Where it cannot be written, columns stay in memory.

Steps: 256 over RANGE deviations, from LOWEST deviations relative to a tag's mean: 0.035 z-scores a step. The outermost
steps extend to the column's minimum and maximum.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from engine.db import get_setting, live_ids, set_setting, signature_state, word_batches
from engine.errors import LibraryError, UnavailableError
from engine.indexer.vectors.exact import contains, positions
from engine.search.tag_columns_file import ENDING, Codes, OpenColumns, empty_codes, opened, written
from engine.search.tag_scores import Floats, Ids, norms_along, tag_head, tag_model
from engine.session import LibraryView

COLUMNS_FROM = 20_000  # tracks; scoring fewer one by one is about as fast
REWRITE_SHARE = 0.02
LOWEST, RANGE = -4.0, 9.0  # deviations
LAST_CODE = 255

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ColumnPart:
    """Some tracks by column.

    Attributes:
        codes: Of P tracks.
        live: (P,), the tracks that have tags and were neither replaced nor removed.
        file: The file that holds the codes, or None.
        path: That file's.
    """

    codes: Codes
    live: Mask
    file: OpenColumns | None = None
    path: Path | None = None

    def column(self, tag: int) -> NDArray[np.uint8]:
        """Return the codes (P,) of a tag.

        Raises:
            UnavailableError: The file is damaged there; it is removed.
        """
        if self.file is not None and self.path is not None and not self.file.intact(tag):
            with suppress(OSError):
                self.path.unlink()
            raise UnavailableError(
                f"tag columns {self.path} are damaged", hint="try again: the tags are safe in the library"
            )
        found: NDArray[np.uint8] = self.codes.columns[tag]
        return found

    @cached_property
    def live_rows(self) -> NDArray[np.intp]:
        """The places of the live tracks."""
        return np.flatnonzero(self.live)


@dataclass(frozen=True, eq=False)
class TagColumns:
    """The columns of a library: those of the file, and those of tracks added later."""

    parts: tuple[ColumnPart, ...]

    def norms(self, ids: Ids) -> Floats:
        """Return the norms (M,) of tracks (M,); NaN for a track without tags."""
        found = np.full(len(ids), np.nan, np.float32)
        for part in self.parts:
            own = part.codes.track_ids
            if len(own):
                rows = np.minimum(np.searchsorted(own, ids), len(own) - 1)
                there = (own[rows] == ids) & part.live[rows]
                found[there] = part.codes.norms[rows[there]]
        return found

    @property
    def intact(self) -> bool:
        """Whether no column that was read is damaged."""
        return all(part.path is None or part.path.exists() for part in self.parts)


class _Holder:
    """The columns of one state of the library, opened again when damage was found."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._columns: TagColumns | None = None

    def get(self, view: LibraryView) -> TagColumns:
        """Return the columns."""
        with self._lock:
            if self._columns is None or not self._columns.intact:
                self._columns = _open(view)
            return self._columns


def tag_columns(view: LibraryView) -> TagColumns:
    """Return the columns of a library; they are made on first use, which takes half a minute for a million tracks.

    Raises:
        QueryError: The encoder has no tags, or no track has.
    """
    holder: _Holder = view.cached("tag columns", _Holder)
    return holder.get(view)


def columns_path(view: LibraryView) -> Path:
    """Return the path of the file of columns, whether it exists or not."""
    return Path(f"{view.database.path}.{view.encoder_id.replace('@', '-')}.{view.coverage}{ENDING}")


def edges(codes: Codes, tag: int) -> tuple[Floats, Floats]:
    """Return the smallest and the largest log-odds (256,) that each code of a tag represents."""
    low, step = float(codes.lows[tag]), float(codes.steps[tag])
    lower = (low + step * np.arange(LAST_CODE + 1)).astype(np.float32)
    upper = lower + np.float32(step)
    lower[0], upper[-1] = min(lower[0], codes.least[tag]), max(upper[-1], codes.most[tag])
    margin = np.float32(1e-3 * step)  # a number is rounded before its code is taken
    return lower - margin, upper + margin


@dataclass(frozen=True, eq=False)
class _Change:
    """What changed since the file was written.

    Attributes:
        last_id: The id of the library's newest signature.
        after: That of the file's; 0 without one.
        file: The file, or None without one.
        kept: The unchanged tracks of the file, (P,).
        new: Ids of the tracks with newer signatures, ascending.
    """

    last_id: int
    after: int
    file: OpenColumns | None
    kept: Mask
    new: Ids

    @cached_property
    def ids(self) -> Ids:
        """All tracks."""
        return self.new if self.file is None else np.union1d(self.file.codes.track_ids[self.kept], self.new)

    @property
    def is_small(self) -> bool:
        """Whether the file can be used, with the new tracks in memory."""
        changed = len(self.new) + int((~self.kept).sum())
        return self.file is not None and changed <= REWRITE_SHARE * len(self.kept)


def _open(view: LibraryView) -> TagColumns:
    path, digests = columns_path(view), list[str]()
    with view.read() as connection:
        change = _change(view, connection, path)
        if change.file is not None and change.is_small:
            old = _part(change.file.codes, change.kept, change.file, path)
            new = replace(change, file=None, kept=np.zeros(0, bool))
            return TagColumns((old, _in_memory(view, connection, new)) if len(new.ids) else (old,))
        try:
            with written(path, change.last_id, len(change.ids), len(view.file.words), digests) as codes:
                _fill(view, connection, codes, change)
        except OSError:  # the columns are a cache: without a file they stay in memory
            return TagColumns((_in_memory(view, connection, change),))
    file = opened(path, digests[0], len(view.file.words))
    if file is None:
        raise UnavailableError(f"tag columns {path} were replaced", hint="try again")
    if view.is_current:  # else tags and signatures may be of different runs
        with suppress(LibraryError), view.database.write() as connection:
            set_setting(connection, _setting(view), digests[0])
    return TagColumns((_part(file.codes, np.ones(len(change.ids), bool), file, path),))


def _change(view: LibraryView, connection: Connection, path: Path) -> _Change:
    state = signature_state(connection, view.encoder_id, view.coverage)
    digest = get_setting(connection, _setting(view))
    file = None if digest is None else opened(path, digest, len(view.file.words))
    if file is not None and (len(file.codes.track_ids), file.codes.last_id) == (state.count, state.last_id):
        return _Change(state.last_id, state.last_id, file, np.ones(state.count, bool), np.zeros(0, np.int64))
    after = 0 if file is None else file.codes.last_id
    live = live_ids(connection, view.encoder_id, view.coverage)
    new = view.snapshot.known(live.track_ids[live.signature_ids > after])
    kept = np.zeros(0, bool)
    if file is not None:
        kept = contains(file.codes.track_ids, live.track_ids[live.signature_ids <= after])
    return _Change(state.last_id, after, file, kept, new)


def _in_memory(view: LibraryView, connection: Connection, change: _Change) -> ColumnPart:
    codes = empty_codes(change.last_id, len(change.ids), len(view.file.words))
    _fill(view, connection, codes, change)
    return _part(codes, np.ones(len(codes.track_ids), bool))


def _part(codes: Codes, live: Mask, file: OpenColumns | None = None, path: Path | None = None) -> ColumnPart:
    return ColumnPart(codes, live & np.isfinite(codes.norms), file, path)


def _fill(view: LibraryView, connection: Connection, codes: Codes, change: _Change) -> None:
    """Copy the file's columns, and encode the new tracks'."""
    codes.track_ids[:] = change.ids
    codes.norms[:] = np.nan
    if change.file is None:
        model = tag_model(view)
        codes.lows[:] = model.mean + LOWEST * model.deviation
        codes.steps[:] = RANGE / (LAST_CODE + 1) * model.deviation
        codes.least[:], codes.most[:] = np.inf, -np.inf
    else:
        held = change.file.codes
        places = np.searchsorted(codes.track_ids, held.track_ids[change.kept])
        codes.norms[places] = held.norms[change.kept]
        for name in ("lows", "steps", "least", "most"):
            getattr(codes, name)[:] = getattr(held, name)
        for own, other in zip(codes.columns, held.columns, strict=True):
            own[places] = other[change.kept]
    _encode(view, connection, codes, change)


def _encode(view: LibraryView, connection: Connection, codes: Codes, change: _Change) -> None:
    head, snapshot = tag_head(view), view.snapshot
    for batch in word_batches(connection, view.encoder_id, view.coverage, len(view.file.words), after_id=change.after):
        there = positions(change.new, batch.track_ids) >= 0
        ids = batch.track_ids[there]
        directions = snapshot.take(ids) @ head.weight.T  # (B, V)
        norms = norms_along(head, directions, batch.probabilities[there])
        found = norms[:, None] * directions + head.bias
        if len(ids):
            np.minimum(codes.least, found.min(axis=0), out=codes.least)
            np.maximum(codes.most, found.max(axis=0), out=codes.most)
        rounded = np.clip((found - codes.lows) / codes.steps, 0, LAST_CODE).astype(np.uint8)
        places = np.searchsorted(codes.track_ids, ids)
        codes.norms[places] = norms
        codes.columns[:, places] = rounded.T


def _setting(view: LibraryView) -> str:
    return f"tag columns {view.encoder_id} {view.coverage}"
