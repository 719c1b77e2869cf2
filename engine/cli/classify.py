"""`engine classify`: genre, mood, valence, distances; and writing genre and mood into files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from engine.cli.ask import NEAREST_CENTROIDS, as_json, displayable, print_json
from engine.cli.group import FAILED, Settings, cli
from engine.cli.tables import as_csv, columns_of, on_terminal, one_format, print_csv, print_table
from engine.errors import AudioError, QueryError, SignatureError

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
@click.option(
    "--coverage", type=click.Choice(["windows", "full"]), help="Which signatures; default: the library's own."
)
@click.option("--write-tags", is_flag=True, help="Show which genre and mood tags would be written into the files.")
@click.option("--yes", is_flag=True, help="With --write-tags: write them. Needs music-engine[tags].")
@click.option(
    "--min-probability",
    type=click.FloatRange(0, 1),
    help="With --write-tags: leave out what is less sure; default: 0.6.",
)
@click.option("--overwrite", is_flag=True, help="With --write-tags: also where a file has such a tag.")
@as_json
@as_csv
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
    """Tell genre, mood and valence of each TRACK (a file, or a track id), and its distance to every genre."""
    one_format(as_json, as_csv)
    if (yes or overwrite) and not write_tags:
        raise click.UsageError("--yes and --overwrite belong to --write-tags")
    with settings.open(coverage=coverage) as library:
        results = [_classify(library, track) for track in tracks]
        document: dict[str, Any] = {"encoder": library.encoder, "queries": [asdict(result) for result in results]}
        report = None
        if write_tags:
            report = library.write_tags(results, write=yes, minimum=min_probability, overwrite=overwrite)
            document["tags"] = asdict(report)
        elif not as_json and not as_csv:
            _show_all(library, results)
    if as_json:
        print_json(document)
    if as_csv:
        _print_csv(results, report)
    for result in results:
        if result.error:
            click.echo(f"engine: {displayable(result.error)}", err=True)
    failed = any(result.error for result in results)
    if report is not None:
        _tell(report, settings.quiet, as_json or as_csv, written=yes)
        failed = failed or (yes and bool(report.failed))
    return FAILED if failed else 0


def _classify(library: Engine, track: str) -> Classification:
    from engine.search.results import Classification

    try:
        return library.classify(track)
    except (QueryError, AudioError, SignatureError) as error:
        path, track_id = library.locate(track)
        return Classification(path, track_id, " ".join(str(error).split()), (), (), (), ())


def _print_csv(results: Sequence[Classification], report: TagReport | None) -> None:
    """The likeliest of each kind for each track; with a report, its changes. A query that failed has no record."""
    if report is not None:
        from engine.tags.results import TagChange

        print_csv(columns_of(TagChange), map(asdict, report.changes))
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
        "tags": "; ".join(_sounds(result.tags, MOST_TAGS)),
    }


def _show_all(library: Engine, results: Sequence[Classification]) -> None:
    for result in results:
        if not result.error:
            features = library.audio_features(result.track_id) if result.track_id is not None else None
            _show(result, features)


def _show(result: Classification, features: AudioFeatures | None) -> None:
    number = f"  (track {result.track_id})" if result.track_id else ""
    click.echo(click.style(displayable(result.path or ""), bold=True) + number)
    _line("genre", [f"{entry.genre} {entry.probability:.2f}" for entry in result.genres[:3]])
    _line("mood", [f"{entry.mood} {entry.probability:.2f}" for entry in result.moods])
    _line("valence", [f"{entry.valence} {entry.probability:.2f}" for entry in result.valence])
    _line("sounds", _sounds(result.tags, MOST_SOUNDS))
    near = [f"{entry.genre} {entry.distance:.2f}" for entry in result.centroids[:NEAREST_CENTROIDS]]
    own = sum(entry.kind == "library" for entry in result.centroids)
    click.echo(f"  nearest genre centroids  {', '.join(near)}  ({own} of {len(result.centroids)} from this library)")
    if features is not None:
        _line("measured", _measured(features))
    click.echo()


def _sounds(tags: Sequence[TagProbability], most: int) -> list[str]:
    from engine.search.word_tags import telling

    return [f"{entry.tag} {entry.probability:.2f}" for entry in telling(tags, most)]


def _line(title: str, parts: Sequence[str]) -> None:
    if parts:
        click.echo(f"  {title:<9} {', '.join(parts)}")


def _measured(features: AudioFeatures) -> list[str]:
    tempo = f"{features.tempo:.1f} beats a minute" if features.tempo is not None else "no steady tempo"
    loudness = f"{features.loudness:.1f} LUFS" if features.loudness is not None else "silent"
    return [tempo, features.key or "no key", loudness]


def _tell(report: TagReport, quiet: bool, silent: bool, *, written: bool) -> None:
    for failed in report.failed:
        click.echo(f"engine: {failed.path}: {failed.reason}", err=True)
    if silent:
        return
    if on_terminal():
        rows = [(c.path, c.tag, c.old, c.new, f"{c.probability:.2f}") for c in report.changes]
        print_table(("path", "tag", "old", "new", "sure"), rows)
    else:
        for change in report.changes:
            _show_change(change)
    if quiet:
        return
    files = len({change.path for change in report.changes})
    what = "written" if written else "to write"
    click.echo(f"{_number(len(report.changes), 'tag')} {what} in {_number(files, 'file')}")
    if report.kept:
        click.echo(f"{_number(report.kept, 'tag')} already there kept (--overwrite replaces them)")
    if report.unsure:
        click.echo(f"{_number(report.unsure, 'guess', 'guesses')} too unsure to write (--min-probability)")
    if report.changes and not written:
        click.echo("nothing was written; add --yes to write")


def _number(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def _show_change(change: TagChange) -> None:
    old = "(none)" if change.old is None else displayable(change.old)
    click.echo(
        f"{displayable(change.path)}: {change.tag}: {old} -> {displayable(change.new)}  ({change.probability:.2f})"
    )
