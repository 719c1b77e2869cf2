"""`engine export`, `remove` and `relocate`: commands that maintain a library."""

from __future__ import annotations

import click

from engine.cli.group import Settings, cli
from engine.cli.text import displayable
from engine.util.text import counted


@cli.command()
@click.argument("file", metavar="FILE.npz")
@click.pass_obj
def export(settings: Settings, file: str) -> None:
    """Write all signatures as NumPy arrays: ids, paths, signatures, encoder."""
    with settings.open() as library:
        count = library.export(file)
    if not settings.quiet:
        click.echo(f"{counted(count, 'signature')} of {library.encoder} written to {displayable(file)}")


@cli.command()
@click.argument("tracks", nargs=-1, required=True, metavar="TRACK...")
@click.pass_obj
def remove(settings: Settings, tracks: tuple[str, ...]) -> None:
    """Remove tracks (ids, files, folders) from the library; keep the files."""
    with settings.open() as library:
        count = library.remove(tracks)
    if not settings.quiet:
        click.echo(f"{counted(count, 'track')} removed from the library")


@cli.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.pass_obj
def relocate(settings: Settings, old: str, new: str) -> None:
    """Follow music that moved from the folder OLD to NEW, without reading it again."""
    with settings.open() as library:
        count = library.relocate(old, new)
    if not settings.quiet:
        click.echo(f"{counted(count, 'track')} now below {displayable(new)}")
