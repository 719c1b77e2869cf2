"""`engine index`: add music to the library."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from engine.cli.group import FAILED, Settings, cli
from engine.cli.text import print_limited, print_problem
from engine.util.text import counted

if TYPE_CHECKING:
    from engine.indexer.pipeline.reports import IndexProgress, IndexReport, MeasureReport

PLAIN_SECONDS = 5.0  # between two lines of progress where there is no terminal
LOWEST_PRIORITY = 19
MOST_FILES = 20  # listed of a kind


@cli.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--coverage", type=click.Choice(["windows", "full"]), help="About 40 s of each track, or all of it.")
@click.option("--prune", is_flag=True, help="Remove tracks whose files are gone.")
@click.option("--force", is_flag=True, help="With --prune: even if that looks like an unmounted disk.")
@click.option("--retry", is_flag=True, help="Retry files that failed before.")
@click.option("--follow-links", is_flag=True, help="Also follow links that lead out of the folders.")
@click.option("--nice", is_flag=True, help="Run at the lowest priority.")
@click.option(
    "--features",
    is_flag=True,
    help="Also measure tempo, key and loudness, decoding whole files, and fill in rhythm and harmony.",
)
@click.pass_obj
def index(
    settings: Settings,
    paths: tuple[str, ...],
    coverage: str | None,
    prune: bool,
    force: bool,
    retry: bool,
    follow_links: bool,
    nice: bool,
    features: bool,
) -> int:
    """Add music: files, and folders with everything below them."""
    if force and not prune:
        raise click.UsageError("--force belongs to --prune")
    if nice and hasattr(os, "nice"):
        os.nice(LOWEST_PRIORITY)
    with settings.open(create=True, coverage=coverage) as library:
        with progress(settings.quiet) as show:
            report = library.index(paths, show, prune=prune, force=force, retry=retry, follow_links=follow_links)
        code = print_report(report, settings.quiet)
        if not features or report.interrupted:
            return code
        with progress(settings.quiet) as show:
            measured = library.measure(paths, show)
    return _print_measured(measured, settings.quiet) or code


def print_report(report: IndexReport, quiet: bool) -> int:
    """Print the report of a run; return the exit code."""
    for failed in report.failed:
        print_problem(f"{failed.path}: {failed.reason}", "failed")
    for note in report.notes:
        print_problem(note)
    if report.prune_refused:
        print_problem(report.prune_refused)
    if not quiet:
        _summarise(report)
    if report.interrupted:
        click.echo("engine: stopped; finished work is stored, run the same command again to continue", err=True)
    return FAILED if report.failed or report.interrupted or report.prune_refused else 0


def _print_measured(report: MeasureReport, quiet: bool) -> int:
    for failed in report.failed:
        print_problem(f"{failed.path}: {failed.reason}", "not measured")
    if not quiet:
        described = f", {report.described} described" if report.described else ""
        click.echo(f"{report.measured} measured{described}, {len(report.failed)} not, in {report.seconds:.1f} s")
    if report.interrupted:
        click.echo("engine: stopped; measurements are stored, run the same command again to continue", err=True)
    return FAILED if report.failed or report.interrupted else 0


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[IndexProgress], None] | None]:
    """Yield a function that shows progress: a bar on a terminal, plain lines otherwise; None when quiet."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(unit="track", dynamic_ncols=True, smoothing=0.1) as bar:

            def show(reached: IndexProgress) -> None:
                if bar.total is not None and _begins_phase(reached, bar.n, bar.total):
                    bar.reset(reached.total)
                bar.total = reached.total
                bar.update(reached.done - bar.n)

            yield show
    else:
        yield _plain_lines()


def _plain_lines() -> Callable[[IndexProgress], None]:
    began = last = latest = time.monotonic()
    done = total = 0

    def show(reached: IndexProgress) -> None:
        nonlocal began, last, latest, done, total
        if _begins_phase(reached, done, total):
            began = latest
        done, total, latest = reached.done, reached.total, time.monotonic()
        if latest - last >= PLAIN_SECONDS or done == total:
            last, rate = latest, done / max(latest - began, 1e-9)
            click.echo(f"{done}/{total} files, {rate:.1f}/s, {(total - done) / rate:.0f} s left", err=True)

    return show


def _begins_phase(reached: IndexProgress, done: int, total: int) -> bool:
    """Return whether this is not the phase of the report before: `index` reads tags again, then new files."""
    return reached.done <= done or reached.total != total


def _summarise(report: IndexReport) -> None:
    counts = f"{report.new} new, {report.unchanged} unchanged, {report.moved} moved, {len(report.failed)} failed"
    extra = f", {report.pruned} pruned" if report.pruned else ""
    click.echo(f"{counts}{extra} in {report.seconds:.1f} s ({report.tracks_per_second:.1f} tracks/s)")
    if report.retagged:
        click.echo(f"of the unchanged, {report.retagged} had their tags read again: this version reads more of them")
    if report.passed_over:
        click.echo(f"{counted(report.passed_over, 'file')} without sound passed over")
    before = [f"{failed.path}: {failed.reason}" for failed in report.failed_before]
    _print_files("failed before and unchanged since (--retry reads them again)", before)
    if not report.pruned:
        gone = "track whose file is" if len(report.vanished) == 1 else "tracks whose files are"
        _print_files(f"{gone} gone (--prune removes them)", report.vanished)


def _print_files(title: str, lines: list[str]) -> None:
    if lines:
        click.echo(f"{len(lines)} {title}:")
        print_limited(lines, MOST_FILES)
