"""Data sets as they lie on disk: one reader for each layout, from its own files to clips with the data set's labels.

A reader leaves `genres` empty (`engine.datasets.loading` names them) and `split` empty where the data set has none.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from engine.datasets.clips import Clip
from engine.datasets.splits import is_held_out
from engine.db.text import displayable
from engine.errors import TrainingError
from engine.indexer.audio.formats import has_media_extension
from engine.indexer.audio.scan import FoundFile, Unreadable, scan
from engine.models.labels import GENRES, QUADRANTS

GTZAN_GENRES = GENRES[:10]
GTZAN_FOLDERS = ("", "genres", "genres_original")  # where the ten genres' folders lie: the set's own name, a copy's
ISMIR2004_COLUMNS = 6
ISMIR2004_TESTS = ("development", "evaluation")  # the first that is there: results are published on "development"
FMA_SUBSETS = ("small", "medium", "large")  # each holds the ones before it
FMA_FOLDERS = ("fma_small", "fma_medium", "fma_large", "fma_full")
FMA_SPLITS = {"training": "train", "validation": "valid", "test": "test"}
FMA_COLUMNS = (("set", "split"), ("set", "subset"), ("track", "genre_top"), ("artist", "name"))
FMA_LONGEST_FIELD = 1 << 22  # characters: albums come with their liner notes


@dataclass(frozen=True)
class Listing:
    """What a reader found: the data set's name, its clips, and what somebody who trains on it should know."""

    name: str
    clips: list[Clip]
    notes: list[str] = field(default_factory=list)


def read_table(table: Path) -> Listing:
    """A CSV: the column `file` (relative to it) and any of `split, artist_key, artist, dataset, genres, quadrant`.

    `genres` are separated by "; "; `quadrant` is Q1 to Q4. Without `split`, one artist in ten becomes valid.
    """
    with _reading(table, "a CSV of clips"), table.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    columns = set(rows[0]) if rows else set()
    if "file" not in columns or not columns & {"genres", "quadrant"}:
        found = ", ".join(sorted(str(column) for column in columns)) or "no rows"
        raise TrainingError(f"expected columns file and genres or quadrant in {table}, found: {found}")
    clips = [_table_clip(row, table.parent) for row in rows if row.get("file")]
    notes = [f"{len(rows) - len(clips)} rows name no file"] if len(clips) < len(rows) else []
    return Listing(table.name, clips, notes)


def _table_clip(row: dict[str, str | None], folder: Path) -> Clip:
    def text(column: str) -> str:
        return (row.get(column) or "").strip()

    artist = text("artist_key") or text("artist").casefold()
    split = text("split") or ("valid" if is_held_out(artist or text("file")) else "train")
    labels = tuple(label.strip() for label in text("genres").split(";") if label.strip())
    mood = QUADRANTS.get(text("quadrant"))
    return Clip(folder / text("file"), split, artist, text("dataset"), frozenset(), mood, labels)


def read_folders(root: Path) -> Listing:
    """Labelled folders: `genre/track.ext`, or `genre/artist/track.ext`; what lies deeper is that artist's too."""
    listing, loose = Listing(displayable(root.resolve().name), []), 0
    for found in scan([root], follow_links=True):
        if not isinstance(found, FoundFile):
            reason = found.reason if isinstance(found, Unreadable) else "a place of the system's own"
            listing.notes.append(f"{displayable(found.path)} cannot be looked at: {reason}")
        elif has_media_extension(found.path):
            path = Path(os.fsdecode(found.path))
            genre, *below = Path(os.path.relpath(path, root)).parts
            artist = below[0].casefold() if len(below) > 1 else ""
            loose += not below
            if below:
                listing.clips.append(Clip(path, "", artist, listing.name, frozenset(), None, (genre,)))
    if loose:
        listing.notes.append(f"{loose} files lie in no genre's folder and are left out")
    return listing


def read_gtzan(root: Path) -> Listing:
    """GTZAN (Tzanetakis and Cook 2002) in torchaudio's copy of the fault-filtered split (Kereliuk, Sturm, Larsen 2015).

    Clips go by their names, `blues/blues.00000.wav`, whatever the extension; that split keeps 930 of the 1,000.
    """
    from torchaudio.datasets import gtzan  # here: it brings all of torchaudio's data sets

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
    notes = _missing([f"{name}.wav" for name in splits if name not in files], len(splits))
    faulty = len(files.keys() - splits.keys())
    return Listing("GTZAN", clips, [*notes, *([f"{faulty} clips are not in the fault-filtered split"] * bool(faulty))])


def gtzan_folder(root: Path) -> Path | None:
    """The folder that holds GTZAN's genres, or None."""
    for folder in (root / name for name in GTZAN_FOLDERS):
        if any(any(folder.glob(f"{genre}/{genre}.[0-9]*.*")) for genre in GTZAN_GENRES):
            return folder
    return None


def read_ismir2004(root: Path) -> Listing:
    """The ISMIR 2004 genre contest (Cano et al. 2006, MTG-TR-2006-02): its training half, and a test half.

    Results are published on `development`; where it is not there, `evaluation` is the test half.
    """
    halves = [half for half in ISMIR2004_TESTS if ismir2004_tracklist(root, half).is_file()]
    training = _ismir2004_half(root, "training", "")
    test = _ismir2004_half(root, halves[0], "test") if halves else Listing("", [])
    return Listing("ISMIR2004", training.clips + test.clips, training.notes + test.notes)


def ismir2004_tracklist(root: Path, half: str) -> Path:
    """Where the list of "training", "development" or "evaluation" lies."""
    return root / "metadata" / half / "tracklist.csv"


def _ismir2004_half(root: Path, half: str, split: str) -> Listing:
    table = ismir2004_tracklist(root, half)
    with _reading(table, "ISMIR 2004's tracks"), table.open(encoding="utf-8-sig", newline="") as handle:
        rows = [row for row in csv.reader(handle) if row and row[0].casefold() != "class"]  # some copies have a header
    clips, missing = [], []
    for row in rows:
        if len(row) < ISMIR2004_COLUMNS:
            raise TrainingError(
                f"expected class, artist, album, track, tracknumber, file in {table}, found: {', '.join(row)[:80]}"
            )
        label, artist, file = row[0].strip(), row[1].strip().casefold(), row[5].strip().replace("\\", "/")
        path = next((path for path in (root / "audio" / half / file, root / file) if path.is_file()), None)
        if path is None:
            missing.append(file)
        else:
            clips.append(Clip(path, split, artist, "ISMIR2004", frozenset(), None, (label,)))
    return Listing("ISMIR2004", clips, [f"{half}: {note}" for note in _missing(missing, len(rows))])


def read_fma(source: Path, subset: str | None = None) -> Listing:
    """The Free Music Archive (Defferrard et al. 2017): `fma_metadata/tracks.csv` beside `fma_small/000/000002.mp3`.

    Args:
        source: The folder that holds both, or one of them.
        subset: One of FMA_SUBSETS; by default that of the folder given, or of the largest there.
    """
    root = fma_root(source)
    if root is None:
        raise TrainingError(
            f"expected fma_metadata/tracks.csv in {source}, found none", hint="see github.com/mdeff/fma"
        )
    folder = _fma_folder(root, source.resolve().name, subset)
    subset = subset or folder.name.removeprefix("fma_").replace("full", FMA_SUBSETS[-1])
    wanted, table = FMA_SUBSETS[: FMA_SUBSETS.index(subset) + 1], root / "fma_metadata" / "tracks.csv"
    clips: list[Clip] = []
    missing: list[Clip] = []
    nameless = 0
    with _reading(table, "the Free Music Archive's tracks"):
        for track in _fma_tracks(table):
            if track["subset"] in wanted and not track["genre_top"]:
                nameless += 1
            elif track["subset"] in wanted:
                clip = _fma_clip(track, folder, f"FMA {subset}")
                (clips if clip.path.is_file() else missing).append(clip)
    notes = _missing([clip.path.name for clip in missing], len(clips) + len(missing))
    notes += [f"{nameless} tracks without a top genre are left out"] if nameless else []
    return Listing(f"FMA {subset}", clips, notes)


def _fma_clip(track: dict[str, str], folder: Path, name: str) -> Clip:
    number, artist = f"{int(track['id']):06}", track["name"].casefold()
    split = FMA_SPLITS.get(track["split"], track["split"])
    path = folder / number[:3] / f"{number}.mp3"
    return Clip(path, split, artist, name, frozenset(), None, (track["genre_top"],))


def fma_root(source: Path) -> Path | None:
    """The folder that holds `fma_metadata`: the one given, or the one around it; else None."""
    inside = source.resolve().name in (*FMA_FOLDERS, "fma_metadata")
    folders = (source, source.resolve().parent) if inside else (source,)
    return next((folder for folder in folders if (folder / "fma_metadata" / "tracks.csv").is_file()), None)


def _fma_folder(root: Path, given: str, subset: str | None) -> Path:
    """The smallest folder that holds the subset; by default the one given, else the largest."""
    there = [name for name in ((given,) if given in FMA_FOLDERS else FMA_FOLDERS) if (root / name).is_dir()]
    holding = FMA_FOLDERS[FMA_SUBSETS.index(subset) :] if subset else FMA_FOLDERS
    fitting = [name for name in there if name in holding]
    if not fitting:
        raise TrainingError(f"expected {' or '.join(holding)} beside fma_metadata in {root}, found {there or 'none'}")
    return root / fitting[0 if subset else -1]


def _fma_tracks(table: Path) -> Iterator[dict[str, str]]:
    """The id and the wanted columns of each track; the table's first two rows name them, the third names the ids."""
    before = csv.field_size_limit(FMA_LONGEST_FIELD)
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
                if len(row) == len(columns) and row[0].isdecimal():
                    yield {"id": row[0]} | {name: row[place].strip() for name, place in places}
    finally:
        csv.field_size_limit(before)


@contextmanager
def _reading(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TrainingError(f"expected {what} in {path}, cannot read it: {error}") from error


def _missing(names: list[str], listed: int) -> list[str]:
    return [f"{len(names)} of {listed} listed files are missing, the first: {displayable(names[0])}"] if names else []
