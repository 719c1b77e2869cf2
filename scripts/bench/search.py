"""Time text search in a library of N synthetic tracks, against a scan of the same texts: `search.py [N]`.

Prints, for each kind of query, the median of the indexed search in milliseconds and its ratio to the scan in this run.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, insert

from engine.db import open_database, search, text_search
from engine.db.schema import tracks
from engine.db.text_search import SearchableTrack, put_search_texts

SYLLABLES = (
    "ka",
    "lo",
    "mi",
    "ren",
    "tu",
    "sal",
    "vor",
    "ne",
    "pi",
    "zan",
    "del",
    "ra",
    "mo",
    "fi",
    "gu",
    "bel",
    "tor",
)
LIMIT, RUNS, BATCH = 50, 7, 20_000
QUERIES = {"rare word": ["zanvorka"], "common word": ["kalo"], "two words": ["kalo", "album 17"], "short word": ["ka"]}


def main(count: int = 1_000_000) -> None:
    """Fill a library and time each query, indexed and scanned in turn."""
    with tempfile.TemporaryDirectory() as folder, open_database(Path(folder) / "library.db", create=True) as database:
        draw = random.Random(0)
        for start in range(0, count, BATCH):
            made = {i + 1: _track(i, draw) for i in range(start, min(start + BATCH, count))}
            with database.write() as connection:
                rows = [{"id": i, "path": t.path, **_columns(t)} for i, t in made.items()]
                connection.execute(insert(tracks), rows)
                put_search_texts(connection, made)
        with database.read() as connection:
            for name, words in QUERIES.items():
                indexed = _median(lambda words=words: search(connection, words, LIMIT))
                scanned = _median(lambda words=words: _scan(connection, words), runs=1)
                print(f"{name:<12} {1000 * indexed:8.1f} ms  {scanned / indexed:8.1f} times as fast as a scan")


def _scan(connection: Connection, words: list[str]) -> None:
    plain = text_search._is_indexed
    text_search._is_indexed = lambda _: False
    try:
        search(connection, words, LIMIT)
    finally:
        text_search._is_indexed = plain


def _median(run: Callable[[], object], runs: int = RUNS) -> float:
    run()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _track(number: int, draw: random.Random) -> SearchableTrack:
    title, artist = ("".join(draw.choices(SYLLABLES, k=4)) for _ in range(2))
    path = f"/music/{artist}/album {number % 97}/{title}.flac".encode() + str(number).encode()
    return SearchableTrack(title, artist, f"album {number % 97}", "rock", 1950 + number % 75, path)


def _columns(track: SearchableTrack) -> dict[str, object]:
    tags = {
        "title": track.title,
        "artist": track.artist,
        "album": track.album,
        "genre": track.genre,
        "year": track.year,
    }
    return tags | {"size": 1, "mtime_ns": 1, "content_hash": track.path[-20:], "duration_seconds": 1.0, "added_at": 1}


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
