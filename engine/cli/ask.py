"""Commands that only read the database: `search`, `stats`, `encoders`; and how answers are printed."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from engine.cli.group import Settings, cli
from engine.cli.tables import as_csv, columns_of, counted, on_terminal, one_format, print_csv, print_table
from engine.errors import CONTROLS

NEAREST_CENTROIDS = 5  # shown of each answer
FAILURES = 20  # files listed by `stats`

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


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
        from engine.search.results import FoundTrack

        print_csv(columns_of(FoundTrack), map(asdict, found))
        return
    if on_terminal():
        rows = [(track.track_id, track.artist, track.title, track.album, track.path) for track in found]
        print_table(("id", "artist", "title", "album", "path"), rows)
    else:
        for track in found:
            name = display_name(track.artist, track.title, track.path)
            click.echo(f"{track.track_id:>7}  {name}  {displayable(track.path)}")
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
        document = asdict(held)
        if not held.failures:
            del document["failures"]
        print_json(document)
        return
    click.echo(f"{counted(held.tracks, 'track')}, {counted(held.failed, 'failed file')}")
    for entry in held.encoders:
        click.echo(f"  {entry.encoder} ({entry.coverage}): {counted(entry.tracks, 'track')}")
    for failed in held.failures[:FAILURES]:
        click.echo(f"  failed: {failed.path}: {failed.reason}")
    if held.failed > FAILURES:
        click.echo(f"  and {held.failed - FAILURES} more")


@cli.command()
@as_json
def encoders(as_json: bool) -> None:
    """List the encoders whose weights are installed."""
    from engine.models.weights_files import default_id, shipped_ids

    listed = [{"encoder": name, "default": name == default_id()} for name in shipped_ids()]
    if as_json:
        print_json({"encoders": listed})
        return
    for entry in listed:
        click.echo(f"{entry['encoder']}{'  (default)' if entry['default'] else ''}")


def print_json(document: dict[str, Any]) -> None:
    """Print one document; NaN would be no JSON and is refused. What a terminal would obey is escaped."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2)
    text = text.translate({code: f"\\u{code:04x}" for code in CONTROLS if code != ord("\n")})
    click.echo(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))  # names need not be UTF-8


def displayable(path: str) -> str:
    """A path for a terminal: one line, no control characters."""
    from engine.db.text import displayable as clean

    return clean(path)


def name_cells(artist: str | None, title: str | None, path: str) -> tuple[str | None, str]:
    """What a track is called in two columns of a table: artist, and title or else its file's name."""
    return artist, title or path.rsplit("/", 1)[-1]


def display_name(artist: str | None, title: str | None, path: str) -> str:
    """What a track is called in one line: artist and title where they are known, else its file's name."""
    return displayable(f"{artist} - {title}" if artist and title else title or path.rsplit("/", 1)[-1])
