"""The scripts that put real output into the documentation: scripts/examples.py and scripts/picture.py."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from examples import commands, refresh

PAGE = """Text.

```sh
engine index ~/Music    # twice
```

```console
$ echo one; echo "$HOME/Music"
old
output
$ true
```
"""


def test_commands_are_found_in_order() -> None:
    """Shell blocks give their lines, console blocks their prompts, without output."""
    assert commands(PAGE) == ["engine index ~/Music    # twice", 'echo one; echo "$HOME/Music"', "true"]


def test_output_is_replaced_and_all_else_stays(tmp_path: Path) -> None:
    """Old output gives way to what the commands print, with a home directory that names nobody."""
    new = refresh(PAGE, tmp_path)
    assert new == PAGE.replace("old\noutput\n", "one\n/home/you/Music\n")
    assert refresh(new, tmp_path) == new


def test_a_picture_shows_the_output_and_loads_nothing() -> None:
    """A drawing of a terminal holds command and output as text, and no address that a viewer would load."""
    pytest.importorskip("rich")
    from picture import draw

    svg = draw("engine stats", "36 tracks")
    assert "engine&#160;stats" in svg
    assert "36&#160;tracks" in svg
    assert "@font-face" not in svg
    assert "url(http" not in svg
