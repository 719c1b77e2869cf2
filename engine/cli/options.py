"""Options that several commands share: output forms, coverage, filters, variety."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from engine.cli.spans import DURATIONS, FOLDER, TEMPOS, YEARS
from engine.util.text import counted

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from engine.library import Engine
    from engine.search.filters import Filters

Command = TypeVar("Command", bound=Callable[..., Any])

VARIETY = 0.3  # of --variety without a number
DIVERSE = 0.3  # of --diverse without a number

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
as_csv = click.option("--csv", "as_csv", is_flag=True, help="Print CSV (RFC 4180) with a heading, in UTF-8.")
coverage_option = click.option(
    "--coverage", type=click.Choice(["windows", "full"]), help="Which signatures; default: the library's own."
)


class Aspects(click.ParamType):
    """Aspects and their weights: `rhythm`, or `rhythm=2,timbre=1`."""

    name = "aspects"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a dictionary of weights."""
        from engine.errors import InvalidError
        from engine.search.aspect_weights import AspectWeights

        try:
            return dict(AspectWeights.of(value).weights)
        except InvalidError as error:
            self.fail(f"{error.message}; {error.hint}" if error.hint else error.message, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the aspects that complete the last word."""
        from click.shell_completion import CompletionItem

        from engine.search.aspect_weights import ASPECTS

        before, comma, word = incomplete.rpartition(",")
        return [CompletionItem(before + comma + name) for name in ASPECTS if name.startswith(word)]


by_option = click.option(
    "--by", type=Aspects(), metavar="ASPECTS",
    help="Compare by timbre, rhythm, harmony or mood, or by a mix such as rhythm=2,timbre=1.",
)  # fmt: skip
FILTER_OPTIONS = (
    click.option("--genre", "genres", multiple=True, metavar="NAME", help="Only this genre; repeatable: any of them."),
    click.option("--mood", "moods", multiple=True, metavar="NAME", help="Only this mood; repeatable."),
    click.option("--artist", "artists", multiple=True, metavar="NAME", help="Only this artist; repeatable."),
    click.option("--album", "albums", multiple=True, metavar="NAME", help="Only this album; repeatable."),
    click.option("--year", "years", type=YEARS, metavar="SPAN", help="1975, 1970-1979, 1990- or -1969."),
    click.option("--duration", "durations", type=DURATIONS, metavar="SPAN", help="For example 2:00-6:00."),
    click.option("--tempo", "tempos", type=TEMPOS, metavar="SPAN", help="Beats per minute, after `index --features`."),
    click.option("--key", "keys", multiple=True, metavar="KEY", help="Such as 'A minor', after `index --features`."),
    click.option("--path", "below", type=FOLDER, metavar="FOLDER", help="Only tracks below this folder."),
    click.option("--not-genre", "not_genres", multiple=True, metavar="NAME", help="Not of this genre; repeatable."),
    click.option("--not-mood", "not_moods", multiple=True, metavar="NAME", help="Not of this mood; repeatable."),
    click.option("--not-artist", "not_artists", multiple=True, metavar="NAME", help="Not by this artist; repeatable."),
    click.option("--not-album", "not_albums", multiple=True, metavar="NAME", help="Not from this album; repeatable."),
    click.option(
        "--not-path", "not_below", multiple=True, type=FOLDER, metavar="FOLDER",
        help="Not below this folder; repeatable.",
    ),
    click.option(
        "--added-since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), metavar="DATE",
        help="Only tracks that the library first saw on this day or later.",
    ),
    click.option(
        "--tag", "tags", multiple=True, metavar="TAG", help="Only with this tag, such as piano; repeatable."
    ),
    click.option("--not-tag", "not_tags", multiple=True, metavar="TAG", help="Without this tag; repeatable."),
    click.option(
        "--music-only/--anything", "music_only", default=None,
        help="Leave out speech, applause, silence and sound effects, or not. Playlists and recommendations do.",
    ),
    click.option("--other-artists", is_flag=True, help="Not by an artist of the query."),
    click.option("--other-albums", is_flag=True, help="Not from an album of the query."),
    click.option("--per-artist", type=click.IntRange(1), metavar="N", help="At most N tracks of one artist."),
)  # fmt: skip

VARIETY_OPTIONS = (
    click.option(
        "--variety", is_flag=False, flag_value=VARIETY, default=0.0, type=click.FloatRange(0, 1), metavar="[0..1]",
        help=f"Draw another answer each time, nearer tracks more often; {VARIETY} when no number is given.",
    ),
    click.option(
        "--seed", type=click.IntRange(0, 2**63 - 1), metavar="N",
        help="With --variety: repeat the answer that printed this seed.",
    ),
)  # fmt: skip


def one_format(as_json: bool, as_csv: bool) -> None:
    """Refuse --json and --csv together."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other; choose one")


def output_options(command: Command) -> Command:
    """Add --json and --csv to a command."""
    return _with((as_json, as_csv), command)


def _diverse_option(help: str) -> Callable[[Command], Command]:
    """Return the option --diverse for a command; the help ends with its default."""
    return click.option(
        "--diverse", is_flag=False, flag_value=DIVERSE, default=0.0, type=click.FloatRange(0, 1), metavar="[0..1]",
        help=f"{help}; {DIVERSE} when no number is given.",
    )  # fmt: skip


def seed_of(variety: float, seed: int | None) -> int | None:
    """Return the seed of a command's answers: as given, else a fresh one; None without variety."""
    from engine.search.variety import settle_seed

    if seed is not None and not variety:
        raise click.UsageError("--seed belongs to --variety")
    return settle_seed(variety, seed)


def print_seed(seed: int | None) -> None:
    """Print the way to repeat a varied answer."""
    if seed is not None:
        click.echo(f"seed {seed}: the same command with --seed {seed} answers the same", err=True)


def print_lacking(library: Engine, by: dict[str, float] | None, quiet: bool) -> None:
    """Print the number of tracks left out because they lack an aspect to compare by."""
    if by and not quiet and (count := library.lacking(by)):
        tracks = f"{count} track{'s' if count > 1 else ''}"
        click.echo(f"{tracks} left out, not described yet: engine index --features PATH", err=True)


def ranking_options(*, diverse: str, hubs: str) -> Callable[[Command], Command]:
    """Add --by, the filters, --diverse, --hubs, --variety and --seed to a command, with its help for two of them."""
    ranking = (_diverse_option(diverse), click.option("--hubs", is_flag=True, help=hubs), *VARIETY_OPTIONS)
    return lambda command: _with((by_option, *FILTER_OPTIONS, *ranking), command)


def filter_options(command: Command) -> Command:
    """Add the filters to a command; `filters_of` reads their values."""
    return _with(FILTER_OPTIONS, command)


def print_left_out(tracks: int) -> None:
    """Print the number of tracks left out as not being music, if any, on standard error."""
    if tracks:
        click.echo(f"{counted(tracks, 'track')} of speech, noise or silence left out; --anything takes them", err=True)


def filters_of(values: dict[str, Any]) -> Filters:
    """Build the filters from a command's options; other options are ignored."""
    from engine.search.filters import ANY, NO_FILTERS, Filters

    since: datetime | None = values["added_since"]
    given = {name: values[name] for name in vars(NO_FILTERS) if name in values}
    given |= {name: values[name] or ANY for name in ("years", "durations", "tempos")}
    return Filters(**given | {"added_since": since.timestamp() if since else None})


def _with(options: Sequence[Callable[[Command], Command]], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
