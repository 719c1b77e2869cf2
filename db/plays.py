"""The history of plays, skips and likes."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, insert, select

from engine.db.dialects.types import malformed, python_types, unchecked
from engine.db.schema import LOCAL_USER, plays, tracks
from engine.db.text import portions

EVENTS = ("play", "skip", "like")
FIELDS = (plays.c.time, plays.c.event, plays.c.track_id, plays.c.user)  # of Play
TYPES = [python_types(column) for column in FIELDS]


@dataclass(frozen=True, slots=True, order=True)
class Play:
    """One event: time (seconds since 1970), kind ("play", "skip" or "like"), track, and the user of a server."""

    time: float
    event: str
    track_id: int
    user: str = LOCAL_USER


def add_plays(connection: Connection, new: Iterable[Play]) -> int:
    """Write plays and return how many were new: a user's same event of a track at the same time is stored once.

    Tracks that are not in the library are ignored.
    """
    wanted = set(new)
    ids = {play.track_id for play in wanted}
    statements = (select(tracks.c.id).where(tracks.c.id.in_(portion)) for portion in portions(ids))
    known = {track_id for statement in statements for track_id in connection.execute(statement).scalars()}
    added = sorted(play for play in wanted - set(list_plays(connection)) if play.track_id in known)
    if added:
        connection.execute(insert(plays), [asdict(play) for play in added])
    return len(added)


def list_plays(connection: Connection, user: str | None = None) -> list[Play]:
    """Return the plays of a user, or of all users for None, the oldest first."""
    columns = select(*map(unchecked, FIELDS))
    if user is not None:
        columns = columns.where(plays.c.user == user)
    rows = connection.execute(columns.order_by(plays.c.time, plays.c.id)).all()
    if not all(all(map(isinstance, row, TYPES)) for row in rows):
        raise malformed("a value of a play has another type than its column")
    return [Play(*row) for row in rows]
