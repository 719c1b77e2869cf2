"""Mutated audio files and tags, indexed as a user's folder would be.

Every run must terminate, count each file once, report each failure in one short line, and stay below a memory limit in
its own process and in the decoders.
"""

from __future__ import annotations

import random
import resource
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from engine import Engine, FailedPath
from faults.children import run, share
from faults.form import Form
from faults.mutations import OF_SOUND
from faults.table import Row
from faults.world import write_song
from tests.audio import CODECS

FILES, SHORT_FILES = 5_000, 72  # at least each kind in each format
TAG_FILES, SHORT_TAG_FILES = 250, 12
BATCH = 125
LIMIT = 200.0  # seconds
SECONDS = 0.9
BATCH_LIMIT = 600.0  # seconds, of a batch
MOST_MEMORY = 2 << 30  # bytes, of one process
LONGEST_REASON = 500
TAG_BYTES = 1_500  # at either end of a file, where tags are stored
RICH = {
    "title": "x" * 80,
    "artist": "Ä" * 40,
    "album": "周" * 30,
    "genre": "Rock; Jazz",
    "date": "1999-12-31",
    "comment": "c" * 200,
}


class Case(NamedTuple):
    """One input: its number, the kind of mutation, and the ending of the file."""

    number: int
    kind: str
    ending: str


def fuzz_audio(folder: Path, form: Form) -> list[Row]:
    """Run this part of the fuzzing."""
    kinds, endings = [*OF_SOUND], [*CODECS]
    count, of_tags = (SHORT_FILES, SHORT_TAG_FILES) if form.short else (FILES, TAG_FILES)
    cases = [Case(i, kinds[i // len(endings) % len(kinds)], endings[i % len(endings)]) for i in range(count)]
    cases += [Case(count + i, "tags", endings[i % len(endings)]) for i in range(of_tags)]
    seeds = run(lambda: _write_seeds(folder / "seeds"))
    if seeds.how != "done":
        raise RuntimeError(f"the files to mutate could not be written: {seeds}")
    random.Random(count).shuffle(cases)
    size = min(BATCH, len(cases) // form.workers)
    batches = [cases[i : i + size] for i in range(0, len(cases), size)]
    found = share(
        lambda worker, batch: _index(folder, worker, [Case(*case) for case in batch]),
        batches,
        form.workers,
        form.limit(LIMIT),
    )
    rows = {kind: Row(f"mutated sound: {kind}" if kind != "tags" else "mutated tags") for kind in (*kinds, "tags")}
    reached = [(batch, *each) for batch, each in zip(batches, found, strict=True) if each is not None]
    for batch, problems, _ in reached:
        for case in batch:
            rows[case.kind].count(problems.get(str(case.number)))
    peak = max(memory for *_, memory in reached)
    rows[kinds[0]].figures.append(f"mutated sound: at most {peak >> 20} MiB in one process")
    return list(rows.values())


def content(seeds: Path, case: Case) -> bytes:
    """Return an input by its number."""
    draw = random.Random(case.number)
    others = [path.read_bytes() for path in sorted(seeds.glob("plain*"))]
    if case.kind != "tags":
        return OF_SOUND[case.kind](draw, (seeds / f"plain{case.ending}").read_bytes(), others)
    tagged = (seeds / f"tagged{case.ending}").read_bytes()
    mutate = draw.choice([OF_SOUND["headers"], OF_SOUND["lying numbers"], OF_SOUND["bit flips"]])
    if draw.random() < 0.7:
        return mutate(draw, tagged[:TAG_BYTES], others) + tagged[TAG_BYTES:]
    return tagged[:-TAG_BYTES] + mutate(draw, tagged[-TAG_BYTES:], others)


def _write_seeds(folder: Path) -> bool:
    folder.mkdir()
    for number, ending in enumerate(CODECS):
        write_song(folder / f"plain{ending}", number, SECONDS)
        write_song(folder / f"tagged{ending}", number, SECONDS, **RICH)
    return True


def _index(folder: Path, worker: int, batch: Sequence[Case]) -> tuple[dict[str, str], int]:
    """Index a batch; return problems by the cases' numbers, and the most memory of a process in bytes."""
    place = folder / f"batch {worker} {batch[0].number}"
    place.mkdir()
    for case in batch:
        (place / f"{case.number}{case.ending}").write_bytes(content(folder / "seeds", case))
    ended = run(lambda: _outcome(place, folder / f"{place.name}.db"), limit=BATCH_LIMIT)
    if ended.how == "done":
        problems, memory = ended.value
        return problems, memory
    if len(batch) == 1:
        return {str(batch[0].number): f"{batch[0]}: the run {ended.how}: {ended.value}"}, 0
    half = len(batch) // 2  # find the culprits
    shutil.rmtree(place)
    (first, _), (second, _) = _index(folder, worker, batch[:half]), _index(folder, worker, batch[half:])
    return first | second or {str(batch[0].number): f"{len(batch)} files from {batch[0]} on: {ended.how}"}, 0


def _outcome(place: Path, library: Path) -> tuple[dict[str, str], int]:
    """Index a folder; return problems by the files' numbers, and the most memory of a process in bytes."""
    with Engine.open(library, device="cpu", threads=2) as engine:
        report = engine.index(place)
        again = engine.index(place)
    problems = dict(_problems(report.failed))
    counted = report.new + report.unchanged + report.moved + report.passed_over + len(report.failed)
    total = len([*place.iterdir()])
    if counted != total or again.new:
        problems[min(path.stem for path in place.iterdir())] = (
            f"{counted} of {total} counted, {again.new} new in a second run"
        )
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    if most << 10 > MOST_MEMORY:
        problems[min(path.stem for path in place.iterdir())] = f"{most >> 10} MiB of memory"
    return problems, most << 10


def _problems(failed: Sequence[FailedPath]) -> Iterator[tuple[str, str]]:
    """Yield the numbers of files whose reason is not one short line, or points to a defect of Engine's own."""
    for each in failed:
        if "\n" in each.reason or len(each.reason) > LONGEST_REASON or "Error:" in each.reason:
            yield Path(each.path).stem, f"{Path(each.path).name}: {each.reason}"
