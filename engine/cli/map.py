"""`engine map`: the whole library as a page or a picture."""

from __future__ import annotations

import click

from engine import documents
from engine.cli.group import Settings, cli
from engine.cli.options import by_option, coverage_option, one_format, output_options, print_lacking
from engine.cli.tables import print_records
from engine.cli.text import displayable, print_json
from engine.util.text import counted

SLOW_FROM = 10_000  # tracks: every method but PCA takes about a minute of one core


@cli.command("map")
@click.option("--out", required=True, metavar="FILE", help="A page (.html) or a picture (.png).")
@click.option("--method", type=click.Choice(["pca", "umap", "tsne"]), default="pca", show_default=True)
@click.option("--dims", type=click.IntRange(2, 3), default=2, show_default=True, help="3: a map that rotates.")
@by_option
@coverage_option
@output_options
@click.pass_obj
def draw_map(
    settings: Settings, out: str, method: str, dims: int, by: dict[str, float] | None, coverage: str | None,
    as_json: bool, as_csv: bool,
) -> None:  # fmt: skip
    """Draw the library as a map: tracks that sound alike are close together.

    The page needs no network and no other file: zoom, search, colours by genre, mood, artist, year. `pca` takes
    seconds; `umap` and `tsne` show groups better and take minutes in a large library.
    """
    one_format(as_json, as_csv)
    with settings.open(coverage=coverage) as library:
        if method != "pca" and not settings.quiet and library.stats().tracks >= SLOW_FROM:
            click.echo(f"placing the tracks by {method}: this takes minutes", err=True)
        drawn = library.map(out, method=method, dims=dims, by=by)
        print_lacking(library, by, settings.quiet)
    if as_json:
        print_json(documents.library_map(drawn))
    elif as_csv:
        from engine.map.results import MapPoint

        print_records(MapPoint, drawn.points)
    elif not settings.quiet:
        kept = drawn.explained_variance
        share = f", {kept:.0%} of the variance kept" if kept is not None else ""
        click.echo(f"{counted(len(drawn.points), 'track')} placed by {method}{share}; written to {displayable(out)}")
