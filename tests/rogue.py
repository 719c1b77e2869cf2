"""Decoders that die as they would by a defect: for files of a certain content PyAV crashes, spins or takes memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import write_song

SEED = 7  # of the song whose file the decoder does not survive
ROGUE = '''
"""Loaded by every Python that starts with this folder on its path: makes PyAV misbehave for files that hold BANE."""
import ctypes, os, signal, sys

def _install():
    import av
    opened = av.open
    def open(source, *args, **kwargs):
        kind = source.at(0, 1 << 20).partition(b"BANE-")[2][:5]
        if kind == b"crash":
            ctypes.string_at(0)
        if kind == b"abort":
            os.abort()
        if kind == b"exits":
            os._exit(3)
        if kind == b"spins":
            while True:
                pass
        if kind == b"bombs":
            bytearray(4 << 30)
        if kind == b"shout":
            os.write(1, b"x" * 100_000)
            print("x" * 100_000, flush=True)
        if kind == b"odder":
            raise LookupError("odd")
        if kind == b"slain":
            os.kill(os.getpid(), signal.SIGKILL)
        return opened(source, *args, **kwargs)
    av.open = open

if sys.argv[:1] == ["-c"] and len(sys.argv) == 4:  # a decoder's process
    _install()
'''


def go_rogue(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let decoders that start from now on not survive files that hold BANE and a kind of death."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(ROGUE)
    monkeypatch.setenv("PYTHONPATH", str(folder))


def bane(path: Path, kind: str) -> Path:
    """Write a song that makes the decoder die in some way."""
    return write_song(path, SEED, comment=f"BANE-{kind}")
