"""`engine completion`, and the values that a shell offers after the tab key. Loads nothing but click."""

from __future__ import annotations

from collections.abc import Sequence

import click
from click.shell_completion import get_completion_class

from engine.cli.group import cli

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_ENGINE_COMPLETE"  # set by the shell's script: click's convention for a command called engine
FILES = (
    "FILE",
    "PATH",
    "FOLDER",
    "DIR",
    "TRACK",
    "OTHER",
    "SEED",
    "LIST",
    "OLD",
    "NEW",
    ".TOML",
)  # words of a metavar that names a file


@cli.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script that completes commands, options and file names in SHELL.

    \b
      bash   eval "$(engine completion bash)"      in ~/.bashrc
      zsh    eval "$(engine completion zsh)"       in ~/.zshrc, after compinit
      fish   engine completion fish | source       in ~/.config/fish/config.fish
    """
    made = get_completion_class(shell)
    if made is None:  # never: SHELLS are those that click knows
        raise click.UsageError(f"no completion for {shell}")
    click.echo(made(cli, {}, "engine", VARIABLE).source())


def offer_values(group: click.Group) -> None:
    """Let the shell complete file names wherever a metavar names a file, and the shipped genres, moods and tags.

    Only for a process that completes and exits: the parameters' types are changed. Otherwise they are plain texts, as
    a name may be an id or need not exist, and click completes nothing for a text.
    """
    from engine.models.labels import GENRES, MOODS
    from engine.models.vocabulary import WORDS

    tags = [word.word for word in WORDS]
    named: dict[str | None, Sequence[str]] = {
        "genres": GENRES, "not_genres": GENRES, "moods": MOODS, "not_moods": MOODS, "tags": tags, "not_tags": tags
    }  # fmt: skip
    for command in group.commands.values():
        for parameter in [*group.params, *command.params]:
            words = (parameter.metavar or "").upper()
            if isinstance(parameter.type, click.types.StringParamType) and any(word in words for word in FILES):
                parameter.type = click.Path()
            elif parameter.name in named and isinstance(parameter.type, click.types.StringParamType):
                parameter.type = click.Choice(named[parameter.name])
