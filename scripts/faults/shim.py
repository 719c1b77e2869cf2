"""The shim that makes calls of this process fail: built with a C compiler, loaded by LD_PRELOAD, armed from here."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("shim.c")
VARIABLE = "FAULTS_SHIM"  # set in a process that has it loaded
COUNT_ONLY = -1
KINDS = ("write", "fsync", "rename", "truncate", "create", "unlink")
FAIL, SHORT, TORN = range(3)


def build(folder: Path) -> Path | None:
    """Compile the shim into a folder; None without a suitable compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    target = folder / "shim.so"
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(target), str(SOURCE), "-ldl"]
    done = subprocess.run(command, capture_output=True, check=False)
    return target if done.returncode == 0 else None


def environment(library: Path) -> dict[str, str]:
    """Return the environment of a process that has the shim loaded."""
    return os.environ | {"LD_PRELOAD": str(library), VARIABLE: str(library)}


def loaded() -> bool:
    """Whether this process has it loaded."""
    return VARIABLE in os.environ


def arm(folder: Path, kind: str, nth: int, error: int = 0, mode: int = FAIL, sticky: bool = False) -> None:
    """Make the n-th call (from 0) of a kind on files below a folder fail, and with `sticky` all after it."""
    prefix = os.fsencode(f"{folder}/")
    _shim().faults_arm(prefix, KINDS.index(kind), ctypes.c_long(nth), error, mode, int(sticky))


def counts() -> dict[str, int]:
    """Return the number of calls of each kind since the shim was armed."""
    return {kind: int(_shim().faults_count(number)) for number, kind in enumerate(KINDS)}


def _shim() -> ctypes.CDLL:
    shim = ctypes.CDLL(os.environ[VARIABLE])
    shim.faults_count.restype = ctypes.c_long
    return shim
