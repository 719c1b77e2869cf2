"""The process of an indexing job: `python -m engine.server.index_worker LIBRARY OPTIONS`.

It indexes apart from the server, so that torch and the encoder take memory only while there is something to index.
OPTIONS is JSON: `paths`, `prune`, `retry`, `encoder`, `threads`. Each line of its output is a JSON document:
`{"progress": {...}}` several times a second, and one `{"report": {...}}` or `{"error": {...}}` at the end. SIGTERM ends
the run early; stored results remain.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import asdict
from typing import Any

from engine.errors import EngineError
from engine.indexer.pipeline.cancelling import CancelToken
from engine.indexer.pipeline.reports import IndexProgress
from engine.library import Engine

PROGRESS_SECONDS = 0.25  # between two documents of progress
LOWER_PRIORITY = 10  # so that answers and streams take precedence


def main(library: str, options: dict[str, Any]) -> None:
    """Index and report."""
    token = CancelToken()
    signal.signal(signal.SIGTERM, lambda *_: token.cancel())
    os.nice(LOWER_PRIORITY)
    try:
        with Engine.open(library, encoder=options["encoder"], threads=options["threads"]) as engine:
            report = engine.index(
                options["paths"], _show(), prune=options["prune"], retry=options["retry"], cancel=token
            )
    except EngineError as error:
        _print({"error": {"message": error.message, "hint": error.hint}})
    else:
        _print({"report": asdict(report)})


def _show() -> Any:
    last = 0.0

    def show(progress: IndexProgress) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PROGRESS_SECONDS or progress.done == progress.total:
            last = now
            _print({"progress": asdict(progress)})

    return show


def _print(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
