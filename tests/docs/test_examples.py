"""Every example of the documentation and of each command's help runs; scripts/examples.py writes what they print."""

from __future__ import annotations

import doctest
import io
import os
import re
import shlex
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import click
import pytest
import uvicorn

from engine.cli import _run, cli
from engine.cli.examples import EXAMPLES
from engine.manage import watching
from engine.training.heads import fit_heads
from examples import commands
from tests.docs.conftest import ROOT, Home

PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "models/README.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
APART = {"docs/json.md"}  # whose commands tests/docs/test_json.py runs
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ENDS = ("|", ">", "&&", ";", "&")  # of the part of a line that is Engine's own
SLOW = ("train", "evaluate", "study")
READING = ("explain", "genres", "similar")  # a page needs nothing that these leave
SHORTER = {
    "serve": ["--port", "0"],
    "train": ["--steps", "0"],
    "evaluate": ["--no-tsne"],
}  # the same path through the program in seconds


def names(path: Path) -> str:
    """Return a page's path below the root."""
    return str(path.relative_to(ROOT))


def run(line: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run one line of an example in this process and return its exit code; 0 for lines of other programs."""
    words = shlex.split(line, comments=True)
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words.pop(0)
    if not words or words[0] != "engine":
        return 0
    end = min((words.index(mark) for mark in ENDS if mark in words), default=len(words))
    words = [os.path.expanduser(word) for word in words[:end]]  # noqa: PTH111 (words, not paths)
    words += next((added for name, added in SHORTER.items() if name in words), [])
    monkeypatch.setattr(sys, "argv", ["engine", "--device", "cpu", *words[1:]])
    monkeypatch.setattr(sys, "stdin", io.StringIO("a password\n"))  # for `engine user add`
    return _run()


@pytest.fixture(autouse=True)
def _few_penalties(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fit heads once instead of for a row of penalties."""
    monkeypatch.setattr(fit_heads, "PENALTIES", (1e-1,))


@pytest.fixture(autouse=True)
def _servers_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop a server as soon as it has started, and a watch after its first run."""
    start = uvicorn.Server.startup

    async def start_and_stop(server: uvicorn.Server, sockets: Any = None) -> None:
        await start(server, sockets)
        server.should_exit = True

    monkeypatch.setattr(uvicorn.Server, "startup", start_and_stop)
    watched = watching.changed_roots
    monkeypatch.setattr(watching, "changed_roots", lambda *words, **named: islice(watched(*words, **named), 1))


@pytest.mark.parametrize("name", [*cli.commands])
def test_each_command_has_examples_that_run(
    name: str, home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command's help ends with examples, each of which exits 0 and prints no error."""
    command = cli.commands[name]
    assert command.get_help(click.Context(command)).count(f"engine {name}") >= len(EXAMPLES[name]) > 0
    for line in EXAMPLES[name]:
        assert run(line, monkeypatch) == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    "page", [page for page in PAGES if commands(page.read_text("utf-8")) and names(page) not in APART], ids=names
)
def test_commands_of_a_page_run(
    page: Path, home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands that a page shows run one after the other, in the order of the page, apart from help's."""
    once = {line for name in (*SLOW, *READING) for line in EXAMPLES[name]}
    for line in commands(page.read_text("utf-8")):
        if line in once:
            continue
        assert run(line, monkeypatch) == 0, f"{line}\n{capsys.readouterr().err}"


@pytest.mark.parametrize("page", [page for page in PAGES if PYTHON.search(page.read_text("utf-8"))], ids=names)
def test_programs_of_a_page_run(page: Path, home: Home) -> None:
    """Python that a page shows runs, its tests pass, and a session prints what the page says."""
    programs = PYTHON.findall(page.read_text("utf-8"))
    plain = "\n".join(program for program in programs if ">>>" not in program)
    module: dict[str, Any] = {}
    exec(compile(plain, names(page), "exec"), module)
    for number, test in enumerate(value for name, value in module.items() if name.startswith("test_")):
        (home.folder / f"test{number}").mkdir()
        test(home.folder / f"test{number}")
    sessions = "\n".join(program for program in programs if ">>>" in program)
    if sessions:
        parsed = doctest.DocTestParser().get_doctest(sessions, {}, names(page), str(page), 0)
        assert doctest.DocTestRunner().run(parsed).failed == 0
