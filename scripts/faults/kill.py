"""SIGKILL at random instants and at every named step of every operation that writes.

A named step is a call that changes a file (a commit, a rename, a flush ...), before it begins and after it returned.
Each operation runs once under a profiler to find them; then it is killed at each of them in turn.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from faults.children import run
from faults.form import Form
from faults.operations import OPERATIONS, Operation
from faults.table import Row, collect
from faults.undisturbed import Known, check_after, named, prepare, sweep
from faults.world import World

CALLS = {  # builtin functions that change a file, and the type of their owner
    **dict.fromkeys(["replace", "rename", "link", "unlink", "fsync", "ftruncate", "mkdir"], "module"),
    **dict.fromkeys(["commit", "backup"], "Connection"),
    "write": "BufferedRandom",
    "truncate": "BufferedRandom",
}
RANDOM_KILLS, SHORT_RANDOM_KILLS, SHORT_STEPS = 200, 3, 2
SHORT = ("index", "restore", "tag writing")
SEED = 16
SECONDS = 330.0

Case = tuple[str, str, float]  # operation, kind of instant, the instant


class Steps:
    """A profiler that counts the named steps of all threads, and kills this process at one of them."""

    def __init__(self, kill_at: int | None = None) -> None:
        self.kill_at = kill_at
        self.names: list[str] = []

    def begin(self) -> None:
        """Watch this thread and those that it starts."""
        threading.setprofile(self._see)
        sys.setprofile(self._see)

    def _see(self, frame: FrameType, event: str, called: Any) -> None:
        if event not in ("c_call", "c_return") or called.__name__ not in CALLS:
            return
        if type(getattr(called, "__self__", None)).__name__ != CALLS[called.__name__]:
            return
        if len(self.names) == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        when = "before" if event == "c_call" else "after"
        self.names.append(f"{when} {called.__name__} in {Path(frame.f_code.co_filename).stem}")


def kill(folder: Path, form: Form) -> list[Row]:
    """Run this part."""
    operations = [each for each in OPERATIONS if not form.short or each.name in SHORT]
    known = prepare(folder, operations, _watched, form)
    cases = [*_random_cases(operations, form.short), *_step_cases(operations, known[0], form.short)]
    pairs = sweep(lambda worker, case: _inject(World(folder / str(worker)), known[worker], case), cases, form, SECONDS)
    return collect((f"SIGKILL at {kind}", name, problem, lost) for (name, kind, _), (problem, lost) in pairs)


def _random_cases(operations: Sequence[Operation], short: bool) -> list[Case]:
    """Draw instants, as shares of an operation's time."""
    drawn = random.Random(SEED)
    wanted = SHORT_RANDOM_KILLS if short else RANDOM_KILLS
    names = [operation.name for operation in operations for _ in range(operation.share)]
    return [(names[i % len(names)], "random instants", drawn.random()) for i in range(wanted)]


def _step_cases(operations: Sequence[Operation], known: dict[str, Known], short: bool) -> list[Case]:
    """Name each step; in the short form a few, evenly spread."""
    cases: list[Case] = []
    for operation in operations:
        count = len(known[operation.name]["watched"])
        stride = max(1, count // SHORT_STEPS) if short else 1
        cases += [(operation.name, "named steps", step) for step in range(0, count, stride)]
    return cases


def _inject(world: World, known: dict[str, Known], case: Case) -> tuple[str | None, int]:
    """Kill one run and check the library; return the problem and the number of things lost."""
    name, kind, where = case
    operation = named(name)
    world.enter()
    world.load(operation.state)
    world.acknowledged.unlink(missing_ok=True)
    if kind == "named steps":
        ended = run(lambda: _watched(operation, world, int(where)))
    else:
        ended = run(lambda: operation.run(world), kill_after=where * known[name]["seconds"])
    label = f"{known[name]['watched'][int(where)]} ({where})" if kind == "named steps" else f"{where:.3f} of its time"
    if ended.how not in ("killed", "done"):
        return f"{label}: the run {ended.how}: {ended.value}", 0
    problem, lost = check_after(world, operation, known[name])
    return problem and f"{label}: {problem}", lost


def _watched(operation: Operation, world: World, kill_at: int | None = None) -> list[str]:
    """Run an operation under the profiler; return its steps."""
    steps = Steps(kill_at)
    steps.begin()
    operation.run(world)
    sys.setprofile(None)
    return steps.names
