"""Decoders with defects: for files of a certain content PyAV crashes, spins, takes memory or sends messages itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import write_song

SEED = 7  # of the song whose file the decoder does not survive
SITE = '''
"""Loaded by every Python that starts with this folder on its path: makes PyAV misbehave for files that hold FAULT."""
import ctypes, os, signal, sys

def _install():
    import av
    opened = av.open
    def open(source, *args, **kwargs):
        kind = source.at(0, 1 << 20).partition(b"FAULT-")[2][:5]
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
        if kind == b"lying":
            for descriptor in range(3, 64):
                try:
                    os.write(descriptor, b"\\7\\0\\0\\0[5, {}]")
                except OSError:
                    pass
        if kind == b"odder":
            raise LookupError("odd")
        if kind == b"kills":
            os.kill(os.getpid(), signal.SIGKILL)
        return opened(source, *args, **kwargs)
    av.open = open

if sys.argv[:1] == ["-c"] and len(sys.argv) == 4:  # a decoder's process
    _install()
'''


def break_decoders(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let decoders that start from now on misbehave for the files of `write_faulty`."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(SITE)
    monkeypatch.setenv("PYTHONPATH", str(folder))


def write_faulty(path: Path, kind: str) -> Path:
    """Write a song for which the decoder misbehaves in one of the ways of SITE."""
    return write_song(path, SEED, comment=f"FAULT-{kind}")
