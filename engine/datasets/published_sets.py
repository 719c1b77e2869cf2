"""Readers of three published data sets in their original layouts: GTZAN, ISMIR 2004, and the Free Music Archive."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from pathlib import Path

from engine.datasets.clips import Clip
from engine.datasets.layouts import Listing, missing_files_note, reading_errors
from engine.errors import TrainingError
from engine.indexer.audio.formats import has_media_extension
from engine.models.labels import GENRES
from engine.util.paths import real_path

GTZAN_GENRES = GENRES[:10]
GTZAN_FOLDERS = ("", "genres", "genres_original")  # parents of the genre folders, in the original and in one copy
ISMIR2004_COLUMNS = 6
ISMIR2004_TESTS = ("development", "evaluation")  # in order of preference: results are published on "development"
FMA_SUBSETS = ("small", "medium", "large")  # each contains the ones before it
FMA_FOLDERS = ("fma_small", "fma_medium", "fma_large", "fma_full")
FMA_SPLITS = {"training": "train", "validation": "valid", "test": "test"}
FMA_COLUMNS = (("set", "split"), ("set", "subset"), ("track", "genre_top"), ("artist", "name"))
FMA_ID = re.compile(r"[0-9]{1,9}")
FMA_MAX_FIELD = 1 << 22  # characters; album rows contain their liner notes


def read_gtzan(root: Path) -> Listing:
    """Read GTZAN (Tzanetakis and Cook 2002) with torchaudio's fault-filtered split (Kereliuk, Sturm, Larsen 2015).

    Clips are matched by name (`blues/blues.00000.wav`), ignoring the extension; the split has 930 of the 1,000.
    """
    from torchaudio.datasets import gtzan  # slow: imports all of torchaudio's data sets

    folder = gtzan_folder(root)
    if folder is None:
        raise TrainingError(f"expected GTZAN's folders (blues/blues.00000.wav) in {root}, found none")
    files = {
        file.stem: file
        for genre in GTZAN_GENRES
        for file in sorted(folder.glob(f"{genre}/{genre}.*"))
        if has_media_extension(os.fsencode(file))
    }
    lists = {"train": gtzan.filtered_train, "valid": gtzan.filtered_valid, "test": gtzan.filtered_test}
    splits = {name: split for split, names in lists.items() for name in names}
    clips = [
        Clip(files[name], split, "", "GTZAN", frozenset(), None, (name.partition(".")[0],))
        for name, split in splits.items()
        if name in files
    ]
    notes = missing_files_note([f"{name}.wav" for name in splits if name not in files], len(splits))
    if excluded := len(files.keys() - splits.keys()):
        notes.append(f"{excluded} clips are not in the fault-filtered split")
    return Listing("GTZAN", clips, notes)


def gtzan_folder(root: Path) -> Path | None:
    """Return the parent of GTZAN's genre folders, or None."""
    for folder in (root / name for name in GTZAN_FOLDERS):
        if any(any(folder.glob(f"{genre}/{genre}.[0-9]*.*")) for genre in GTZAN_GENRES):
            return folder
    return None


def read_ismir2004(root: Path) -> Listing:
    """Read the ISMIR 2004 genre contest (Cano et al. 2006, MTG-TR-2006-02): the training part and a test part.

    The test part is `development`, on which results are published, or `evaluation` if `development` is missing.
    """
    parts = [part for part in ISMIR2004_TESTS if ismir2004_tracklist(root, part).is_file()]
    training = _ismir2004_part(root, "training", "")
    test = _ismir2004_part(root, parts[0], "test") if parts else Listing("", [])
    return Listing("ISMIR2004", training.clips + test.clips, training.notes + test.notes)


def ismir2004_tracklist(root: Path, part: str) -> Path:
    """Return the path of the track list of "training", "development" or "evaluation"."""
    return root / "metadata" / part / "tracklist.csv"


def _ismir2004_part(root: Path, part: str, split: str) -> Listing:
    table = ismir2004_tracklist(root, part)
    with reading_errors(table, "ISMIR 2004's tracks"), table.open(encoding="utf-8-sig", newline="") as handle:
        rows = [row for row in csv.reader(handle) if row and row[0].casefold() != "class"]  # some copies have a header
    clips, missing = [], []
    for row in rows:
        if len(row) < ISMIR2004_COLUMNS:
            raise TrainingError(
                f"expected class, artist, album, track, tracknumber, file in {table}, found: {', '.join(row)[:80]}"
            )
        label, artist, file = row[0].strip(), row[1].strip().casefold(), row[5].strip().replace("\\", "/")
        path = next((p for p in (root / "audio" / part / file, root / file) if p.is_file()), None)
        if path:
            clips.append(Clip(path, split, artist, "ISMIR2004", frozenset(), None, (label,)))
        else:
            missing.append(file)
    return Listing("ISMIR2004", clips, [f"{part}: {note}" for note in missing_files_note(missing, len(rows))])


def read_fma(source: Path, subset: str | None = None) -> Listing:
    """Read the Free Music Archive (Defferrard et al. 2017): `fma_metadata/tracks.csv` and `fma_small/000/000002.mp3`.

    Args:
        source: The parent of both folders, or one of them.
        subset: One of FMA_SUBSETS; by default that of `source`, else of the largest audio folder found.
    """
    root = fma_root(source)
    if root is None:
        raise TrainingError(
            f"expected fma_metadata/tracks.csv in {source}, found none", hint="see github.com/mdeff/fma"
        )
    folder = _fma_folder(root, real_path(source).name, subset)
    subset = subset or folder.name.removeprefix("fma_").replace("full", FMA_SUBSETS[-1])
    wanted, table = FMA_SUBSETS[: FMA_SUBSETS.index(subset) + 1], root / "fma_metadata" / "tracks.csv"
    clips: list[Clip] = []
    missing: list[Clip] = []
    unlabelled = 0
    with reading_errors(table, "the Free Music Archive's tracks"):
        for track in _fma_tracks(table):
            if track["subset"] in wanted and not track["genre_top"]:
                unlabelled += 1
            elif track["subset"] in wanted:
                clip = _fma_clip(track, folder, f"FMA {subset}")
                (clips if clip.path.is_file() else missing).append(clip)
    notes = missing_files_note([clip.path.name for clip in missing], len(clips) + len(missing))
    notes += [f"{unlabelled} tracks without a top genre are left out"] if unlabelled else []
    return Listing(f"FMA {subset}", clips, notes)


def _fma_clip(track: dict[str, str], folder: Path, name: str) -> Clip:
    number, artist = f"{int(track['id']):06}", track["name"].casefold()
    split = FMA_SPLITS.get(track["split"], track["split"])
    path = folder / number[:3] / f"{number}.mp3"
    return Clip(path, split, artist, name, frozenset(), None, (track["genre_top"],))


def fma_root(source: Path) -> Path | None:
    """Return the folder that contains `fma_metadata`: `source` or its parent; None if neither does."""
    inside = real_path(source).name in (*FMA_FOLDERS, "fma_metadata")
    folders = (source, real_path(source).parent) if inside else (source,)
    return next((folder for folder in folders if (folder / "fma_metadata" / "tracks.csv").is_file()), None)


def _fma_folder(root: Path, given: str, subset: str | None) -> Path:
    """Return the smallest audio folder that contains the subset; without a subset, `given` or the largest."""
    there = [name for name in ((given,) if given in FMA_FOLDERS else FMA_FOLDERS) if (root / name).is_dir()]
    holding = FMA_FOLDERS[FMA_SUBSETS.index(subset) :] if subset else FMA_FOLDERS
    fitting = [name for name in there if name in holding]
    if not fitting:
        raise TrainingError(f"expected {' or '.join(holding)} beside fma_metadata in {root}, found {there or 'none'}")
    return root / fitting[0 if subset else -1]


def _fma_tracks(table: Path) -> Iterator[dict[str, str]]:
    """Yield each track's id and FMA_COLUMNS. The first two rows are column headings, the third names the id."""
    before = csv.field_size_limit(FMA_MAX_FIELD)
    try:
        with table.open(encoding="utf-8", newline="") as handle:
            rows = csv.reader(handle)
            columns = list(zip(next(rows, []), next(rows, []), strict=False))
            absent = [", ".join(column) for column in FMA_COLUMNS if column not in columns]
            if absent:
                raise TrainingError(
                    f"expected the column ({absent[0]}) in {table}, found none", hint="see github.com/mdeff/fma"
                )
            places = [(name, columns.index((group, name))) for group, name in FMA_COLUMNS]
            for row in rows:
                if len(row) == len(columns) and FMA_ID.fullmatch(row[0]):
                    yield {"id": row[0]} | {name: row[place].strip() for name, place in places}
    finally:
        csv.field_size_limit(before)
