"""`engine map`."""

from __future__ import annotations

from dataclasses import asdict

import click

from engine.cli.ask import as_json, displayable, print_json
from engine.cli.group import Settings, cli
from engine.cli.tables import as_csv, columns_of, counted, one_format, print_csv

SLOW_FROM = 10_000  # tracks: all but PCA take about a minute of one core


@cli.command("map")
@click.option("--out", required=True, metavar="FILE", help="A page (.html) or a picture (.png).")
@click.option("--method", type=click.Choice(["pca", "umap", "tsne"]), default="pca", show_default=True)
@click.option("--dims", type=click.IntRange(2, 3), default=2, show_default=True, help="3: a map to be turned.")
@click.option(
    "--coverage", type=click.Choice(["windows", "full"]), help="Which signatures; default: the library's own."
)
@as_json
@as_csv
@click.pass_obj
def draw_map(
    settings: Settings, out: str, method: str, dims: int, coverage: str | None, as_json: bool, as_csv: bool
) -> None:
    """Draw the whole library as a map: what sounds alike lies close together.

    The page needs no network and no other file: zoom, search, colours by genre, mood, artist, year. `pca` takes
    seconds; `umap` and `tsne` show groups better and take minutes in a large library.
    """
    one_format(as_json, as_csv)
    with settings.open(coverage=coverage) as library:
        if method != "pca" and not settings.quiet and library.stats().tracks >= SLOW_FROM:
            click.echo(f"placing the tracks by {method}: this takes minutes", err=True)
        drawn = library.map(out, method=method, dims=dims)
    if as_json:
        print_json(asdict(drawn))
    elif as_csv:
        from engine.map.results import MapPoint

        print_csv(columns_of(MapPoint), map(asdict, drawn.points))
    elif not settings.quiet:
        kept = drawn.explained_variance
        how = f", {kept:.0%} of the variance kept" if kept is not None else ""
        click.echo(f"{counted(len(drawn.points), 'track')} placed by {method}{how}; written to {displayable(out)}")
