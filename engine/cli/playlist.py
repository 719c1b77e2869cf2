"""`engine playlist`: a radio from seeds, a path between two tracks, a list in its smoothest order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from engine import documents
from engine.cli.group import FAILED, Settings, cli
from engine.cli.options import (
    filters_of,
    one_format,
    output_options,
    print_lacking,
    print_left_out,
    print_seed,
    ranking_options,
    seed_of,
)
from engine.cli.tables import on_terminal, print_records, print_table
from engine.cli.text import display_name, displayable, name_cells, print_json, print_problem
from engine.util.text import counted

if TYPE_CHECKING:
    from engine.library import Engine
    from engine.playlists.results import Playlist, PlaylistTrack
    from engine.search.filters import Filters

MIX_COLUMNS = ("tempo", "change", "key", "step")
FORMS = "expected SEEDs, or --from A --to B, or --order LIST.m3u8; for example: engine playlist track.flac -n 25"


@cli.command()
@click.argument("seeds", nargs=-1, metavar="[SEED...]")
@click.option("-n", "n", type=click.IntRange(1), metavar="N", help="How many tracks; default: 25.")
@click.option("--unlike", multiple=True, metavar="TRACK", help="Subtract this from the seeds; repeatable.")
@click.option("--from", "start", metavar="TRACK", help="Make a path that begins here; with --to.")
@click.option("--to", "end", metavar="TRACK", help="End the path here; -n counts both ends.")
@click.option("--via", multiple=True, metavar="TRACK", help="A stop on the path; repeatable, in order.")
@click.option(
    "--order",
    "listed",
    metavar="LIST.m3u8",
    help="Put this list (M3U or PLS, of any player) into its smoothest order.",
)
@click.option(
    "--history",
    metavar="FILE.csv",
    help="Leave out recently played tracks: columns time,path,event, as in `recommend`.",
)
@click.option("--db", "from_library", is_flag=True, help="The same, from the plays stored in the library.")
@click.option(
    "--again",
    "again_days",
    type=click.FloatRange(0),
    metavar="DAYS",
    help="With --history or --db: how many days before the newest event are recent; default: 14.",
)
@click.option("--mix", is_flag=True, help="A DJ's order: neighbours whose tempo and key fit; after `index --features`.")
@click.option(
    "--drift", metavar="TEXT", help="A radio that gradually approaches this description, such as 'ever calmer'."
)
@click.option("--out", metavar="FILE.m3u8", help="Write the playlist to this file; replace an earlier one.")
@click.option("--relative", is_flag=True, help="With --out: write paths relative to the playlist's folder.")
@ranking_options(
    diverse="A radio of tracks that differ from each other",
    hubs="Do not demote hub tracks: a radio of the nearest by similarity.",
)
@output_options
@click.pass_obj
def playlist(settings: Settings, out: str | None, relative: bool, as_json: bool, as_csv: bool, **options: Any) -> int:
    """Make a playlist: from SEEDs, from one track to another, or from a list.

    A SEED is a file (in the library or not), an id (12, or id:12), search:WORDS, artist:NAME or album:NAME; seeds are
    left out. Similarity is to the seeds together; in a path and a list, to the track before. --history and --db leave
    out tracks that were played, skipped or liked in its last 14 days, and their copies.

    Exit code 1 means that something was left out: a line of LIST, or a track that FILE.m3u8 cannot hold.
    """
    one_format(as_json, as_csv)
    _check(out, relative, **options)
    if out:
        from engine.playlists.m3u8 import check_target

        check_target(out)
    given, options["seed"] = options["seed"], seed_of(options["variety"], options["seed"])
    with settings.open() as library:
        made, problems, remarks = _make(library, **options)
        print_lacking(library, options["by"], settings.quiet)
        if out and made.tracks:
            problems += library.save_playlist(made, out, relative=relative)
    for problem in (*remarks, *problems):
        print_problem(problem)
    if as_json:
        print_json(documents.playlist(made))
    elif as_csv:
        from engine.playlists.results import PlaylistTrack

        print_records(PlaylistTrack, made.tracks)
    elif not out:
        _print(made)
    if not settings.quiet:
        _sum_up(made, out, None if options["listed"] else options["n"] or 25)
        print_seed(made.seed if given is None else None)
    return FAILED if problems else 0


def _check(
    out: str | None, relative: bool, *, seeds: tuple[str, ...], n: int | None, unlike: tuple[str, ...],
    start: str | None, end: str | None, via: tuple[str, ...], listed: str | None, history: str | None,
    from_library: bool, again_days: float | None, diverse: float, hubs: bool, variety: float, seed: int | None,
    by: dict[str, float] | None, mix: bool, drift: str | None, **filters: Any,
) -> None:  # fmt: skip
    path = start is not None or end is not None
    if bool(seeds or unlike) + path + (listed is not None) != 1 or (start is None) != (end is None):
        raise click.UsageError(FORMS)
    if via and not path:
        raise click.UsageError("--via belongs to --from and --to")
    if relative and not out:
        raise click.UsageError("--relative belongs to --out FILE.m3u8")
    if (path or listed) and (diverse or hubs or drift is not None):
        raise click.UsageError("--diverse, --hubs and --drift belong to SEEDs")
    if drift is not None and (by or mix):
        raise click.UsageError("--drift excludes --by and --mix: each orders tracks in its own way")
    if history is not None and from_library:
        raise click.UsageError("--history and --db exclude each other; choose one")
    heard = history is not None or from_library
    if again_days is not None and not heard:
        raise click.UsageError("--again belongs to --history or --db")
    if listed and (n or heard or variety or by or any(filters.values())):
        raise click.UsageError("--order takes all tracks of its list: leave out -n and the filters")


def _make(
    library: Engine, *, seeds: tuple[str, ...], n: int | None, unlike: tuple[str, ...], start: str | None,
    end: str | None, via: tuple[str, ...], listed: str | None, diverse: float, hubs: bool, variety: float,
    seed: int | None, by: dict[str, float] | None, mix: bool, drift: str | None, **options: Any,
) -> tuple[Playlist, tuple[str, ...], tuple[str, ...]]:  # fmt: skip
    """Return the playlist, a line about each named track that is missing from it, and other remarks."""
    from engine.playlists.m3u8 import read_playlist
    from engine.search.ranking import Ranking

    if listed is not None:
        read = read_playlist(listed)
        made = library.order(read.paths, mix=mix)
        return made, read.problems + made.problems, ()
    filters, remarks = _filters_without_recent(library, **options)
    if start is not None and end is not None:
        path = library.path(start, end, n or 25, via, filters=filters, variety=variety, seed=seed, by=by, mix=mix)
        return path, (), remarks
    ranking = Ranking(diverse, hubs, variety, seed)
    made = library.playlist(
        seeds, n or 25, unlike=unlike, filters=filters, ranking=ranking, by=by, mix=mix, drift=drift
    )
    return made, (), remarks


def _filters_without_recent(
    library: Engine, *, history: str | None, from_library: bool, again_days: float | None, **options: Any
) -> tuple[Filters, tuple[str, ...]]:
    """Return filters that exclude recently played tracks, and a line about each kind of unusable event."""
    from engine.recommend.history import RECENT_DAYS

    filters = filters_of(options)
    if history is None and not from_library:
        return filters, ()
    heard = library.heard_recently(history, RECENT_DAYS if again_days is None else again_days)
    return replace(filters, not_tracks=heard.track_ids), heard.problems


def _print(made: Playlist) -> None:
    changes = _changes(made)
    if on_terminal():
        rows = [
            (
                number,
                f"{track.similarity:.3f}",
                *name_cells(track.artist, track.title, track.path),
                track.track_id,
                *mix,
            )
            for number, (track, mix) in enumerate(zip(made.tracks, changes, strict=True), start=1)
        ]
        print_table(("", "similar", "artist", "title", "id", *(MIX_COLUMNS if made.mix else ())), rows)
        return
    for number, (track, mix) in enumerate(zip(made.tracks, changes, strict=True), start=1):
        click.echo("  ".join([_line(number, track), *filter(None, mix)]))


def _changes(made: Playlist) -> list[tuple[str, ...]]:
    """Return tempo, its change, key, and the change of key of each track; nothing for playlists in another order."""
    if not made.mix:
        return [()] * len(made.tracks)
    return [
        (
            f"{step.tempo:.0f} bpm" if step.tempo else "no tempo",
            "" if step.tempo_change is None else f"{step.tempo_change:+.1%}",
            step.camelot or "no key",
            "" if step.key_steps is None else counted(step.key_steps, "step"),
        )
        for step in made.mix
    ]


def _line(number: int, track: PlaylistTrack) -> str:
    name = display_name(track.artist, track.title, track.path)
    return f"{number:>4}. {track.similarity:.3f} {name}" + (f"  id:{track.track_id}" if track.track_id else "")


def _sum_up(made: Playlist, out: str | None, wanted: int | None) -> None:
    count = len(made.tracks)
    if wanted is not None and count < wanted:
        why = "; ".join(made.notes) or "no other track is left, or none passes the filters"
        click.echo(f"{count} of {counted(wanted, 'track')}: {why}", err=True)
    if made.worst_step is not None:
        click.echo(f"worst step {made.worst_step:.3f}", err=True)
    print_left_out(made.not_music)
    if out and count:
        click.echo(f"{counted(count, 'track')} written to {displayable(out)}", err=True)
    elif out:
        click.echo(f"nothing written to {displayable(out)}", err=True)
