"""`engine evaluate`."""

from __future__ import annotations

from typing import Any

import click

from engine.cli.data_options import CACHE, SUBSET, data_options
from engine.cli.group import Settings, cli
from engine.cli.options import as_json
from engine.cli.text import displayable, print_json


@cli.command()
@data_options("As for `train`; default: those of the encoder.")
@SUBSET
@click.option("--split", default="valid", show_default=True, help="Split to evaluate.")
@click.option(
    "--protocol",
    type=click.Choice(["artist", "given"]),
    default="artist",
    show_default=True,
    help="`artist` leaves out clips by artists of the train split; `given` takes the split unchanged.",
)
@click.option("--out", metavar="FOLDER", help="Folder of the report; default: ENCODER.SPLIT.report, here.")
@click.option("--tsne/--no-tsne", default=True, show_default=True, help="Draw t-SNE maps: some seconds per data set.")
@CACHE
@as_json
@click.pass_obj
def evaluate(settings: Settings, as_json: bool, **options: Any) -> None:
    """Measure an encoder on labelled music: metrics with intervals, and a report with pictures. Runs on the CPU."""
    from engine.evaluation.run import EvaluationOptions, evaluate_encoder

    request = EvaluationOptions(encoder=settings.encoder, threads=settings.threads, **options)
    report = evaluate_encoder(request, show=not settings.quiet)
    if as_json:
        print_json(report.document)
        return
    click.echo(report.table)
    if not settings.quiet:
        click.echo(f"\nreport written to {displayable(str(report.folder))}")
