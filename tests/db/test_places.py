"""Who may read what Engine makes, and what happens when its files are not what they were."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import Engine
from engine.db import open_database, set_setting
from engine.db.places import create_file, make_private_folder, open_regular
from engine.errors import LibraryError
from tests.conftest import Collection


@pytest.fixture(params=[0o000, 0o022, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """Several masks of permissions."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    """Permissions of a file or folder."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
def test_new_libraries_are_private(tmp_path: Path) -> None:
    """A new library, its folder and what lies beside it are their owner's alone; a folder that was there stays."""
    before = mode(tmp_path)
    library = tmp_path / "a" / "b" / "library.db"
    with open_database(library, create=True) as database, database.write() as connection:
        set_setting(connection, "key", "value")
        found = {path.name: mode(path) for path in library.parent.iterdir()}
    assert set(found) >= {"library.db", "library.db-wal", "library.db-shm"}
    assert set(found.values()) == {0o600}
    assert (mode(library.parent), mode(library.parent.parent), mode(tmp_path)) == (0o700, 0o700, before)


def test_known_libraries_keep_their_permissions(tmp_path: Path) -> None:
    """A library that others may read stays so."""
    library = tmp_path / "library.db"
    open_database(library, create=True).close()
    library.chmod(0o644)
    open_database(library, create=True).close()
    assert mode(library) == 0o644


def test_index_files_are_private(engine: Engine, own: Collection) -> None:
    """An index file is its owner's alone."""
    assert engine.similar(1).matches
    (index,) = own.library.parent.glob("*.faiss")
    assert mode(index) == 0o600


def test_files_of_our_own(tmp_path: Path) -> None:
    """A file is made only where nothing is; a pipe is not opened, and nobody waits for it."""
    make_private_folder(tmp_path / "a" / "b")
    create_file(tmp_path / "a" / "b" / "file").close()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for taken in ("a", "link"):
        with pytest.raises(FileExistsError):
            create_file(tmp_path / taken)
    assert not (tmp_path / "elsewhere").exists()
    with pytest.raises(OSError, match=r"exist|directory"):
        make_private_folder(tmp_path / "a" / "b" / "file" / "c")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        open_regular(tmp_path / "pipe")


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_index_file_that_is_none(engine: Engine, own: Collection, kind: str) -> None:
    """A pipe, a device or a folder in an index file's place is passed over at once, and answers stay."""
    before = engine.similar(1).matches
    (index,) = own.library.parent.glob("*.faiss")
    index.unlink()
    if kind == "pipe":
        os.mkfifo(index)
    elif kind == "device":
        index.symlink_to("/dev/zero")
    else:
        index.mkdir()
    with Engine.open(own.library, device="cpu") as again:
        assert again.similar(1).matches == before


@pytest.mark.parametrize("fate", ["deleted", "renamed", "replaced"])
def test_library_that_went_away(tmp_path: Path, fate: str) -> None:
    """A library that was deleted, renamed or replaced while it is open takes no more writes, and none is pretended."""
    path = tmp_path / "library.db"
    with open_database(path, create=True) as database:
        with database.write() as connection:
            set_setting(connection, "key", "value")
        if fate == "deleted":
            path.unlink()
        else:
            path.rename(tmp_path / "moved.db")
        if fate == "replaced":
            open_database(path, create=True).close()
        expected = "is another file now" if fate == "replaced" else "is gone"
        with pytest.raises(LibraryError, match=expected) as caught, database.write() as connection:
            set_setting(connection, "key", "other")
        assert "\n" not in str(caught.value)
    assert path.exists() == (fate == "replaced")


def test_library_that_goes_while_it_is_written(tmp_path: Path) -> None:
    """A write during which the library is deleted fails: what it wrote would be lost."""
    path = tmp_path / "library.db"
    database = open_database(path, create=True)
    with pytest.raises(LibraryError, match="is gone"), database, database.write():
        path.unlink()
