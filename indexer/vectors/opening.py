"""Open the vector store of a library."""

from __future__ import annotations

from engine.db import Database
from engine.indexer.vectors.store import VectorStore


def open_store(
    database: Database, encoder: str, coverage: str, *, device: str = "cpu", threads: int = 1, loaded: bool = False
) -> VectorStore:
    """Open the signatures of an encoder and coverage in a library; there may be none.

    Args:
        database: The library.
        encoder: Id, `name@hash`.
        coverage: "windows" or "full".
        device: "cpu" keeps the search off GPUs; any other value lets it use those that FAISS sees.
        threads: For batches of queries and for building an index; a single query takes one.
        loaded: Read the index into memory when it opens, instead of mapping its file.
    """
    from engine.indexer.vectors.faiss import FaissStore  # FAISS is slow to import

    return FaissStore(database, encoder, coverage, gpu=device != "cpu", threads=threads, mapped=not loaded)
