"""`engine encoders`: the installed weights."""

from __future__ import annotations

from engine.models.weights_files import default_id
from tests.cli.conftest import Command


def test_encoders(command: Command) -> None:
    """The installed encoders are listed without a library, one of them the default."""
    document = command("encoders", "--json").document
    assert [entry["encoder"] for entry in document["encoders"] if entry["default"]] == [default_id()]
    assert "(default)" in command("encoders").out
