"""Share fingerprints among the threads of a process: claims of files being decoded, and results not yet stored."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from weakref import WeakValueDictionary

from sqlalchemy import Connection

from engine.db import Database, Fingerprint, Track, get_fingerprints, tracks_by_ids


@dataclass(frozen=True, eq=False)
class TakenFingerprints:
    """A track's fingerprints, or the reason why there are none."""

    track: Track
    fingerprints: list[Fingerprint]
    reason: str = ""


class FingerprintStore:
    """The fingerprints of one library file: stored ones, and those in memory where it cannot be written.

    The thread that first claims a file decodes it; others wait for its Future, which is cancelled if that thread stops.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._claims: dict[int, Future[TakenFingerprints]] = {}
        self._unstored: dict[int, TakenFingerprints] = {}

    @classmethod
    def of(cls, database: Database) -> FingerprintStore:
        """Return the store that all sessions of a library share in this process; it lives as long as one of them."""
        status = database.path.stat()
        with _STORES_LOCK:
            return _STORES.setdefault((status.st_dev, status.st_ino), cls())

    def claim(self, track_ids: Collection[int]) -> dict[int, Future[TakenFingerprints]]:
        """Claim tracks for this thread; return the Futures of those that another thread has claimed."""
        with self._lock:
            others = {each: self._claims[each] for each in track_ids if each in self._claims}
            self._claims |= {each: Future() for each in track_ids if each not in others}
            return others

    def settle(self, taken: TakenFingerprints) -> None:
        """Pass the stored result of a claimed track to the waiting threads."""
        with self._lock:
            self._claims.pop(taken.track.id).set_result(taken)

    def release(self, track_ids: Iterable[int]) -> None:
        """Cancel claims that were not settled; waiting threads try again."""
        with self._lock:
            for claim in [self._claims.pop(each) for each in track_ids if each in self._claims]:
                claim.cancel()

    def remember(self, batch: Iterable[TakenFingerprints]) -> None:
        """Keep results in memory that could not be stored, until the library's last session in this process ends."""
        with self._lock:
            self._unstored |= {taken.track.id: taken for taken in batch if taken.fingerprints}

    def kinds(self, track: Track) -> set[str]:
        """Return the kinds of fingerprint in memory for a track with this content."""
        return {fingerprint.kind for fingerprint in self._unstored_of(track)}

    def get(self, connection: Connection, track_ids: Iterable[int]) -> dict[int, dict[str, Fingerprint]]:
        """Return fingerprints by track id and kind, as `engine.db.get_fingerprints` does, those in memory included."""
        wanted = set(track_ids)
        found = get_fingerprints(connection, wanted)
        for track in tracks_by_ids(connection, sorted(wanted & self._unstored.keys())).values():
            if mine := {each.kind: each for each in self._unstored_of(track)}:
                found[track.id] = mine | found.get(track.id, {})
        return found

    def _unstored_of(self, track: Track) -> list[Fingerprint]:
        """Return the fingerprints in memory for a track with this content; none if the file changed since."""
        taken = self._unstored.get(track.id)
        return [] if taken is None or taken.track.content_hash != track.content_hash else taken.fingerprints


_STORES: WeakValueDictionary[tuple[int, int], FingerprintStore] = WeakValueDictionary()
_STORES_LOCK = threading.Lock()
