"""A library of any size with the statistics of a real one, for benchmarks.

    scripts/bench/imagined.py REAL.db OUT.db --tracks 10000 [--no-windows]

Each synthetic track is near a real one: its signature is that one's plus differences between its neighbours, which
preserves local densities, hubs and the spread over genres (uniform noise would be far easier for an index). Windows
are the real track's, shifted by the same vector; words follow from the signature and the real track's norm. Artists
and albums are invented, twelve tracks to an album and three albums to an artist; genre and duration are the real
track's.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, insert, select

from engine.db import (
    Database,
    NewTrack,
    Signature,
    Track,
    encoders,
    get_signature,
    matrix,
    open_database,
    set_setting,
    tracks_by_ids,
)
from engine.db.schema import segments, signatures, tracks, words
from engine.db.signatures import FLOAT, HALF
from engine.db.text_search import put_search_texts
from engine.db.tracks import searchable
from engine.models.numpy_heads import LinearHead, word_head
from engine.runtime.encoder_choice import choose_encoder

NEIGHBOURS = 20  # whose differences move a signature
DIFFERENCES = 2  # summed for each track; with one, a million tracks from a few thousand would contain duplicates
COMMIT_EVERY = 2_000
BLOCK = 4_096  # tracks that are drawn together
ALBUM_TRACKS, ARTIST_TRACKS = 12, 36


@dataclass(frozen=True, eq=False)
class Real:
    """The tracks to draw from: N signatures (N, D) and the rows of their neighbours (N, NEIGHBOURS)."""

    tracks: list[Track]
    signatures: list[Signature]
    vectors: NDArray[np.float32]
    near: NDArray[np.int64]
    words: LinearHead | None = None  # for encoders that have words


def main() -> None:
    """Parse, make."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("real", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--tracks", type=int, default=10_000)
    parser.add_argument("--no-windows", action="store_true", help="one window each: a fifth of the size on disk")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    real = read_real(arguments.real)
    with_windows = not arguments.no_windows
    database = open_database(arguments.out, create=True)
    try:
        fill(database, real, range(arguments.tracks), seed=arguments.seed, windows=with_windows)
    finally:
        database.close()
    print(f"{arguments.tracks:,} tracks in {arguments.out}")


def read_real(path: Path) -> Real:
    """Everything of a library's first encoder."""
    database = open_database(path, create=False)
    try:
        file = choose_encoder(database, None)
        with database.read() as connection:
            kept = encoders(connection)[0]
            found = matrix(connection, kept.encoder, kept.coverage)
            stored = [get_signature(connection, int(i), kept.encoder, kept.coverage) for i in found.track_ids]
            known = tracks_by_ids(connection, found.track_ids.tolist())
    finally:
        database.close()
    cosines = found.vectors @ found.vectors.T
    near = np.argsort(-cosines, axis=1)[:, 1 : NEIGHBOURS + 1]
    head = word_head(file, found.vectors.shape[1]) if file.words and file.id == kept.encoder else None
    return Real([known[int(i)] for i in found.track_ids], [s for s in stored if s], found.vectors, near, head)


def draw(real: Real, rows: range, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The nearest real rows (n,) of synthetic tracks, and their unit signatures (n, D); the same for any split."""
    blocks = [_draw_block(real, block, seed) for block in range(rows.start // BLOCK, -(-rows.stop // BLOCK))]
    wanted = slice(rows.start % BLOCK, rows.start % BLOCK + len(rows))
    bases, vectors = (np.concatenate(parts)[wanted] for parts in zip(*blocks, strict=True))
    return bases, vectors


def _draw_block(real: Real, block: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    random = np.random.default_rng((seed, block))
    bases = random.integers(len(real.tracks), size=BLOCK)
    near, places = real.near[bases], np.arange(BLOCK)
    moved = real.vectors[bases].copy()
    for _ in range(DIFFERENCES):
        one = random.integers(NEIGHBOURS, size=BLOCK)
        other = (one + random.integers(1, NEIGHBOURS, size=BLOCK)) % NEIGHBOURS  # never the same
        moved += (real.vectors[near[places, one]] - real.vectors[near[places, other]]) / np.sqrt(DIFFERENCES)
    return bases, moved / np.linalg.norm(moved, axis=1, keepdims=True)


def fill(database: Database, real: Real, rows: range, *, seed: int = 0, windows: bool = True) -> None:
    """Add imagined tracks of these numbers to a library."""
    with database.write() as connection:
        set_setting(connection, "encoder", real.signatures[0].encoder)
        set_setting(connection, "coverage", real.signatures[0].coverage)
    for start in range(rows.start, rows.stop, COMMIT_EVERY):
        part = range(start, min(start + COMMIT_EVERY, rows.stop))
        with database.write() as connection:
            _put(connection, list(_imagined(real, part, seed, windows)))


def _put(connection: Connection, made: list[tuple[int, Track, Signature]]) -> None:
    """Insert in bulk: track by track, as in indexing, a million would take a quarter of an hour."""
    first_track = (connection.execute(select(func.max(tracks.c.id))).scalar() or 0) + 1
    first_signature = (connection.execute(select(func.max(signatures.c.id))).scalar() or 0) + 1
    rows, heard, windows, worded, texts = [], [], [], [], {}
    for i, (row, track, own) in enumerate(made):
        new = _named(track, row)
        rows.append(asdict(new) | {"id": first_track + i, "added_at": 1})
        texts[first_track + i] = searchable(new, new.path)
        key = {"id": first_signature + i, "track_id": first_track + i, "encoder": own.encoder, "coverage": own.coverage}
        found = own.embedding
        numbers = {name: getattr(found, name).astype(FLOAT).tobytes() for name in ("genres", "moods")}
        heard.append(key | numbers | {"vector": found.signature.astype(FLOAT).tobytes()})
        parts = {name: getattr(found, name).astype(FLOAT).tobytes() for name in ("starts", "attention")}
        blob = found.segment_vectors.astype(HALF).tobytes()
        windows.append({"signature_id": first_signature + i, "vectors": blob} | parts)
        if len(found.words):
            worded.append({"signature_id": first_signature + i, "probabilities": found.words.astype(HALF).tobytes()})
    for table, values in ((tracks, rows), (signatures, heard), (segments, windows), (words, worded)):
        if values:
            connection.execute(insert(table), values)
    put_search_texts(connection, texts)


def _imagined(real: Real, rows: range, seed: int, windows: bool) -> Iterator[tuple[int, Track, Signature]]:
    bases, vectors = draw(real, rows, seed)
    for row, base, vector, heard in zip(rows, bases, vectors, _words(real, bases, vectors), strict=True):
        own = replace(real.signatures[base].embedding, words=heard)
        if windows:
            pooled = own.attention @ own.segment_vectors
            shift = np.linalg.norm(pooled) * vector - pooled
            moved = replace(own, signature=vector, segment_vectors=own.segment_vectors + shift)
        else:
            one = np.ones(1, np.float32)
            moved = replace(own, signature=vector, starts=own.starts[:1], attention=one, segment_vectors=vector[None])
        yield row, real.tracks[base], replace(real.signatures[base], embedding=moved)


def _words(real: Real, bases: NDArray[np.int64], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities (n, V) of imagined tracks with signatures (n, D), from the norms of the real ones."""
    if real.words is None:
        return np.zeros((len(bases), 0), np.float32)
    own = [real.signatures[base].embedding for base in bases]
    norms = np.array([np.linalg.norm(each.attention @ each.segment_vectors) for each in own], np.float32)
    outputs = norms[:, None] * (vectors @ real.words.weight.T) + real.words.bias
    return (0.5 * np.tanh(0.5 * outputs) + 0.5).astype(np.float32)


def _named(track: Track, row: int) -> NewTrack:
    artist, album = row // ARTIST_TRACKS, row // ALBUM_TRACKS
    return NewTrack(
        path=f"/imagined/artist {artist}/album {album}/{row}.flac".encode(),
        size=1,
        mtime_ns=1,
        content_hash=row.to_bytes(16, "little"),
        duration_seconds=track.duration_seconds,
        artist=f"Artist {artist}",
        title=f"Title {row}",
        album=f"Album {album}",
        genre=track.genre,
        year=1960 + row % 60,
    )


if __name__ == "__main__":
    main()
