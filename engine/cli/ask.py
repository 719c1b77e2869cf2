"""Commands that only read: `similar`, `search`, `stats`, `encoders`."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import click

from engine.cli import FAILED, Settings, cli
from engine.cli.tables import as_csv, one_format, print_csv, print_table
from engine.errors import AudioError, QueryError, SignatureError

if TYPE_CHECKING:
    from engine.library import Engine
    from engine.results import Match, QueryResult

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
BAR_WIDTH = 10
NEAREST_CENTROIDS = 5


@cli.command()
@click.argument("tracks", nargs=-1, required=True, metavar="TRACK...")
@click.option("-k", "k", type=click.IntRange(1), default=5, show_default=True, help="How many neighbours.")
@click.option(
    "--coverage", type=click.Choice(["windows", "full"]), help="Which signatures; default: the library's own."
)
@as_json
@as_csv
@click.pass_obj
def similar(
    settings: Settings, tracks: tuple[str, ...], k: int, coverage: str | None, as_json: bool, as_csv: bool
) -> int:
    """Show what sounds like each TRACK: a file, in the library or not, or a track id (12, or id:12)."""
    one_format(as_json, as_csv)
    with settings.open(coverage=coverage) as library:
        results = [_ask(library, track, k) for track in tracks]
        encoder = library.encoder
    if as_json:
        print_json({"encoder": encoder, "queries": [asdict(result) for result in results]})
    if as_csv:
        _print_matches(results)
    for result in results:
        if result.error:
            click.echo(f"engine: {result.error}", err=True)
        elif not as_json and not as_csv:
            _show(result)
    return FAILED if any(result.error for result in results) else 0


@cli.command()
@click.argument("words", nargs=-1, required=True, metavar="WORDS...")
@as_json
@as_csv
@click.pass_obj
def search(settings: Settings, words: tuple[str, ...], as_json: bool, as_csv: bool) -> None:
    """List tracks by words in their tags and paths, with their ids."""
    one_format(as_json, as_csv)
    with settings.open() as library:
        found = library.search([part for word in words for part in word.split()])
    if as_json:
        print_json({"tracks": [asdict(track) for track in found]})
        return
    if as_csv:
        print_csv(("track_id", "path", "artist", "title", "album"), [asdict(track) for track in found])
        return
    columns = ("id", "artist", "title", "album", "path")
    print_table(columns, [(track.track_id, track.artist, track.title, track.album, track.path) for track in found])
    if not found and not settings.quiet:
        click.echo("no track has all of these words", err=True)


@cli.command()
@as_json
@click.pass_obj
def stats(settings: Settings, as_json: bool) -> None:
    """Show what the library holds."""
    with settings.open() as library:
        held = library.stats()
    if as_json:
        print_json(asdict(held))
        return
    click.echo(f"{held.tracks} tracks, {held.failed} failed files")
    for entry in held.encoders:
        click.echo(f"  {entry.encoder} ({entry.coverage}): {entry.tracks} tracks")


@cli.command()
@as_json
def encoders(as_json: bool) -> None:
    """List the encoders whose weights are installed."""
    from engine.models.shipped import default_id, shipped_ids

    listed = [{"encoder": name, "default": name == default_id()} for name in shipped_ids()]
    if as_json:
        print_json({"encoders": listed})
        return
    for entry in listed:
        click.echo(f"{entry['encoder']}{'  (default)' if entry['default'] else ''}")


def print_json(document: dict[str, Any]) -> None:
    """Print one document; NaN would be no JSON and is refused."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2)
    click.echo(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))  # names need not be UTF-8


def shown(path: str) -> str:
    """A path for a terminal: one line, no control characters."""
    from engine.db.values import shown as clean

    return clean(path)


def _ask(library: Engine, track: str, k: int) -> QueryResult:
    from engine.results import QueryResult

    try:
        return library.similar(track, k)
    except (QueryError, AudioError, SignatureError) as error:
        path, track_id = library.locate(track)
        return QueryResult(path, track_id, " ".join(str(error).split()), (), (), (), ())


def _print_matches(results: list[QueryResult]) -> None:
    """One record for each match, beside the path of what was asked; a query that failed has none."""
    from engine.results import Match

    columns = ("query", *(field.name for field in fields(Match)))
    print_csv(columns, [{"query": result.path, **asdict(match)} for result in results for match in result.matches])


def _show(result: QueryResult) -> None:
    click.echo(
        click.style(shown(result.path or ""), bold=True) + (f"  (track {result.track_id})" if result.track_id else "")
    )
    genres = ", ".join(f"{g.genre} {g.probability:.2f}" for g in result.genres[:3])
    moods = ", ".join(f"{m.mood} {m.probability:.2f}" for m in result.moods[:2])
    near = ", ".join(f"{c.genre} {c.distance:.2f}" for c in result.centroids[:NEAREST_CENTROIDS])
    own = sum(c.kind == "library" for c in result.centroids)
    click.echo(f"  genre     {genres}\n  mood      {moods}")
    click.echo(f"  nearest genre centroids  {near}  ({own} of {len(result.centroids)} from this library)")
    if not result.matches:
        click.echo("  no other track to compare with")
    for match in result.matches:
        _show_match(match)
    click.echo()


def _show_match(match: Match) -> None:
    filled = round(match.similarity * BAR_WIDTH)
    bar = "█" * filled + "░" * (BAR_WIDTH - filled)
    genre = f"{match.genre or '-'}{'' if match.genre_source == 'tag' else '?'}"
    left = f"  {match.rank:>3}. {match.similarity:.3f} {bar} {genre:<12}"
    room = max(20, shutil.get_terminal_size().columns - len(left) - 9)
    name = _name(match.artist, match.title, match.path)
    shown = name if len(name) <= room else name[: room - 1] + "…"
    click.echo(f"{left}{shown}  id:{match.track_id}")


def _name(artist: str | None, title: str | None, path: str) -> str:
    if artist and title:
        return f"{artist} - {title}"
    return title or shown(path.rsplit("/", 1)[-1])
