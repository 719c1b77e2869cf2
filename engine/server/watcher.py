"""Start indexing jobs when music changes."""

from __future__ import annotations

import logging
import threading

from engine.errors import EngineError
from engine.library import Engine
from engine.manage.watching import changed_roots
from engine.server.jobs import IndexSettings, Jobs

log = logging.getLogger(__name__)

AGAIN_SECONDS = 60.0  # before folders are looked for again if none existed


class Watcher:
    """A thread that watches the folders of a library; close it.

    Folders that are indexed for the first time while it runs are watched after the next start of the server.
    """

    def __init__(self, library: Engine, jobs: Jobs) -> None:
        self._library, self._jobs = library, jobs
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the watch."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                for roots in changed_roots(self._library.roots(), self._stop):
                    self._jobs.create(IndexSettings(tuple(roots)))
            except EngineError as error:
                log.warning("not watching: %s", error)
            self._stop.wait(AGAIN_SECONDS)
