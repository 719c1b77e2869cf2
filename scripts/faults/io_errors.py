"""Operating-system errors, injected below SQLite and below index files, backups, exports and tags.

A shim (shim.c) makes the n-th write, flush, rename, truncation, creation or removal of a file below the world's folder
fail: once, or from then on; with EIO, ENOSPC, EROFS, EDQUOT, EACCES or EMFILE; or it writes half of the bytes, and then
fails or ends the process. n is swept over the calls of an undisturbed run.

The operation must succeed or be refused in one line. Then, without the error, the same must hold as after a kill.
"""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from faults import shim
from faults.children import Ended, run
from faults.form import Form
from faults.operations import OPERATIONS, Operation
from faults.shim import FAIL, SHORT, TORN
from faults.table import Row, collect, skipped
from faults.undisturbed import Known, check_after, named, prepare, sweep
from faults.world import World

NAME = "I/O errors"
SWEPT, SHORT_SWEPT = 9, 1  # positions for each operation and kind of call
SECONDS = 220.0
SHORT_OPERATIONS = ("index", "backup", "tag writing")

# error, mode, sticky: taken in turns over the positions
FAULTS: dict[str, tuple[tuple[int, int, bool], ...]] = {
    "write": (
        (errno.ENOSPC, SHORT, False),
        (errno.EIO, FAIL, False),
        (errno.ENOSPC, FAIL, True),
        (errno.EIO, TORN, False),
        (errno.EDQUOT, FAIL, False),
        (errno.EROFS, FAIL, True),
        (errno.ENOSPC, SHORT, True),
    ),
    "fsync": ((errno.EIO, FAIL, False), (errno.ENOSPC, FAIL, True), (errno.EIO, FAIL, True)),
    "rename": (
        (errno.EIO, FAIL, False),
        (errno.ENOSPC, FAIL, True),
        (errno.EROFS, FAIL, True),
        (errno.EACCES, FAIL, False),
    ),
    "truncate": ((errno.EIO, FAIL, False), (errno.ENOSPC, FAIL, True)),
    "create": (
        (errno.ENOSPC, FAIL, False),
        (errno.EMFILE, FAIL, False),
        (errno.EROFS, FAIL, True),
        (errno.EACCES, FAIL, True),
    ),
    "unlink": ((errno.EROFS, FAIL, True), (errno.EIO, FAIL, False)),
}


class Case(NamedTuple):
    """One error: the operation, the kind of call, which one, and the fault."""

    operation: str
    kind: str
    nth: int
    error: int
    mode: int
    sticky: bool


def io_errors(folder: Path, form: Form) -> list[Row]:
    """Run this part: in a second process, where this one has not loaded the shim."""
    if shim.loaded():
        return _sweep(folder, form)
    library = shim.build(folder)
    if library is None:
        return [skipped(NAME, "there is no C compiler for the shim")]
    found = folder / "rows.json"
    command = [sys.executable, str(Path(__file__).parent), *form.options, "--json", str(found), "io"]
    subprocess.run(command, env=shim.environment(library), check=False, stdout=subprocess.DEVNULL)
    return [Row(**row) for row in json.loads(found.read_text("utf-8"))]


def _sweep(folder: Path, form: Form) -> list[Row]:
    operations = [each for each in OPERATIONS if not form.short or each.name in SHORT_OPERATIONS]
    known = prepare(folder, operations, _counted, form)
    cases = [
        case for operation in operations for case in _cases(operation, known[0], SHORT_SWEPT if form.short else SWEPT)
    ]
    pairs = sweep(lambda worker, case: _inject(World(folder / str(worker)), known[worker], case), cases, form, SECONDS)
    return collect((f"{NAME} of {case.kind}", case.operation, problem, lost) for case, (problem, lost) in pairs)


def _cases(operation: Operation, known: dict[str, Known], most: int) -> Iterator[Case]:
    """Spread positions evenly over the calls of each kind, one in the middle; take the errors in turns."""
    first = OPERATIONS.index(operation)  # so that few positions meet other errors in each operation
    for kind, count in known[operation.name]["watched"].items():
        positions = np.linspace(0, count - 1, min(most, count)) if most > 1 else [count // 2][:count]
        for turn, position in enumerate(positions, first):
            yield Case(operation.name, kind, round(position), *FAULTS[kind][turn % len(FAULTS[kind])])


def _inject(world: World, known: dict[str, Known], case: Case) -> tuple[str | None, int]:
    operation = named(case.operation)
    world.enter()
    world.load(operation.state)
    world.acknowledged.unlink(missing_ok=True)

    def faulty() -> None:
        shim.arm(world.now, case.kind, case.nth, case.error, case.mode, case.sticky)
        operation.run(world)

    ended = run(faulty)
    label = f"{errno.errorcode[case.error]}{' from then on' if case.sticky else ''} at {case.kind} {case.nth}"
    if problem := end_problem(ended, torn=case.mode == TORN):
        return f"{label}: {problem}", 0
    problem, lost = check_after(world, operation, known[operation.name])
    return problem and f"{label} (run {ended.how}: {ended.value}): {problem}", lost


def end_problem(ended: Ended, *, torn: bool = False) -> str | None:
    """Describe an outcome that no user should see."""
    if ended.how == "done" or (torn and ended.how == "killed"):
        return None
    if ended.how != "refused":
        return f"the run {ended.how}: {str(ended.value)[-250:]}"
    return "the message has several lines" if "\n" in str(ended.value) else None


def _counted(operation: Operation, world: World) -> dict[str, int]:
    """Run an operation and return the number of its calls of each kind."""
    shim.arm(world.now, shim.KINDS[0], shim.COUNT_ONLY)
    operation.run(world)
    return shim.counts()


def as_json(rows: Sequence[Row]) -> str:
    """Return rows for the process that started this one."""
    return json.dumps([asdict(row) for row in rows])
