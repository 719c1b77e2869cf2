"""Options that say what may be an answer, and how their words are read."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from engine.search.filters import Filters

Command = TypeVar("Command", bound=Callable[..., Any])

CLOCK = re.compile(r"(?:\d+:){0,2}\d+(?:\.\d+)?")


class Span(click.ParamType):
    """FROM-TO, FROM-, -TO, or one value for both; `read` turns each side into a number."""

    def __init__(self, name: str, read: Callable[[str], float]) -> None:
        self.name, self.read = name, read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A pair of numbers, either None where it is open."""
        if not isinstance(value, str):
            return value
        low, dash, high = value.partition("-")
        try:
            span = (self._side(low), self._side(high if dash else low))
        except ValueError:
            span = (None, None)
        if span == (None, None):
            self.fail(f"expected {self.name}, found {value!r}", param, ctx)
        return span

    def _side(self, text: str) -> float | None:
        return self.read(text.strip()) if text.strip() else None


class Moment(Span):
    """FROM-TO, both given."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A pair of seconds, rising."""
        span = super().convert(value, param, ctx)
        if None in span or span[0] >= span[1]:
            self.fail(f"expected {self.name}, found {value!r}", param, ctx)
        return span


def seconds(text: str) -> float:
    """Seconds of `75`, `1:15` or `1:02:03.5`; raises ValueError for anything else."""
    if not CLOCK.fullmatch(text):
        raise ValueError(text)
    total = 0.0
    for part in text.split(":"):
        total = total * 60 + float(part)
    return total


YEARS = Span("years as 1975, 1970-1979 or 1990-", lambda text: float(int(text)))
DURATIONS = Span("durations as 2:00-6:30 or -180", seconds)
TEMPOS = Span("beats a minute as 90-120", float)
MOMENT = Moment("a part of a track as 1:05-1:20", seconds)

OPTIONS = (
    click.option("--genre", "genres", multiple=True, metavar="NAME", help="Only this genre; repeatable: any of them."),
    click.option("--mood", "moods", multiple=True, metavar="NAME", help="Only this mood; repeatable."),
    click.option("--artist", "artists", multiple=True, metavar="NAME", help="Only this artist; repeatable."),
    click.option("--album", "albums", multiple=True, metavar="NAME", help="Only this album; repeatable."),
    click.option("--year", "years", type=YEARS, metavar="SPAN", help="1975, 1970-1979, 1990- or -1969."),
    click.option("--duration", "durations", type=DURATIONS, metavar="SPAN", help="For example 2:00-6:00."),
    click.option("--tempo", "tempos", type=TEMPOS, metavar="SPAN", help="Beats a minute, after `index --features`."),
    click.option("--key", "keys", multiple=True, metavar="KEY", help="As 'A minor', after `index --features`."),
    click.option("--path", "below", type=click.Path(), metavar="FOLDER", help="Only what lies below this folder."),
    click.option("--not-genre", "not_genres", multiple=True, metavar="NAME", help="Nothing of this genre; repeatable."),
    click.option("--not-mood", "not_moods", multiple=True, metavar="NAME", help="Nothing of this mood; repeatable."),
    click.option("--not-artist", "not_artists", multiple=True, metavar="NAME", help="Not by this artist; repeatable."),
    click.option("--not-album", "not_albums", multiple=True, metavar="NAME", help="Not from this album; repeatable."),
    click.option(
        "--not-path", "not_below", multiple=True, type=click.Path(), metavar="FOLDER",
        help="Nothing that lies below this folder; repeatable.",
    ),
    click.option(
        "--added-since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), metavar="DATE",
        help="Only what the library first saw on this day or later.",
    ),
    click.option("--other-artists", is_flag=True, help="Nothing by the artists that are searched from."),
    click.option("--other-albums", is_flag=True, help="Nothing from the albums that are searched from."),
    click.option("--per-artist", type=click.IntRange(1), metavar="N", help="At most so many of one artist."),
)  # fmt: skip


VARIETY = 0.3  # what --variety means when it names no number
VARIETY_OPTIONS = (
    click.option(
        "--variety", is_flag=False, flag_value=VARIETY, default=0.0, type=click.FloatRange(0, 1), metavar="[0..1]",
        help=f"Another answer each time, drawn among what is near, the nearer the likelier; {VARIETY} when no number "
        "is given.",
    ),
    click.option(
        "--seed", type=click.IntRange(0, 2**63 - 1), metavar="N",
        help="With --variety: the number that was told with an earlier answer gives that answer again.",
    ),
)  # fmt: skip


def variety_options(command: Command) -> Command:
    """Give a command --variety and --seed."""
    for option in reversed(VARIETY_OPTIONS):
        command = option(command)
    return command


def seed_of(variety: float, seed: int | None) -> int | None:
    """The seed of a command's answers: as given, else a fresh one; None without variety."""
    from engine.search.variety import settle_seed

    if seed is not None and not variety:
        raise click.UsageError("--seed belongs to --variety")
    return settle_seed(variety, seed)


def tell_seed(seed: int | None) -> None:
    """Say how a varied answer can be had again."""
    if seed is not None:
        click.echo(f"seed {seed}: the same command with --seed {seed} answers the same", err=True)


def filter_options(command: Command) -> Command:
    """Give a command the options; `filters_of` reads their values."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def filters_of(values: dict[str, Any]) -> Filters:
    """What the options say; values that belong to none of them are passed over."""
    from engine.search.filters import ANY, NO_FILTERS, Filters

    since: datetime | None = values["added_since"]
    given = {name: values[name] for name in vars(NO_FILTERS) if name in values}
    given |= {name: values[name] or ANY for name in ("years", "durations", "tempos")}
    return Filters(**given | {"added_since": since.timestamp() if since else None})
