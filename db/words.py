"""The words of all tracks, as a stream: the probability of each of an encoder's words in each track."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from engine.db.schema import signatures, words
from engine.db.signatures import HALF, damaged
from engine.db.text import ROWS_AT_ONCE
from engine.embedding import Floats


@dataclass(frozen=True, eq=False)
class WordBatch:
    """The words of B tracks: ids (B,), and probabilities (B, V) of the encoder's words, or of some of them."""

    track_ids: NDArray[np.int64]
    probabilities: Floats


def word_batches(
    connection: Connection,
    encoder: str,
    coverage: str,
    count: int,
    columns: Sequence[int] | None = None,
    after_id: int = 0,
) -> Iterator[WordBatch]:
    """Yield the words of every track that has them, in storage order.

    Args:
        connection: A connection of the library.
        encoder: Id, `name@hash`.
        coverage: "windows" or "full".
        count: V, the number of the encoder's words.
        columns: The positions of the words to return; None for all.
        after_id: Only of signatures with a larger id.

    Raises:
        LibraryError: A track has another number of words, or a number is not finite.
    """
    both = select(signatures.c.track_id, words.c.probabilities)
    joined = both.join_from(signatures, words, words.c.signature_id == signatures.c.id)
    newer = joined.where(signatures.c.id > int(after_id))
    found = newer.filter_by(encoder=encoder, coverage=coverage).order_by(signatures.c.id)
    for rows in connection.execute(found).partitions(ROWS_AT_ONCE):
        track_ids, blobs = zip(*rows, strict=True)
        if set(map(len, blobs)) != {count * HALF.itemsize}:
            wrong = next(i for i, blob in enumerate(blobs) if len(blob) != count * HALF.itemsize)
            raise damaged(connection, track_ids[wrong], f"expected {count} words, found {len(blobs[wrong])} bytes")
        stacked = np.frombuffer(b"".join(blobs), HALF).reshape(len(rows), count)
        chosen = (stacked if columns is None else stacked[:, list(columns)]).astype(np.float32)
        if not np.isfinite(chosen).all():
            wrong = int(np.flatnonzero(~np.isfinite(chosen).all(axis=1))[0])
            raise damaged(connection, track_ids[wrong], "expected finite words")
        yield WordBatch(np.array(track_ids, np.int64), chosen)
