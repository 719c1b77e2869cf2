"""`engine watch`: index music as it changes."""

from __future__ import annotations

import os
import threading

import click

from engine.cli.group import Settings, cli
from engine.cli.index import print_report, progress


@cli.command()
@click.argument("paths", nargs=-1, metavar="[PATH...]")
@click.option("--polling", is_flag=True, help="Compare listings twice a minute: for network drives.")
@click.pass_obj
def watch(settings: Settings, paths: tuple[str, ...], polling: bool) -> int:
    """Index PATHs, or the folders indexed before, and index their changes until Ctrl-C.

    Changes are indexed once they have settled; files that move keep their ids. Tracks whose files are gone remain
    until `engine index --prune`.
    """
    from engine.manage.watching import changed_roots
    from engine.search.references import absolute_path

    with settings.open(create=True) as library:
        roots = [os.fsdecode(absolute_path(path)) for path in paths] or library.roots()
        for changed in changed_roots(roots, threading.Event(), polling=polling):
            with progress(settings.quiet) as show:
                report = library.index(changed, show)
            print_report(report, settings.quiet)
            if report.interrupted:
                break
    return 0
