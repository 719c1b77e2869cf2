"""`engine classify`: genre, mood, valence, distances; and writing genre and mood into files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from engine import documents
from engine.cli.group import FAILED, QUERY_FAILURES, Settings, cli
from engine.cli.options import coverage_option, one_format, output_options
from engine.cli.tables import on_terminal, print_csv, print_records, print_table
from engine.cli.text import (
    displayable,
    heading,
    print_centroids,
    print_json,
    print_labelled,
    print_problem,
)
from engine.util.text import counted

if TYPE_CHECKING:
    from engine.db import AudioFeatures
    from engine.library import Engine
    from engine.search.results import Classification, TagProbability
    from engine.tags.results import TagChange, TagReport

MOST_SOUNDS = 8  # on a line
MOST_TAGS = 5  # in a field
COLUMNS = (
    "path", "track_id", "genre", "genre_probability", "mood", "mood_probability", "valence", "valence_probability",
    "nearest_centroid", "distance", "tags",
)  # fmt: skip


@cli.command()
@click.argument("tracks", nargs=-1, required=True, metavar="TRACK...")
@coverage_option
@click.option("--write-tags", is_flag=True, help="Show which genre and mood tags would be written into the files.")
@click.option("--yes", is_flag=True, help="With --write-tags: write them. Needs music-engine[tags].")
@click.option(
    "--min-probability",
    type=click.FloatRange(0, 1),
    help="With --write-tags: skip predictions below this probability; default: 0.6.",
)
@click.option("--overwrite", is_flag=True, help="With --write-tags: also replace existing tags.")
@output_options
@click.pass_obj
def classify(
    settings: Settings,
    tracks: tuple[str, ...],
    coverage: str | None,
    write_tags: bool,
    yes: bool,
    min_probability: float | None,
    overwrite: bool,
    as_json: bool,
    as_csv: bool,
) -> int:
    """Predict genre, mood and valence of each TRACK (a file or a track id), and its distance to every genre."""
    one_format(as_json, as_csv)
    if (yes or overwrite) and not write_tags:
        raise click.UsageError("--yes and --overwrite belong to --write-tags")
    report = None
    with settings.open(coverage=coverage) as library:
        results = [_classify(library, track) for track in tracks]
        if write_tags:
            report = library.write_tags(results, write=yes, minimum=min_probability, overwrite=overwrite)
        elif not (as_json or as_csv):
            _print_all(library, results)
    if as_json:
        print_json(documents.classifications(library.encoder, results, report))
    if as_csv:
        _print_csv(results, report)
    failed = [result.error for result in results if result.error]
    for error in failed:
        print_problem(error)
    if report is not None:
        _print_report(report, settings.quiet, as_json or as_csv, written=yes)
    return FAILED if failed or (yes and report is not None and report.failed) else 0


def _classify(library: Engine, track: str) -> Classification:
    from engine.search.results import Classification

    try:
        return library.classify(track)
    except QUERY_FAILURES as error:
        return Classification.failed(*library.locate(track), error)


def _print_csv(results: Sequence[Classification], report: TagReport | None) -> None:
    """Print the likeliest of each kind for each track, or the changes of a report; a failed query has no record."""
    if report is not None:
        from engine.tags.results import TagChange

        print_records(TagChange, report.changes)
        return
    print_csv(COLUMNS, [_record(result) for result in results if not result.error])


def _record(result: Classification) -> dict[str, object]:
    genre, mood = next(iter(result.genres), None), next(iter(result.moods), None)
    valence, near = next(iter(result.valence), None), next(iter(result.centroids), None)
    return {
        "path": result.path,
        "track_id": result.track_id,
        "genre": genre and genre.genre,
        "genre_probability": genre and genre.probability,
        "mood": mood and mood.mood,
        "mood_probability": mood and mood.probability,
        "valence": valence and valence.valence,
        "valence_probability": valence and valence.probability,
        "nearest_centroid": near and near.genre,
        "distance": near and near.distance,
        "tags": "; ".join(_words(result.tags, MOST_TAGS)),
    }


def _print_all(library: Engine, results: Sequence[Classification]) -> None:
    for result in results:
        if not result.error:
            features = library.audio_features(result.track_id) if result.track_id is not None else None
            _print(result, features)


def _print(result: Classification, features: AudioFeatures | None) -> None:
    click.echo(heading(result.path or "", result.track_id))
    print_labelled("genre", [f"{entry.genre} {entry.probability:.2f}" for entry in result.genres[:3]])
    print_labelled("mood", [f"{entry.mood} {entry.probability:.2f}" for entry in result.moods])
    print_labelled("valence", [f"{entry.valence} {entry.probability:.2f}" for entry in result.valence])
    print_labelled("sounds", _words(result.tags, MOST_SOUNDS))
    print_centroids(result.centroids)
    if features is not None:
        print_labelled("measured", _measured(features))
    click.echo()


def _words(tags: Sequence[TagProbability], most: int) -> list[str]:
    from engine.search.word_tags import telling

    return [f"{entry.tag} {entry.probability:.2f}" for entry in telling(tags, most)]


def _measured(features: AudioFeatures) -> list[str]:
    tempo = f"{features.tempo:.1f} beats a minute" if features.tempo is not None else "no steady tempo"
    loudness = f"{features.loudness:.1f} LUFS" if features.loudness is not None else "silent"
    return [tempo, features.key or "no key", loudness]


def _print_report(report: TagReport, quiet: bool, only_problems: bool, *, written: bool) -> None:
    """Print a plan, or the results, of writing tags."""
    for failed in report.failed:
        print_problem(f"{failed.path}: {failed.reason}")
    if only_problems:
        return
    if on_terminal():
        rows = [(c.path, c.tag, c.old, c.new, f"{c.probability:.2f}") for c in report.changes]
        print_table(("path", "tag", "old", "new", "sure"), rows)
    else:
        for change in report.changes:
            click.echo(_change_line(change))
    if not quiet:
        _print_counts(report, written=written)


def _print_counts(report: TagReport, *, written: bool) -> None:
    files = len({change.path for change in report.changes})
    click.echo(
        f"{counted(len(report.changes), 'tag')} {'written' if written else 'to write'} in {counted(files, 'file')}"
    )
    if report.kept:
        click.echo(f"{counted(report.kept, 'tag')} already there, not changed (--overwrite replaces them)")
    if report.unsure:
        click.echo(f"{counted(report.unsure, 'guess', 'guesses')} too unsure to write (--min-probability)")
    if report.changes and not written:
        click.echo("nothing was written; add --yes to write")


def _change_line(change: TagChange) -> str:
    old = "(none)" if change.old is None else displayable(change.old)
    return f"{displayable(change.path)}: {change.tag}: {old} -> {displayable(change.new)}  ({change.probability:.2f})"
