"""`recommend`: what to hear next, from what was played, skipped and liked."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from engine.cli import Settings, cli
from engine.cli.ask import as_json, display_name, print_json, shown
from engine.cli.filtering import filter_options, filters_of


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
@click.pass_obj
def recommend(
    settings: Settings, history: str | None, from_library: bool, keep: bool, n: int, again_days: float | None,
    as_json: bool, **options: Any,
) -> int:  # fmt: skip
    """Show what is worth hearing next, and why.

    FILE.csv has a time (2026-05-01T20:15:00, UTC unless it names an offset, or seconds since 1970), a path (absolute,
    relative to FILE.csv, or id:12) and an event: play, skip or like. Lines that cannot be used are counted and named.
    """
    if (history is None) == (not from_library) or (keep and history is None):
        raise click.UsageError("expected --history FILE.csv, with or without --keep, or --db")
    with settings.open() as library:
        if keep and history is not None:
            kept = library.add_plays(history)
            if not settings.quiet:
                click.echo(f"{kept} new events kept", err=True)
        found = library.recommend(history, n, again_days=again_days, filters=filters_of(options))
    for problem in found.problems:
        click.echo(f"engine: {problem}", err=True)
    if as_json:
        print_json({"tracks": [asdict(track) for track in found.tracks]})
    for number, track in enumerate(() if as_json else found.tracks, start=1):
        click.echo(
            f"{number:>4}. {track.score:.3f} {display_name(track.artist, track.title, track.path)}  id:{track.track_id}"
        )
        click.echo(f"            {shown(track.reason)}")
    if len(found.tracks) < n and not settings.quiet:
        said = "no more is left that passes and was not heard"
        click.echo(f"{len(found.tracks)} of {n} tracks: {said}", err=True)
    return 0
