"""`engine recommend`: suggestions from plays, skips and likes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from engine import documents
from engine.cli.group import Settings, cli
from engine.cli.options import filter_options, filters_of, one_format, output_options, print_left_out
from engine.cli.tables import on_terminal, print_records, print_table
from engine.cli.text import display_name, displayable, name_cells, print_json, print_problem
from engine.util.text import counted

if TYPE_CHECKING:
    from engine.recommend.results import Recommendations


@cli.command()
@click.option("--history", metavar="FILE.csv", help="Plays, skips and likes: columns time,path,event.")
@click.option("--db", "from_library", is_flag=True, help="Use the plays stored in the library.")
@click.option("--keep", is_flag=True, help="With --history: also store its plays in the library.")
@click.option("-n", "n", type=click.IntRange(1), default=25, show_default=True, help="How many tracks.")
@click.option(
    "--again", "again_days", type=click.FloatRange(0), metavar="DAYS",
    help="Also tracks that were played, if that was this many days before the newest event.",
)  # fmt: skip
@filter_options
@output_options
@click.pass_obj
def recommend(
    settings: Settings, history: str | None, from_library: bool, keep: bool, n: int, again_days: float | None,
    as_json: bool, as_csv: bool, **options: Any,
) -> int:  # fmt: skip
    """Recommend tracks, each with a reason.

    FILE.csv has a time (2026-05-01T20:15:00, UTC unless it names an offset, or seconds or milliseconds since 1970), a
    path (absolute, relative to FILE.csv, or id:12) and an event: play, skip or like, separated by commas, semicolons or
    tabs. Unusable lines are counted and named.
    """
    one_format(as_json, as_csv)
    if (history is None) == (not from_library) or (keep and history is None):
        raise click.UsageError("expected --history FILE.csv, with or without --keep, or --db")
    with settings.open() as library:
        if keep and history is not None:
            new = library.add_plays(history)
            if not settings.quiet:
                click.echo(f"{new} new events stored", err=True)
        found = library.recommend(history, n, again_days=again_days, filters=filters_of(options))
    for problem in found.problems:
        print_problem(problem)
    if as_json:
        print_json(documents.recommendations(found))
    elif as_csv:
        from engine.recommend.results import RecommendedTrack

        print_records(RecommendedTrack, found.tracks)
    else:
        _print(found)
    if not settings.quiet:
        print_left_out(found.not_music)
    if len(found.tracks) < n and not settings.quiet:
        click.echo(f"{len(found.tracks)} of {counted(n, 'track')}: no other unheard track passes the filters", err=True)
    return 0


def _print(found: Recommendations) -> None:
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
