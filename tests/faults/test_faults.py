"""The harness of faults in its short form, `scripts/faults --short`, a few parts in a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HARNESS = Path(__file__).parents[2] / "scripts" / "faults"
PARTS = ("kill io", "disk load", "audio files identity")


@pytest.mark.parametrize("parts", PARTS)
def test_nothing_is_lost(parts: str) -> None:
    """Every injected fault is survived: all opens, is consistent, and ends as it would have without the fault."""
    command = [sys.executable, str(HARNESS), "--short", *parts.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(f"{part}: " in done.stderr for part in parts.split())
    assert "| none |" in done.stdout or "skipped" in done.stdout
