"""`engine find`: tracks by a description in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from engine import documents
from engine.cli.group import Settings, cli
from engine.cli.options import coverage_option, filter_options, filters_of, one_format, output_options
from engine.cli.tables import columns_of, on_terminal, print_csv, print_table
from engine.cli.text import display_name, displayable, name_cells, print_json, print_understanding

if TYPE_CHECKING:
    from engine.find.results import FindResult, FoundByWords

SHOWN_TAGS = 4  # of each match


@cli.command()
@click.argument("text", nargs=-1, required=True, metavar="TEXT...")
@click.option("-k", "k", type=click.IntRange(1), default=20, show_default=True, help="How many tracks.")
@filter_options
@coverage_option
@output_options
@click.pass_obj
def find(
    settings: Settings, text: tuple[str, ...], k: int, coverage: str | None, as_json: bool, as_csv: bool, **options: Any
) -> None:
    """Show the tracks that fit a description, such as "calm piano at night, no vocals".

    Instruments, voices, genres, moods, places, decades, "very", "a bit", "no", "not too", and names of artists,
    genres and titles in the library are understood.
    """
    one_format(as_json, as_csv)
    with settings.open(coverage=coverage) as library:
        result = library.find(" ".join(text), k, filters=filters_of(options))
    if as_json:
        print_json(documents.find(result))
    elif as_csv:
        _print_csv(result)
    else:
        _print(result)


def _print_csv(result: FindResult) -> None:
    """Print a record for each match; its tags are one field."""
    from engine.find.results import FoundByWords

    records = [vars(match) | {"tags": "; ".join(tag.tag for tag in match.tags)} for match in result.matches]
    print_csv(columns_of(FoundByWords), records)


def _print(result: FindResult) -> None:
    click.echo(click.style(displayable(result.text), bold=True))
    print_understanding(result.understood, result.ignored)
    if not result.matches:
        click.echo("  no track passes the filters and the names in the description")
    if on_terminal():
        columns = ("", "fits", "artist", "title", "tags", "id")
        print_table(columns, [_cells(match) for match in result.matches])
        return
    for match in result.matches:
        name = display_name(match.artist, match.title, match.path)
        click.echo(f"  {match.rank:>3}. {match.similarity:.3f} {name}  ({_tags(match) or '-'})  id:{match.track_id}")


def _cells(match: FoundByWords) -> tuple[object, ...]:
    names = name_cells(match.artist, match.title, match.path)
    return match.rank, f"{match.similarity:.3f}", *names, _tags(match), match.track_id


def _tags(match: FoundByWords) -> str:
    """Return the strongest tags, each with the percentage of typical tracks that carry less of it."""
    return ", ".join(f"{tag.tag} {math.floor(100 * tag.level)}%" for tag in match.tags[:SHOWN_TAGS])
