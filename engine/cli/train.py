"""`engine train`."""

from __future__ import annotations

from typing import Any

import click

from engine.cli.data_options import CACHE, SUBSET, data_options
from engine.cli.group import Settings, cli
from engine.cli.text import displayable


@cli.command()
@data_options(
    "Genres mapped to the standard fifteen, unchanged, or both; default: standard for a CSV, own for a folder."
)
@SUBSET
@click.option(
    "--out",
    required=True,
    metavar="FILE",
    help="Weights to write (.safetensors); a report is written beside them (FILE.report/).",
)
@click.option(
    "--augment", metavar="FILE.toml", help="Augmentation of the clips, applied on the fly; see docs/guide/training.md."
)
@click.option("--teacher", metavar="FILE.npz", help="MusiCNN's weights, a teacher beside the labels.")
@click.option("--second-teacher", metavar="FILE.tflite", help="YAMNet, beside MusiCNN; needs the extra `teachers`.")
@click.option(
    "--music", metavar="FOLDER", multiple=True, help="Unlabelled whole tracks to train on as well; repeatable."
)
@click.option(
    "--agreement",
    type=click.FloatRange(0),
    help="Weight of the agreement between parts of a track; default: 0.3 with --music, else 0.",
)
@click.option("--excerpts", metavar="DIR", help="Folder for teacher-labelled excerpts; default: in the cache.")
@click.option(
    "--excerpt-count",
    type=click.IntRange(64),
    default=10_000,
    show_default=True,
    help="Number of excerpts, 0.6 MB each.",
)
@click.option("--from", "start", metavar="NAME|FILE", help="Weights to continue from; default: random ones.")
@click.option(
    "--steps",
    type=click.IntRange(0),
    default=2300,
    show_default=True,
    help="Training steps; 0 fits only heads and pooling to the weights of --from.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), default=2e-3, show_default=True)
@click.option(
    "--lesson-seconds",
    type=click.FloatRange(12),
    default=192.0,
    show_default=True,
    help="Teacher-labelled audio per step.",
)
@click.option(
    "--track-seconds",
    type=click.FloatRange(1),
    default=18.0,
    show_default=True,
    help="Audio of each of the twenty labelled clips per step.",
)
@click.option(
    "--tracks-from",
    type=click.FloatRange(0, 1),
    default=0.8,
    show_default=True,
    help="Share of the steps after which labels join the teacher; without a teacher they start at once.",
)
@CACHE
@click.pass_obj
def train(settings: Settings, **options: Any) -> None:
    """Train an encoder on labelled music. If interrupted, run the same command to resume."""
    from engine.training.options import TrainingOptions
    from engine.training.run import train_encoder

    request = TrainingOptions(encoder=settings.encoder, threads=settings.threads, **options)
    outcome = train_encoder(request, show=not settings.quiet)
    if not settings.quiet:
        click.echo(f"{outcome.report.table}\n\nreport written to {displayable(str(outcome.report.folder))}")
    click.echo(f"{outcome.encoder} written to {displayable(str(outcome.path))}")
