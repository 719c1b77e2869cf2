"""Names of encoders that no encoder has: one line each, whatever bytes they hold."""

from __future__ import annotations

import os

import pytest

from tests.cli.conftest import Command
from tests.conftest import FirstRun

NAMES = [
    "nonsense",
    "attention_signature@000000",
    "none.safetensors",
    "",
    "/",
    "bad\udcff",
    "bad\udcff.safetensors",
    "x" * 9999,
]


@pytest.mark.parametrize("name", NAMES)
def test_unknown_encoders(command: Command, first_run: FirstRun, name: str) -> None:
    """An encoder that is not there, or whose name is not even text, is refused in one line with a next step."""
    outcome = command("--library", first_run.collection.library, "--encoder", name, "similar", "1")
    if not name:  # no name at all is the library's own encoder
        assert outcome.code == 0
        return
    assert (outcome.code, outcome.err.count("\n")) == (3, 1)
    assert "unexpected" not in outcome.err
    assert os.sep not in outcome.out
