"""Disks of a few megabytes that fill up, and read-only disks, below a library, its backup, and the music.

File systems in memory are mounted in a separate namespace, if the system permits it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from faults.children import run
from faults.form import Form
from faults.io_errors import end_problem
from faults.operations import Operation
from faults.table import Row, collect, skipped
from faults.undisturbed import Known, check_after, named, prepare, sweep
from faults.world import World

INSIDE = "FAULTS_MAY_MOUNT"  # set in the namespace
NAMESPACE = ("unshare", "-Urm")
ROOMS = (
    0,
    4,
    16,
    40,
    80,
    120,
    160,
    200,
    240,
    280,
    320,
    400,
    480,
    560,
    640,
    720,
    800,
    1000,
    1400,
    2000,
    3000,
    4000,
)  # KiB
SHORT_ROOMS = (0, 160, 640)
WIDE = "rw,size=1g"  # once there is room again: more than the threshold of the doctor's warning
PLACES = {"index": ("library",), "backup": ("backup",), "tag writing": ("music", "library"), "restore": ("library",)}
READ_ONLY = -1
SECONDS = 80.0
PAGE = 4  # KiB; a size of 0 would be no limit


class Case(NamedTuple):
    """One disk: the operation, the folder on it, and the free KiB, or READ_ONLY."""

    operation: str
    place: str
    room: int

    @property
    def fault(self) -> str:
        """Name of the fault, for the table."""
        return "read-only disk" if self.room == READ_ONLY else "disk that fills up"


def disk(folder: Path, form: Form) -> list[Row]:
    """Run this part, in a new namespace unless this process is already in one."""
    if INSIDE in os.environ:
        return _fill(folder, form)
    if not _can_mount():
        return [skipped("disks that are full or read-only", "this user may not mount file systems")]
    found = folder / "rows.json"
    command = [
        sys.executable,
        str(Path(__file__).parent),
        *form.options,
        "--json",
        str(found),
        "disk",
    ]
    subprocess.run([*NAMESPACE, *command], env=os.environ | {INSIDE: "1"}, check=False, stdout=subprocess.DEVNULL)
    return [Row(**row) for row in json.loads(found.read_text("utf-8"))]


def _fill(folder: Path, form: Form) -> list[Row]:
    operations = [named(name) for name in PLACES if not form.short or name in ("index", "backup")]
    known = prepare(folder, operations, lambda operation, world: operation.run(world) or True, form)
    cases = [case for operation in operations for case in _cases(operation, SHORT_ROOMS if form.short else ROOMS)]
    pairs = sweep(lambda worker, case: _inject(World(folder / str(worker)), known[worker], case), cases, form, SECONDS)
    return collect((case.fault, f"{case.operation}, {case.place}", problem, lost) for case, (problem, lost) in pairs)


def _cases(operation: Operation, rooms: Sequence[int]) -> list[Case]:
    return [Case(operation.name, place, room) for place in PLACES[operation.name] for room in (READ_ONLY, *rooms)]


def _inject(world: World, known: dict[str, Known], case: Case) -> tuple[str | None, int]:
    operation, place = named(case.operation), world.now / case.place
    world.enter()
    world.load(operation.state)
    world.acknowledged.unlink(missing_ok=True)
    used = _mount(place)
    try:
        _remount(place, "ro" if case.room == READ_ONLY else f"size={max(PAGE, used + case.room)}k")
        ended = run(lambda: operation.run(world))
        _remount(place, WIDE)
        label = "read-only" if case.room == READ_ONLY else f"{case.room} KiB"
        if problem := end_problem(ended):
            return f"{label}: {problem}", 0
        problem, lost = check_after(world, operation, known[operation.name])
        return problem and f"{label} (run {ended.how}: {ended.value}): {problem}", lost
    finally:
        subprocess.run(["umount", str(place)], check=True)


def _mount(place: Path) -> int:
    """Mount a separate file system at a folder, with its contents, and return the KiB that they use."""
    aside = place.with_name(f"{place.name} aside")
    place.rename(aside)
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1g,mode=0700", "none", str(place)], check=True)
    shutil.copytree(aside, place, dirs_exist_ok=True)
    shutil.rmtree(aside)
    found = os.statvfs(place)
    return (found.f_blocks - found.f_bfree) * found.f_frsize // 1024


def _remount(place: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)


def _can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    command = [*NAMESPACE, "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
