"""`engine study`."""

from __future__ import annotations

from typing import Any

import click

from engine.cli.data_options import CACHE, data_options
from engine.cli.group import Settings, cli
from engine.errors import visible


@cli.command()
@click.argument("study", metavar="STUDY.toml")
@data_options("As for `train`.")
@click.option(
    "--out", required=True, metavar="FOLDER", help="Folder of rows and table; finished rows are not repeated."
)
@CACHE
@click.pass_obj
def study(settings: Settings, **options: Any) -> None:
    """Train a table of small encoders that each differ in one setting. If interrupted, run the same command to resume.

    The tables of the five papers are in scripts/studies.
    """
    from engine.study.run import StudyOptions, run_study

    outcome = run_study(StudyOptions(threads=settings.threads, **options), show=not settings.quiet)
    click.echo(visible(outcome.table, keep="\n"))
