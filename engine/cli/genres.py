"""`engine genres`: how genres relate, and where in a track their attention falls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from engine import documents
from engine.cli.group import Settings, cli
from engine.cli.options import coverage_option, one_format, output_options
from engine.cli.streams import shortened, terminal_columns
from engine.cli.tables import print_csv
from engine.cli.text import displayable, print_json
from engine.util.text import counted

if TYPE_CHECKING:
    from engine.genres.results import GenreRelations, GenreSummary

NAME_WIDTH = 14
NEAR_WIDTH = 24  # of two names
COLUMN = 4  # of the table of distances, characters
MOST_EQUATIONS = 20
ATTENTION = ("centre", "first_third", "last_third", "first_occurrence_share")


@cli.command()
@click.option(
    "--threshold",
    type=click.FloatRange(0, min_open=True),
    default=1.25,
    show_default=True,
    help="List equations with an error below this.",
)
@click.option("--plot", metavar="DIR", help="Draw three pictures into this folder.")
@coverage_option
@output_options
@click.pass_obj
def genres(
    settings: Settings, threshold: float, plot: str | None, coverage: str | None, as_json: bool, as_csv: bool
) -> None:
    """Show how genres relate: distances, equations, and where in a track their attention falls.

    A genre's centroid is the library's own from ten tagged tracks on, else the one that ships with the encoder. The
    error of an equation a - b + c = d is |a - b + c - d| over the mean distance between two centroids.
    """
    one_format(as_json, as_csv)
    with settings.open(coverage=coverage) as library:
        relations = library.genres(threshold, plot)
    if as_json:
        print_json(documents.genre_relations(relations))
        return
    if as_csv:
        _print_csv(relations)
        return
    for line in (*_genre_lines(relations), *_distance_lines(relations), *_equation_lines(relations, threshold)):
        click.echo(line)
    if plot is not None and not settings.quiet:
        click.echo(f"\npictures written to {displayable(plot)}")


def _print_csv(relations: GenreRelations) -> None:
    """Print a record for each genre; only the JSON has distances and equations."""
    columns = ("genre", "kind", "tracks", "nearest", "second", *ATTENTION)
    records = []
    for genre in relations.genres:
        near, second = (*genre.nearest, None, None)[:2]
        values = (genre.genre, genre.kind, genre.tracks, near, second, *_shares(genre))
        records.append(dict(zip(columns, values, strict=True)))
    print_csv(columns, records)


def _genre_lines(relations: GenreRelations) -> list[str]:
    lines = [
        f"{'':<58}where attention falls",
        f"{'genre':<{NAME_WIDTH}} centroid  tracks  {'nearest':<{NEAR_WIDTH}}   mean first  last   new",
    ]
    for genre in relations.genres:
        name, near = (
            shortened(displayable(genre.genre), NAME_WIDTH),
            ", ".join(shortened(displayable(name), NEAR_WIDTH // 2 - 1) for name in genre.nearest),
        )
        shares = "".join(f"{share:6.2f}" if share is not None else f"{'-':>6}" for share in _shares(genre))
        lines.append(f"{name:<{NAME_WIDTH}} {genre.kind:<9} {genre.tracks:>6}  {near:<{NEAR_WIDTH}} {shares}")
    lines.append("mean: place, 0 to 1; first, last: shares on these thirds")
    lines.append("new: share of repeated material at its first occurrence")
    if any(None in _shares(genre) for genre in relations.genres):
        lines.append("-: not measurable (excerpts under a minute, too few windows, nothing that repeats)")
    return lines


def _shares(genre: GenreSummary) -> tuple[float | None, ...]:
    found = genre.attention
    return found.centre, found.first_third, found.last_third, found.first_occurrence_share


def _distance_lines(relations: GenreRelations) -> list[str]:
    """Return the table if it fits the terminal, else where to find it."""
    names = [displayable(genre.genre) for genre in relations.genres]
    columns = terminal_columns()
    if columns is not None and NAME_WIDTH + COLUMN * len(names) > columns:
        return ["", f"distances of {len(names)} genres (1 - cosine): wider than this terminal; --json has them"]
    heading = "".join(f"{name[: COLUMN - 1]:>{COLUMN}}" for name in names)
    lines = ["", "distances (1 - cosine)", " " * NAME_WIDTH + heading]
    for name, row in zip(names, relations.distances, strict=True):
        label = f"{shortened(displayable(name), NAME_WIDTH):<{NAME_WIDTH}}"
        lines.append(label + "".join(f"{_brief(cell):>{COLUMN}}" for cell in row))
    return lines


def _equation_lines(relations: GenreRelations, threshold: float) -> Sequence[str]:
    found = relations.equations
    if not found:
        return ["", f"no genre equation has an error below {threshold:g}; try a larger --threshold"]
    lines = ["", f"{counted(len(found), 'genre equation')} with an error below {threshold:g}"]
    for equation in found[:MOST_EQUATIONS]:
        a, b, c, d = (displayable(name) for name in (equation.a, equation.b, equation.c, equation.d))
        lines.append(f"  {equation.error:.2f}  {a} - {b} + {c} = {d}")
    if len(found) > MOST_EQUATIONS:
        lines.append(f"  and {len(found) - MOST_EQUATIONS} more: --json")
    return lines


def _brief(distance: float) -> str:
    """Return a distance in three characters: .38, 1.2."""
    return f"{distance:.2f}"[1:] if distance < 0.995 else f"{distance:.1f}"
