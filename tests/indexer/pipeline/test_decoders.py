"""Decoding in processes of their own: what a decoder does to itself costs one file, and nothing is left behind.

Covers `decoders`, `decoder_process`, `worker`, `wire` and `decoding`. A decoder dies here as it would by a defect: a
module on the processes' path makes PyAV crash, spin or take memory for files of a certain content.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine import Engine, IndexProgress
from engine.errors import AudioError
from engine.indexer.audio.reading import read_track
from engine.indexer.pipeline import decoder_process
from engine.indexer.pipeline.decoder_process import Deadline, DecoderProcess, DecodingError, limit_seconds
from engine.indexer.pipeline.decoders import Decoders
from engine.indexer.pipeline.decoding import read_metadata, read_stretches, read_windows
from tests.audio import write_audio
from tests.conftest import RATE, SECONDS, make_song, write_song
from tests.faulty_decoders import SEED, break_decoders, write_faulty


@pytest.fixture(autouse=True)
def _own_decoders(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests watch processes start and end."""
    monkeypatch.setattr("engine.indexer.pipeline.decoders.DecoderProcess", DecoderProcess)


@pytest.fixture
def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of music, and decoders that do not survive all of it."""
    break_decoders(tmp_path / "path", monkeypatch)
    (tmp_path / "music").mkdir()
    return tmp_path / "music"


def left_behind() -> tuple[int, list[int], list[str]]:
    """Open descriptors, child processes, and threads of this process."""
    gc.collect()
    lists = [task / "children" for task in Path("/proc/self/task").iterdir()]
    children = [child for each in lists if each.exists() for child in each.read_text().split()]
    names = [thread.name for thread in threading.enumerate() if thread.name.startswith(("decode", "start decoder"))]
    return len(list(Path("/proc/self/fd").iterdir())), [int(child) for child in children], names


def windows(path: Path, decoders: Decoders) -> np.ndarray:
    """The windows of a file."""
    return decoders.call(read_windows, os.fsencode(path), 1.0, 3, RATE, "sound").windows


def test_same_as_in_this_process(tmp_path: Path) -> None:
    """Everything that is read of a file comes through as it is: samples, numbers, tags with odd characters."""
    path = write_song(tmp_path / os.fsdecode(b"caf\xe9.flac"), 1, artist="Bj\N{LATIN SMALL LETTER O WITH DIAERESIS}rk")
    with Decoders(1) as decoders:
        found = decoders.call(read_windows, os.fsencode(path), 1.0, 3, RATE, "sound")
    expected = read_track(path, 1.0, 3, RATE, "sound")
    np.testing.assert_array_equal(found.windows, expected.windows)
    assert (found.info, found.starts, found.duration_seconds) == (
        expected.info, expected.starts, expected.duration_seconds,
    )  # fmt: skip


@pytest.mark.parametrize("shared", [True, False])
def test_more_than_is_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: bool) -> None:
    """Arrays too large for the shared memory, and all of them where there is none, come through the pipe."""
    monkeypatch.setattr(decoder_process, "SHARED_BYTES", 1 << 16)
    if not shared:
        monkeypatch.setattr(decoder_process, "_shared_memory", lambda: -1)
    path = write_song(tmp_path / "a.wav", 1, seconds=SECONDS)
    with Decoders(1) as decoders:
        np.testing.assert_array_equal(windows(path, decoders), read_track(path, 1.0, 3, RATE, "sound").windows)
        stretches = list(decoders.stream(read_stretches, os.fsencode(path), 1.0, RATE, 2))
    whole = np.concatenate([stretch.windows for stretch in stretches]).reshape(-1)
    assert np.abs(whole[: 5 * RATE] - make_song(1)[: 5 * RATE]).max() < 1e-3
    assert sum(stretch.seconds for stretch in stretches) == pytest.approx(SECONDS, abs=0.01)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("crash", "crashed the decoder (SIGSEGV)"),
        ("abort", "crashed the decoder (SIGABRT)"),
        ("exits", "crashed the decoder (exit status 3)"),
        ("lying", "crashed the decoder: its answer is invalid"),
        ("bombs", "needed over 1,024 MB of memory"),
        ("odder", "could not be read: LookupError: odd"),
    ],
)
def test_a_decoders_death_costs_one_file(faulty: Path, tmp_path: Path, kind: str, reason: str) -> None:
    """The file is reported with its reason, others are indexed, and it is tried again on request or when it changes."""
    for number in range(3):
        write_song(faulty / f"{number}.wav", number)
    bad = write_faulty(faulty / "1bad.wav", kind)
    with Engine.open(tmp_path / "library.db", device="cpu") as engine:
        first = engine.index(faulty)
        assert (first.new, [failed.path for failed in first.failed]) == (3, [str(bad)])
        assert reason in first.failed[0].reason
        again = engine.index(faulty)
        assert (again.unchanged, again.failed, len(again.failed_before)) == (3, [], 1)
        assert len(engine.index(faulty, retry=True).failed) == 1
        write_song(bad, SEED)
        assert engine.index(faulty).new == 1


def test_a_spin_ends(faulty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that spins is ended when its time is over, and the next file is read."""
    monkeypatch.setattr(decoder_process, "BASE_SECONDS", 1.5)
    good, bad = write_song(faulty / "good.wav", 1), write_faulty(faulty / "bad.wav", "spins")
    with Decoders(1) as decoders:
        with pytest.raises(DecodingError, match="took over 3 s") as caught:
            windows(bad, decoders)
        assert len(windows(good, decoders)) == 3
    assert isinstance(caught.value, AudioError)


def test_an_interrupted_call_leaves_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C in a call, the next one gets its own file's answer, not that of the file before."""
    first, second = (write_song(tmp_path / f"{number}.wav", number) for number in (1, 2))
    receive = DecoderProcess._receive
    with Decoders(1) as decoders:
        decoders.call(read_metadata, os.fsencode(first))

        def interrupted(process: DecoderProcess) -> None:
            monkeypatch.setattr(DecoderProcess, "_receive", receive)
            raise KeyboardInterrupt

        monkeypatch.setattr(DecoderProcess, "_receive", interrupted)
        with pytest.raises(KeyboardInterrupt):
            decoders.call(read_metadata, os.fsencode(first))
        assert decoders.call(read_metadata, os.fsencode(second))["title"] == "Song 2"


def test_killed_from_outside(faulty: Path) -> None:
    """A decoder that somebody killed says nothing of its file: the next run tries again."""
    with Decoders(1) as decoders, pytest.raises(DecodingError) as caught:
        windows(write_faulty(faulty / "a.wav", "kills"), decoders)
    assert caught.value.passing


def test_what_a_decoder_prints_is_dropped(faulty: Path) -> None:
    """A library that writes to standard output does not disturb the messages."""
    with Decoders(1) as decoders:
        assert len(windows(write_faulty(faulty / "a.wav", "shout"), decoders)) == 3


def test_time_by_size(tmp_path: Path) -> None:
    """A file has a minute, and longer the larger it is, up to half an hour; time counts only while it is waited for."""
    for size, seconds in ((0, 60), (16_000_000, 160), (10**12, 1800)):
        with (tmp_path / "a").open("wb") as file:
            file.truncate(size)
        assert limit_seconds(os.fsencode(tmp_path / "a")) == seconds
    deadline = Deadline(5.0)
    time.sleep(0.05)
    with deadline:
        assert deadline.left() == pytest.approx(5, abs=0.04)


@pytest.mark.parametrize("end", ["all", "error", "interrupt", "cancel"])
def test_nothing_is_left(faulty: Path, tmp_path: Path, end: str) -> None:
    """After a run, however it ended, there is no process, thread or descriptor more than before it."""
    from engine import CancelToken

    for number in range(12):
        write_song(faulty / f"{number:02}.wav", number)
    write_faulty(faulty / "05bad.wav", "crash")
    token = CancelToken()

    def seen(progress: IndexProgress) -> None:
        if progress.done == 7 and end == "error":
            raise ZeroDivisionError
        if progress.done == 7 and end == "interrupt":
            raise KeyboardInterrupt
        if progress.done == 7 and end == "cancel":
            token.cancel()

    with Engine.open(tmp_path / "library.db", device="cpu", threads=2) as engine:
        engine.index(write_song(tmp_path / "first.wav", 99))  # loads the modules that stay
        before = left_behind()
        if end == "error":
            with pytest.raises(ZeroDivisionError):
                engine.index(faulty, seen)
        else:
            report = engine.index(faulty, seen, cancel=token)
            assert report.interrupted == (end != "all")
            assert report.new >= 6
        engine._session.store("windows").wait()
        assert left_behind()[1:] == before[1:]
        assert left_behind()[0] <= before[0] + 6  # two of each of the library's connections, of which threads add some
        assert engine.stats().tracks >= 7


def test_a_question_keeps_one_process_warm(tmp_path: Path) -> None:
    """Questions about files share one process, which ends with the library."""
    for number in range(3):
        write_song(tmp_path / f"{number}.wav", number)
    before = set(left_behind()[1])  # of other tests in this process
    with Engine.open(tmp_path / "library.db", device="cpu") as engine:
        engine.index(tmp_path / "0.wav")
        engine.similar(tmp_path / "1.wav")
        children = set(left_behind()[1]) - before
        engine.similar(tmp_path / "2.wav")
        assert set(left_behind()[1]) - before == children
        assert len(children) == 1
    assert not set(left_behind()[1]) & children


def test_the_process_ends_with_its_owner(faulty: Path) -> None:
    """A process that decodes ends when its owner is killed, though it spins."""
    path = write_faulty(faulty / "a.wav", "spins")
    code = f"""
        import os, threading, time
        from engine.indexer.pipeline.decoders import Decoders
        from engine.indexer.pipeline.decoding import read_metadata
        decoders = Decoders(1)
        threading.Thread(target=decoders.call, args=(read_metadata, {os.fsencode(path)!r}), daemon=True).start()
        while not decoders._busy:
            time.sleep(0.05)
        print(next(iter(decoders._busy))._process.pid, flush=True)
        time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        child = int(owner.stdout.readline())
        owner.kill()
    assert wait_for(lambda: not Path(f"/proc/{child}").exists())


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether a condition comes true in time."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


@pytest.mark.parametrize("closed", ["<&-", "<&- >&- 2>&-", ""])
def test_standard_streams_may_be_closed(tmp_path: Path, closed: str) -> None:
    """Reading works in a program whose standard streams are closed, and that has no main module to import."""
    path = write_song(tmp_path / "a.wav", 1)
    code = f"""
        from engine.indexer.pipeline.decoders import Decoders
        from engine.indexer.pipeline.decoding import read_metadata
        with Decoders(1) as decoders, open({str(tmp_path / "out")!r}, "w") as out:
            out.write(decoders.call(read_metadata, {os.fsencode(path)!r})["title"])
    """
    command = f'exec "$0" - {closed}' if not closed.startswith("<") else f'exec "$0" -c "$1" {closed}'
    run = ["sh", "-c", command, sys.executable, textwrap.dedent(code)]
    subprocess.run(run, input=textwrap.dedent(code), text=True, check=True, timeout=120)
    assert (tmp_path / "out").read_text() == "Song 1"


def test_after_a_fork(tmp_path: Path) -> None:
    """A child that was forked after a file was read starts a process of its own, and the parent keeps its own."""
    path = os.fsencode(write_song(tmp_path / "a.wav", 1))
    with Decoders(1) as decoders:
        decoders.call(read_metadata, path)
        child = os.fork()
        if child == 0:
            try:
                found = decoders.call(read_metadata, path)["title"] == "Song 1"
                decoders.close()
                os._exit(0 if found else 1)
            except BaseException:
                os._exit(2)
        assert os.waitpid(child, 0)[1] == 0
        assert decoders.call(read_metadata, path)["title"] == "Song 1"


def test_threads_share_the_pool(tmp_path: Path) -> None:
    """More threads than processes wait for their turn, and each gets its own file's answer."""
    paths = [os.fsencode(write_song(tmp_path / f"{number}.wav", number)) for number in range(6)]
    titles: dict[bytes, str] = {}
    with Decoders(2) as decoders:

        def read(path: bytes) -> None:
            titles[path] = decoders.call(read_metadata, path)["title"]

        threads = [threading.Thread(target=read, args=(path,)) for path in paths]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(decoders._idle) <= 2
    assert titles == {path: f"Song {number}" for number, path in enumerate(paths)}


def test_silence_stays_silence(tmp_path: Path) -> None:
    """A file that gives no signature says why in the words of the reader."""
    write_audio(tmp_path / "a.wav", np.zeros(5 * RATE, np.float32), RATE)
    with Decoders(1) as decoders, pytest.raises(DecodingError, match="silence") as caught:
        windows(tmp_path / "a.wav", decoders)
    assert not caught.value.passing
