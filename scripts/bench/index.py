"""Indexing against decoding alone, bliss and librosa: `scripts/bench/index.py MUSIC [--copies 8] [--out DIR]`.

MUSIC is a folder of full-length tracks; if they are all clips, --join makes tracks of about four minutes from them in
mp3, flac and ogg. Measured on the same files, with the same two cores, without start-up: `Engine.index` with windows
and in full coverage; decoding every file whole and doing nothing (PyAV, two threads); bliss-audio (`pip install
bliss-audio`) as two processes; librosa's MFCC of the whole file as two processes. All are run in turns, several times,
and the best of each counts: noise only ever adds time. CPU seconds are those of the process and its children.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from unittest.mock import patch

import av
import numpy as np
from reporting import report

from engine import Engine
from engine.indexer.audio.decode import AudioFile

ENDINGS = (".mp3", ".flac", ".ogg", ".opus", ".m4a", ".wav")
JOINED_SECONDS = 250.0
JOINED = {"mp3": ("libmp3lame", 192_000), "flac": ("flac", None), "ogg": ("vorbis", 160_000)}
RATE = 44_100
CORES = 2
DECODING = "decode whole, do nothing"


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("music", type=Path)
    parser.add_argument("--join", type=int, default=0, metavar="N", help="make N tracks of each format from clips")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--encoder")
    parser.add_argument("--precision", default="auto", help="auto or float32, as on a processor without bf16")
    parser.add_argument("--without", nargs="*", default=[], help="runs to leave out: aspects, bliss, librosa, full")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = find(arguments.music)
        if arguments.join:
            files = join(files, Path(folder), arguments.join)
        rows = _measure_all(files, arguments)
    report("index", rows, arguments.out, tracks=len(files), repetitions=arguments.repetitions, cores=CORES)


def find(folder: Path) -> list[Path]:
    """Sound files below a folder, in order."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)


def join(clips: Sequence[Path], folder: Path, count: int) -> list[Path]:
    """Tracks of JOINED_SECONDS at 44,100 Hz, stereo, from consecutive clips; `count` of each format."""
    made, left = [], iter(clips)
    for number in range(count):
        sound = np.zeros((2, 0), np.float32)
        while sound.shape[1] < JOINED_SECONDS * RATE:
            sound = np.concatenate([sound, _stereo(next(left))], axis=1)
        for ending, (codec, bitrate) in JOINED.items():
            made.append(folder / f"{number}.{ending}")
            write_track(made[-1], sound[:, : round(JOINED_SECONDS * RATE)], codec, bitrate)
    return made


def _stereo(clip: Path) -> np.ndarray:
    with av.open(str(clip)) as container:
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
        return np.concatenate([frame.to_ndarray() for frame in frames], axis=1)


def write_track(path: Path, sound: np.ndarray, codec: str, bitrate: int | None) -> None:
    """Write sound (2, n) at RATE in a codec."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE, layout="stereo", options={"strict": "-2"})
        if bitrate:
            stream.bit_rate = bitrate
        form = "s16" if codec == "flac" else "fltp"
        block = np.ascontiguousarray(sound if form == "fltp" else (sound.T * 32767).astype(np.int16).reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(block, format=form, layout="stereo")
        frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), 0  # without, Vorbis gets wrong times
        fifo = av.AudioFifo()
        fifo.write(frame)
        while part := fifo.read(4096, partial=True):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


def _measure_all(files: list[Path], arguments: argparse.Namespace) -> list[dict[str, Any]]:
    runs: dict[str, Callable[[], float | None]] = {
        "engine index": lambda: _index(files, "windows", arguments),
        DECODING: lambda: _decode_all(files),
    }
    if "aspects" not in arguments.without:
        runs["engine index, no rhythm and harmony"] = lambda: _index_without_aspects(files, arguments)
    if "full" not in arguments.without:
        runs["engine index --coverage full"] = lambda: _index(files, "full", arguments)
    if "bliss" not in arguments.without:
        runs["bliss-audio, two processes"] = lambda: _in_processes(_bliss, files)
    if "librosa" not in arguments.without:
        runs["librosa MFCC, two processes"] = lambda: _in_processes(_mfcc, files)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for _ in range(arguments.repetitions):  # in turns: a temporary slowdown of the machine affects all of them
        for name, run in runs.items():
            taken[name].append(_timed(run))
            print(name, *taken[name][-1], flush=True)
    rows: list[dict[str, Any]] = []
    for name in runs:
        wall, cpu = (min(measured) for measured in zip(*taken[name], strict=True))
        rows.append({"what": name, "tracks/s": len(files) / wall, "CPU s/track": cpu / len(files)})
    decoding = next(row["tracks/s"] for row in rows if row["what"] == DECODING)
    return [row | {"times decoding": row["tracks/s"] / decoding} for row in rows]


def _index(files: list[Path], coverage: str, arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        choice = {"encoder": arguments.encoder, "precision": arguments.precision}
        with Engine.open(Path(folder) / "library.db", coverage=coverage, threads=CORES, **choice) as library:
            library._session.encoder()  # start-up is left out
            outcome = library.index(files)
            if outcome.failed:
                raise SystemExit(f"not indexed: {outcome.failed[0]}")


def _index_without_aspects(files: list[Path], arguments: argparse.Namespace) -> None:
    with patch("engine.indexer.pipeline.encoding.aspects_of", lambda _: {}):
        _index(files, "windows", arguments)


def _decode_all(files: list[Path]) -> None:
    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(_decode, files))


def _decode(path: Path) -> None:
    with AudioFile.open(path) as audio:
        for _ in audio.frames():
            pass


_pools: dict[Callable[[Path], None], ProcessPoolExecutor] = {}


def _in_processes(work: Callable[[Path], None], files: list[Path]) -> float:
    """Run two processes, warmed up once, since start-up does not count; return their CPU seconds."""
    if work not in _pools:
        _pools[work] = ProcessPoolExecutor(CORES)
        list(_pools[work].map(_costing, [work] * CORES, files[:CORES]))
    return sum(_pools[work].map(_costing, [work] * len(files), files))


def _costing(work: Callable[[Path], None], path: Path) -> float:
    began = process_time()
    work(path)
    return process_time() - began


def _bliss(path: Path) -> None:
    from bliss_audio import Song

    Song(str(path))


def _mfcc(path: Path) -> None:
    import librosa

    sound, rate = librosa.load(path, sr=22_050)
    librosa.feature.mfcc(y=sound, sr=rate)


def _timed(run: Callable[[], float | None]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    began, cpu = perf_counter(), _cpu_seconds()
    in_pool = run()
    return perf_counter() - began, _cpu_seconds() - cpu + (in_pool or 0.0)


def _cpu_seconds() -> float:
    """CPU seconds of this process and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return process_time() + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", str(CORES))
    main()
