"""Lyrics from tags: plain text, or LRC with the time of each line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

NAMES = ("lyrics", "syncedlyrics", "unsyncedlyrics", "unsynced lyrics", "uslt")
PREFIXES = ("lyrics-", "lyrics:")  # with a language
TIME = re.compile(r"\[(\d{1,3}):(\d{1,2}(?:[.:]\d{1,3})?)\]")
INFORMATION = re.compile(r"\[[a-z#]+:[^\]]*\]\s*")
LONGEST = 100_000  # characters


@dataclass(frozen=True)
class Line:
    """A line, and its start (ms), if known."""

    text: str
    start_ms: int | None


@dataclass(frozen=True)
class Lyrics:
    """The lines of a song; `synced` if all have times."""

    lines: tuple[Line, ...]
    synced: bool


def lyrics_of(tags: Mapping[str, str]) -> Lyrics | None:
    """Return the lyrics in a file's tags, or None."""
    names = [*NAMES, *sorted(name for name in tags if name.startswith(PREFIXES))]
    text = next((tags[name] for name in names if tags.get(name, "").strip()), None)
    return None if text is None else parse_lyrics(text[:LONGEST])


def parse_lyrics(text: str) -> Lyrics:
    """Read lyrics; they count as synced if any line has a time, and lines without one are left out then."""
    plain, timed = [], []
    for line in text.splitlines():
        times = TIME.findall(line)
        words = TIME.sub("", line).strip()
        timed += [Line(words, _milliseconds(minutes, seconds)) for minutes, seconds in times]
        if not INFORMATION.fullmatch(line):
            plain.append(Line(line.strip(), None))
    if timed:
        return Lyrics(tuple(sorted(timed, key=lambda line: line.start_ms or 0)), synced=True)
    return Lyrics(tuple(plain), synced=False)


def _milliseconds(minutes: str, seconds: str) -> int:
    return round(60_000 * int(minutes) + 1000 * float(seconds.replace(":", ".")))
