"""A listening history in a CSV file: columns time, path, event, separated by commas, semicolons or tabs.

`time` is ISO 8601 (UTC where it names no offset) or a number since 1970: seconds, or milli-, micro- or nanoseconds,
told apart by their size; `path` is absolute, relative to the file's folder, or `id:12`; `event` is play, skip or like.
Other columns are passed over. A line that cannot be used is left out, counted and reported.
"""

from __future__ import annotations

import csv
import math
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from engine.db import EVENTS, Play, ids_by_paths, list_plays, tracks_by_hash, tracks_by_ids
from engine.db.text import displayable
from engine.errors import QueryError
from engine.search.references import PathName, absolute_path
from engine.session import LibraryView

COLUMNS = ("time", "path", "event")
NAMED = 3  # examples of each kind of line that cannot be used
SEPARATORS = ",;\t"
LARGEST_SECONDS = 1e11  # the year 5138; as milliseconds 1973: a larger number counts in a smaller unit
SMALLER_UNITS = 3  # milli, micro, nano
DAY_SECONDS = 86_400.0
RECENT_DAYS = 14.0  # before the newest event: what was heard since need not come again
AHEAD_SECONDS = DAY_SECONDS  # a time later than now by more is a mistake; less may be a time zone
ID_PREFIX = "id:"
LONGEST_ID = 18  # digits
LONGEST_LINE = 65_536  # characters of the heading


@dataclass(frozen=True)
class History:
    """Events of tracks of the library in the file's order, and a line about each kind that could not be used."""

    plays: tuple[Play, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class RecentlyHeard:
    """Tracks that were heard lately, rising, with their byte-identical copies; `problems` as in `History`."""

    track_ids: tuple[int, ...]
    problems: tuple[str, ...] = ()


def read_history(view: LibraryView, file: PathName) -> History:
    """Read a history; times further ahead than a day are mistakes, which would make all others old.

    Raises:
        QueryError: The file cannot be read or has not these columns, or none of its lines can be used.
    """
    source = absolute_path(file)
    problems: dict[str, list[str]] = defaultdict(list)
    lines = []
    latest = time.time() + AHEAD_SECONDS
    for row in _rows(source):
        when, event = _time(row["time"]), row["event"].strip().casefold()
        if event not in EVENTS:
            problems["with an event that is not play, skip or like"].append(row["event"])
        elif when is None:
            problems["with a time that is neither ISO 8601 nor seconds since 1970"].append(row["time"])
        elif when > latest:
            problems["with a time in the future"].append(row["time"])
        else:
            lines.append((when, event, row["path"]))
    ids = _ids(view, os.path.dirname(source), [path for *_, path in lines])  # noqa: PTH120 (bytes)
    problems["without a track of the library"] = [path for *_, path in lines if path not in ids]
    plays = tuple(Play(when, event, ids[path]) for when, event, path in lines if path in ids)
    told = tuple(_told(kind, found) for kind, found in problems.items() if found)
    if not plays:
        raise QueryError(
            f"{displayable(source)}: no event of a track of this library; {'; '.join(told) or 'it is empty'}"
        )
    return History(plays, told)


def read_plays(view: LibraryView, file: PathName | None) -> History:
    """Return the events of a history file, or those that the library stores for None."""
    if file is not None:
        return read_history(view, file)
    with view.read() as connection:
        return History(tuple(list_plays(connection)), ())


def recently_heard(
    view: LibraryView, plays: Sequence[Play], days: float, problems: tuple[str, ...] = ()
) -> RecentlyHeard:
    """What was heard less than so many days before the newest event, whatever the event was."""
    newest = max((play.time for play in plays), default=0.0)
    recent = {play.track_id for play in plays if newest - play.time < days * DAY_SECONDS}
    with view.read() as connection:
        hashes = {track.content_hash for track in tracks_by_ids(connection, recent).values()}
        copies = {twin.id for digest in hashes for twin in tracks_by_hash(connection, digest)}
    return RecentlyHeard(tuple(sorted(recent | copies)), problems)


def _rows(source: bytes) -> Iterator[dict[str, str]]:
    name = displayable(source)
    if not os.path.isfile(source):  # noqa: PTH113 (bytes); to open a FIFO could wait for ever
        raise QueryError(f"{name}: expected a CSV file with the columns {','.join(COLUMNS)}, found no such file")
    try:
        with open(source, encoding="utf-8-sig", errors="surrogateescape", newline="") as handle:  # noqa: PTH123 (bytes)
            first = handle.readline(LONGEST_LINE)
            separator, header = _header(first)
            reader = csv.reader(handle, delimiter=separator)
            missing = [column for column in COLUMNS if column not in header]
            if missing:
                raise QueryError(
                    f"{name}: expected the columns {','.join(COLUMNS)} in the first line; {', '.join(missing)} missing"
                )
            places = {column: header.index(column) for column in COLUMNS}
            for cells in reader:
                if any(cells):
                    yield {column: cells[at] if at < len(cells) else "" for column, at in places.items()}
    except OSError as error:
        raise QueryError(f"{name}: cannot be read: {error.strerror}") from error
    except csv.Error as error:
        raise QueryError(f"{name}: expected a CSV file, found something else ({error})") from error


def _header(line: str) -> tuple[str, list[str]]:
    """The separator that gives the most of COLUMNS, the comma where none does, and the names in the first line."""
    headers = {
        separator: [cell.strip().casefold() for cell in next(csv.reader([line], delimiter=separator), [])]
        for separator in SEPARATORS
    }
    best = max(SEPARATORS, key=lambda separator: sum(column in headers[separator] for column in COLUMNS))
    return best, headers[best]


def _time(text: str) -> float | None:
    """Seconds since 1970; None for what is no time."""
    text = text.strip()
    try:
        seconds = float(text.replace(",", "."))  # with semicolons goes the decimal comma
    except ValueError:
        return _from_iso(text)
    for _ in range(SMALLER_UNITS):
        if abs(seconds) >= LARGEST_SECONDS:
            seconds /= 1000
    return seconds if math.isfinite(seconds) else None


def _from_iso(text: str) -> float | None:
    """Seconds since 1970 of a time in ISO 8601, UTC unless it names an offset; None for any other text."""
    try:
        moment = datetime.fromisoformat(f"{text[:-1]}Z" if text.endswith("z") else text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _ids(view: LibraryView, folder: bytes, names: Sequence[str]) -> dict[str, int]:
    """The track id of each name that is one."""
    numbers = {name: int(name[len(ID_PREFIX) :]) for name in names if _is_id(name)}
    paths = {name: os.path.normpath(os.path.join(folder, os.fsencode(name))) for name in names if name.strip()}  # noqa: PTH118
    with view.read() as connection:
        files = ids_by_paths(connection, set(paths.values()))
        known = tracks_by_ids(connection, set(numbers.values()))
    by_id = {name: number for name, number in numbers.items() if number in known}
    return by_id | {name: files[path] for name, path in paths.items() if path in files}


def _is_id(name: str) -> bool:
    digits = name.removeprefix(ID_PREFIX)
    return name.startswith(ID_PREFIX) and digits.isascii() and digits.isdigit() and len(digits) <= LONGEST_ID


def _told(kind: str, found: Sequence[str]) -> str:
    different = list(dict.fromkeys(found))
    examples = ", ".join(repr(displayable(text)) for text in different[:NAMED])
    more = f" and {len(different) - NAMED} more" if len(different) > NAMED else ""
    return f"left out {len(found)} line{'s' if len(found) > 1 else ''} {kind}: {examples}{more}"
