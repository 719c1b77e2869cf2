"""`engine train`."""

from __future__ import annotations

import click

from engine.cli import Settings, cli


@cli.command()
@click.option(
    "--data", required=True, metavar="CLIPS.csv", help="Columns: file, and genres or quadrant; see the README."
)
@click.option(
    "--out",
    required=True,
    metavar="FILE",
    help="Where the weights go (.safetensors); a report goes beside it (FILE.report/).",
)
@click.option("--teacher", metavar="FILE.npz", help="MusiCNN's weights, to learn from beside the labels.")
@click.option("--steps", type=click.IntRange(1), default=2300, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), default=2e-3, show_default=True)
@click.option("--cache", metavar="DIR", help="Decoded clips (2.6 MB a minute); default: in your cache directory.")
@click.pass_obj
def train(
    settings: Settings,
    data: str,
    out: str,
    teacher: str | None,
    steps: int,
    seed: int,
    learning_rate: float,
    cache: str | None,
) -> None:
    """Train an encoder on labelled music. Stopped, it goes on where it was when run again."""
    from engine.training.run import TrainingOptions, train_encoder

    options = TrainingOptions(settings.encoder, data, out, teacher, steps, seed, learning_rate, cache, settings.threads)
    outcome = train_encoder(options, show=not settings.quiet)
    if not settings.quiet:
        click.echo(f"{outcome.report.table}\n\nreport written to {outcome.report.folder}")
    click.echo(f"{outcome.encoder} written to {outcome.path}")
