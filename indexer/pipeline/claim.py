"""Limit each library to one indexing run at a time: the library records the claim of the running process.

The claim is a setting, written in a transaction, so that two processes never both acquire it. The claim of a process
that has ended (killed, or before a reboot) is replaced. Processes on another machine cannot be checked: their claim
holds until it has not been renewed for STALE_SECONDS.
"""

from __future__ import annotations

import json
import os
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from engine.db import Database, get_setting, set_setting
from engine.errors import BusyError, EngineError

KEY = "indexing"
RENEW_SECONDS = 60.0
STALE_SECONDS = 2 * 3600.0

_running: set[str] = set()  # tokens of this process's own claims


@dataclass(frozen=True)
class Claim:
    """The identity of an indexing run.

    Attributes:
        token: Of the run.
        pid: Of the process.
        started: When the process started, in the system's ticks; distinguishes it from a later one with the same id.
        host: Name of the machine.
        boot: Id of the machine's current boot; empty where the system has none.
        namespace: Of the process id, since containers have their own.
        since: When the run began, in seconds since 1970.
        renewed: When the claim was last renewed.
    """

    token: str
    pid: int
    started: str
    host: str
    boot: str
    namespace: str
    since: float
    renewed: float

    @classmethod
    def of_this_process(cls) -> Claim:
        """Make a claim for a run of this process."""
        pid, now = os.getpid(), time.time()
        boot = _read("/proc/sys/kernel/random/boot_id")
        return cls(uuid.uuid4().hex, pid, _start_of(pid), socket.gethostname(), boot, _namespace(), now, now)

    def holds(self, own: Claim) -> bool:
        """Whether the run that made this claim may still be active, seen from the process of `own`."""
        if self.host != own.host or (self.boot == own.boot and self.namespace != own.namespace):
            return time.time() - self.renewed < STALE_SECONDS
        if self.boot != own.boot:
            return False  # the machine was rebooted
        if self.pid == own.pid and self.started == own.started:
            return self.token in _running
        return _exists(self.pid) and self.started == _start_of(self.pid)


class HeldClaim:
    """A claim that this process holds; renew it periodically."""

    def __init__(self, database: Database, claim: Claim) -> None:
        self._database, self._claim = database, claim

    def renew(self) -> None:
        """Record that the run is still active, at most once a minute."""
        now = time.time()
        if now - self._claim.renewed > RENEW_SECONDS:
            self._claim = replace(self._claim, renewed=now)
            with self._database.write() as connection:
                set_setting(connection, KEY, json.dumps(asdict(self._claim)))


@contextmanager
def claimed(database: Database) -> Iterator[HeldClaim]:
    """Hold the claim to a library's indexing.

    Raises:
        BusyError: Another run holds it; the message names its process.
    """
    own = Claim.of_this_process()
    with database.write() as connection:
        other = _parse(get_setting(connection, KEY))
        if other is not None and other.holds(own):
            raise BusyError(_describe(database, other, own), hint="wait until it is done, or stop it; then run again")
        set_setting(connection, KEY, json.dumps(asdict(own)))
    _running.add(own.token)
    try:
        yield HeldClaim(database, own)
    finally:
        _running.discard(own.token)
        _release(database, own)


def _release(database: Database, own: Claim) -> None:
    """Release the claim; if the library cannot be written, it expires by itself, since its run is over."""
    try:
        with database.write() as connection:
            found = _parse(get_setting(connection, KEY))
            if found is not None and found.token == own.token:
                set_setting(connection, KEY, "")
    except EngineError:
        return


def _parse(text: str | None) -> Claim | None:
    """Parse a claim; None if it is missing or malformed."""
    try:
        return Claim(**json.loads(text)) if text else None
    except (ValueError, TypeError):
        return None


def _describe(database: Database, other: Claim, own: Claim) -> str:
    since = time.strftime("%H:%M", time.localtime(other.since))
    mine = (other.pid, other.started, other.host) == (own.pid, own.started, own.host)
    who = "this process" if mine else f"process {other.pid}"
    where = f" on {other.host}" if other.host != own.host else ""
    return f"library {database.path} is being indexed by {who}{where} since {since}"


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _start_of(pid: int) -> str:
    """Return when a process started, in ticks since boot; empty if unknown."""
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 else ""


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")  # noqa: PTH115 (no path: a name)
    except OSError:
        return ""


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace").strip()
    except OSError:
        return ""
