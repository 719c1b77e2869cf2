"""`playlist`: a radio from seeds, a path between two tracks, a list in its smoothest order."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from engine.cli import FAILED, Settings, cli
from engine.cli.ask import as_json, display_name, name_cells, print_json, shown
from engine.cli.filtering import filter_options, filters_of
from engine.cli.similar import DIVERSE
from engine.cli.tables import as_csv, columns_of, on_terminal, one_format, print_csv, print_table

if TYPE_CHECKING:
    from engine.analysis.playlists import Playlist, PlaylistTrack
    from engine.library import Engine

FORMS = "expected SEEDs, or --from A --to B, or --order LIST.m3u8; for example: engine playlist track.flac -n 25"


@cli.command()
@click.argument("seeds", nargs=-1, metavar="[SEED...]")
@click.option("-n", "n", type=click.IntRange(1), metavar="N", help="How many tracks; default: 25.")
@click.option("--unlike", multiple=True, metavar="TRACK", help="Taken away from the seeds; repeatable.")
@click.option("--from", "start", metavar="TRACK", help="A path that begins here; with --to.")
@click.option("--to", "end", metavar="TRACK", help="... and ends here; -n counts both.")
@click.option("--order", "listed", metavar="LIST.m3u8", help="The tracks of this list in the smoothest order.")
@click.option("--out", metavar="FILE.m3u8", help="Write the playlist; what lies there is replaced.")
@click.option("--relative", is_flag=True, help="With --out: paths from the playlist's folder.")
@filter_options
@click.option(
    "--diverse", is_flag=False, flag_value=DIVERSE, default=0.0, type=click.FloatRange(0, 1), metavar="[0..1]",
    help=f"A radio of tracks that differ from each other; {DIVERSE} when no number is given.",
)  # fmt: skip
@click.option("--hubs", is_flag=True, help="A radio of the plainly nearest, with those that are near to everything.")
@as_json
@as_csv
@click.pass_obj
def playlist(settings: Settings, out: str | None, relative: bool, as_json: bool, as_csv: bool, **options: Any) -> int:
    """Make a playlist: from SEEDs, from one track to another, or of a list.

    A SEED is a file (in the library or not), an id (12, or id:12), search:WORDS, artist:NAME or album:NAME; seeds are
    left out. The similarity shown is to the seeds together, in a path and a list to the track before.

    Exit code 1 says that something was left out: a line of LIST, or a track that FILE.m3u8 cannot hold.
    """
    one_format(as_json, as_csv)
    _check(out, relative, **options)
    if out:
        from engine.m3u8 import check_target

        check_target(out)
    with settings.open() as library:
        made, problems = _make(library, **options)
        if out and made.tracks:
            problems += library.save_playlist(made, out, relative=relative)
    for problem in problems:
        click.echo(f"engine: {shown(problem)}", err=True)
    if as_json:
        print_json({"tracks": [asdict(track) for track in made.tracks]})
    elif as_csv:
        from engine.analysis.playlists import PlaylistTrack

        print_csv(columns_of(PlaylistTrack), map(asdict, made.tracks))
    elif not out:
        _show_all(made)
    if not settings.quiet:
        _sum_up(made, out, None if options["listed"] else options["n"] or 25)
    return FAILED if problems else 0


def _check(
    out: str | None, relative: bool, *, seeds: tuple[str, ...], n: int | None, unlike: tuple[str, ...],
    start: str | None, end: str | None, listed: str | None, diverse: float, hubs: bool, **filters: Any,
) -> None:  # fmt: skip
    path = start is not None or end is not None
    if bool(seeds or unlike) + path + (listed is not None) != 1 or (start is None) != (end is None):
        raise click.UsageError(FORMS)
    if relative and not out:
        raise click.UsageError("--relative belongs to --out FILE.m3u8")
    if (path or listed) and (diverse or hubs):
        raise click.UsageError("--diverse and --hubs belong to SEEDs")
    if listed and (n or any(filters.values())):
        raise click.UsageError("--order takes all tracks of its list: leave out -n and what limits the choice")


def _make(
    library: Engine, *, seeds: tuple[str, ...], n: int | None, unlike: tuple[str, ...], start: str | None,
    end: str | None, listed: str | None, diverse: float, hubs: bool, **options: Any,
) -> tuple[Playlist, tuple[str, ...]]:  # fmt: skip
    """The playlist, and a line about each track that was named and is not in it."""
    from engine.analysis.neighbours import Ranking
    from engine.m3u8 import read_playlist

    if listed is not None:
        read = read_playlist(listed)
        made = library.order(read.paths)
        return made, read.problems + made.problems
    if start is not None and end is not None:
        return library.path(start, end, n or 25, filters=filters_of(options)), ()
    ranking = Ranking(diverse, hubs)
    return library.playlist(seeds, n or 25, unlike=unlike, filters=filters_of(options), ranking=ranking), ()


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
    left = f"{number:>4}. {track.similarity:.3f} "
    room = max(20, shutil.get_terminal_size().columns - len(left) - 12)
    name = display_name(track.artist, track.title, track.path)
    name = name if len(name) <= room else name[: room - 1] + "…"
    click.echo(f"{left}{name}" + (f"  id:{track.track_id}" if track.track_id else ""))


def _sum_up(made: Playlist, out: str | None, wanted: int | None) -> None:
    count = len(made.tracks)
    if wanted is not None and count < wanted:
        click.echo(f"{count} of {wanted} tracks: no more are there, or none passes the filters", err=True)
    if out and count:
        click.echo(f"{count} track{'s' if count > 1 else ''} written to {shown(out)}", err=True)
    elif out:
        click.echo(f"nothing written to {shown(out)}", err=True)
