"""The stage between preparing and storing: encode the waiting files of a batch together, for a GPU."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import AudioError, EngineError
from engine.indexer.pipeline.decoders import Decoders
from engine.indexer.pipeline.embedded import EmbeddedTrack
from engine.indexer.pipeline.on_demand import EncoderOnDemand
from engine.indexer.pipeline.prepare import Decoded, Embedded, Failed, NotSound, Prepared, Storable, Unread, failure

PASSED_OVER_TOGETHER = 200  # committed at once: examining a file again takes milliseconds


def is_due(batch: Sequence[Prepared], together: int) -> bool:
    """Whether a batch is due for storing: it has `together` processed files, or many that were passed over."""
    worked = sum(not isinstance(item, NotSound) for item in batch)
    return worked >= together or len(batch) >= PASSED_OVER_TOGETHER


def encode_waiting(batch: Sequence[Prepared], encoder: EncoderOnDemand, decoders: Decoders) -> list[Storable]:
    """Encode the decoded files of a batch; the order is unchanged."""
    together = _encode_together([item for item in batch if isinstance(item, Decoded)], encoder)
    return [_finish(item, together, encoder, decoders) for item in batch]


def _finish(item: Prepared, together: dict[bytes, Storable], encoder: EncoderOnDemand, decoders: Decoders) -> Storable:
    if isinstance(item, Decoded):
        return together[item.found.path]
    return _encode_in_full(item, encoder, decoders) if isinstance(item, Unread) else item


def _encode_together(items: Sequence[Decoded], encoder: EncoderOnDemand) -> dict[bytes, Storable]:
    """Encode in one batch; if that fails, encode each file alone to find the faulty ones."""
    if not items:
        return {}
    try:
        embeddings = encoder.get().embed_batch([item.audio for item in items])
    except AudioError as error:
        if len(items) == 1:
            return {items[0].found.path: failure(items[0].found, error)}
        alone = [_encode_together([item], encoder) for item in items]
        return {path: outcome for each in alone for path, outcome in each.items()}
    return {
        item.found.path: Embedded(
            item.content, EmbeddedTrack(item.audio.info.metadata, item.audio.duration_seconds, embedding, item.aspects)
        )
        for item, embedding in zip(items, embeddings, strict=True)
    }


def _encode_in_full(item: Unread, encoder: EncoderOnDemand, decoders: Decoders) -> Embedded | Failed:
    try:
        return Embedded(item.content, encoder.get().embed_full(item.found.path, decoders))
    except AudioError as error:
        return failure(item.found, error)
    except EngineError:
        raise
    except Exception as error:  # as in `Preparation.prepare`: the run continues
        return failure(item.found, error)
