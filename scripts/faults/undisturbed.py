"""Run operations undisturbed, and compare disturbed ones with them.

After a fault the library must open, hold everything that it held or had reported as stored, and show the doctor only
leftovers; once the operation has run again, every row, answer and file must be as after an undisturbed run.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from faults.children import run, share
from faults.form import Form
from faults.operations import OPERATIONS, Operation
from faults.world import Facts, World, build, count_lost, difference, facts

ALLOWED = ("leftovers", "index")  # permitted findings right after a fault: the next run removes and rebuilds
NOT_YET = ("no library at", "is empty")  # how a new library is refused before its tables are committed
BUILD_SECONDS = 300.0

Known = dict[str, Any]  # of one operation undisturbed: before, done, after (Facts), seconds, and the watcher's result
Watch = Callable[[Operation, World], Any]


def prepare(folder: Path, operations: Sequence[Operation], watch: Watch, form: Form) -> list[dict[str, Known]]:
    """Build a world for each worker and run each operation undisturbed in it, once under `watch`."""
    workers = form.workers
    return share(lambda worker, _: _prepare(folder / str(worker), operations, watch), range(workers), workers)


def sweep(
    inject: Callable[[int, Any], tuple[str | None, int]], cases: Sequence[Any], form: Form, seconds: float
) -> list[tuple[Any, tuple[str | None, int]]]:
    """Inject cases in a drawn order, so that a time that ends early has some of each kind; return those reached."""
    drawn = random.Random(len(cases)).sample(cases, len(cases))
    found = share(inject, drawn, form.workers, form.limit(seconds))
    return [(case, result) for case, result in zip(drawn, found, strict=True) if result is not None]


def named(name: str) -> Operation:
    """Return an operation by its name."""
    return next(each for each in OPERATIONS if each.name == name)


def check_after(world: World, operation: Operation, known: Known) -> tuple[str | None, int]:
    """Open, check and finish an operation that was disturbed; return the problem and the number of things lost."""
    problem, lost = None, 0
    found = run(lambda: facts(world))
    if found.how == "done":
        problem, lost = _unexpected(known, found.value), _lost(world, known, found.value)
    elif known["before"] is not None or not any(words in str(found.value) for words in NOT_YET):
        return f"opening {found.how}: {found.value}", 0
    finished = run(lambda: _again(operation, world))
    if finished.how != "done":
        return problem or f"the next run {finished.how}: {finished.value}", lost
    lost = max(lost, count_lost(known["after"], finished.value))
    return problem or difference(known["after"], finished.value), lost


def _prepare(root: Path, operations: Sequence[Operation], watch: Watch) -> dict[str, Known]:
    """Build a world and run each operation undisturbed in it."""
    ended = run(lambda: build(World(root)), limit=BUILD_SECONDS)
    if ended.how != "done":
        raise RuntimeError(f"the world could not be built: {ended}")
    return {operation.name: _undisturbed(World(root), operation, watch) for operation in operations}


def _undisturbed(world: World, operation: Operation, watch: Watch) -> Known:
    """Return the facts before an operation, after it and after the next run, its seconds, and the watcher's result."""
    world.enter()
    world.load(operation.state)
    before = run(lambda: facts(world)).value if world.library.exists() else None
    world.load(operation.state)
    watched = run(lambda: watch(operation, world)).value
    world.load(operation.state)
    began = monotonic()
    run(lambda: operation.run(world))
    seconds = monotonic() - began
    done = run(lambda: facts(world)).value
    after = run(lambda: _again(operation, world))
    if after.how != "done" or not watched:
        raise RuntimeError(f"{operation.name} does not run undisturbed: {after}")
    return {"before": before, "done": done, "after": after.value, "seconds": seconds, "watched": watched}


def _lost(world: World, known: Known, found: Facts) -> int:
    """Return the number of things missing right after a fault: of those before and after, and of those acknowledged."""
    if known["before"] is None:
        stored = len(found["rows"]["tracks"])
        done = world.acknowledged.stat().st_size if world.acknowledged.exists() else 0
        return max(0, done - stored)
    return min(count_lost(known["before"], found), count_lost(known["done"], found))


def _unexpected(known: Known, found: Facts) -> str | None:
    """Describe a finding of the doctor that neither the state before nor after has, leftovers apart."""
    usual = {
        *known["after"]["findings"],
        *known["done"]["findings"],
        *(known["before"]["findings"] if known["before"] else ()),
    }
    new = [each for each in found["findings"] if each not in usual and not each.startswith(ALLOWED)]
    return f"the doctor finds {new[0]}" if new else None


def _again(operation: Operation, world: World) -> Facts:
    operation.again(world)
    return facts(world)
