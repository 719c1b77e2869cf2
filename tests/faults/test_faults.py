"""The harness of faults in its short form: `scripts/faults --short`, one test a part."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HARNESS = Path(__file__).parents[2] / "scripts" / "faults"
PARTS = ("kill", "io", "disk", "load", "audio", "files", "identity")


@pytest.mark.parametrize("part", PARTS)
def test_nothing_is_lost(part: str) -> None:
    """Every injected fault is survived: all opens, is consistent, and ends as it would have without the fault."""
    command = [sys.executable, str(HARNESS), "--short", part]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| none |" in done.stdout or "skipped" in done.stdout
