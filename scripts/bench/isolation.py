"""The cost of decoding in processes: `scripts/bench/isolation.py [--tracks 8] [--seconds 240] [--out DIR]`.

Makes tracks of noisy chords in mp3, flac and ogg, and indexes them with the default encoder in two ways, in turns:
with decoders in processes, as Engine does, and in the threads that encode, as it would without isolation. The best of
several runs counts on each side: noise only ever adds time. The first figure includes start-up of the processes.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from index import JOINED, RATE, write_track
from reporting import report

from engine import Engine
from engine.indexer.pipeline.decoders import Decoders

CORES = 2


class InThreads(Decoders):
    """Decodes in the calling thread, as a program without isolation does."""

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run a function here."""
        return function(*arguments)

    def stream(self, function: Callable[..., Iterator[Any]], *arguments: Any) -> Iterator[Any]:
        """Run a generator function here."""
        return function(*arguments)

    def start(self) -> None:
        """Start nothing."""


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=8, metavar="N", help="tracks of each format")
    parser.add_argument("--seconds", type=float, default=240.0, help="length of a track")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--coverage", choices=["windows", "full"], default="windows")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = make_tracks(Path(folder), arguments.tracks, arguments.seconds)
        taken: dict[str, list[float]] = {"threads": [], "processes": []}
        for _ in range(arguments.repetitions):  # in turns: a temporary slowdown of the machine affects both
            for where, found in taken.items():
                with decoding_in(where):
                    found.append(index(files, arguments.coverage))
                print(where, found[-1], flush=True)
    threads, processes = (len(files) / min(taken[where]) for where in ("threads", "processes"))
    rows = [
        {"decoding in": "threads", "tracks/s": threads, "share": 1.0},
        {"decoding in": "processes", "tracks/s": processes, "share": processes / threads},
    ]
    report(
        "isolation", rows, arguments.out, tracks=len(files), seconds=arguments.seconds, coverage=arguments.coverage,
        repetitions=arguments.repetitions,
    )  # fmt: skip


def make_tracks(folder: Path, count: int, seconds: float) -> list[Path]:
    """Stereo tracks at 44,100 Hz: chords that change every two seconds, over noise; `count` of each format."""
    made = []
    for number in range(count):
        random = np.random.default_rng(number)
        time = np.arange(round(seconds * RATE)) / RATE
        roots = 110 * 2 ** (random.integers(0, 24, int(seconds // 2) + 1) / 12)
        phase = 2 * np.pi * np.cumsum(roots[(time // 2).astype(int)]) / RATE
        chord = sum(np.sin(ratio * phase) for ratio in (1, 1.25, 1.5, 2))
        sound = (0.1 * chord + 0.03 * random.standard_normal((2, len(time)))).astype(np.float32)
        for ending, (codec, bitrate) in JOINED.items():
            made.append(folder / f"{number}.{ending}")
            write_track(made[-1], sound, codec, bitrate)
    return made


@contextmanager
def decoding_in(where: str) -> Iterator[None]:
    """Let indexing decode in "threads" or in "processes"."""
    import engine.indexer.pipeline.decoders as module

    before = module.Decoders
    module.Decoders = InThreads if where == "threads" else before  # type: ignore[misc]
    try:
        yield
    finally:
        module.Decoders = before  # type: ignore[misc]


def index(files: list[Path], coverage: str) -> float:
    """Index files into a new library; return the seconds that it took, without the loading of the encoder."""
    with tempfile.TemporaryDirectory() as folder:
        library = Engine.open(Path(folder) / "library.db", coverage=coverage, threads=CORES)
        with library:
            library._session.encoder()
            began = perf_counter()
            outcome = library.index(files)
            if outcome.failed or outcome.new != len(files):
                raise SystemExit(f"not indexed: {outcome}")
            return perf_counter() - began


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", str(CORES))
    main()
