"""`engine serve` and `engine user`. Covers engine.cli.serve and engine.cli.user."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from engine import Engine
from engine.server.accounts import Accounts
from tests.cli.conftest import Command
from tests.conftest import Collection


@pytest.fixture
def run(command: Command, own: Collection) -> Command:
    """A function that runs `engine` on the test's own library."""
    return lambda *words: command("--library", own.library, *words)


def test_users(run: Command, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user is added with a password from a pipe, gets a key, loses it, and is removed."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("correct horse\n"))
    assert run("user", "add", "ann", "--admin").code == 0
    accounts = Accounts(engine.database)
    user = accounts.by_password("ann", "correct horse")
    assert user is not None
    assert user.admin
    key = run("user", "key", "ann", "--label", "phone").out.strip()
    assert accounts.by_key(key) == user
    listed = run("user", "list").out
    assert "ann (administrator)" in listed
    assert "phone" in listed
    assert key not in listed
    assert run("user", "key", "ann", "--password").out == run("user", "key", "ann", "--password").out
    assert run("user", "key", "ann", "--revoke", "1").code == 0
    assert accounts.by_key(key) is None
    assert run("user", "remove", "ann").code == 0
    assert "no users" in run("user", "list").out


@pytest.mark.parametrize(
    ("words", "password"),
    [
        (("add", "a/b"), "correct horse\n"),
        (("add", "ann"), "short\n"),
        (("add", "ann"), ""),
        (("remove", "nobody"), ""),
        (("key", "nobody"), ""),
        (("key", "nobody", "--revoke", "1", "--label", "x"), ""),
    ],
)
def test_what_is_refused(run: Command, words: tuple[str, ...], password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Odd names, short passwords and unknown users are one line each."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(password))
    refused = run("user", *words)
    assert refused.code in (1, 2)
    assert refused.err.count("\n") == 1


def test_other_machines_need_users(run: Command) -> None:
    """Without users, a server on another address is refused with the next step."""
    refused = run("serve", "--host", "0.0.0.0")
    assert refused.code == 1
    assert "engine user add" in refused.err


def test_a_port_in_use(own: Collection) -> None:
    """A port in use is one line that says what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [sys.executable, "-c", "from engine.cli import main; main()", "--library", str(own.library)]
        command += ["serve", "--port", str(taken.getsockname()[1])]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 3
    assert ended.stderr.count("\n") == 1
    assert "--port" in ended.stderr


def test_a_server_stops_in_order(own: Collection, tmp_path: Path) -> None:
    """SIGTERM ends a server that serves, with exit code 0 and without a word of complaint; torch was never loaded."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.utime(own.song(2), (1, 1))  # a changed file: its signature is computed in another process
    command = [sys.executable, "-c", "from engine.cli import main; main()", "--library", str(own.library), "--quiet"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen([*command, "serve", "--port", str(port)], stdout=log, stderr=log)
        paths = ["healthz", "api/v1/tracks/1/similar?k=3", "api/v1/tracks/1/explain", "rest/search3?query="]
        for path in (*paths, "api/v1/tracks/2/similar?at_from=1&at_to=4", "api/v1/tracks/3/explain"):
            assert fetched(f"http://127.0.0.1:{port}/{path}", process) == 200
        mapped = Path(f"/proc/{process.pid}/maps").read_text() if sys.platform == "linux" else ""
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert "libtorch" not in mapped
    assert (tmp_path / "log").read_text() == ""


def fetched(url: str, process: subprocess.Popen[bytes]) -> int:
    """The status of an answer, once the server listens."""
    while True:
        assert process.poll() is None
        try:
            with urllib.request.urlopen(url) as answer:
                return int(answer.status)
        except ConnectionError:
            time.sleep(0.1)
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionError):
                raise
            time.sleep(0.1)
