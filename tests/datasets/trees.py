"""Data sets as trees of empty files: a layout is read from names and tables alone."""

import csv
from pathlib import Path

from torchaudio.datasets import gtzan

from engine.datasets.loading import Dataset
from engine.datasets.published_sets import FMA_SUBSETS

FMA_HEADER = (
    ("", "album", "artist", "set", "set", "track", "track"),
    ("", "information", "name", "split", "subset", "genre_top", "title"),
    ("track_id", "", "", "", "", "", ""),
)
FMA_ROWS = (  # id, artist, split, subset, genre
    (2, "AWOL", "training", "small", "Hip-Hop"),
    (3, "Ada", "validation", "small", "Hip-Hop"),
    (5, "Ben", "training", "small", "Soul-RnB"),
    (10, "Kurt", "test", "medium", "Soul-RnB"),
    (134, "Cleo", "training", "medium", "Old-Time / Historic"),
    (155_066, "Dan", "training", "large", "Spoken"),
    (20, "Eve", "training", "large", ""),
)
ISMIR2004_TRAINING = tuple(
    (genre, f"{genre} {i}", "album", f"track {i}", "1", f"{genre}/{genre}_{i}/album/{i}.mp3")
    for genre in ("classical", "jazz_blues")
    for i in range(30)
)


def touch(*paths: Path) -> None:
    """Make empty files and the folders around them."""
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def folders(root: Path, artists: int = 40) -> Path:
    """Two genres of `artists` artists, two tracks each."""
    for genre in ("Night Drive", "k-pop"):
        touch(*(root / genre / f"{genre} {i}" / f"{j}.flac" for i in range(artists) for j in range(2)))
    return root


def gtzan_names() -> list[str]:
    """Every clip of the fault-filtered split."""
    return [*gtzan.filtered_train, *gtzan.filtered_valid, *gtzan.filtered_test]


def write_gtzan(folder: Path, extension: str = "wav") -> None:
    """GTZAN's folders, with one clip that the filtered split leaves out."""
    touch(*(folder / name.split(".")[0] / f"{name}.{extension}" for name in [*gtzan_names(), "jazz.00033"]))


def write_tracklist(root: Path, half: str, rows: tuple[tuple[str, ...], ...]) -> None:
    """One half's list of the contest."""
    table = root / "metadata" / half / "tracklist.csv"
    table.parent.mkdir(parents=True, exist_ok=True)
    with table.open("w", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)


def write_ismir2004(root: Path, *tests: str) -> Path:
    """The contest's training half and the named others, of two clips each."""
    write_tracklist(root, "training", ISMIR2004_TRAINING)
    touch(*(root / "audio" / "training" / row[5] for row in ISMIR2004_TRAINING))
    for half in tests:
        rows = tuple((g, "artist_1", "album_1", "track_1", "1", f"{half}_{g}.mp3") for g in ("classical", "jazz_blues"))
        write_tracklist(root, half, rows)
        touch(*(root / "audio" / half / row[5] for row in rows))
    return root


def write_fma(root: Path, *subsets: str) -> Path:
    """The archive's table and the folders of these subsets, each with the clips that it should have."""
    table = root / "fma_metadata" / "tracks.csv"
    table.parent.mkdir(parents=True)
    rows = [
        (i, "two\nlines" * 20_000, artist, split, subset, genre, "t") for i, artist, split, subset, genre in FMA_ROWS
    ]
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([*FMA_HEADER, *rows])
    for name in subsets:
        within = FMA_SUBSETS[: FMA_SUBSETS.index(name) + 1]
        names = [f"{row[0]:06}" for row in FMA_ROWS if row[3] in within]
        touch(*(root / f"fma_{name}" / number[:3] / f"{number}.mp3" for number in names))
    return root


def splits(dataset: Dataset) -> dict[str, str]:
    """The side of each clip, by file name."""
    return {clip.path.name: clip.split for clip in dataset.clips}
