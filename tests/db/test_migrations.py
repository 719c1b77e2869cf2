"""Libraries of earlier versions, made by the code of their time, open with all that they hold."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.db import (
    SCHEMA_VERSION,
    AudioFeatures,
    NewTrack,
    Play,
    get_aspects,
    get_audio_features,
    get_signature,
    list_plays,
    open_database,
    remove_tracks,
    search,
    tracks_by_ids,
    upsert_track,
)
from engine.errors import LibraryError

GOLDEN = Path(__file__).parents[1] / "golden"
ENCODER = "attention_signature@55198d"
VERSIONS = range(1, SCHEMA_VERSION)


@pytest.fixture(params=VERSIONS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of a library that the Engine of an earlier schema version wrote."""
    return Path(shutil.copy(GOLDEN / f"library-v{request.param}.db", tmp_path / "library.db"))


def version_of(path: Path) -> int:
    """The schema version in a file."""
    connection = sqlite3.connect(path)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return int(version)


def test_each_version_keeps_what_it_holds(old: Path) -> None:
    """Tracks, signatures, segments, words and plays are those that were written; text search finds the tracks."""
    version = version_of(old)
    with open_database(old, create=False) as database, database.read() as connection:
        tracks = tracks_by_ids(connection, [1, 2, 3])
        assert [(t.artist, t.title, t.year, t.size) for t in tracks.values()] == [
            ("Céline", "Été", 2001, 101),
            ("周杰倫", "夜曲", 2002, 102),
            ("Los Faroles", "Luna Roja", 2003, 103),
        ]
        for track_id in tracks:
            signature = get_signature(connection, track_id, ENCODER, "windows")
            assert signature is not None
            assert np.isclose(np.linalg.norm(signature.embedding.signature), 1)
            assert signature.embedding.segment_vectors.shape == (2, 8)
            assert len(signature.embedding.words) == (5 if version >= 3 else 0)
        assert [play.track_id for play in list_plays(connection)] == ([2] if version >= 2 else [])
        measured = get_audio_features(connection, tracks)
        assert measured == ({1: AudioFeatures(120.0, "A minor", -9.5)} if version >= 4 else {})
        assert {track: list(kinds) for track, kinds in get_aspects(connection, tracks).items()} == (
            {2: ["rhythm-test"]} if version >= 5 else {}
        )
        found = [[track.id for track in search(connection, [word], None)] for word in ("ete", "夜", "ROJA", "2003")]
        assert found == [[1], [2], [3], [3]]
    assert version_of(old) == SCHEMA_VERSION


@pytest.mark.parametrize("step", range(2, 20, 5))
def test_killed_in_the_middle(old: Path, step: int) -> None:
    """A process that is killed at any statement of the upgrade leaves the old library, which the next one upgrades."""
    version = version_of(old)
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from sqlalchemy import event; from sqlalchemy.engine import Engine\n"
        "left = int(sys.argv[2])\n"
        "@event.listens_for(Engine, 'before_cursor_execute')\n"
        "def count(*_):\n"
        "    global left\n"
        "    left -= upgrading\n"
        "    if left < 0: os.kill(os.getpid(), signal.SIGKILL)\n"
        "upgrading = False\n"
        "import engine.db.session as session\n"
        "plain = session.upgrade\n"
        "def upgrade(*words):\n"
        "    global upgrading\n"
        "    upgrading = True\n"
        "    plain(*words)\n"
        "session.upgrade = upgrade\n"
        "session.open_database(Path(sys.argv[1]), create=False).close()\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(old), str(step)], check=False, env=os.environ)
    assert ended.returncode in (0, -signal.SIGKILL)
    assert version_of(old) == (SCHEMA_VERSION if ended.returncode == 0 else version)
    with open_database(old, create=False) as database, database.read() as connection:
        assert len(search(connection, ["golden"], None)) == 3


def test_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    """A library of a later Engine is refused with the next step, and keeps every byte."""
    path = Path(shutil.copy(GOLDEN / "library-v3.db", tmp_path / "library.db"))
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(LibraryError, match="upgrade Engine"):
        open_database(path, create=False)
    assert path.read_bytes() == before


def test_plays_of_before_belong_to_the_local_user(tmp_path: Path) -> None:
    """So do those of a track that was removed before the upgrade, when it comes back."""
    path = Path(shutil.copy(GOLDEN / "library-v6.db", tmp_path / "library.db"))
    with open_database(path, create=False) as database, database.write() as connection:
        returned = upsert_track(connection, NewTrack(b"/music/4.fla", 104, 4, b"\4" * 16, 204.0, "Gone", "Away"))
        assert list_plays(connection, "local") == [Play(1.6e9, "like", returned), Play(1.7e9, "like", 2)]
        assert list_plays(connection, "ann") == []


def test_upgraded_and_new_libraries_have_the_same_tables(old: Path, tmp_path: Path) -> None:
    """The upgrade ends with the tables and columns of a new library, and of removed tracks as they are made today."""

    def columns(path: Path) -> dict[str, set[str]]:
        connection = sqlite3.connect(path)
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: {row[1] for row in connection.execute(f"PRAGMA table_info({name})")} for name in names}
        connection.close()
        return {name: found[name] for name in found if name != "alembic_version"}

    with open_database(tmp_path / "new.db", create=True) as database, database.write() as connection:
        remove_tracks(connection, [upsert_track(connection, NewTrack(b"/a", 1, 1, b"/a", 60.0))])
    with open_database(old, create=False) as database, database.write() as connection:
        remove_tracks(connection, [1])
    assert columns(old) == columns(tmp_path / "new.db")
