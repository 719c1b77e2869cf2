"""`engine recommend`: its document, stored plays, and misuse."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cli.conftest import Command

KEYS = ["track_id", "path", "artist", "title", "score", "reason"]


def test_recommend(command: Command, library: Path, tmp_path: Path) -> None:
    """Recommendations from a file, and from what was kept of it, are the same document; bad lines are reported."""
    own = shutil.copy(library, tmp_path / "library.db")
    file = tmp_path / "history.csv"
    file.write_text("time,path,event\n2026-01-02T03:04:05,id:1,like\n2026-01-02,id:2,skip\n2026-01-02,none.mp3,play\n")
    found = command("--library", own, "--quiet", "recommend", "--history", file, "-n", 3, "--json")
    assert found.code == 0
    assert [list(track) for track in found.document["tracks"]] == [KEYS] * 3
    assert found.document["tracks"][0]["reason"] == "near Band 0 - Song 0, which you liked"
    assert "none.mp3" in found.err
    kept = command("--library", own, "recommend", "--history", file, "-n", 3, "--keep")
    assert "2 new events stored" in kept.err
    assert kept.out.count("which you liked") == 3
    again = command("--library", own, "--quiet", "recommend", "--db", "-n", 3, "--json")
    assert again.document == found.document
    assert again.err == ""


def test_recommend_needs_a_history(command: Command, library: Path, tmp_path: Path) -> None:
    """Neither or both sources are a usage error; a library without plays, and a file without columns, say so."""
    for wrong in ((), ("--history", "x.csv", "--db"), ("--db", "--keep")):
        assert command("--library", library, "recommend", *wrong).code == 2
    assert "play something first" in command("--library", library, "recommend", "--db").err
    (tmp_path / "h.csv").write_text("when,what\n")
    outcome = command("--library", library, "recommend", "--history", tmp_path / "h.csv")
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert "time, path, event missing" in outcome.err
