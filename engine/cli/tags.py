"""`engine tags`: the tags of the library's encoder, with the number of tracks that carry each."""

from __future__ import annotations

import click

from engine import documents
from engine.cli.group import Settings, cli
from engine.cli.options import one_format, output_options
from engine.cli.tables import on_terminal, print_records, print_table
from engine.cli.text import print_json


@cli.command()
@output_options
@click.pass_obj
def tags(settings: Settings, as_json: bool, as_csv: bool) -> None:
    """List the tags that --tag and --not-tag accept, with the number of tracks that carry each.

    A track carries a tag if it has more of it than five of six typical tracks. `engine find` also understands these
    words and their synonyms.
    """
    one_format(as_json, as_csv)
    with settings.open() as library:
        counted = library.tags()
    if as_json:
        print_json(documents.tags(counted))
    elif as_csv:
        from engine.search.results import TagCount

        print_records(TagCount, counted)
    elif on_terminal():
        print_table(("tag", "tracks"), [(each.tag, each.tracks) for each in counted])
    else:
        for each in counted:
            click.echo(f"{each.tracks:>7}  {each.tag}")
