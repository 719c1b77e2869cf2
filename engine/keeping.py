"""The part of `Engine` that keeps a library: what goes in, what goes out, what it holds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from sqlalchemy import Connection

from engine.db import (
    Track,
    count_tracks,
    encoders,
    failed_files,
    matrix,
    relocate,
    remove_tracks,
    search,
    tracks_below,
    tracks_by_ids,
)
from engine.db.text import Folder, displayable
from engine.errors import LibraryError, QueryError
from engine.indexer.features.measuring import measure_tracks
from engine.indexer.pipeline.ingest import IndexOptions, Ingest
from engine.indexer.pipeline.reports import FailedPath, IndexProgress, IndexReport, MeasureReport
from engine.manage.export import check_target, write_export
from engine.search.references import ID_PATTERN, PathName, TrackName, absolute_path, resolve
from engine.search.results import EncoderTracks, FoundTrack, Stats
from engine.session import LibrarySession


class Keeping:
    """Adds, removes, moves, lists. `Engine` is one."""

    def __init__(self, session: LibrarySession) -> None:
        self._session = session

    def index(
        self,
        paths: Iterable[PathName] | PathName,
        progress: Callable[[IndexProgress], None] | None = None,
        *,
        prune: bool = False,
        force: bool = False,
        retry: bool = False,
        follow_links: bool = False,
    ) -> IndexReport:
        """Index files and folders; what is known and unchanged is not opened.

        Args:
            paths: One or several, files or folders.
            progress: Called after each file that needed work.
            prune: Remove tracks whose files are gone; `force` even when that looks like a disk that is not mounted.
            retry: Read files again that failed before.
            follow_links: Follow links that lead out of the folders given. Otherwise only links to places inside them
                are followed; tracks behind others stay, and are not gone.

        Raises:
            LibraryError: The library cannot be written. What was committed before is kept.
        """
        listed = [paths] if isinstance(paths, str | bytes | os.PathLike) else list(paths)
        roots = [absolute_path(path) for path in listed]
        session = self._session
        session.adopt()
        options = IndexOptions(session.threads, prune, force, retry, follow_links)
        ingest = Ingest(session.database, session.encoder, session.encoder_id, session.coverage, options)
        report = ingest.run(roots, progress or (lambda _: None))
        session.indexed(bool(report.new or report.moved or report.pruned))
        return report

    def measure(
        self, paths: Iterable[PathName] | PathName, progress: Callable[[IndexProgress], None] | None = None
    ) -> MeasureReport:
        """Measure tempo, key and loudness of the library's tracks, where it was not done; decodes whole files.

        `audio_features` tells what was found. A file that fails is reported and does not stop the run; one that is
        gone is passed over.

        Args:
            paths: One or several files and folders: their tracks, with all below them.
            progress: Called after each file.

        Raises:
            LibraryError: The library cannot be written. What was committed before is kept.
        """
        listed = [paths] if isinstance(paths, str | bytes | os.PathLike) else list(paths)
        roots = [absolute_path(path) for path in listed]
        return measure_tracks(self._session.database, roots, self._session.threads, progress or (lambda _: None))

    def search(self, words: str | Sequence[str], limit: int | None = None) -> tuple[FoundTrack, ...]:
        """Tracks in whose artist, title, album, genre or path every word occurs, whatever its case."""
        with self._session.database.read() as connection:
            found = search(connection, words.split() if isinstance(words, str) else words, limit)
        return tuple(FoundTrack(t.id, t.name, t.artist, t.title, t.album) for t in found)

    def stats(self) -> Stats:
        """What the library holds."""
        with self._session.database.read() as connection:
            counts = tuple(EncoderTracks(c.encoder, c.coverage, c.tracks) for c in encoders(connection))
            failures = tuple(FailedPath(file.display_path, file.reason) for file in failed_files(connection))
            return Stats(count_tracks(connection), len(failures), counts, failures)

    def remove(self, tracks: Iterable[TrackName] | TrackName) -> int:
        """Remove tracks (ids, files, folders with all below them) from the library, not the disk; returns how many.

        Raises:
            QueryError: One of them is not in the library; then nothing was removed.
        """
        listed = [tracks] if isinstance(tracks, int | str | bytes | os.PathLike) else list(tracks)
        with self._session.database.write() as connection:
            ids: set[int] = set()
            for name in listed:
                ids |= _tracks_named(connection, name)
            return remove_tracks(connection, ids)

    def relocate(self, old: str | os.PathLike[str], new: str | os.PathLike[str]) -> int:
        """Follow a library that moved from `old` to `new`; no file is read. Returns the number of tracks.

        Raises:
            LibraryError: `old` holds no track, `new` none of the files, or a path of `new` is another track's.
        """
        before, after = absolute_path(old), absolute_path(new)
        with self._session.database.write() as connection:
            moving = [track.path for track in tracks_below(connection, before)]
            if not moving:
                raise LibraryError(
                    f"expected tracks of the library below {displayable(before)}, found none; nothing changed"
                )
            source, target = Folder.of(before), Folder.of(after)
            if not any(os.path.lexists(source.rebased(path, target)) for path in moving):
                raise LibraryError(
                    f"expected the moved files below {displayable(after)}, found none of them; move them there first"
                )
            return relocate(connection, before, after)

    def export(self, file: str | os.PathLike[str]) -> int:
        """Write all signatures as .npz: `ids, paths, signatures, encoder`; returns how many tracks.

        Raises:
            OutputError: Something else than an earlier export lies there.
            LibraryError: The file cannot be written.
        """
        check_target(Path(file))
        with self._session.database.read() as connection:
            stored = matrix(connection, self._session.encoder_id, self._session.coverage)
            tracks = tracks_by_ids(connection, [int(track_id) for track_id in stored.track_ids])
        paths = [tracks[int(track_id)].name for track_id in stored.track_ids]
        write_export(Path(file), self._session.encoder_id, stored, paths)
        return len(paths)


def _tracks_named(connection: Connection, name: TrackName) -> set[int]:
    below: list[Track] = []
    if not isinstance(name, int) and (os.path.lexists(name) or not ID_PATTERN.fullmatch(str(name))):
        below = tracks_below(connection, absolute_path(name))
    if below:
        return {track.id for track in below}
    question = resolve(connection, name)
    if question.track is None:
        raise QueryError(f"{displayable(question.path)} is not in the library; nothing was removed")
    return {question.track.id}
