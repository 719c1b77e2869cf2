"""`engine search`: tracks by the words of their tags and paths."""

from __future__ import annotations

import click

from engine import documents
from engine.cli.group import Settings, cli
from engine.cli.options import one_format, output_options
from engine.cli.tables import on_terminal, print_records, print_table
from engine.cli.text import display_name, displayable, print_json


@cli.command()
@click.argument("words", nargs=-1, required=True, metavar="WORDS...")
@output_options
@click.pass_obj
def search(settings: Settings, words: tuple[str, ...], as_json: bool, as_csv: bool) -> None:
    """List the tracks whose tags or paths hold all WORDS, with their ids."""
    one_format(as_json, as_csv)
    with settings.open() as library:
        found = library.search([part for word in words for part in word.split()])
    if as_json:
        print_json(documents.found_tracks(found))
        return
    if as_csv:
        from engine.search.results import FoundTrack

        print_records(FoundTrack, found)
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
