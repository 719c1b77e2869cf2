"""`engine train`."""

from __future__ import annotations

import click

from engine.cli import Settings, cli
from engine.cli.ask import displayable

LAYOUTS = ("csv", "folders", "gtzan", "ismir2004", "fma")  # of engine.datasets.loading, which --help must not load
LABELS = ("standard", "own", "extend")
SUBSETS = ("small", "medium", "large")


@cli.command()
@click.option("--data", required=True, metavar="PATH", help="A CSV of clips, or a folder; see docs/guide/training.md.")
@click.option(
    "--layout",
    type=click.Choice(LAYOUTS),
    help="How the data lie on disk; default: what they look like.",
)
@click.option(
    "--labels",
    type=click.Choice(LABELS),
    help="Genres mapped onto the fifteen, as they are, or both; default: standard for a CSV, own for a folder.",
)
@click.option("--subset", type=click.Choice(SUBSETS), help="Of the Free Music Archive.")
@click.option(
    "--out",
    required=True,
    metavar="FILE",
    help="Where the weights go (.safetensors); a report goes beside it (FILE.report/).",
)
@click.option(
    "--augment", metavar="FILE.toml", help="Effects that vary the clips on the fly; see docs/guide/training.md."
)
@click.option("--teacher", metavar="FILE.npz", help="MusiCNN's weights, to learn from beside the labels.")
@click.option("--second-teacher", metavar="FILE.tflite", help="YAMNet, beside MusiCNN; needs the extra `teachers`.")
@click.option(
    "--music",
    metavar="FOLDER",
    multiple=True,
    help="Whole tracks without labels, to learn from as well; may be given again.",
)
@click.option(
    "--agreement",
    type=click.FloatRange(0),
    help="Weight of the agreement of a track's parts; default: 0.3 with --music, else 0.",
)
@click.option("--excerpts", metavar="DIR", help="Where excerpts that the teacher judged are kept; default: the cache.")
@click.option("--excerpt-count", type=click.IntRange(64), default=10_000, show_default=True, help="0.6 MB each.")
@click.option("--from", "start", metavar="NAME|FILE", help="Weights to go on from, instead of random ones.")
@click.option(
    "--steps",
    type=click.IntRange(0),
    default=2300,
    show_default=True,
    help="Of the trunk; 0 leaves it as --from has it.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), default=2e-3, show_default=True)
@click.option(
    "--lesson-seconds",
    type=click.FloatRange(12),
    default=192.0,
    show_default=True,
    help="Of judged music that a step learns from.",
)
@click.option(
    "--track-seconds",
    type=click.FloatRange(1),
    default=18.0,
    show_default=True,
    help="Of each of twenty labelled clips that a step learns from.",
)
@click.option(
    "--tracks-from",
    type=click.FloatRange(0, 1),
    default=0.8,
    show_default=True,
    help="Share of the steps after which labels join the teacher; without one they do at once.",
)
@click.option("--cache", metavar="DIR", help="Decoded clips (2.6 MB a minute); default: in your cache directory.")
@click.pass_obj
def train(
    settings: Settings,
    data: str,
    layout: str | None,
    labels: str | None,
    subset: str | None,
    out: str,
    augment: str | None,
    teacher: str | None,
    second_teacher: str | None,
    music: tuple[str, ...],
    agreement: float | None,
    excerpts: str | None,
    excerpt_count: int,
    start: str | None,
    steps: int,
    seed: int,
    learning_rate: float,
    lesson_seconds: float,
    track_seconds: float,
    tracks_from: float,
    cache: str | None,
) -> None:
    """Train an encoder on labelled music. Stopped, it goes on where it was when run again."""
    from engine.training.run import TrainingOptions, train_encoder

    options = TrainingOptions(
        data, out, settings.encoder, teacher, excerpts, excerpt_count, start, steps, seed, learning_rate,
        lesson_seconds, track_seconds, tracks_from, cache,
        settings.threads, layout, labels, subset, augment, second_teacher, music, agreement,
    )  # fmt: skip
    outcome = train_encoder(options, show=not settings.quiet)
    if not settings.quiet:
        click.echo(f"{outcome.report.table}\n\nreport written to {displayable(str(outcome.report.folder))}")
    click.echo(f"{outcome.encoder} written to {displayable(str(outcome.path))}")
