"""Options shared by `train`, `evaluate` and `study`: the location and layout of labelled music."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

LAYOUTS = ("csv", "folders", "gtzan", "ismir2004", "fma")  # of engine.datasets.loading, which --help must not load
LABELS = ("standard", "own", "extend")
SUBSETS = ("small", "medium", "large")

Command = TypeVar("Command", bound=Callable[..., Any])

SUBSET = click.option("--subset", type=click.Choice(SUBSETS), help="Subset of the Free Music Archive.")
CACHE = click.option(
    "--cache",
    metavar="DIR",
    help="Folder for decoded clips (2.6 MB per minute); default: in your cache directory.",
)


def data_options(labels_help: str) -> Callable[[Command], Command]:
    """Add --data, --layout and --labels to a command."""

    def decorate(command: Command) -> Command:
        for option in (
            click.option("--labels", type=click.Choice(LABELS), help=labels_help),
            click.option("--layout", type=click.Choice(LAYOUTS), help="Layout of the data; default: detected."),
            click.option(
                "--data", required=True, metavar="PATH", help="A CSV of clips, or a folder; see docs/guide/training.md."
            ),
        ):
            command = option(command)
        return command

    return decorate
