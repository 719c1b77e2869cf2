"""`engine encoders`: the installed weights."""

from __future__ import annotations

import click

from engine import documents
from engine.cli.group import cli
from engine.cli.options import as_json
from engine.cli.text import print_json


@cli.command()
@as_json
def encoders(as_json: bool) -> None:
    """List the encoders whose weights are installed."""
    from engine.models.weights_files import default_id, shipped_ids

    listed = documents.encoders(shipped_ids(), default_id())
    if as_json:
        print_json(listed)
        return
    for entry in listed["encoders"]:
        click.echo(f"{entry['encoder']}{'  (default)' if entry['default'] else ''}")
