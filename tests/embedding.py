"""Embeddings of single files, as an indexing run makes them."""

from __future__ import annotations

from functools import cache

from engine.indexer.pipeline.decoders import Decoders
from engine.indexer.pipeline.embedded import EmbeddedTrack
from engine.indexer.pipeline.encoding import TrackEncoder
from engine.models.encoder import Encoder


@cache
def decoders() -> Decoders:
    """Two decoder processes that all tests of this run share; they end with it."""
    return Decoders(2)


def embed_file(path: bytes, encoder: Encoder, coverage: str = "windows") -> EmbeddedTrack:
    """Read and encode one file; raises AudioError."""
    return TrackEncoder(encoder).embed_file(path, coverage, decoders())
