"""`engine duplicates`: the same recording, and the same work, in different files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from engine import documents
from engine.cli.group import FAILED, Settings, cli
from engine.cli.index import progress
from engine.cli.options import one_format, output_options
from engine.cli.tables import print_csv
from engine.cli.text import displayable, print_json, print_problem
from engine.util.text import counted

if TYPE_CHECKING:
    from engine.duplicates.results import DuplicateGroup, Duplicates

TITLES = {"same_recording": "same recording", "same_work": "same work"}
CSV_COLUMNS = ("group", "kind", "score", "track_id", "path", "codec", "bitrate", "partial")
MOST_LEFT_OUT = 20  # files listed


@cli.command()
@click.option("--kind", type=click.Choice(list(TITLES)), help="Only groups of this kind; default: both.")
@output_options
@click.pass_obj
def duplicates(settings: Settings, kind: str | None, as_json: bool, as_csv: bool) -> int:
    """Find the same recording in different files, apart from remasters, live versions and covers (same work).

    Files are listed best first: whole before partial (clearly shorter than the longest), lossless, then by bit rate.
    Nothing is deleted. The first run reads the first two minutes of every file with near neighbours, and stores their
    fingerprints.
    """
    one_format(as_json, as_csv)
    with settings.open() as library, progress(settings.quiet) as show:
        found = library.duplicates(kind, show)
    _print_problems(found)
    if as_json:
        print_json(documents.duplicates(found))
    elif as_csv:
        print_csv(CSV_COLUMNS, _records(found))
    else:
        for group in found.groups:
            _print_group(group)
        if not settings.quiet:
            _summarise(found, [kind] if kind else list(TITLES))
    return FAILED if found.left_out else 0


def _records(found: Duplicates) -> Iterator[dict[str, object]]:
    for number, group in enumerate(found.groups, start=1):
        for track in group.tracks:
            yield {"group": number, "kind": group.kind, "score": group.score, **asdict(track)}


def _print_problems(found: Duplicates) -> None:
    for note in found.notes:
        print_problem(note)
    for failed in found.left_out[:MOST_LEFT_OUT]:
        print_problem(f"{failed.path}: {failed.reason}", "left out")
    if len(found.left_out) > MOST_LEFT_OUT:
        click.echo(f"left out: {len(found.left_out) - MOST_LEFT_OUT} more", err=True)


def _summarise(found: Duplicates, kinds: list[str]) -> None:
    counts = {kind: sum(group.kind == kind for group in found.groups) for kind in kinds}
    words = (f"{counted(counts[kind], 'group')} of the {TITLES[kind]}" for kind in kinds)
    click.echo(", ".join(words), err=True)


def _print_group(group: DuplicateGroup) -> None:
    click.echo(
        click.style(TITLES[group.kind], bold=True) + f"  {group.score:.2f}  {counted(len(group.tracks), 'file')}"
    )
    for track in group.tracks:
        rate = f"{track.bitrate / 1000:.0f} kbit/s" if track.bitrate else ""
        partial = "  partial" if track.partial else ""
        click.echo(
            f"  {displayable(track.codec or '-'):<10} {rate:>11}  {displayable(track.path)}  "
            f"id:{track.track_id}{partial}"
        )
    click.echo()
