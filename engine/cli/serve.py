"""`engine serve`: a server for players and programs."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from engine.cli.group import Settings, cli
from engine.cli.text import displayable
from engine.cli.user import require_server
from engine.errors import InvalidError, UnavailableError

if TYPE_CHECKING:
    from engine.library import Engine

LARGEST_PORT = 65_535
BACKLOG = 2048  # connections that wait to be accepted
STOP_SECONDS = 5  # granted to open streams on shutdown


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address; 0.0.0.0 for all of this machine.")
@click.option("--port", type=click.IntRange(0, LARGEST_PORT), default=4533, show_default=True)
@click.option("--no-auth", is_flag=True, help="Let everybody in without a password, also from other machines.")
@click.option("--root-path", default="", metavar="/PATH", help="Sub-path behind a reverse proxy.")
@click.option(
    "--trusted-proxy", multiple=True, metavar="ADDRESS", help="Proxy whose X-Forwarded headers count; repeatable."
)
@click.option(
    "--transcodes", type=click.IntRange(1, 64), default=4, show_default=True, help="Most streams encoded at once."
)
@click.option(
    "--log-format", type=click.Choice(("text", "json")), default="text", show_default=True,
    help="json: one line of JSON for each request and message, on standard error.",
)  # fmt: skip
@click.option("--watch", is_flag=True, help="Index changes in the folders that were indexed.")
@click.pass_obj
def serve(
    settings: Settings,
    host: str,
    port: int,
    no_auth: bool,
    root_path: str,
    trusted_proxy: tuple[str, ...],
    transcodes: int,
    log_format: str,
    watch: bool,
) -> int:
    """Serve the library to players (OpenSubsonic) and programs (HTTP, JSON).

    On this machine only, nobody needs a password, unless `engine user add` has made users. Any other address needs
    users, or --no-auth.
    """
    require_server()
    import uvicorn
    from uvicorn.config import LOGGING_CONFIG

    from engine.server.app import create_app
    from engine.server.logs import log_config
    from engine.server.security import LOOPBACK_NAMES
    from engine.server.settings import ServerSettings

    with settings.open(create=True) as library:
        accounts = not no_auth and _has_users(library)
        if not accounts and not no_auth and not _is_loopback(host):
            raise InvalidError(
                f"expected users for a server on {host}, found none",
                hint="make one with `engine user add NAME --admin`, or use --no-auth",
            )
        names = (*LOOPBACK_NAMES, host) if not accounts and _is_loopback(host) else None
        app = create_app(
            library,
            ServerSettings(
                accounts=accounts,
                names=names,
                root_path=root_path,
                log_requests=log_format == "json",
                transcodes=transcodes,
                watch=watch,
            ),
        )
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_level="warning" if log_format == "text" else None,
                log_config=LOGGING_CONFIG if log_format == "text" else log_config(),
                access_log=False,
                proxy_headers=bool(trusted_proxy),
                forwarded_allow_ips=list(trusted_proxy),
                server_header=False,
                timeout_graceful_shutdown=STOP_SECONDS,
                h11_max_incomplete_event_size=64 << 10,
            )
        )
        with _listening(host, port) as listener, suppress(KeyboardInterrupt):  # Ctrl-C and SIGTERM end it in order
            if not settings.quiet:
                click.echo(
                    f"serving {displayable(str(library.database.path))} on {_address(listener)}; Ctrl-C stops", err=True
                )
            server.run([listener])
    return 0 if server.started else 1


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raise UnavailableError if the address is in use or not this machine's."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not the name of a machine"
        raise UnavailableError(
            f"cannot listen on {displayable(host)}, port {port}: {reason}", hint="choose another with --host or --port"
        ) from error


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _has_users(library: Engine) -> bool:
    from engine.server.accounts import Accounts

    return bool(Accounts(library.database).all())


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
