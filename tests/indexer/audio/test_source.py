"""A read error in the middle of a file (`source`): a fault that passes, not the end of the file."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.errors import AudioError
from engine.indexer.audio.decode import AudioFile
from engine.indexer.audio.faults import is_passing
from engine.indexer.audio.reading import read_track
from tests.audio import tone, write_audio


class BadDisk(io.FileIO):
    """A file whose second half cannot be read."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read from the first half; raise EIO in the second."""
        if self.tell() >= os.fstat(self.fileno()).st_size // 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read(size or -1) or b""


@contextmanager
def bad_disk() -> Iterator[None]:
    """Let files opened by a Source meanwhile be on a bad disk."""
    real = os.fdopen
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fdopen", lambda fd, mode, buffering=-1: real(fd, mode) if buffering else BadDisk(fd, mode))
        yield


@pytest.mark.parametrize("extension", [".wav", ".flac", ".mp3", ".ogg", ".m4a", ".wv"])
def test_read_errors_are_no_end(tmp_path: Path, extension: str) -> None:
    """A file whose second half cannot be read is refused by a fault that passes, in whichever way it is read."""
    path = tmp_path / f"a{extension}"
    write_audio(path, tone(440, 40), 44_100)
    with bad_disk():
        for read in (lambda: read_track(path, 4.0, 10, 22_050), lambda: list(_blocks(path))):
            with pytest.raises(AudioError, match="Input/output error") as caught:
                read()
            assert is_passing(caught.value)
    assert read_track(path, 4.0, 10, 22_050).duration_seconds == pytest.approx(40, abs=0.3)


def _blocks(path: Path) -> Iterator[object]:
    with AudioFile.open(path) as audio:
        yield from audio.blocks(4.0, 22_050)
