"""Memory and leftovers of runs: `scripts/bench/resources.py [--hours 10] [--others 500000] [--files 1000]`.

Rows: the peak memory (resident, MB) of a decoder's process for a short file, one of many hours, and one of eight
channels at 192 kHz, read in windows and in full; of an indexing run over a folder of files that are not music; and
descriptors, threads, processes and temporary files that remain after many files, after many openings, and after a run
ended by an exception, Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import numpy as np
from index import RATE, write_track
from reporting import report

from engine import Engine, IndexProgress
from engine.indexer.pipeline.decoders import Decoders
from engine.indexer.pipeline.decoding import read_stretches, read_windows
from engine.models.encoder import SAMPLE_RATE

MINUTE = 60


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=10.0, help="length of the long file")
    parser.add_argument("--others", type=int, default=500_000, metavar="N", help="files that are not music")
    parser.add_argument("--files", type=int, default=1_000, metavar="N", help="short files of music")
    parser.add_argument("--opens", type=int, default=100, metavar="N")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "temporary").mkdir()
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder / "temporary")  # other programs write into the usual one
        for path in long_and_wide(folder, arguments.hours):
            rows.append(memory_of(path))
            print(rows[-1], flush=True)
        rows += [other_files(folder, arguments.others), *leftovers(folder, arguments.files, arguments.opens)]
    report("resources", rows, arguments.out, hours=arguments.hours, others=arguments.others, files=arguments.files)


def long_and_wide(folder: Path, hours: float) -> Iterator[Path]:
    """Write a minute of stereo, the same minute over and over, and a minute of 7.1 at 192 kHz; yield each."""
    minute = folder / "minute.mp3"
    time = np.arange(MINUTE * RATE) / RATE
    sound = np.stack([np.sin(2 * np.pi * note * time) * 0.3 for note in (220, 330)]).astype(np.float32)
    write_track(minute, sound, "libmp3lame", 128_000)
    yield minute
    content = minute.read_bytes()
    long = folder / f"{hours:g} hours.mp3"
    with long.open("wb") as file:  # frames of MP3 follow each other without a container
        for _ in range(round(hours * 60)):
            file.write(content)
    yield long
    yield write_wave(folder / "7.1 at 192 kHz.wav", 8, 192_000, MINUTE)


def write_wave(path: Path, channels: int, rate: int, seconds: int) -> Path:
    """Write a chord, a note a channel, second by second."""
    time = np.arange(rate) / rate
    second = np.stack([np.sin(2 * np.pi * (i + 2) * 110 * time) for i in range(channels)], axis=1) * 8_000
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        for _ in range(seconds):
            file.writeframes(second.astype("<i2").tobytes())
    return path


def memory_of(path: Path) -> dict[str, Any]:
    """Read a file in ten windows and in full, each in a fresh process; return their peak memory."""
    row: dict[str, Any] = {"case": path.stem, "size_mb": path.stat().st_size >> 20}
    with Decoders(1) as decoders:
        began = perf_counter()
        decoders.call(read_windows, os.fsencode(path), 4.0, 10, SAMPLE_RATE, "sound")
        row |= {"windows_mb": largest_memory(decoders), "windows_s": perf_counter() - began}
    with Decoders(1) as decoders:
        began = perf_counter()
        for _ in decoders.stream(read_stretches, os.fsencode(path), 4.0, SAMPLE_RATE, 16):
            row["full_mb"] = largest_memory(decoders)
        return row | {"full_s": perf_counter() - began}


def largest_memory(decoders: Decoders) -> int:
    """Peak memory in MB of the only process of a pool."""
    (process,) = [*decoders._idle, *decoders._busy]
    return peak_mb(process._process.pid)


def peak_mb(pid: int | str) -> int:
    """Peak memory of a process in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) >> 10


def other_files(folder: Path, count: int) -> dict[str, Any]:
    """Index a folder of empty files and of texts; return the cost of a further run."""
    others = folder / "others"
    others.mkdir()
    for number in range(count):
        if number % 1000 == 0:
            (others / str(number // 1000)).mkdir()
        with (others / str(number // 1000) / f"{number}.txt").open("w") as file:
            file.write("no music\n" if number % 10 == 0 else "")
    code = (
        "import sys; from engine import Engine\n"
        "from pathlib import Path\n"
        "with Engine.open(sys.argv[1], device='cpu') as engine: print(engine.index(sys.argv[2]).passed_over)\n"
        "print(next(l for l in Path('/proc/self/status').read_text().splitlines() if l.startswith('VmHWM')))"
    )
    row: dict[str, Any] = {"case": f"{count:,} other files"}
    for name in ("first", "again"):
        began = perf_counter()
        asked = [sys.executable, "-c", code, str(folder / "others.db"), str(others)]
        done = subprocess.run(asked, stdout=subprocess.PIPE, text=True, check=True)
        passed, memory = done.stdout.splitlines()
        assert int(passed) == count
        row |= {f"{name}_mb": int(memory.split()[1]) >> 10, f"{name}_s": perf_counter() - began}
    return row


def leftovers(folder: Path, files: int, opens: int) -> Iterator[dict[str, Any]]:
    """Return the leftovers in this process, and beside the library, after each kind of end."""
    music = folder / "music"
    music.mkdir()
    content = write_wave(music / "0.wav", 1, SAMPLE_RATE, 2).read_bytes()
    for number in range(1, files):
        changed = bytearray(content)
        changed[-2:] = number.to_bytes(2, "little")  # another file by content
        (music / f"{number}.wav").write_bytes(changed)
    library = folder / "library.db"
    with Engine.open(library, device="cpu") as engine:
        engine.index(music / "0.wav")  # loads the modules that stay
    before = held(folder)
    yield row_of(f"{opens} openings", before, folder, lambda: [open_and_ask(library) for _ in range(opens)])
    yield row_of("an exception", before, folder, lambda: interrupted(library, music, ZeroDivisionError))
    for kind in (signal.SIGINT, signal.SIGTERM):
        yield row_of(kind.name, before, folder, lambda kind=kind: stopped(library, music, kind))
    yield row_of(f"{files:,} files", before, folder, lambda: index(library, music))


def row_of(case: str, before: dict[str, int], folder: Path, act: Callable[[], object]) -> dict[str, Any]:
    """Run an action; return the growth of memory."""
    act()
    after = held(folder)
    row = {"case": f"after {case}"} | {name: after[name] - before[name] for name in after}
    print(row, flush=True)
    return row


def held(folder: Path) -> dict[str, int]:
    """Count descriptors, threads, child processes, and temporary files of Engine's."""
    lists = [task / "children" for task in Path("/proc/self/task").iterdir()]
    parts = [each for each in folder.iterdir() if each.suffix == ".part"]
    return {
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "threads": threading.active_count(),
        "processes": sum(len(each.read_text().split()) for each in lists if each.exists()),
        "temporary_files": len(parts) + len(list((folder / "temporary").iterdir())),
    }


def open_and_ask(library: Path) -> None:
    """Open a library, query it, close it."""
    with Engine.open(library, device="cpu") as engine:
        engine.similar(1, k=1)


def interrupted(library: Path, music: Path, error: type[Exception]) -> None:
    """Index until the third file raises."""

    def seen(progress: IndexProgress) -> None:
        if progress.done == 3:
            raise error

    with Engine.open(library, device="cpu") as engine:
        try:
            engine.index(music, seen)
        except error:
            return


def stopped(library: Path, music: Path, kind: signal.Signals) -> None:
    """Index by the command until a signal ends it after the third file."""
    code = "from engine.cli import main; main()"
    words = [sys.executable, "-c", code, "--library", str(library), "--device", "cpu", "index", str(music)]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        known = tracks(library)
        while process.poll() is None and tracks(library) < known + 3:
            sleep(0.05)
        process.send_signal(kind)


def tracks(library: Path) -> int:
    """Count the tracks of a library."""
    with Engine.open(library, device="cpu") as engine:
        return engine.stats().tracks


def index(library: Path, music: Path) -> None:
    """Index all."""
    with Engine.open(library, device="cpu") as engine:
        engine.index(music)


if __name__ == "__main__":
    main()
