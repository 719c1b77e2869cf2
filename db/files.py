"""Files: known ones that the next run may skip, failures with their reasons, and the roots to index.

A row of `skipped` beside a track means that the track's file could not be read the last time.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Connection, delete, func, select

from engine.db.dialects import dialect_of
from engine.db.schema import roots as root_table, skipped, tracks
from engine.db.text import Folder, absolute, clean, displayable

NEVER_READ = -1  # size and time that no file has: the file counts as changed, and is read again


@dataclass(frozen=True, slots=True)
class FileState:
    """The state of a known file: a track (its id), a skipped file (no id), or a track that could not be read."""

    track_id: int | None
    size: int  # bytes
    mtime_ns: int
    failed: bool | None = None  # True: the last reading failed; False: it holds no audio; None: a track, as it was read
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class FailedFile:
    """A file that should have given a signature and did not; it may have a track, of its earlier content."""

    path: bytes
    size: int  # bytes
    mtime_ns: int
    reason: str

    @property
    def display_path(self) -> str:
        """The path for people: bytes that are not UTF-8 as U+FFFD, control characters as escapes."""
        return displayable(self.path)


def known_files(connection: Connection, below: Iterable[bytes] = (b"/",)) -> dict[bytes, FileState]:
    """Return every known file at or below some paths, track or skipped, by path."""
    folders, known = [Folder.of(path) for path in below], {}
    for folder in folders:
        columns = select(tracks.c.path, tracks.c.id, tracks.c.size, tracks.c.mtime_ns)
        for path, track_id, size, mtime_ns in connection.execute(columns.where(folder.condition(tracks.c.path))):
            known[path] = FileState(track_id, size, mtime_ns)
        for path, *state in connection.execute(select(skipped).where(folder.condition(skipped.c.path))):
            track = known.get(path)
            known[path] = replace(track, failed=state[2], reason=state[3]) if track else FileState(None, *state)
    return known


def put_skipped(
    connection: Connection, path: bytes, size: int, mtime_ns: int, failed: bool, reason: str, *, passing: bool = False
) -> None:
    """Record that a file gives no signature, and the reason.

    A track at this path remains, with its id, plays and signatures: an unreadable file does not mean that its music
    is gone.

    Args:
        connection: A connection of the library, from `Database.write`.
        path: os.fsencode of the absolute path.
        size: Bytes.
        mtime_ns: Time of the file's last change.
        failed: True for a file that should have given a signature; False for one without audio.
        reason: One line for the user.
        passing: The cause is outside the file (permissions, a network drive, memory): the next run reads it again.

    Raises:
        LibraryError: The path is relative.
    """
    size, mtime_ns = (NEVER_READ, NEVER_READ) if passing else (size, mtime_ns)
    values = {
        "path": absolute(path),
        "size": size,
        "mtime_ns": mtime_ns,
        "failed": failed,
        "reason": clean(reason),
    }
    connection.execute(dialect_of(connection).upsert(skipped, [skipped.c.path], values))


def forget_skipped(connection: Connection, paths: Iterable[bytes]) -> int:
    """Delete the records of these skipped files, so that the next run reads them; return how many there were."""
    return sum(connection.execute(delete(skipped).where(skipped.c.path == path)).rowcount for path in paths)


def failed_files(connection: Connection) -> list[FailedFile]:
    """Return the files that should have given a signature and did not, by path."""
    columns = (skipped.c.path, skipped.c.size, skipped.c.mtime_ns, skipped.c.reason)
    found = connection.execute(select(*columns).where(skipped.c.failed).order_by(skipped.c.path))
    return [FailedFile(*row) for row in found]


def count_failed(connection: Connection) -> int:
    """Return the number of files that should have given a signature and did not."""
    return int(connection.execute(select(func.count()).select_from(skipped).where(skipped.c.failed)).scalar_one())


def add_root(connection: Connection, path: bytes) -> None:
    """Record a file or folder that the user indexed; raise LibraryError if the path is relative."""
    connection.execute(dialect_of(connection).insert_missing(root_table, {"path": absolute(path)}))


def roots(connection: Connection) -> list[bytes]:
    """Return the files and folders that the user indexed, by path."""
    return list(connection.execute(select(root_table.c.path).order_by(root_table.c.path)).scalars())


def remove_roots(connection: Connection, paths: Iterable[bytes]) -> int:
    """Delete the records of indexed files or folders, but not their tracks; return how many there were."""
    return sum(connection.execute(delete(root_table).where(root_table.c.path == path)).rowcount for path in paths)
