"""The process that answers queries about files outside the library: `python -m engine.server.file_worker LIBRARY`.

It loads torch and the encoder, which the server itself never does, and ends when its standard input closes. Requests
and answers are JSON documents, one a line: `{"question": "similar", "path": "...", "k": 5}` is answered by
`{"answer": {...}}`, or by `{"error": {"kind": "AudioError", "message": "...", "hint": null}}`.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from typing import Any

from engine import documents
from engine.errors import EngineError
from engine.library import Engine
from engine.search.results import Span
from engine.server.remote_embedding import embedding_document


def main(library: str, options: dict[str, Any]) -> None:
    """Answer requests until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which closes the pipe
    with Engine.open(library, encoder=options["encoder"], threads=options["threads"], create=False) as engine:
        for line in sys.stdin:
            _print(_reply(engine, json.loads(line)))


def _reply(engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
    path = request["path"]
    questions: dict[str, Callable[[], dict[str, Any]]] = {
        "similar": lambda: documents.query(engine.similar(path, request["k"])),
        "classify": lambda: documents.classifications(engine.encoder, [engine.classify(path)])["queries"][0],
        "explain": lambda: documents.explanation(engine.explain(path)),
        "embedding": lambda: embedding_document(engine.embedding(path, request["part"] and Span(*request["part"]))),
    }
    try:
        return {"answer": questions[request["question"]]()}
    except EngineError as error:
        return {"error": {"kind": type(error).__name__, "message": error.message, "hint": error.hint}}


def _print(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
