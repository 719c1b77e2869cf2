"""The command `engine`, run in this process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from engine.cli import _run
from engine.models.weights_files import default_id
from tests.conftest import FirstRun


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Its output as JSON."""
        return json.loads(self.out, parse_constant=pytest.fail)


Command: TypeAlias = Callable[..., Outcome]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """A function that runs `engine` with arguments; it fails the test when a traceback is printed."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["engine", *map(str, arguments)])
        capsys.readouterr()
        outcome = Outcome(_run(), *capsys.readouterr())
        assert "Traceback" not in outcome.err + outcome.out
        return outcome

    return run


@pytest.fixture
def library(first_run: FirstRun) -> Path:
    """The shared library; these commands only read."""
    return first_run.collection.library


def similar(command: Command, library: Path, *arguments: object) -> list[dict[str, Any]]:
    """Ask for JSON; returns the queries."""
    document = command("--library", library, "similar", "--json", *arguments).document
    assert list(document) == ["encoder", "queries"]
    assert document["encoder"] == default_id()
    return list(document["queries"])
