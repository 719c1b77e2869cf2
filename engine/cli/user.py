"""`engine user`: manage the users of the server."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from engine.cli.group import Settings, cli
from engine.cli.tables import print_table
from engine.cli.text import displayable
from engine.errors import InvalidError, UnavailableError

if TYPE_CHECKING:
    from engine.server.accounts import Accounts

LONGEST_LINE = 10_000  # characters of a password that is read from a pipe


@cli.group()
def user() -> None:
    """Manage the users of the server: add, remove, list, key."""


@user.command()
@click.argument("name")
@click.option("--admin", is_flag=True, help="May index, and manage users and jobs.")
@click.pass_obj
def add(settings: Settings, name: str, admin: bool) -> None:
    """Add a user, or change the password and role of a known one.

    The command prompts for the password or, if standard input is not a terminal, reads its first line.
    """
    with _accounts(settings, create=True) as accounts:
        new = accounts.add(name, _read_password(), admin)
    if not settings.quiet:
        click.echo(f"{displayable(name)} {'added' if new else 'changed'}{' as an administrator' if admin else ''}")


@user.command()
@click.argument("name")
@click.pass_obj
def remove(settings: Settings, name: str) -> None:
    """Remove a user with all keys; playlists and stars remain for a user of the same name."""
    with _accounts(settings) as accounts:
        accounts.remove(name)
    if not settings.quiet:
        click.echo(f"{displayable(name)} removed")


@user.command("list")
@click.pass_obj
def list_users(settings: Settings) -> None:
    """List the users and their keys."""
    with _accounts(settings) as accounts:
        users = accounts.all()
        keys = {each.name: accounts.keys(each.name) for each in users}
    for each in users:
        click.echo(f"{displayable(each.name)}{' (administrator)' if each.admin else ''}")
        made = [(f"  key {key.id}", key.label, time.strftime("%Y-%m-%d", time.localtime(key.created_at)))
                for key in keys[each.name]]  # fmt: skip
        print_table(("", "label", "made"), made)
    if not users:
        click.echo("no users: the server needs no password on this machine, and refuses other addresses")


@user.command()
@click.argument("name")
@click.option("--label", default="", metavar="TEXT", help="For the list, for example the player's name.")
@click.option("--revoke", type=click.IntRange(1, 2**63 - 1), metavar="N", help="Revoke the key of this number instead.")
@click.option(
    "--password", "application_password", is_flag=True,
    help="Show the application password, for players that know neither keys nor plain passwords.",
)  # fmt: skip
@click.pass_obj
def key(settings: Settings, name: str, label: str, revoke: int | None, application_password: bool) -> None:
    """Make a key for a player, which serves as its API key or as its password; it is shown once."""
    if revoke is not None and (label or application_password):
        raise click.UsageError("--revoke goes without --label and --password")
    with _accounts(settings) as accounts:
        if revoke is not None:
            accounts.revoke(name, revoke)
            click.echo(f"key {revoke} of {displayable(name)} revoked")
        elif application_password:
            click.echo(accounts.application_password(name))
        else:
            click.echo(accounts.new_key(name, label))


@contextmanager
def _accounts(settings: Settings, create: bool = False) -> Iterator[Accounts]:
    require_server()
    from engine.server.accounts import Accounts

    with settings.open(create=create) as library:
        yield Accounts(library.database)


def require_server() -> None:
    """Raise UnavailableError unless the extra `serve` is installed."""
    try:
        import argon2  # noqa: F401
        import fastapi  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise UnavailableError(
            f"expected the packages of a server, found no {error.name}", hint="pip install 'music-engine[serve]'"
        ) from error


def _read_password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    line = sys.stdin.readline(LONGEST_LINE).rstrip("\r\n")
    if not line:
        raise InvalidError("expected a password on standard input, found none", hint="type one, or pipe one in")
    return line
