"""One writer and 16 readers for ten minutes, in threads and in processes; and other ways to share a library.

Eight readers are threads of one process, eight are processes. Each answer is compared with a reference set recorded
before, while the writer adds and removes other tracks. No answer may contain a partial track, and none may fail.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import Any

import numpy as np

from engine import BusyError, Engine, Filters, Play, Ranking
from faults.children import run, share
from faults.form import Form
from faults.table import Row
from faults.world import World, write_song

SECONDS, SHORT_SECONDS = 600.0, 2.0
FROZEN, ADDED = 24, 4  # songs of the reference set, and of the writer
THREADS, PROCESSES = 8, 8
K = 5
ROUNDS, SHORT_ROUNDS = 10, 1
ASKED = 25  # queries of each asyncio task
TOLERANCE = 1e-5
PLAIN = Ranking(hubs=True)  # hub scores would depend on the tracks that come and go

Reference = dict[int, list[tuple[int, float]]]


@dataclass
class Held:
    """The results of one reader: the duration of each query in ms, and its problems."""

    milliseconds: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def load(folder: Path, form: Form) -> list[Row]:
    """Run this part."""
    world = World(folder / "load")
    rounds = SHORT_ROUNDS if form.short else ROUNDS
    reference = _checked(run(lambda: _build(world)))
    known = {int(track_id): [tuple(pair) for pair in found] for track_id, found in reference.items()}
    world.enter()
    return [
        _readers_beside_a_writer(world, known, SHORT_SECONDS if form.short else SECONDS),
        _repeat("two writers at once", rounds, lambda number: _two_writers(world, number)),
        _repeat("writers of plays in 4 processes", rounds, lambda number: _plays(world, number)),
        _repeat("claim of a killed process", rounds, lambda number: _stale_claim(world, number)),
        _repeat("fork after opening and encoding", rounds, lambda _: _forked(world, known)),
        _repeat("16 asyncio callers", rounds, lambda _: _asynchronous(world, known)),
    ]


def _build(world: World) -> dict[int, list[tuple[int, float]]]:
    """Index the frozen songs; return the nearest of each."""
    world.enter()
    for place in (world.music, world.library.parent):
        place.mkdir(parents=True)
    for number in range(FROZEN):
        write_song(world.music / f"frozen{number}.wav", number)
    with world.open() as engine:
        engine.index(world.music)
        return {track_id: _nearest(engine, world, track_id) for track_id in range(1, FROZEN + 1)}


def _readers_beside_a_writer(world: World, reference: Reference, seconds: float) -> Row:
    row = Row(f"{THREADS + PROCESSES} readers beside a writer, {seconds:.0f} s: questions")
    until = monotonic() + seconds
    parts: list[Callable[[], Any]] = [
        lambda: _write_until(world, until),
        lambda: _threads_until(world, reference, until),
        *[lambda: [asdict(_read_until(world, reference, until))]] * PROCESSES,
    ]
    written, *found = share(lambda worker, _: parts[worker](), range(len(parts)), workers=len(parts))
    readers = [Held(**each) for several in found for each in several]
    times = np.array([each for reader in readers for each in reader.milliseconds])
    row.injected, row.problems = len(times), [line for reader in readers for line in reader.problems]
    row.survived = row.injected - len(row.problems)
    rate, median, slow = len(times) / seconds, np.median(times), np.quantile(times, 0.99)
    row.figures.append(
        f"{len(readers)} readers beside a writer (stored {written['stored']}, removed {written['removed']} tracks): "
        f"{rate:,.0f} questions/s, median {median:.0f} ms, p99 {slow:.0f} ms"
    )
    return row


def _read_until(world: World, reference: Reference, until: float, engine: Engine | None = None) -> Held:
    """Run one query after another; each answer must contain the reference's."""
    held = Held()
    opened = engine or world.open()
    for number in count():
        if monotonic() > until:
            break
        began = perf_counter()
        try:
            problem = _ask(opened, world, reference, 1 + number % FROZEN, filtered=number % 2 == 0)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        held.milliseconds.append(round(1000 * (perf_counter() - began), 2))
        if problem is not None:
            held.problems.append(problem)
    if engine is None:
        opened.close()
    return held


def _ask(engine: Engine, world: World, reference: Reference, track_id: int, *, filtered: bool) -> str | None:
    """Query neighbours among the frozen songs, or among all; describe the difference from the reference."""
    if filtered:
        found = _nearest(engine, world, track_id)
    else:
        matches = engine.similar(track_id, k=FROZEN + 100, ranking=PLAIN).matches
        if any(match.artist is None for match in matches):
            return "a match without its tags"
        found = [(match.track_id, match.similarity) for match in matches if match.track_id <= FROZEN][:K]
        stats = engine.stats()
        if stats.tracks != sum(each.tracks for each in stats.encoders):
            return f"{stats.tracks} tracks, and signatures of {stats.encoders}"
    expected = reference[track_id]
    same = [a for a, _ in found] == [a for a, _ in expected]
    return None if same and np.allclose(found, expected, atol=TOLERANCE) else f"expected {expected}, found {found}"


def _nearest(engine: Engine, world: World, track_id: int) -> list[tuple[int, float]]:
    matches = engine.similar(track_id, k=K, filters=Filters(below=world.music), ranking=PLAIN).matches
    return [(match.track_id, match.similarity) for match in matches]


def _threads_until(world: World, reference: Reference, until: float) -> list[dict[str, Any]]:
    held: list[Held] = []
    with world.open() as engine:
        threads = [
            threading.Thread(target=lambda: held.append(_read_until(world, reference, until, engine)))
            for _ in range(THREADS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return [asdict(each) for each in held]


def _write_until(world: World, until: float) -> dict[str, int]:
    """Add songs, change them, remove some, prune the others, again and again."""
    place = world.now / "added"
    place.mkdir()
    stored = removed = 0
    with world.open() as engine:
        for number in count(FROZEN, ADDED):
            if monotonic() > until:
                break
            for song in range(ADDED):
                write_song(place / f"{song}.wav", number + song)
            stored += engine.index(place).new
            engine.add_plays([Play(1.7e9 + number, "play", 1)])
            removed += engine.remove(place / "0.wav")
            for song in range(ADDED):
                (place / f"{song}.wav").unlink()
            removed += engine.index(place, prune=True, force=True).pruned
    place.rmdir()
    return {"stored": stored, "removed": removed}


def _two_writers(world: World, number: int) -> str | None:
    place = world.now / f"two {number}"
    place.mkdir()
    for song in range(ADDED):
        write_song(place / f"{song}.wav", 1000 + number * ADDED + song)

    def write() -> int:
        with world.open() as engine:
            for _ in range(1000):
                try:
                    return engine.index(place).new
                except BusyError as error:
                    if "is being indexed by process" not in str(error):
                        raise
                    sleep(0.05)
        return -1

    new = share(lambda *_: write(), range(2), workers=2)
    return None if sorted(new) == [0, ADDED] else f"expected {ADDED} new tracks in one of two runs, found {new}"


def _plays(world: World, number: int) -> str | None:
    def write(worker: int) -> int:
        with world.open() as engine:
            return sum(engine.add_plays([Play(1.6e9 + 1000 * number + 100 * worker + i, "like", 1)]) for i in range(20))

    added = share(lambda worker, _: write(worker), range(4), workers=4)
    return None if added == [20] * 4 else f"expected 20 plays of each process, found {added}"


def _stale_claim(world: World, number: int) -> str | None:
    place = world.now / f"claim {number}"
    place.mkdir()
    for song in range(ADDED):
        write_song(place / f"{song}.wav", 2000 + number * ADDED + song)

    def index(killed: bool) -> int:
        with world.open() as engine:
            return engine.index(place, (lambda _: os.kill(os.getpid(), signal.SIGKILL)) if killed else None).new

    run(lambda: index(True))
    with closing(sqlite3.connect(world.library)) as connection:
        claim = connection.execute("SELECT value FROM settings WHERE key = 'indexing'").fetchone()
    if not claim or not claim[0]:
        return "the killed run left no claim: nothing was tried"
    ended = run(lambda: index(False))
    return None if ended.value == ADDED - 1 else f"expected {ADDED - 1} new tracks after a kill, found {ended}"


def _forked(world: World, reference: Reference) -> str | None:
    """Fork a process that has encoded; the child queries, encodes and ends, and the parent queries again."""

    def fork() -> list[str | None]:
        outside = write_song(world.root / "outside.wav", 3000)
        with world.open() as engine:
            expected = engine.similar(outside, k=K).matches
            child = run(lambda: [engine.similar(outside, k=K).matches == expected, _ask_all(engine, world, reference)])
            return [None if child.value == [True, None] else str(child), _ask_all(engine, world, reference)]

    ended = run(fork)
    return next(filter(None, ended.value), None) if ended.how == "done" else str(ended)


def _asynchronous(world: World, reference: Reference) -> str | None:
    async def ask(engine: Engine) -> str | None:
        for number in range(ASKED):
            problem = await asyncio.to_thread(_ask, engine, world, reference, 1 + number % FROZEN, filtered=True)
            if problem is not None:
                return problem
        return None

    async def gather() -> Sequence[str | None]:
        with world.open() as engine:
            return await asyncio.gather(*[ask(engine) for _ in range(THREADS + PROCESSES)])

    ended = run(lambda: asyncio.run(gather()))
    return next(filter(None, ended.value), None) if ended.how == "done" else str(ended)


def _ask_all(engine: Engine, world: World, reference: Reference) -> str | None:
    problems = (_ask(engine, world, reference, track_id, filtered=True) for track_id in reference)
    return next(filter(None, problems), None)


def _repeat(fault: str, rounds: int, once: Callable[[int], str | None]) -> Row:
    row = Row(fault)
    for number in range(rounds):
        row.count(once(number))
    return row


def _checked(ended: Any) -> Any:
    if ended.how != "done":
        raise RuntimeError(f"the load's library could not be built: {ended}")
    return ended.value
