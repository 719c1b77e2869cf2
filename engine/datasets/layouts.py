"""Readers of your own labelled clips: a CSV table, or folders named by genre.

Every reader returns clips with the data set's own labels. It leaves `genres` empty (`engine.datasets.loading` fills
it), and `split` if the data set has none.
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
from engine.models.labels import QUADRANTS
from engine.util.paths import real_path


@dataclass(frozen=True)
class Listing:
    """A data set as found on disk.

    Attributes:
        name: For reports.
        clips: Labelled clips.
        notes: Omissions and oddities worth knowing before training, one per line.
    """

    name: str
    clips: list[Clip]
    notes: list[str] = field(default_factory=list)


def read_table(table: Path) -> Listing:
    """Read a CSV: the column `file` (relative to it) and any of `split, artist_key, artist, dataset, genres, quadrant`.

    `genres` are separated by ";"; `quadrant` is Q1 to Q4. Without `split`, one artist in ten becomes valid.

    Raises:
        TrainingError: The file cannot be read, or lacks `file` and one of `genres` and `quadrant`.
    """
    with reading_errors(table, "a CSV of clips"), table.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    columns = set(rows[0]) if rows else set()
    if "file" not in columns or not columns & {"genres", "quadrant"}:
        found = ", ".join(sorted(str(column) for column in columns)) or "no rows"
        raise TrainingError(f"expected columns file and genres or quadrant in {table}, found: {found}")
    clips = [_table_clip(row, table.parent) for row in rows if row.get("file")]
    notes = [f"{len(rows) - len(clips)} rows name no file"] if len(clips) < len(rows) else []
    return Listing(table.name, clips, notes)


def read_folders(root: Path) -> Listing:
    """Read labelled folders: `genre/track.ext` or `genre/artist/track.ext`; deeper files belong to the same artist."""
    listing, loose = Listing(displayable(real_path(root).name), []), 0
    for found in scan([root], follow_links=True):
        if not isinstance(found, FoundFile):
            reason = found.reason if isinstance(found, Unreadable) else "a place of the system's own"
            listing.notes.append(f"{displayable(found.path)} cannot be read: {reason}")
        elif has_media_extension(found.path):
            path = Path(os.fsdecode(found.path))
            genre, *below = Path(os.path.relpath(path, root)).parts
            if below:
                artist = below[0].casefold() if len(below) > 1 else ""
                listing.clips.append(Clip(path, "", artist, listing.name, frozenset(), None, (genre,)))
            else:
                loose += 1
    if loose:
        listing.notes.append(f"{loose} files lie in no genre's folder and are left out")
    return listing


@contextmanager
def reading_errors(path: Path, expected: str) -> Iterator[None]:
    """Turn errors of reading a table at `path` into one TrainingError that names the expected content."""
    try:
        yield
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TrainingError(f"expected {expected} in {path}, cannot read it: {error}") from error


def missing_files_note(names: list[str], listed: int) -> list[str]:
    """Return a note that counts missing files and names the first; empty if none is missing."""
    return [f"{len(names)} of {listed} listed files are missing, the first: {displayable(names[0])}"] if names else []


def _table_clip(row: dict[str, str | None], folder: Path) -> Clip:
    def text(column: str) -> str:
        return (row.get(column) or "").strip()

    artist = text("artist_key") or text("artist").casefold()
    split = text("split") or ("valid" if is_held_out(artist or text("file")) else "train")
    labels = tuple(label.strip() for label in text("genres").split(";") if label.strip())
    mood = QUADRANTS.get(text("quadrant"))
    return Clip(folder / text("file"), split, artist, text("dataset"), frozenset(), mood, labels)
