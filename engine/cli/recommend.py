"""`recommend`: what to hear next, from what was played, skipped and liked."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from engine.cli.ask import as_json, display_name, displayable, name_cells, print_json
from engine.cli.filtering import filter_options, filters_of
from engine.cli.group import Settings, cli
from engine.cli.tables import as_csv, columns_of, counted, on_terminal, one_format, print_csv, print_table

if TYPE_CHECKING:
    from engine.recommend.results import Recommendations


@cli.command()
@click.option("--history", metavar="FILE.csv", help="Plays, skips and likes: columns time,path,event.")
@click.option("--db", "from_library", is_flag=True, help="From the plays that the library keeps.")
@click.option("--keep", is_flag=True, help="With --history: also keep its plays in the library.")
@click.option("-n", "n", type=click.IntRange(1), default=25, show_default=True, help="How many tracks.")
@click.option(
    "--again", "again_days", type=click.FloatRange(0), metavar="DAYS",
    help="Also what was heard, once that is so many days before the newest event.",
)  # fmt: skip
@filter_options
@as_json
@as_csv
@click.pass_obj
def recommend(
    settings: Settings, history: str | None, from_library: bool, keep: bool, n: int, again_days: float | None,
    as_json: bool, as_csv: bool, **options: Any,
) -> int:  # fmt: skip
    """Show what is worth hearing next, and why.

    FILE.csv has a time (2026-05-01T20:15:00, UTC unless it names an offset, or seconds or milliseconds since 1970), a
    path (absolute, relative to FILE.csv, or id:12) and an event: play, skip or like, separated by commas, semicolons or
    tabs. Lines that cannot be used are counted and named.
    """
    one_format(as_json, as_csv)
    if (history is None) == (not from_library) or (keep and history is None):
        raise click.UsageError("expected --history FILE.csv, with or without --keep, or --db")
    with settings.open() as library:
        if keep and history is not None:
            kept = library.add_plays(history)
            if not settings.quiet:
                click.echo(f"{kept} new events kept", err=True)
        found = library.recommend(history, n, again_days=again_days, filters=filters_of(options))
    for problem in found.problems:
        click.echo(f"engine: {displayable(problem)}", err=True)
    if as_json:
        print_json({"tracks": [asdict(track) for track in found.tracks]})
    elif as_csv:
        from engine.recommend.results import RecommendedTrack

        print_csv(columns_of(RecommendedTrack), map(asdict, found.tracks))
    else:
        _show_all(found)
    if len(found.tracks) < n and not settings.quiet:
        said = "no more is left that passes and was not heard"
        click.echo(f"{len(found.tracks)} of {counted(n, 'track')}: {said}", err=True)
    return 0


def _show_all(found: Recommendations) -> None:
    if on_terminal():
        rows = [
            (
                number,
                f"{track.score:.3f}",
                *name_cells(track.artist, track.title, track.path),
                track.reason,
                track.track_id,
            )
            for number, track in enumerate(found.tracks, start=1)
        ]
        print_table(("", "score", "artist", "title", "reason", "id"), rows)
        return
    for number, track in enumerate(found.tracks, start=1):
        name = display_name(track.artist, track.title, track.path)
        click.echo(f"{number:>4}. {track.score:.3f} {name}  id:{track.track_id}")
        click.echo(f"            {displayable(track.reason)}")
