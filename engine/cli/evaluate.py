"""`engine evaluate`."""

from __future__ import annotations

import click

from engine.cli import Settings, cli
from engine.cli.ask import as_json, displayable, print_json
from engine.cli.train import LABELS, LAYOUTS, SUBSETS


@cli.command()
@click.option("--data", required=True, metavar="PATH", help="A CSV of clips, or a folder, as for `train`.")
@click.option("--layout", type=click.Choice(LAYOUTS), help="How the data lie on disk; default: what they look like.")
@click.option("--labels", type=click.Choice(LABELS), help="As for `train`; default: what fits the encoder.")
@click.option("--subset", type=click.Choice(SUBSETS), help="Of the Free Music Archive.")
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
    layout: str | None,
    labels: str | None,
    subset: str | None,
    split: str,
    protocol: str,
    out: str | None,
    tsne: bool,
    cache: str | None,
    as_json: bool,
) -> None:
    """Measure an encoder on labelled music: figures with intervals, and a report with pictures. Runs on the CPU."""
    from engine.evaluation.run import EvaluationOptions, evaluate_encoder

    options = EvaluationOptions(
        settings.encoder, data, split, protocol, out, tsne, cache, settings.threads, layout, labels, subset
    )
    report = evaluate_encoder(options, show=not settings.quiet)
    if as_json:
        print_json(report.document)
        return
    click.echo(report.table)
    if not settings.quiet:
        click.echo(f"\nreport written to {displayable(str(report.folder))}")
