"""Opening a library, transactions, and the message for a file that is no library."""

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection

import engine.db.dialects.sqlite
from engine.db import (
    SCHEMA_VERSION,
    Database,
    NewTrack,
    Signature,
    count_tracks,
    encoders,
    failed_files,
    get_setting,
    get_signature,
    known_files,
    matrix,
    open_database,
    predictions,
    put_signature,
    put_skipped,
    search,
    set_setting,
    tracks_by_genre,
    tracks_by_ids,
    upsert_track,
)
from engine.errors import LibraryError

NewTracks = Callable[..., NewTrack]
NewSignatures = Callable[..., Signature]

TABLES_SINCE = {  # by schema version
    2: ("fingerprints", "audio_features", "plays"),
    3: ("words",),
    4: ("search_trigrams", "search_words", "search_texts"),
}


def refusal(path: Path, create: bool = False) -> str:
    """Return the one line with which PATH is refused."""
    with pytest.raises(LibraryError) as caught:
        open_database(path, create=create)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_missing_library_says_how_to_make_one_and_makes_none(tmp_path: Path) -> None:
    """A library that does not exist is not created by opening it to read."""
    path = tmp_path / "folder" / "library.db"
    assert "engine index PATH" in refusal(path)
    assert list(tmp_path.iterdir()) == []


def test_folder_of_a_new_library_is_made(tmp_path: Path) -> None:
    """A library in a folder that does not exist yet is created with it, and is there at the next opening."""
    path = tmp_path / "a" / "b c?#%41.db"
    with open_database(path, create=True) as database, database.write() as connection:
        set_setting(connection, "key", "value")
    with open_database(path, create=False) as database, database.read() as connection:
        assert get_setting(connection, "key") == "value"
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_empty_file_becomes_a_library_only_on_request(tmp_path: Path) -> None:
    """A file of 0 bytes is refused when reading and becomes a library when indexing."""
    path = tmp_path / "library.db"
    path.touch()
    assert "is empty" in refusal(path)
    open_database(path, create=True).close()
    open_database(path, create=False).close()


@pytest.mark.parametrize("create", [True, False])
def test_folder_is_no_library(tmp_path: Path, create: bool) -> None:
    """A folder in place of the file is refused."""
    assert "found a folder" in refusal(tmp_path, create)


def test_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    """A named pipe is refused; nobody waits for its other end."""
    os.mkfifo(tmp_path / "pipe")
    assert "no regular file" in refusal(tmp_path / "pipe", create=True)


def test_file_as_folder_is_refused(tmp_path: Path) -> None:
    """A library below a path that is a file cannot be created, and the error says so."""
    (tmp_path / "file").touch()
    assert "cannot be opened" in refusal(tmp_path / "file" / "library.db", create=True)


@pytest.mark.parametrize(
    "content", [b"x", b"x" * 511, b"hello, this is text\n" * 3, b"\0" * 5000, b"ID3" + bytes(range(256)) * 40]
)
def test_other_files_are_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    """A file that is not SQLite's is refused, also when indexing, and keeps every byte."""
    path = tmp_path / "song.mp3"
    path.write_bytes(content)
    assert "not a library" in refusal(path)
    assert "not a library" in refusal(path, create=True)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE tracks (a)", "PRAGMA application_id = 7", "PRAGMA user_version = 1"]
)
def test_other_programs_database_is_refused_and_left_alone(tmp_path: Path, statement: str) -> None:
    """An SQLite file that Engine did not make is refused, also when indexing, and keeps every byte."""
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute(statement)
    other.commit()
    other.close()
    content = path.read_bytes()
    assert "another program's" in refusal(path, create=True)
    assert path.read_bytes() == content


def test_newer_library_asks_for_an_upgrade(tmp_path: Path) -> None:
    """A library with a higher schema version is refused, and both versions are named."""
    path = tmp_path / "library.db"
    open_database(path, create=True).close()
    raw = sqlite3.connect(path)
    raw.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    raw.close()
    message = refusal(path, create=True)
    assert f"version {SCHEMA_VERSION + 1}" in message
    assert f"version {SCHEMA_VERSION}" in message
    assert "upgrade" in message


def make_older(path: Path, version: int = 1) -> None:
    """Make of a library what an older version of Engine wrote: without the tables that came later."""
    raw = sqlite3.connect(path)
    for table in [table for since, tables in TABLES_SINCE.items() if since > version for table in tables]:
        raw.execute(f"DROP TABLE {table}")
    raw.execute(f"PRAGMA user_version = {version}")
    raw.commit()
    raw.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_older_library_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    """A library of version 1 in a read-only place is no damaged one: it asks to be opened where it can be written."""
    path = tmp_path / "library.db"
    open_database(path, create=True).close()
    make_older(path)
    path.chmod(0o444)
    assert "open it once where it can be written" in refusal(path)


def test_truncated_library_is_reported_as_damaged(tmp_path: Path) -> None:
    """A library that lost its second half is refused with the way out."""
    path = tmp_path / "library.db"
    open_database(path, create=True).close()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "restore a backup" in refusal(path)


def test_library_without_a_table_is_reported_as_damaged(tmp_path: Path) -> None:
    """A library that lacks one of its tables is refused when it is opened."""
    path = tmp_path / "library.db"
    open_database(path, create=True).close()
    raw = sqlite3.connect(path)
    raw.execute("DROP TABLE segments")
    raw.close()
    assert "is damaged" in refusal(path)


def test_exception_inside_write_leaves_nothing(database: Database, new_track: NewTracks) -> None:
    """A step that fails half-way leaves the library as it was, whatever the exception."""

    def interrupted() -> None:
        with database.write() as connection:
            upsert_track(connection, new_track())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with database.read() as connection:
        assert count_tracks(connection) == 0


def test_killed_writer_leaves_a_library_without_its_batch(tmp_path: Path) -> None:
    """A process that dies inside write() costs its own batch and nothing else."""
    path = tmp_path / "library.db"
    program = (
        "import os, sys; from pathlib import Path; from engine.db import open_database, set_setting\n"
        "database = open_database(Path(sys.argv[1]), create=True)\n"
        "with database.write() as connection: set_setting(connection, 'kept', 'yes')\n"
        "with database.write() as connection: set_setting(connection, 'lost', 'yes'); os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", program, str(path)], check=False).returncode == 9
    with open_database(path, create=False) as database, database.read() as connection:
        assert get_setting(connection, "kept") == "yes"
        assert get_setting(connection, "lost") is None


def test_read_refuses_to_write(database: Database) -> None:
    """A change inside read() is an error, not a change that is silently lost."""
    with pytest.raises(LibraryError, match="cannot be written"), database.read() as connection:
        set_setting(connection, "key", "value")
    with database.write() as connection:
        set_setting(connection, "key", "value")


def test_full_disk_keeps_what_was_there(database: Database, new_track: NewTracks) -> None:
    """When the file cannot grow the step is undone, the error says why, and the library still answers."""
    with database.write() as connection:
        first = upsert_track(connection, new_track())
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")  # as long as this pooled connection lives
    with pytest.raises(LibraryError, match="disk is full"), database.write() as connection:
        upsert_track(connection, new_track(b"/music/b.flac", title="long" * 100_000))
    with database.read() as connection:
        assert list(tracks_by_ids(connection, range(10))) == [first]


def test_second_writer_is_told_who_is_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that waits too long for another gets a LibraryError, and the first is not disturbed."""
    monkeypatch.setattr(engine.db.dialects.sqlite, "BUSY_SECONDS", 0.05)
    path = tmp_path / "library.db"
    with open_database(path, create=True) as first, open_database(path, create=False) as second:
        with first.write() as connection:
            set_setting(connection, "key", "first")
            with pytest.raises(LibraryError, match="another process"), second.write():
                pass
        with second.read() as connection:
            assert get_setting(connection, "key") == "first"


def test_readers_work_beside_a_writer(database: Database, new_track: NewTracks) -> None:
    """Many threads read while one writes; each sees whole batches only."""
    batch, batches = 20, 10
    writing = threading.Event()

    def read(_: int) -> set[int]:
        writing.wait()
        with database.read() as connection:
            first, second = count_tracks(connection), count_tracks(connection)
            assert first == second  # one state for as long as it reads
            return {first % batch}

    with ThreadPoolExecutor(12) as threads:
        seen = threads.map(read, range(60))
        for number in range(batches):
            with database.write() as connection:
                for index in range(batch):
                    upsert_track(connection, new_track(f"/music/{number}/{index}.ogg".encode()))
                writing.set()
        assert set().union(*seen) == {0}


def test_reader_keeps_its_state_while_others_write(database: Database, new_track: NewTracks) -> None:
    """What a reader has begun to see does not change under it, and its presence does not stop a writer."""
    with database.read() as reader:
        assert count_tracks(reader) == 0
        with database.write() as writer:
            upsert_track(writer, new_track())
        assert count_tracks(reader) == 0
    with database.read() as reader:
        assert count_tracks(reader) == 1


def test_threads_that_create_the_same_library_share_it(tmp_path: Path) -> None:
    """Threads that all create the same file at once end with one library that holds what each of them wrote."""
    path = tmp_path / "library.db"
    together = threading.Barrier(6)

    def create(number: int) -> None:
        together.wait()
        with open_database(path, create=True) as database, database.write() as connection:
            set_setting(connection, f"thread {number}", "was here")

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(create, range(6)))
    with open_database(path, create=False) as database, database.read() as connection:
        assert [get_setting(connection, f"thread {number}") for number in range(6)] == ["was here"] * 6


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Be nobody in particular for a while: an administrator may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def test_library_in_a_read_only_folder_is_read() -> None:
    """A library that may only be read answers queries, and a write, or a new library beside it, is refused in words."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "library.db"
        with open_database(path, create=True) as database, database.write() as connection:
            set_setting(connection, "key", "value")
        path.chmod(0o444)
        path.parent.chmod(0o555)
        with ordinary_user(), open_database(path, create=False) as database:
            with database.read() as connection:
                assert get_setting(connection, "key") == "value"
            with pytest.raises(LibraryError, match="cannot be written"), database.write() as connection:
                set_setting(connection, "key", "other")
            assert "Permission denied" in refusal(path.parent / "new.db", create=True)
        path.parent.chmod(0o755)


def ask_everything(connection: Connection) -> None:
    """Run every kind of query, each reading all that it can."""
    ids = list(range(1, 60))
    known_files(connection)
    tracks = tracks_by_ids(connection, ids)
    assert all(isinstance(track.display_path, str) for track in tracks.values())
    search(connection, ["a"], None)
    failed_files(connection)
    tracks_by_genre(connection)
    encoders(connection)
    matrix(connection, "a@1", "windows")
    predictions(connection, "a@1", "windows", ids)
    for track_id in ids:
        get_signature(connection, track_id, "a@1", "windows")


def test_damaged_bytes_never_give_a_traceback(
    tmp_path: Path, new_track: NewTracks, new_signature: NewSignatures
) -> None:
    """With any bytes of the file overwritten every query answers or raises LibraryError, and nothing else."""
    path = tmp_path / "library.db"
    with open_database(path, create=True) as database, database.write() as connection:
        for number in range(40):
            track_id = upsert_track(connection, new_track(b"/music/%d.mp3" % number, artist="An artist", genre="Rock"))
            put_signature(connection, new_signature(track_id))
            put_skipped(connection, b"/music/%d.txt" % number, 1, 1, True, "no audio")
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    messages = []
    for _ in range(60):
        damaged = bytearray(whole)
        for place in random.integers(100, len(whole), 8):
            damaged[place] ^= 1 << int(random.integers(8))
        path.write_bytes(damaged)
        try:
            with open_database(path, create=False) as database, database.read() as connection:
                ask_everything(connection)
        except LibraryError as error:
            messages.append(str(error))
    assert messages
    assert not any("\n" in message for message in messages)
