"""One indexing run at a time: a second one names the first, and a killed run leaves no claim.

Covers `claim` and `cancelling`.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from json import dumps, loads
from pathlib import Path

import pytest

from engine import BusyError, CancelToken, Engine, IndexProgress
from engine.db import get_setting, open_database, set_setting
from engine.indexer.pipeline.claim import KEY, STALE_SECONDS, Claim, claimed
from tests.conftest import write_song


@contextmanager
def another_process(library: Path) -> Iterator[int]:
    """A process that indexes the library until the block ends, when it is killed."""
    code = f"""
        import time
        from pathlib import Path
        from engine.db import open_database
        from engine.indexer.pipeline.claim import claimed
        with open_database(Path({str(library)!r}), create=True) as database, claimed(database):
            print("claimed", flush=True)
            time.sleep(600)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "claimed\n"
        try:
            yield process.pid
        finally:
            process.kill()


def test_the_second_is_told_who_runs(tmp_path: Path) -> None:
    """While a process indexes, another run is refused in one line that names it; once it is killed, the run begins."""
    song = write_song(tmp_path / "a.wav", 1)
    with Engine.open(tmp_path / "library.db", device="cpu") as engine:
        with another_process(tmp_path / "library.db") as pid, pytest.raises(BusyError) as caught:
            engine.index(song)
        assert f"is being indexed by process {pid} since" in str(caught.value)
        assert "\n" not in str(caught.value)
        assert engine.index(song).new == 1


def test_two_threads(tmp_path: Path) -> None:
    """Of two runs in one process the second is refused while the first goes on, which it does not disturb."""
    for number in range(4):
        write_song(tmp_path / f"{number}.wav", number)
    refused: list[BusyError] = []
    with Engine.open(tmp_path / "library.db", device="cpu") as engine:

        def again(progress: IndexProgress) -> None:
            if progress.done == 1:
                with pytest.raises(BusyError, match="by this process") as caught:
                    engine.index(tmp_path)
                refused.append(caught.value)

        assert engine.index(tmp_path, again).new == 4
        assert engine.index(tmp_path).unchanged == 4
    assert len(refused) == 1


def test_an_error_releases_the_claim(tmp_path: Path) -> None:
    """A run that ends by an error does not stand in the way of the next."""
    with open_database(tmp_path / "library.db", create=True) as database:
        with pytest.raises(ZeroDivisionError), claimed(database):
            raise ZeroDivisionError
        with claimed(database) as claim:
            claim.renew()


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ({}, False),  # of this process, and not running
        ({"pid": 1}, False),  # started at another time
        ({"pid": 4_194_304}, False),
        ({"boot": "another"}, False),
        ({"host": "elsewhere"}, True),
        ({"host": "elsewhere", "renewed": time.time() - STALE_SECONDS - 1}, False),
        ({"namespace": "pid:[1]"}, True),
        ({"namespace": "pid:[1]", "renewed": 0.0}, False),
    ],
)
def test_claims_that_hold(change: dict, holds: bool) -> None:
    """A claim holds as long as its process lives; where that cannot be seen, until it was not renewed for hours."""
    own = Claim.of_this_process()
    assert replace(own, **change).holds(own) is holds


@pytest.mark.parametrize("note", ["", "{", "[]", '{"pid": 3}', "null"])
def test_a_damaged_note_is_no_claim(tmp_path: Path, note: str) -> None:
    """What is no claim is written over."""
    with open_database(tmp_path / "library.db", create=True) as database:
        with database.write() as connection:
            set_setting(connection, KEY, note)
        with claimed(database), database.read() as connection:
            assert loads(get_setting(connection, KEY) or "")["pid"]


def test_a_long_run_renews(tmp_path: Path) -> None:
    """A claim that is a minute old is renewed."""
    with open_database(tmp_path / "library.db", create=True) as database, claimed(database) as claim:
        claim._claim = replace(claim._claim, renewed=0.0)
        with database.write() as connection:
            set_setting(connection, KEY, dumps(asdict(claim._claim)))
        claim.renew()
        with database.read() as connection:
            assert loads(get_setting(connection, KEY) or "")["renewed"] > 0


def test_a_token_ends_a_run(tmp_path: Path) -> None:
    """A run is cancelled from another thread; what was stored stays, nothing is pruned, and the next one goes on."""
    for number in range(12):
        write_song(tmp_path / f"{number:02}.wav", number)
    token, reached = CancelToken(), threading.Event()

    def canceller() -> None:
        reached.wait()
        token.cancel()

    thread = threading.Thread(target=canceller)
    thread.start()
    with Engine.open(tmp_path / "library.db", device="cpu") as engine:

        def seen(progress: IndexProgress) -> None:
            if progress.done == 3:
                reached.set()
                thread.join()

        report = engine.index(tmp_path, seen, prune=True, cancel=token)
        assert (report.interrupted, report.new) == (True, 3)
        assert engine.stats().tracks == 3
        assert engine.index(tmp_path, cancel=token).interrupted
        assert engine.measure(tmp_path, cancel=token).interrupted
        assert engine.index(tmp_path, cancel=CancelToken()).new == 9
