"""Values as users write them: years, durations, tempos, a part of a track, a folder."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click

CLOCK = re.compile(r"(?:\d+:){0,2}\d+(?:\.\d+)?")


class Span(click.ParamType):
    """FROM-TO, FROM-, -TO, or one value for both sides.

    Args:
        name: The expected form, for messages.
        read: Turns one side into a number; raises ValueError.
    """

    def __init__(self, name: str, read: Callable[[str], float]) -> None:
        self.name, self.read = name, read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a pair of numbers, None for an open side."""
        if not isinstance(value, str):
            return value
        low, dash, high = value.partition("-")
        try:
            span = (self._side(low), self._side(high if dash else low))
        except (ValueError, OverflowError):  # 400 digits
            span = (None, None)
        if span == (None, None):
            self.fail(f"expected {self.name}, found {value!r}", param, ctx)
        return span

    def _side(self, text: str) -> float | None:
        return self.read(text.strip()) if text.strip() else None


class Moment(Span):
    """FROM-TO, both given, FROM before TO."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a pair of seconds."""
        span = super().convert(value, param, ctx)
        if None in span or span[0] >= span[1]:
            self.fail(f"expected {self.name}, found {value!r}", param, ctx)
        return span


class FolderName(click.Path):
    """The name of a folder, which the shell completes. It is looked up in the library and need not exist on disk."""

    def __init__(self) -> None:
        super().__init__(file_okay=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name unchanged."""
        return value


def seconds(text: str) -> float:
    """Parse `75`, `1:15` or `1:02:03.5` to seconds; raise ValueError for anything else."""
    if not CLOCK.fullmatch(text):
        raise ValueError(text)
    total = 0.0
    for part in text.split(":"):
        total = total * 60 + float(part)
    return total


YEARS = Span("years as 1975, 1970-1979 or 1990-", lambda text: float(int(text)))
DURATIONS = Span("durations as 2:00-6:30 or -180", seconds)
TEMPOS = Span("beats a minute as 90-120", float)
FOLDER = FolderName()
MOMENT = Moment("a part of a track as 1:05-1:20", seconds)
