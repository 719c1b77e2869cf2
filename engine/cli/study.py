"""`engine study`."""

from __future__ import annotations

import click

from engine.cli import Settings, cli
from engine.cli.train import LABELS, LAYOUTS
from engine.errors import visible


@cli.command()
@click.argument("study", metavar="STUDY.toml")
@click.option("--data", required=True, metavar="PATH", help="A CSV of clips, or a folder, as for `train`.")
@click.option("--layout", type=click.Choice(LAYOUTS), help="How the data lie on disk; default: what they look like.")
@click.option("--labels", type=click.Choice(LABELS), help="As for `train`.")
@click.option("--out", required=True, metavar="FOLDER", help="Where rows and the table go; rows that are there stay.")
@click.option("--cache", metavar="DIR", help="Decoded clips and features; default: in your cache directory.")
@click.pass_obj
def study(
    settings: Settings, study: str, data: str, layout: str | None, labels: str | None, out: str, cache: str | None
) -> None:
    """Train a table of small encoders that differ in one thing each. Stopped, it goes on where it was when run again.

    The tables of the five papers are in scripts/studies.
    """
    from engine.study.run import StudyOptions, run_study

    outcome = run_study(
        StudyOptions(study, data, out, layout, labels, cache, settings.threads), show=not settings.quiet
    )
    click.echo(visible(outcome.table, keep="\n"))
