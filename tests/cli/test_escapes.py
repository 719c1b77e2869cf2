"""What a terminal would obey, in tags, names and errors, is shown as an escape everywhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.db import NewTrack, Signature, open_database, put_signature, set_setting, upsert_track
from engine.embedding import TrackEmbedding
from engine.models.labels import GENRES, MOODS
from engine.models.weights_files import default_id
from tests.cli.conftest import Command

DANGEROUS = "\x07\x1b\x7f\x9b\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
TAG = f"evil{DANGEROUS}tag"
RULER = ["\\x1b", "\\x07", "\\x9b", "\\u202e", "\\u2066", "\\u2028"]


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A library of three tracks whose tags and paths hold all that a terminal would obey."""
    random = np.random.default_rng(0)
    file = tmp_path / "library.db"
    with open_database(file, create=True) as database, database.write() as connection:
        set_setting(connection, "encoder", default_id())
        for number in range(3):
            path = f"/music/{TAG}{number}.flac".encode()
            tags = {"artist": TAG, "title": TAG, "album": TAG, "genre": TAG}
            track_id = upsert_track(connection, NewTrack(path, 1, 1, b"%d" % number, 60.0, **tags))
            vector = random.standard_normal(256).astype(np.float32)
            genres = np.full(len(GENRES), 1 / len(GENRES), np.float32)
            moods = np.full(len(MOODS), 1 / len(MOODS), np.float32)
            none = np.zeros(0, np.float32)
            unit = vector / np.linalg.norm(vector)
            windows = np.zeros((0, 256), np.float32)
            put_signature(
                connection,
                Signature(track_id, default_id(), "windows", TrackEmbedding(unit, genres, moods, none, none, windows)),
            )
    return file


@pytest.mark.parametrize("form", [(), ("--csv",), ("--json",)])
@pytest.mark.parametrize("asked", [("search", "evil"), ("similar", "1"), ("playlist", "1"), ("similar", "--like", "1")])
def test_answers(
    command: Command, odd: Path, asked: tuple[str, ...], form: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer holds a raw control; a person sees the escape, and JSON gives back the text as it was."""
    monkeypatch.setenv("COLUMNS", "1000")
    outcome = command("--library", odd, *asked, *form)
    assert outcome.code == 0
    assert not set(DANGEROUS) & set(outcome.out + outcome.err)
    if form == ("--json",):
        assert TAG in json.dumps(outcome.document, ensure_ascii=False).replace("\\u001b", "\x1b").replace(
            "\\u0007", "\x07"
        )
    else:
        assert all(escape in outcome.out for escape in RULER)


@pytest.mark.parametrize(
    "asked", [("similar", f"/nowhere/{TAG}"), ("similar", f"search:nothing{TAG}"), (TAG,), ("index", f"/nowhere/{TAG}")]
)
def test_errors(command: Command, odd: Path, asked: tuple[str, ...]) -> None:
    """An error about a name shows its controls as escapes, whoever raised it."""
    outcome = command("--library", odd, *asked)
    assert outcome.code != 0
    assert not set(DANGEROUS) & set(outcome.out + outcome.err)
    assert "evil" in outcome.err


def test_long_errors_are_cut(command: Command, tmp_path: Path) -> None:
    """An error about a name of a million letters is one line of a thousand."""
    outcome = command("--library", tmp_path / "library.db", "--encoder", "x" * 1_000_000, "index", tmp_path)
    assert outcome.code == 3
    assert len(outcome.err) < 1100
