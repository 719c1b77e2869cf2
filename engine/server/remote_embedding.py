"""Embeddings of files that changed since they were indexed, and of parts of tracks: computed in another process.

The server answers from stored signatures and never loads torch. The few queries that need the encoder are sent to the
process of `engine.server.file_questions`, which ends when it is idle.
"""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from engine.embedding import TrackEmbedding
from engine.server.file_questions import FileQuestions

NAMES = [field.name for field in fields(TrackEmbedding)]


class RemoteEmbedder:
    """Computes embeddings by requests to a process. Safe for many threads."""

    def __init__(self, files: FileQuestions) -> None:
        self._files = files

    def embed(self, path: bytes, part: tuple[float, float] | None = None) -> TrackEmbedding:
        """Return the embedding of a file or, without segments, of a part of it from one second to another.

        Raises:
            EngineError: As `Engine.embedding` raises it.
            UnavailableError: The process ended or did not answer in time.
        """
        return embedding_from(self._files.ask("embedding", Path(os.fsdecode(path)), part=part))


def embedding_document(embedding: TrackEmbedding) -> dict[str, Any]:
    """Return an embedding as plain lists."""
    return {name: getattr(embedding, name).tolist() for name in NAMES}


def embedding_from(document: dict[str, Any]) -> TrackEmbedding:
    """Return the embedding of a document."""
    arrays = {name: np.array(document[name], np.float32) for name in NAMES}
    arrays["segment_vectors"] = arrays["segment_vectors"].reshape(-1, len(arrays["signature"]))  # (0, D) without any
    return TrackEmbedding(**arrays)
