"""Check the claims of Sridhar 2024 on ten genres against a library: nearest genres, equations, neighbours, attention.

    scripts/paper3.py LIBRARY [--encoder NAME] [--coverage full] [--clips CLIPS.csv --dataset gtzan --split valid]
                      [--other-artists]

A track's genre is the first of GTZAN's ten genres named by its tag; with `--clips`, only files listed in the table are
used. Centroids use these tracks alone, ten or more per genre. Claims that cannot be measured in the library, such as
attention on excerpts, are not counted.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.db import SignatureMatrix, open_database, segment_blocks, tracks_by_genre, tracks_by_ids
from engine.errors import EngineError, LibraryError
from engine.genres.attention import SHORTEST_TRACK, MeasuredTracks, measure_attention
from engine.genres.relations import cosine_distances, genre_equations, nearest_genres
from engine.indexer.vectors.memory import MemorySnapshot
from engine.models.labels import map_tag
from engine.models.numpy_heads import segment_seconds
from engine.runtime.encoder_choice import choose_encoder
from engine.search.centroids import make_centroids
from engine.session import LibrarySession, LibraryView

GENRES = ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")
NEIGHBOURS = 5
LISTED = 12  # equations found

# Claims of the paper, by section.
NEAREST = {"blues": ("country", "reggae"), "classical": ("jazz", "blues")}  # 3.3.2
FARTHEST = {"metal": ("classical", "jazz")}  # 3.3.2
EQUATIONS = (  # 3.2.2: a - b + c = d
    ("blues", "country", "disco", "rock"),
    ("disco", "metal", "rock", "pop"),
    ("disco", "reggae", "pop", "rock"),
)
APART = ("classical", "jazz")  # 3.2.1: far from the rest
TOGETHER = ("disco", "pop")  # 3.2.1: closely clustered
CONCLUDED = ("classical", "blues")  # 3.4: the end of the piece matters
FOUND_AMONG = {"metal": ("metal",), "blues": ("blues", "jazz")}  # 3.5: genres of most recommendations
FOUND_BESIDE = {"disco": ("rock", "metal"), "classical": ("blues", "jazz")}  # 3.5: recommended from other genres

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Tracks:
    """N tracks of a library: ids (N,), signatures (N, D), genres (N,) as positions in GENRES, artists (N,) or ""."""

    ids: NDArray[np.int64]
    vectors: NDArray[np.float32]
    genres: NDArray[np.intp]
    artists: NDArray[np.str_]


@dataclass(frozen=True)
class Verdict:
    """A claim of the paper, the finding, and whether they agree; None if the claim is not measurable."""

    section: str
    claim: str
    found: str
    agrees: bool | None


def listed_clips(clips: Path, dataset: str | None, split: str | None) -> dict[bytes, str]:
    """Return the artists, by absolute path, of the clips listed in a table for a data set and split."""
    with clips.open(encoding="utf-8", newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if dataset in (None, row["dataset"])]
    chosen = [row for row in rows if split in (None, row["split"])]
    return {os.fsencode(clips.parent.resolve() / row["file"]): row["artist_key"] for row in chosen}


def choose_tracks(view: LibraryView, clips: dict[bytes, str] | None) -> Tracks:
    """Return the tracks with a signature and a tag of GENRES; if `clips` is given, only those."""
    snapshot = view.filled_snapshot
    with view.read() as connection:
        tags = {int(i): tag for tag, ids in tracks_by_genre(connection).items() for i in ids}
        known = tracks_by_ids(connection, snapshot.ids.tolist())
    rows, genres, artists = [], [], []
    for row, track_id in enumerate(snapshot.ids.tolist()):
        named, track = map_tag(tags.get(track_id), GENRES), known[track_id]
        if named and (clips is None or track.path in clips):
            rows.append(row)
            genres.append(GENRES.index(named[0]))
            artists.append((track.artist or "").casefold() if clips is None else clips[track.path])
    ids = snapshot.ids[rows]
    return Tracks(ids, snapshot.take(ids), np.array(genres, np.intp), np.array(artists, str))


def make_vectors(tracks: Tracks) -> Floats:
    """Return the ten unit centroids (10, D); raise LibraryError if a genre has too few tracks."""
    tags = {genre: tracks.ids[tracks.genres == i] for i, genre in enumerate(GENRES)}
    none = np.zeros((len(GENRES), tracks.vectors.shape[1]), np.float32)
    snapshot = MemorySnapshot.of(SignatureMatrix(tracks.ids, tracks.ids, tracks.vectors))
    made = {c.genre: c.vector for c in make_centroids(tags, snapshot, none, GENRES)}
    missing = [genre for genre in GENRES if genre not in made]
    if missing:
        raise LibraryError(f"expected ten tracks or more of each genre, found fewer of {', '.join(missing)}")
    return np.stack([made[genre] for genre in GENRES]).astype(np.float64)


def neighbour_shares(tracks: Tracks, other_artists: bool) -> Floats:
    """Return the shares of genres among the NEIGHBOURS nearest tracks, by the query's genre: (10, 10), rows sum to 1.

    With `other_artists`, neighbours by the query's artist are excluded, if the artist is known.
    """
    counts = np.zeros((len(GENRES), len(GENRES)))
    for start in range(0, len(tracks.ids), 512):
        cosines = tracks.vectors[start : start + 512] @ tracks.vectors.T
        cosines[np.arange(len(cosines)), np.arange(start, start + len(cosines))] = -np.inf  # itself
        if other_artists:
            asking = tracks.artists[start : start + 512, None]
            cosines[(asking == tracks.artists) & (asking != "")] = -np.inf
        near = np.argpartition(-cosines, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        np.add.at(counts, (tracks.genres[start : start + 512, None], tracks.genres[near]), 1)
    return counts / counts.sum(axis=1, keepdims=True)


def judge_places(vectors: Floats) -> list[Verdict]:
    """Judge sections 3.2.1, 3.2.2 and 3.3.2: positions of the centroids."""
    distances = cosine_distances(vectors)
    near = dict(zip(GENRES, nearest_genres(GENRES, distances), strict=True))
    verdicts = [
        Verdict("3.3.2", f"{genre} is near {other}", f"nearest: {', '.join(near[genre])}", other in near[genre])
        for genre, others in NEAREST.items()
        for other in others
    ]
    for genre, others in FARTHEST.items():
        far = [GENRES[i] for i in np.argsort(-distances[GENRES.index(genre)])[: len(others)]]
        claim = f"{genre} is farthest from {' and '.join(others)}"
        verdicts.append(Verdict("3.3.2", claim, f"farthest: {', '.join(far)}", set(far) == set(others)))
    lonely = [GENRES[i] for i in np.argsort(-distances.sum(axis=1))[: len(APART)]]
    claim = f"{' and '.join(APART)} are far from the rest"
    verdicts.append(Verdict("3.2.1", claim, f"largest mean distance: {', '.join(lonely)}", set(lonely) == set(APART)))
    a, b = TOGETHER
    agrees = a in near[b] or b in near[a]
    found = f"nearest of {a}: {', '.join(near[a])}; of {b}: {', '.join(near[b])}"
    verdicts.append(Verdict("3.2.1", f"{a} and {b} are close", found, agrees))
    return verdicts + [judge_equation(four, vectors) for four in EQUATIONS]


def judge_equation(four: tuple[str, ...], vectors: Floats) -> Verdict:
    """Judge an equation: it holds if no other genre is nearer to a - b + c than d."""
    a, b, c, d = four
    place = [GENRES.index(name) for name in four]
    sums = vectors[place[0]] - vectors[place[1]] + vectors[place[2]]
    others = sorted(
        (float(np.linalg.norm(sums - vectors[i])), name) for i, name in enumerate(GENRES) if name not in (a, b, c)
    )
    everything = genre_equations(GENRES, vectors, np.inf)
    rank, error = next(
        (i, e.error) for i, e in enumerate(everything, 1) if {e.a, e.c} == {a, c} and (e.b, e.d) == (b, d)
    )
    found = f"error {error:.2f}, place {rank} of {len(everything)}; nearest to the sum: {others[0][1]}"
    return Verdict("3.2.2", f"{a} - {b} + {c} = {d}", found, others[0][1] == d)


def judge_neighbours(shares: Floats) -> list[Verdict]:
    """Judge section 3.5: genres of the recommendations."""
    verdicts = []
    for genre, expected in FOUND_AMONG.items():
        row = shares[GENRES.index(genre)]
        share = float(sum(row[GENRES.index(other)] for other in expected))
        claim = f"neighbours of {genre} are mostly {' or '.join(expected)}"
        verdicts.append(Verdict("3.5", claim, f"{share:.0%}", share > 0.5))
    for genre, expected in FOUND_BESIDE.items():
        row = shares[GENRES.index(genre)].copy()
        row[GENRES.index(genre)] = -1
        first = GENRES[int(row.argmax())]
        claim = f"beside {genre}, its neighbours are {' or '.join(expected)}"
        verdicts.append(Verdict("3.5", claim, f"most: {first} {row.max():.0%}", first in expected))
    return verdicts


def measure(view: LibraryView, *, even: bool) -> MeasuredTracks:
    """Measure attention statistics of the library's tracks; with `even`, for equal weights of all windows."""
    with view.read() as connection:
        blocks = segment_blocks(connection, view.encoder_id, view.coverage, SHORTEST_TRACK)
        if even:
            blocks = (replace(b, attention=np.full_like(b.attention, 1 / b.attention.shape[1])) for b in blocks)
        return measure_attention(blocks, segment_seconds(view.file))


def judge_attention(view: LibraryView, tracks: Tracks) -> list[Verdict]:
    """Judge section 3.4: distribution of the attention over a track."""
    measured, even = measure(view, even=False), measure(view, even=True)
    new, by_chance = (m.mean_over(tracks.ids.tolist()).first_occurrence_share for m in (measured, even))
    claim = "new material weighs more than its repetition"
    if new is None or by_chance is None:
        verdicts = [Verdict("3.4", claim, "not measurable", None)]
    else:
        verdicts = [Verdict("3.4", claim, f"share {new:.2f}, evenly spread {by_chance:.2f}", new > by_chance)]
    last = {g: measured.mean_over(tracks.ids[tracks.genres == i].tolist()).last_third for i, g in enumerate(GENRES)}
    known = [share for share in last.values() if share is not None]
    for genre in CONCLUDED:
        share, claim = last[genre], f"the end matters in {genre}"
        if share is None:
            verdicts.append(Verdict("3.4", claim, "not measurable", None))
        else:
            mean = float(np.mean(known))
            verdicts.append(Verdict("3.4", claim, f"last third {share:.2f}, all genres {mean:.2f}", share > mean))
    return verdicts


def show(tracks: Tracks, vectors: Floats, shares: Floats, verdicts: Sequence[Verdict]) -> None:
    """Print everything."""
    distances = cosine_distances(vectors)
    print(f"{len(tracks.ids)} tracks of {len(GENRES)} genres\n\ntwo nearest (1 - cosine)")
    for i, (genre, near) in enumerate(zip(GENRES, nearest_genres(GENRES, distances), strict=True)):
        print(f"  {genre:<10} {', '.join(f'{name} {distances[i, GENRES.index(name)]:.2f}' for name in near)}")
    print(f"\nequations a - b + c = d, the {LISTED} of least error")
    for e in genre_equations(GENRES, vectors, np.inf)[:LISTED]:
        print(f"  {e.error:.2f}  {e.a} - {e.b} + {e.c} = {e.d}")
    print(f"\ngenres of the {NEIGHBOURS} nearest tracks, per cent (rows: the query's genre)")
    print(" " * 12 + "".join(f"{genre[:4]:>6}" for genre in GENRES))
    for genre, row in zip(GENRES, shares, strict=True):
        print(f"  {genre:<10}" + "".join(f"{100 * share:6.0f}" for share in row))
    print("\nthe paper's claims, and the findings")
    words = {True: "agrees", False: "differs", None: "-"}
    for v in verdicts:
        print(f"  {v.section:<6} {words[v.agrees]:<8} {v.claim:<48} {v.found}")
    judged = [v for v in verdicts if v.agrees is not None]
    print(f"{sum(bool(v.agrees) for v in judged)} of {len(judged)} agree")


def main() -> int:
    """Print the comparison; return 0, or 3 if the library cannot be used."""
    parser = argparse.ArgumentParser(description="Compares a library's genres with those of Sridhar 2024.")
    parser.add_argument("library", type=Path)
    parser.add_argument("--encoder", help="default: the library's own")
    parser.add_argument("--coverage", choices=["windows", "full"])
    parser.add_argument("--clips", type=Path, help="a CSV with the columns file, dataset, split, artist_key")
    parser.add_argument("--dataset")
    parser.add_argument("--split")
    parser.add_argument("--other-artists", action="store_true", help="neighbours are by other artists; the paper: any")
    arguments = parser.parse_args()
    try:
        with open_database(arguments.library, create=False) as database:
            view = LibrarySession(
                database, choose_encoder(database, arguments.encoder), arguments.coverage, "cpu", 1
            ).view()
            clips = listed_clips(arguments.clips, arguments.dataset, arguments.split) if arguments.clips else None
            tracks = choose_tracks(view, clips)
            vectors, shares = make_vectors(tracks), neighbour_shares(tracks, arguments.other_artists)
            verdicts = judge_places(vectors) + judge_attention(view, tracks) + judge_neighbours(shares)
    except (EngineError, OSError, KeyError) as error:
        print(error, file=sys.stderr)
        return 3
    show(tracks, vectors, shares, verdicts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
