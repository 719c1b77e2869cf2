"""Move a folder of the library to another path, after its files were moved or its disk was mounted elsewhere."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, select, update

from engine.db.departed import relocate_departed
from engine.db.dialects import dialect_of
from engine.db.files import add_root, put_skipped, remove_roots
from engine.db.schema import roots as root_table, skipped, tracks
from engine.db.text import VARIABLES, Folder, displayable
from engine.db.text_search import put_search_texts
from engine.db.tracks import COLUMNS, Track, read_tracks, searchable
from engine.errors import LibraryError

MOVING = b"\0"  # prefix of paths being rewritten; no real path has it
AFTER_MOVING = b"\1"


def relocate(connection: Connection, old: bytes, new: bytes) -> int:
    """Rewrite the paths of `old`, and of everything below it, to `new`: in tracks, skipped files and roots.

    Matches whole path components: `/music` does not match `/music2`. Either may be below the other. No file is touched.
    A skipped file is deleted if another row takes its path.

    Returns:
        The number of tracks moved.

    Raises:
        LibraryError: A path is relative, or a track outside `old` has one of the new paths; nothing changed.
    """
    source, target = Folder.of(old), Folder.of(new)
    _refuse_collisions(connection, source, target)
    unread = _unread_tracks(connection, source)
    _relocate_skipped(connection, source, target)
    _relocate_roots(connection, source, target)
    relocate_departed(connection, source, target)
    moved = _relocate_tracks(connection, source, target)
    for row in unread:
        put_skipped(connection, source.rebased(row.path, target), row.size, row.mtime_ns, True, row.reason)
    return moved


def _refuse_collisions(connection: Connection, source: Folder, target: Folder) -> None:
    for rows in _track_portions(connection, source):
        wanted = [source.rebased(row.path, target) for row in rows]
        for path in connection.execute(select(tracks.c.path).where(tracks.c.path.in_(wanted))).scalars():
            if not source.holds(path):
                step = "remove that track, or choose another folder"
                raise LibraryError(
                    f"cannot move {displayable(source.path)} there: {displayable(path)} is a track already", hint=step
                )


def _track_portions(connection: Connection, folder: Folder) -> Iterator[list[Track]]:
    """Yield the tracks of a folder in the order of their ids, at most VARIABLES at a time."""
    found = select(*COLUMNS).where(folder.condition(tracks.c.path)).order_by(tracks.c.id).limit(VARIABLES)
    last = 0
    while rows := read_tracks(connection.execute(found.where(tracks.c.id > last))):
        yield rows
        last = rows[-1].id


def _unread_tracks(connection: Connection, folder: Folder) -> Sequence[Row[Any]]:
    """Return the rows of `skipped` for paths of tracks: files that could not be read the last time."""
    beside = select(skipped).join_from(skipped, tracks, tracks.c.path == skipped.c.path)
    return connection.execute(beside.where(folder.condition(skipped.c.path))).all()


def _relocate_skipped(connection: Connection, source: Folder, target: Folder) -> None:
    rows = connection.execute(select(skipped).where(source.condition(skipped.c.path))).all()
    connection.execute(delete(skipped).where(source.condition(skipped.c.path)))
    for row in rows:
        path = source.rebased(row.path, target)
        taken = connection.execute(select(tracks.c.path).where(tracks.c.path == path)).scalar_one_or_none()
        if taken is None or source.holds(path):  # a track of the folder is about to leave this path
            values = {**row._mapping, "path": path}
            connection.execute(dialect_of(connection).upsert(skipped, [skipped.c.path], values))


def _relocate_roots(connection: Connection, source: Folder, target: Folder) -> None:
    moving = connection.execute(select(root_table.c.path).where(source.condition(root_table.c.path))).scalars().all()
    remove_roots(connection, moving)
    for path in moving:
        add_root(connection, source.rebased(path, target))


def _relocate_tracks(connection: Connection, source: Folder, target: Folder) -> int:
    """Rewrite in two steps, through a prefix that no path has: folders may overlap, and paths must stay unique."""
    marked = dialect_of(connection).prefixed(MOVING, tracks.c.path)
    aside = update(tracks).where(source.condition(tracks.c.path)).values(path=marked)
    moved = connection.execute(aside).rowcount
    moving = select(*COLUMNS).where(tracks.c.path >= MOVING, tracks.c.path < AFTER_MOVING).limit(VARIABLES)
    while rows := read_tracks(connection.execute(moving)):
        paths = [source.rebased(track.path.removeprefix(MOVING), target) for track in rows]
        connection.execute(delete(skipped).where(skipped.c.path.in_(paths)))
        rewrite = update(tracks).where(tracks.c.id == bindparam("moved_id"))
        values = [{"moved_id": track.id, "path": path} for track, path in zip(rows, paths, strict=True)]
        connection.execute(rewrite, values)
        put_search_texts(connection, {t.id: searchable(t, path) for t, path in zip(rows, paths, strict=True)})
    return moved
