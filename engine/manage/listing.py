"""Text search and totals of the library."""

from __future__ import annotations

from collections.abc import Sequence

from engine.db import Database, count_tracks, encoders, failed_files, search
from engine.indexer.pipeline.reports import FailedPath
from engine.search.results import EncoderTracks, FoundTrack, Stats


def find_tracks(database: Database, words: str | Sequence[str], limit: int | None = None) -> tuple[FoundTrack, ...]:
    """Return the tracks that match all words; see `Engine.search`."""
    with database.read() as connection:
        found = search(connection, words.split() if isinstance(words, str) else words, limit)
    return tuple(FoundTrack(track.id, track.name, track.artist, track.title, track.album) for track in found)


def count_contents(database: Database) -> Stats:
    """Return the totals of a library; see `Engine.stats`."""
    with database.read() as connection:
        counts = tuple(EncoderTracks(c.encoder, c.coverage, c.tracks) for c in encoders(connection))
        failures = tuple(FailedPath(file.display_path, file.reason) for file in failed_files(connection))
        return Stats(count_tracks(connection), len(failures), counts, failures)
