"""`engine evaluate`."""

from __future__ import annotations

import click

from engine.cli import Settings, cli
from engine.cli.ask import as_json, print_json


@cli.command()
@click.option(
    "--data", required=True, metavar="CLIPS.csv", help="Columns: file, and genres or quadrant; as for `train`."
)
@click.option("--split", default="valid", show_default=True, help="Which clips of the table.")
@click.option(
    "--protocol",
    type=click.Choice(["artist", "given"]),
    default="artist",
    show_default=True,
    help="`artist` leaves out clips whose artist is in the train split, too; `given` takes the split as it is.",
)
@click.option("--out", metavar="FOLDER", help="Where the report goes; default: ENCODER.SPLIT.report, here.")
@click.option("--tsne/--no-tsne", default=True, show_default=True, help="Draw t-SNE maps: some seconds a data set.")
@click.option("--cache", metavar="DIR", help="Decoded clips (2.6 MB a minute); default: in your cache directory.")
@as_json
@click.pass_obj
def evaluate(
    settings: Settings,
    data: str,
    split: str,
    protocol: str,
    out: str | None,
    tsne: bool,
    cache: str | None,
    as_json: bool,
) -> None:
    """Measure an encoder on labelled music: figures with intervals, and a report with pictures. Runs on the CPU."""
    from engine.evaluation.run import EvaluationOptions, evaluate_encoder

    options = EvaluationOptions(settings.encoder, data, split, protocol, out, tsne, cache, settings.threads)
    report = evaluate_encoder(options, show=not settings.quiet)
    if as_json:
        print_json(report.document)
        return
    click.echo(report.table)
    if not settings.quiet:
        click.echo(f"\nreport written to {report.folder}")
