"""`engine stats`: totals of the library, and the files that failed."""

from __future__ import annotations

import click

from engine import documents
from engine.cli.group import Settings, cli
from engine.cli.options import as_json
from engine.cli.text import print_json, print_limited
from engine.util.text import counted

FAILURES = 20  # files listed


@cli.command()
@as_json
@click.pass_obj
def stats(settings: Settings, as_json: bool) -> None:
    """Show the library's totals and the files that failed."""
    with settings.open() as library:
        held = library.stats()
    if as_json:
        print_json(documents.stats(held))
        return
    click.echo(f"{counted(held.tracks, 'track')}, {counted(held.failed, 'failed file')}")
    for entry in held.encoders:
        click.echo(f"  {entry.encoder} ({entry.coverage}): {counted(entry.tracks, 'track')}")
    print_limited((f"failed: {failed.path}: {failed.reason}" for failed in held.failures), FAILURES)
