"""A listening history in a CSV file: columns time, path, event, separated by commas, semicolons or tabs.

`time` is ISO 8601 (UTC without an offset) or a number since 1970: seconds, or milli-, micro- or nanoseconds, recognised
by magnitude; `path` is absolute, relative to the file's folder, or `id:12`; `event` is play, skip or like. Other
columns are ignored. Unusable lines are skipped, counted and reported.
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

from engine.db import EVENTS, Play, ids_by_hash, ids_by_paths, list_plays, tracks_by_ids
from engine.db.text import displayable
from engine.errors import InvalidError, NotFoundError, QueryError, brief, reason_of
from engine.search.references import PathName, absolute_path
from engine.session import LibraryView

COLUMNS = ("time", "path", "event")
EXAMPLES = 3  # of each kind of unusable line
SEPARATORS = ",;\t"
LARGEST_SECONDS = 1e11  # the year 5138 in seconds, 1973 in milliseconds: larger numbers have a smaller unit
SMALLER_UNITS = 3  # milli, micro, nano
DAY_SECONDS = 86_400.0
RECENT_DAYS = 14.0  # before the newest event, in which tracks are not repeated
AHEAD_SECONDS = DAY_SECONDS  # tolerance for times without a time zone
ID_PREFIX = "id:"
LONGEST_ID = 18  # digits
LONGEST_LINE = 65_536  # characters of the header


@dataclass(frozen=True)
class History:
    """Events of tracks of the library in the file's order, and a line about each kind of unusable line."""

    plays: tuple[Play, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class RecentlyHeard:
    """Sorted ids of recently played tracks and their byte-identical copies; `problems` as in `History`."""

    track_ids: tuple[int, ...]
    problems: tuple[str, ...] = ()


def read_history(view: LibraryView, file: PathName) -> History:
    """Read a history. Times more than a day ahead are rejected, because ages count from the newest event.

    Raises:
        QueryError: The file cannot be read, lacks a column, or has no usable line.
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
    problem_lines = tuple(_summary(kind, found) for kind, found in problems.items() if found)
    if not plays:
        raise NotFoundError(
            f"{displayable(source)}: no event of a track of this library; {'; '.join(problem_lines) or 'it is empty'}",
            hint="name paths of indexed files, or id:12",
        )
    return History(plays, problem_lines)


def read_plays(view: LibraryView, file: PathName | None, user: str | None = None) -> History:
    """Return the events of a history file; for None those stored in the library, of one user if one is given."""
    if file is not None:
        return read_history(view, file)
    with view.read() as connection:
        return History(tuple(list_plays(connection, user)), ())


def recently_heard(
    view: LibraryView, plays: Sequence[Play], days: float, problems: tuple[str, ...] = ()
) -> RecentlyHeard:
    """Return the tracks with an event less than `days` before the newest event."""
    newest = max((play.time for play in plays), default=0.0)
    recent = {play.track_id for play in plays if newest - play.time < days * DAY_SECONDS}
    with view.read() as connection:
        hashes = {track.content_hash for track in tracks_by_ids(connection, recent).values()}
        copies = {copy for digest in hashes for copy in ids_by_hash(connection, digest)}
    return RecentlyHeard(tuple(sorted(recent | copies)), problems)


def _rows(source: bytes) -> Iterator[dict[str, str]]:
    name = displayable(source)
    if not os.path.isfile(source):  # noqa: PTH113 (bytes); opening a FIFO could block forever
        raise NotFoundError(
            f"{name}: expected a CSV file with the columns {','.join(COLUMNS)}, found no such file", hint="name one"
        )
    try:
        with open(source, encoding="utf-8-sig", errors="surrogateescape", newline="") as handle:  # noqa: PTH123 (bytes)
            first = handle.readline(LONGEST_LINE)
            separator, header = _header(first)
            reader = csv.reader(handle, delimiter=separator)
            missing = [column for column in COLUMNS if column not in header]
            if missing:
                raise InvalidError(
                    f"{name}: expected the columns {','.join(COLUMNS)} in the first line; {', '.join(missing)} missing",
                    hint="add a first line that names them",
                )
            places = {column: header.index(column) for column in COLUMNS}
            for cells in reader:
                if any(cells):
                    yield {column: cells[at] if at < len(cells) else "" for column, at in places.items()}
    except OSError as error:
        raise QueryError(
            f"{name}: cannot be read: {reason_of(error)}", hint="check its disk and permissions"
        ) from error
    except csv.Error as error:
        raise InvalidError(
            f"{name}: expected a CSV file, found something else ({error})", hint="name a CSV file"
        ) from error


def _header(line: str) -> tuple[str, list[str]]:
    """Return the separator that yields most of COLUMNS, the comma if none does, and the names in the first line."""
    headers = {
        separator: [cell.strip().casefold() for cell in next(csv.reader([line], delimiter=separator), [])]
        for separator in SEPARATORS
    }
    best = max(SEPARATORS, key=lambda separator: sum(column in headers[separator] for column in COLUMNS))
    return best, headers[best]


def _time(text: str) -> float | None:
    """Return seconds since 1970, or None for an invalid time."""
    text = text.strip()
    try:
        seconds = float(text.replace(",", "."))  # a decimal comma, common with semicolons
    except ValueError:
        return _from_iso(text)
    for _ in range(SMALLER_UNITS):
        if abs(seconds) >= LARGEST_SECONDS:
            seconds /= 1000
    return seconds if math.isfinite(seconds) else None


def _from_iso(text: str) -> float | None:
    """Return seconds since 1970 of an ISO 8601 time, UTC without an offset; None for any other text."""
    try:
        moment = datetime.fromisoformat(f"{text[:-1]}Z" if text.endswith("z") else text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _ids(view: LibraryView, folder: bytes, names: Sequence[str]) -> dict[str, int]:
    """Return the track id of each name that has one."""
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


def _summary(kind: str, found: Sequence[str]) -> str:
    different = list(dict.fromkeys(found))
    examples = ", ".join(repr(displayable(brief(text))) for text in different[:EXAMPLES])
    more = f" and {len(different) - EXAMPLES} more" if len(different) > EXAMPLES else ""
    return f"left out {len(found)} line{'s' if len(found) > 1 else ''} {kind}: {examples}{more}"
