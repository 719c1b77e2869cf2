"""Identity: the same content has the same hash, under whichever name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.errors import AudioError
from engine.indexer.audio.identity import WHOLE_LIMIT, content_hash


def written(path: Path, content: bytes, size: int | None = None) -> bytes:
    """Write a file, extended by a hole to `size`, and hash it."""
    path.write_bytes(content)
    if size is not None:
        os.truncate(path, size)
    return content_hash(os.fsencode(path))


def test_name(tmp_path: Path) -> None:
    """The name does not count, and the digest has 16 bytes."""
    digest = written(tmp_path / "a", b"same")
    assert digest == written(tmp_path / "b", b"same")
    assert len(digest) == 16


@pytest.mark.parametrize("size", [2, WHOLE_LIMIT, WHOLE_LIMIT + 1, 3 * WHOLE_LIMIT])
def test_ends(tmp_path: Path, size: int) -> None:
    """The first byte, the last byte and the length count, at every size."""
    plain = written(tmp_path / "a", b"", size)
    first = written(tmp_path / "a", b"x", size)
    longer = written(tmp_path / "a", b"", size + 1)
    last = written(tmp_path / "a", b"", size - 1)
    with (tmp_path / "a").open("ab") as file:
        file.write(b"x")
    last = content_hash(os.fsencode(tmp_path / "a"))
    assert len({plain, first, longer, last}) == 4


def test_small_whole(tmp_path: Path) -> None:
    """Of a file up to 16 MiB each byte counts."""
    assert written(tmp_path / "a", b"\0" * 9_000_001 + b"x", WHOLE_LIMIT) != written(tmp_path / "a", b"", WHOLE_LIMIT)


def test_big_middle(tmp_path: Path) -> None:
    """Of a bigger file the middle counts too: another recording with the same ends is another file."""
    size, path = 3 * WHOLE_LIMIT, tmp_path / "a"
    plain = written(path, b"", size)
    with path.open("r+b") as file:
        file.seek(20 << 20)
        file.write(b"\1" * (10 << 20))
    assert content_hash(os.fsencode(path)) != plain


def test_missing(tmp_path: Path) -> None:
    """A file that cannot be read is an AudioError with the system's reason."""
    with pytest.raises(AudioError, match="cannot be read: No such file"):
        content_hash(os.fsencode(tmp_path / "absent"))
