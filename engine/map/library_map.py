"""The map of a library: every track is a point, and tracks that sound alike are close together."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from engine.db import predictions, tracks_by_ids
from engine.db.text import displayable
from engine.errors import InvalidError, UnavailableError, reason_of
from engine.map.projection import Places, check_method, place
from engine.map.results import LibraryMap, MapPoint, MapTrack, Sheet
from engine.models.labels import map_tag
from engine.search.aspect_view import AspectView
from engine.session import LibraryView
from engine.util.atomic_files import PAGE, PICTURE, replacing

ENDINGS = (".html", ".png")


def map_library(
    view: LibraryView,
    out: str | os.PathLike[str] | None,
    method: str = "pca",
    dims: int = 2,
    by: AspectView | None = None,
) -> LibraryMap:
    """Place every track and draw the map if a file is given; see `Engine.map`."""
    check_method(method, dims)
    target = None if out is None else _checked(out)
    snapshot = (by or view).filled_snapshot
    ids = np.sort(snapshot.ids)  # independent of the snapshot's order
    if target is None:
        return _answer(method, ids, place(snapshot.take(ids), method, dims, view.threads))
    with _writing(target) as handle:  # fail on an unwritable file before the long part
        places = place(snapshot.take(ids), method, dims, view.threads)
        title = displayable(view.database.path.stem) + (f" by {', '.join(by.weights.names)}" if by else "")
        _draw(handle, target, Sheet(title, method, places, _describe(view, ids)))
    return _answer(method, ids, places)


def labelled_map(view: LibraryView) -> Sheet:
    """Place every track in the plane by PCA and label it; see `Engine.map_sheet`."""
    snapshot = view.filled_snapshot
    ids = np.sort(snapshot.ids)
    places = place(snapshot.take(ids), "pca", 2, view.threads)
    return Sheet(displayable(view.database.path.stem), "pca", places, _describe(view, ids))


def _checked(out: str | os.PathLike[str]) -> Path:
    target = Path(out)
    if target.suffix.lower() not in ENDINGS:
        raise InvalidError(
            f"expected a file that ends in {' or '.join(ENDINGS)}, found {displayable(target)!r}",
            hint="use .html for a page, .png for a picture",
        )
    if not os.path.isdir(target.parent):  # noqa: PTH112 (`Path.is_dir` fails for names that are too long)
        raise UnavailableError(
            f"cannot write {displayable(target)}: folder {displayable(target.parent)} does not exist",
            hint="create it first",
        )
    if os.path.isdir(target):  # noqa: PTH112
        raise UnavailableError(f"cannot write {displayable(target)}: it is a folder", hint="choose another name")
    return target


@contextmanager
def _writing(target: Path) -> Iterator[BinaryIO]:
    try:
        with replacing(target, PICTURE if target.suffix.lower() == ".png" else PAGE) as handle:
            yield handle
    except OSError as error:
        reason = reason_of(error)
        raise UnavailableError(
            f"cannot write {displayable(target)}: {reason}", hint="free space or choose another place"
        ) from error


def _draw(handle: BinaryIO, target: Path, sheet: Sheet) -> None:
    if target.suffix.lower() == ".png":
        from engine.map.picture import draw_picture

        draw_picture(handle, sheet)
    else:
        from engine.map.page import make_page

        handle.write(make_page(sheet))


def _describe(view: LibraryView, ids: NDArray[np.int64]) -> tuple[MapTrack, ...]:
    """Return the labels of each track."""
    genres, moods = view.file.genres, view.file.moods
    with view.read() as connection:
        tracks = tracks_by_ids(connection, ids.tolist())
        predicted = predictions(connection, view.encoder_id, view.coverage, ids.tolist(), (len(genres), len(moods)))
    tags = {tag: next(iter(map_tag(tag, genres)), None) for tag in {track.genre for track in tracks.values()}}
    described = []
    for track_id in ids.tolist():
        track, prediction = tracks.get(track_id), predicted.get(track_id)
        if track is None or prediction is None:  # since removed
            described.append(MapTrack(track_id, None, "", None, False, None, None))
            continue
        tag, mood = tags[track.genre], _likeliest(moods, prediction.moods)
        genre = tag or _likeliest(genres, prediction.genres)
        artist, title = (
            displayable(track.artist or "") or None,
            displayable(track.title or track.name.rsplit("/", 1)[-1]),
        )
        described.append(MapTrack(track_id, artist, title, genre, tag is None, mood, track.year))
    return tuple(described)


def _likeliest(names: Sequence[str], probabilities: NDArray[np.float32]) -> str | None:
    return names[int(np.argmax(probabilities))] if len(names) else None


def _answer(method: str, ids: NDArray[np.int64], places: Places) -> LibraryMap:
    columns = places.coordinates.T.tolist()
    x, y, z = columns if len(columns) == 3 else (*columns, [None] * len(ids))
    points = tuple(map(MapPoint, ids.tolist(), x, y, z))
    return LibraryMap(method, None if places.shares is None else min(1.0, sum(places.shares)), points)
