"""Commands that keep a library safe: `doctor`, `backup`, `restore`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine import documents
from engine.cli.group import FAILED, Settings, cli
from engine.cli.options import as_json
from engine.cli.text import displayable, print_json

if TYPE_CHECKING:
    from engine.doctor.results import Finding


@cli.command()
@click.option("--repair", is_flag=True, help="Repair everything that can be recomputed; nothing else is removed.")
@as_json
@click.pass_obj
def doctor(settings: Settings, repair: bool, as_json: bool) -> int:
    """Check the library and its requirements; exit code 1 if an error is left."""
    with settings.open() as library:
        report = library.check(repair=repair)
    if as_json:
        print_json(documents.check(report))
    else:
        for finding in report.findings:
            click.echo(_line(finding))
        if not settings.quiet:
            click.echo(f"{len(report.checks)} checks, {'no error' if report.sound else 'errors'} left")
    return 0 if report.sound else FAILED


@cli.command()
@click.argument("file", metavar="FILE")
@as_json
@click.pass_obj
def backup(settings: Settings, file: str, as_json: bool) -> None:
    """Write a verified copy of the library into FILE, even while an indexer runs."""
    with settings.open() as library:
        made = library.backup(file)
    if as_json:
        print_json(documents.backup(made))
    elif not settings.quiet:
        click.echo(f"{made.tracks} tracks, {made.size / 2**20:.1f} MB, verified; written to {displayable(made.path)}")


@cli.command()
@click.argument("file", metavar="FILE")
@as_json
@click.pass_obj
def restore(settings: Settings, file: str, as_json: bool) -> None:
    """Replace the library by the backup FILE; the old library remains beside it under another name."""
    from engine.library import Engine

    restored = Engine.restore(file, settings.library)
    if as_json:
        print_json(documents.restored(restored))
    elif not settings.quiet:
        click.echo(f"{restored.tracks} tracks restored to {displayable(restored.path)}")
        if restored.replaced:
            click.echo(f"the earlier library is now {displayable(restored.replaced)}")


def _line(finding: Finding) -> str:
    state = "repaired" if finding.repaired else finding.severity
    step = "" if finding.repaired else f"; {finding.hint}"
    return displayable(f"{state}: {finding.check}: {finding.message}{step}")
