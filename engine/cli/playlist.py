"""`playlist`: a radio from seeds, a path between two tracks, a list in its smoothest order."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from engine.cli.ask import as_json, display_name, displayable, name_cells, print_json
from engine.cli.filtering import filter_options, filters_of, seed_of, tell_seed, variety_options
from engine.cli.group import FAILED, Settings, cli
from engine.cli.similar import DIVERSE
from engine.cli.tables import as_csv, columns_of, counted, on_terminal, one_format, print_csv, print_table

if TYPE_CHECKING:
    from engine.library import Engine
    from engine.playlists.results import Playlist, PlaylistTrack
    from engine.search.filters import Filters

FORMS = "expected SEEDs, or --from A --to B, or --order LIST.m3u8; for example: engine playlist track.flac -n 25"


@cli.command()
@click.argument("seeds", nargs=-1, metavar="[SEED...]")
@click.option("-n", "n", type=click.IntRange(1), metavar="N", help="How many tracks; default: 25.")
@click.option("--unlike", multiple=True, metavar="TRACK", help="Taken away from the seeds; repeatable.")
@click.option("--from", "start", metavar="TRACK", help="A path that begins here; with --to.")
@click.option("--to", "end", metavar="TRACK", help="... and ends here; -n counts both.")
@click.option("--via", multiple=True, metavar="TRACK", help="A point that the path leads over; repeatable, in order.")
@click.option(
    "--order",
    "listed",
    metavar="LIST.m3u8",
    help="The tracks of this list (M3U or PLS, of any player) in the smoothest order.",
)
@click.option(
    "--history", metavar="FILE.csv", help="Leave out what was heard lately: columns time,path,event, as in `recommend`."
)
@click.option("--db", "from_library", is_flag=True, help="The same, from the plays that the library keeps.")
@click.option(
    "--again",
    "again_days",
    type=click.FloatRange(0),
    metavar="DAYS",
    help="With --history or --db: lately is less than so many days before the newest event; default: 14.",
)
@click.option("--out", metavar="FILE.m3u8", help="Write the playlist; what lies there is replaced.")
@click.option("--relative", is_flag=True, help="With --out: paths from the playlist's folder.")
@filter_options
@click.option(
    "--diverse", is_flag=False, flag_value=DIVERSE, default=0.0, type=click.FloatRange(0, 1), metavar="[0..1]",
    help=f"A radio of tracks that differ from each other; {DIVERSE} when no number is given.",
)  # fmt: skip
@click.option("--hubs", is_flag=True, help="A radio of the plainly nearest, with those that are near to everything.")
@variety_options
@as_json
@as_csv
@click.pass_obj
def playlist(settings: Settings, out: str | None, relative: bool, as_json: bool, as_csv: bool, **options: Any) -> int:
    """Make a playlist: from SEEDs, from one track to another, or of a list.

    A SEED is a file (in the library or not), an id (12, or id:12), search:WORDS, artist:NAME or album:NAME; seeds are
    left out. The similarity shown is to the seeds together, in a path and a list to the track before. With --history
    or --db nothing that was played, skipped or liked in the last 14 days of it is added, nor a copy of that.

    Exit code 1 says that something was left out: a line of LIST, or a track that FILE.m3u8 cannot hold.
    """
    one_format(as_json, as_csv)
    _check(out, relative, **options)
    if out:
        from engine.playlists.m3u8 import check_target

        check_target(out)
    given, options["seed"] = options["seed"], seed_of(options["variety"], options["seed"])
    with settings.open() as library:
        made, problems, remarks = _make(library, **options)
        if out and made.tracks:
            problems += library.save_playlist(made, out, relative=relative)
    for problem in (*remarks, *problems):
        click.echo(f"engine: {displayable(problem)}", err=True)
    if as_json:
        print_json(_document(made))
    elif as_csv:
        from engine.playlists.results import PlaylistTrack

        print_csv(columns_of(PlaylistTrack), map(asdict, made.tracks))
    elif not out:
        _show_all(made)
    if not settings.quiet:
        _sum_up(made, out, None if options["listed"] else options["n"] or 25)
        tell_seed(made.seed if given is None else None)
    return FAILED if problems else 0


def _document(made: Playlist) -> dict[str, Any]:
    """The contract: `worst_step` of a path and an order, `seed` of what was drawn."""
    told = {"worst_step": made.worst_step, "seed": made.seed}
    tracks = [asdict(track) for track in made.tracks]
    return {"tracks": tracks, **{name: value for name, value in told.items() if value is not None}}


def _check(
    out: str | None, relative: bool, *, seeds: tuple[str, ...], n: int | None, unlike: tuple[str, ...],
    start: str | None, end: str | None, via: tuple[str, ...], listed: str | None, history: str | None,
    from_library: bool, again_days: float | None, diverse: float, hubs: bool, variety: float, seed: int | None,
    **filters: Any,
) -> None:  # fmt: skip
    path = start is not None or end is not None
    if bool(seeds or unlike) + path + (listed is not None) != 1 or (start is None) != (end is None):
        raise click.UsageError(FORMS)
    if via and not path:
        raise click.UsageError("--via belongs to --from and --to")
    if relative and not out:
        raise click.UsageError("--relative belongs to --out FILE.m3u8")
    if (path or listed) and (diverse or hubs):
        raise click.UsageError("--diverse and --hubs belong to SEEDs")
    if history is not None and from_library:
        raise click.UsageError("--history and --db exclude each other; choose one")
    heard = history is not None or from_library
    if again_days is not None and not heard:
        raise click.UsageError("--again belongs to --history or --db")
    if listed and (n or heard or variety or any(filters.values())):
        raise click.UsageError("--order takes all tracks of its list: leave out -n and what limits the choice")


def _make(
    library: Engine, *, seeds: tuple[str, ...], n: int | None, unlike: tuple[str, ...], start: str | None,
    end: str | None, via: tuple[str, ...], listed: str | None, diverse: float, hubs: bool, variety: float,
    seed: int | None, **options: Any,
) -> tuple[Playlist, tuple[str, ...], tuple[str, ...]]:  # fmt: skip
    """The playlist, a line about each track that was named and is not in it, and others that need telling."""
    from engine.playlists.m3u8 import read_playlist
    from engine.search.ranking import Ranking

    if listed is not None:
        read = read_playlist(listed)
        made = library.order(read.paths)
        return made, read.problems + made.problems, ()
    filters, remarks = _unheard(library, **options)
    if start is not None and end is not None:
        path = library.path(start, end, n or 25, via, filters=filters, variety=variety, seed=seed)
        return path, (), remarks
    ranking = Ranking(diverse, hubs, variety, seed)
    return library.playlist(seeds, n or 25, unlike=unlike, filters=filters, ranking=ranking), (), remarks


def _unheard(
    library: Engine, *, history: str | None, from_library: bool, again_days: float | None, **options: Any
) -> tuple[Filters, tuple[str, ...]]:
    """The filters, without what was heard lately; and a line about each kind of event that could not be used."""
    from engine.recommend.history import RECENT_DAYS

    filters = filters_of(options)
    if history is None and not from_library:
        return filters, ()
    heard = library.heard_recently(history, RECENT_DAYS if again_days is None else again_days)
    return replace(filters, not_tracks=heard.track_ids), heard.problems


def _show_all(made: Playlist) -> None:
    if on_terminal():
        rows = [
            (number, f"{track.similarity:.3f}", *name_cells(track.artist, track.title, track.path), track.track_id)
            for number, track in enumerate(made.tracks, start=1)
        ]
        print_table(("", "similar", "artist", "title", "id"), rows)
        return
    for number, track in enumerate(made.tracks, start=1):
        _show(number, track)


def _show(number: int, track: PlaylistTrack) -> None:
    name = display_name(track.artist, track.title, track.path)
    click.echo(f"{number:>4}. {track.similarity:.3f} {name}" + (f"  id:{track.track_id}" if track.track_id else ""))


def _sum_up(made: Playlist, out: str | None, wanted: int | None) -> None:
    count = len(made.tracks)
    if wanted is not None and count < wanted:
        why = "; ".join(made.notes) or "no more are there, or none passes the filters"
        click.echo(f"{count} of {counted(wanted, 'track')}: {why}", err=True)
    if made.worst_step is not None:
        click.echo(f"worst step {made.worst_step:.3f}", err=True)
    if out and count:
        click.echo(f"{counted(count, 'track')} written to {displayable(out)}", err=True)
    elif out:
        click.echo(f"nothing written to {displayable(out)}", err=True)
