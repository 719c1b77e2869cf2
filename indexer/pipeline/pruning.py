"""Find missing files of tracks; distinguish deleted files from an unmounted disk before removing anything."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from engine.db import Database, FileState, Track, forget_skipped, remove_tracks
from engine.db.text import SEPARATOR, Folder, displayable
from engine.errors import reason_of

LARGEST_SHARE = 0.5  # of a run's tracks that may be pruned without force


@dataclass(frozen=True)
class Folders:
    """Files or folders and everything below them. To ask about a path takes as long among many as among one."""

    paths: frozenset[bytes]  # as in Folder

    @classmethod
    def of(cls, paths: Iterable[bytes]) -> Folders:
        """Return the folders at absolute paths; raise LibraryError if one is relative."""
        return cls(frozenset(Folder.of(path).path for path in paths))

    def hold(self, path: bytes) -> bool:
        """Return whether a path is one of these or below one."""
        end = len(path)
        while end >= 0:
            if path[:end] in self.paths:
                return True
            end = path.rfind(SEPARATOR, 0, end)
        return False


def is_gone(path: bytes) -> bool:
    """Return whether a file does not exist; one that cannot be examined (failing or locked disk) counts as existing."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def why_not_as_indexed(track: Track) -> str | None:
    """Return why a track's file differs from the indexed one, or None."""
    try:
        status = os.stat(track.path)  # noqa: PTH116 (bytes)
    except OSError as error:
        return f"cannot be opened: {reason_of(error)}"
    if track.differs(status):
        return "changed since it was indexed; index it again: engine index PATH"
    return None


def find_vanished(roots: Sequence[bytes], known: dict[bytes, FileState], untouchable: Collection[bytes]) -> list[bytes]:
    """Return sorted known paths below `roots` without a file, except below `untouchable` (unreadable folders)."""
    folders, closed = Folders.of(roots), Folders.of(untouchable)
    return sorted(path for path in known if folders.hold(path) and not closed.hold(path) and is_gone(path))


def refuse_prune(roots: Sequence[bytes], vanished: Sequence[bytes], known: dict[bytes, FileState]) -> str | None:
    """Return why pruning is unsafe (a root missing or empty, more than half of its tracks missing), or None."""
    for root in roots:
        if not os.path.lexists(root):
            return f"nothing was pruned: {displayable(root)} is missing; if that is meant, add --force"
        if os.path.isdir(root) and not os.listdir(root):  # noqa: PTH112, PTH208 (bytes)
            return (
                f"nothing was pruned: {displayable(root)} is empty (a disk not mounted?); if that is meant, add --force"
            )
    folders = Folders.of(roots)
    tracks = [path for path, state in known.items() if state.track_id is not None]
    below = sum(map(folders.hold, tracks))
    gone = sum(known[path].track_id is not None for path in vanished)
    if gone > LARGEST_SHARE * below:
        return f"nothing was pruned: {gone} of {below} tracks would go, more than half; if that is meant, add --force"
    return None


def remove_vanished(database: Database, vanished: Sequence[bytes], known: dict[bytes, FileState]) -> int:
    """Remove the tracks and the records of skipped files at these paths; return the number of tracks."""
    ids = [known[path].track_id for path in vanished]
    with database.write() as connection:
        forget_skipped(connection, vanished)
        return remove_tracks(connection, [track_id for track_id in ids if track_id is not None])
