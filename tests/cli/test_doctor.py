"""`engine doctor`, `backup` and `restore` on the command line."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.cli.conftest import Command
from tests.conftest import GENRES, Collection


def test_a_sound_library(command: Command, own: Collection) -> None:
    """A sound library: exit code 0, one line, a document that says so."""
    outcome = command("--library", own.library, "doctor")
    assert (outcome.code, outcome.out) == (0, "12 checks, no error left\n")
    document = command("--library", own.library, "doctor", "--json").document
    assert (document["sound"], document["findings"]) == (True, [])


def test_damage_and_repair(command: Command, own: Collection) -> None:
    """A finding is one line with the next step; exit code 1 until it is repaired."""
    with sqlite3.connect(own.library) as connection:
        connection.execute("UPDATE signatures SET vector = x'00000000' WHERE track_id = 1")
    outcome = command("--library", own.library, "doctor")
    line, summary = outcome.out.splitlines()
    assert (outcome.code, summary) == (1, "12 checks, errors left")
    assert line.startswith("error: signatures: 1 damaged signature (not finite unit vectors")
    assert "--repair" in line
    outcome = command("--library", own.library, "--quiet", "doctor", "--repair")
    assert (outcome.code, outcome.out.startswith("repaired: signatures:")) == (0, True)


def test_backup_and_restore(command: Command, own: Collection, tmp_path: Path) -> None:
    """A backup is written, refused over a song, and restored; each says in one line what it did."""
    backup = tmp_path / "music.bak"
    outcome = command("--library", own.library, "backup", backup)
    assert (outcome.code, outcome.out.count("\n"), f"{len(GENRES)} tracks" in outcome.out) == (0, 1, True)
    refused = command("--library", own.library, "backup", own.song(1))
    assert (refused.code, refused.err.count("\n")) == (3, 1)
    document = command("--library", own.library, "restore", backup, "--json").document
    assert (document["tracks"], Path(document["replaced"]).exists()) == (len(GENRES), True)
    missing = command("--library", own.library, "restore", tmp_path / "none.bak")
    assert (missing.code, missing.err.count("\n")) == (3, 1)
