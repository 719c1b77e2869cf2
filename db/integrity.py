"""Checks of a whole library: the database file itself, references between rows, and rows that contradict each other."""

from sqlalchemy import Connection, Table, delete, func, select

from engine.db.departed import set_orphans_aside
from engine.db.dialects import dialect_of
from engine.db.schema import aspects, audio_features, fingerprints, search_texts, segments, signatures, tracks, words
from engine.db.text import VARIABLES, portions
from engine.db.text_search import drop_search_texts, outdated_texts, put_search_texts
from engine.db.tracks import COLUMNS, read_tracks, searchable, tracks_by_ids

MOST_PROBLEMS = 20  # listed for a damaged library
# Rows that can be recomputed from the file of their track.
DERIVED: tuple[Table, ...] = (signatures, fingerprints, audio_features, aspects)


def database_problems(connection: Connection) -> list[str]:
    """Return the database system's own findings: damaged pages, indexes that disagree with tables; empty if sound."""
    return dialect_of(connection).problems(connection, MOST_PROBLEMS)


def dangling_rows(connection: Connection) -> dict[str, int]:
    """Return the number of rows by table that refer to a track or signature that does not exist."""
    return dialect_of(connection).dangling(connection)


def remove_dangling_rows(connection: Connection) -> int:
    """Remove derived rows without their track or signature, and move plays without a track away; return how many."""
    removed = set_orphans_aside(connection)
    for table in DERIVED:
        lost = table.c.track_id.not_in(select(tracks.c.id))
        removed += connection.execute(delete(table).where(lost)).rowcount
    for table in (segments, words):
        lost = table.c.signature_id.not_in(select(signatures.c.id))
        removed += connection.execute(delete(table).where(lost)).rowcount
    unsearchable = select(search_texts.c.track_id).where(search_texts.c.track_id.not_in(select(tracks.c.id)))
    ids = list(connection.execute(unsearchable).scalars())
    drop_search_texts(connection, ids)
    return removed + len(ids)


def signatures_without_segments(connection: Connection) -> int:
    """Return the number of signatures without segments: they can be searched, but not explained."""
    lost = signatures.c.id.not_in(select(segments.c.signature_id))
    return int(connection.execute(select(func.count()).select_from(signatures).where(lost)).scalar_one())


def stale_search_texts(connection: Connection) -> list[int]:
    """Return the ids of the tracks that text search does not find by their current tags and path."""
    stale, last = [], 0
    page = select(*COLUMNS).order_by(tracks.c.id).limit(VARIABLES)
    while found := read_tracks(connection.execute(page.where(tracks.c.id > last))):
        stale += outdated_texts(connection, {track.id: searchable(track, track.path) for track in found})
        last = found[-1].id
    return stale


def renew_search_texts(connection: Connection, ids: list[int]) -> None:
    """Rewrite the searchable texts of tracks."""
    for part in portions(ids):
        found = tracks_by_ids(connection, part)
        put_search_texts(connection, {track.id: searchable(track, track.path) for track in found.values()})
