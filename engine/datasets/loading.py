"""What an encoder is trained on: a data set in any layout that Engine knows, its labels named, its splits checked.

Labels are settled here, once: "standard" maps the data set's own onto the fifteen, "own" takes them as they are,
"extend" maps what fits one of the fifteen and adds the rest to them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from engine.datasets.clips import Clip
from engine.datasets.layouts import (
    FMA_SUBSETS,
    GTZAN_GENRES,
    Listing,
    fma_root,
    gtzan_folder,
    ismir2004_tracklist,
    read_fma,
    read_folders,
    read_gtzan,
    read_ismir2004,
    read_table,
)
from engine.datasets.splits import hold_out
from engine.errors import TrainingError
from engine.models.labels import GENRES, map_training_labels, own_name

LAYOUTS = ("csv", "folders", "gtzan", "ismir2004", "fma")
LABELS = ("standard", "own", "extend")
SPLITS = ("train", "valid", "test")
NAMED = 5  # names in a note; the others are counted


@dataclass(frozen=True)
class Dataset:
    """Labelled clips, ready to learn from.

    Attributes:
        clips: Some of split "train", some of "valid"; "test" may be empty. A clip's `genres` are among these `genres`.
        name: For reports.
        genres: What an encoder trained on it answers with: the fifteen, the data set's own (sorted), or both.
        notes: What was left out, and why; a line each.
    """

    clips: tuple[Clip, ...]
    name: str
    genres: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_dataset(
    source: Path, layout: str | None = None, labels: str | None = None, subset: str | None = None
) -> Dataset:
    """Read a data set. Files that it lists and that are not there are left out and noted.

    Args:
        source: A CSV of clips, or a folder.
        layout: One of LAYOUTS; by default what `recognise` takes it for.
        labels: One of LABELS; by default "standard" for a CSV and "own" for the others.
        subset: Of "fma": "small", "medium" or "large"; by default that of the folder of sound that is there.

    Raises:
        TrainingError: It cannot be read, is of another layout, has no clips to learn from or none to hold out, or
            labels that no encoder can learn.
    """
    layout = _checked("a layout", layout or recognise(source), LAYOUTS)
    labels = _checked("labels", labels or ("standard" if layout == "csv" else "own"), LABELS)
    listing = _read(source, layout, subset)
    if not listing.clips:
        raise TrainingError("; ".join([f"expected labelled clips in {source}, found none", *listing.notes]))
    clips = [_named(clip, labels) for clip in hold_out(listing.clips, source)]
    genres = _learnt(clips, labels)
    notes = [*listing.notes, *_notes(clips, labels, genres)]
    clips = _within(clips, genres)
    _check(clips, genres, source)
    return Dataset(tuple(clips), listing.name, genres, tuple(notes))


def recognise(source: Path) -> str:
    """The layout of a CSV or folder; raises TrainingError where there is neither."""
    if source.is_file():
        return "csv"
    if not source.is_dir():
        raise TrainingError(f"expected a CSV or a folder of labelled clips, cannot read it: {source} is not there")
    if fma_root(source):
        return "fma"
    if ismir2004_tracklist(source, "training").is_file():
        return "ismir2004"
    gtzan = gtzan_folder(source)
    return "gtzan" if gtzan and _folders(gtzan) <= set(GTZAN_GENRES) else "folders"


def _folders(root: Path) -> set[str]:
    return {path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")}


def _checked(what: str, given: str, known: tuple[str, ...]) -> str:
    if given not in known:
        raise TrainingError(f"expected {what} of {', '.join(known)}, found {given!r}")
    return given


def _read(source: Path, layout: str, subset: str | None) -> Listing:
    if subset is not None and layout != "fma":
        raise TrainingError(
            f"expected no subset for {source}: only the Free Music Archive has them", hint="leave it out"
        )
    try:
        if layout == "fma":
            return read_fma(source, subset and _checked("a subset", subset, FMA_SUBSETS))
        readers = {"csv": read_table, "folders": read_folders, "gtzan": read_gtzan, "ismir2004": read_ismir2004}
        return readers[layout](source)
    except OSError as error:
        raise TrainingError(f"expected labelled clips in {source}, cannot read them: {error}") from error


def _named(clip: Clip, labels: str) -> Clip:
    if labels == "standard":
        return replace(clip, genres=map_training_labels(clip.labels))
    genres: set[str] = set()
    for label in clip.labels:
        genres |= (map_training_labels([label]) if labels == "extend" else set()) or {own_name(label)}
    return replace(clip, genres=frozenset(genres - {""}))


def _learnt(clips: Iterable[Clip], labels: str) -> tuple[str, ...]:
    """The names for the heads, in their order."""
    if labels == "standard":
        return GENRES
    heard = {genre for clip in clips if clip.split == "train" for genre in clip.genres}
    return tuple(sorted(heard)) if labels == "own" else GENRES + tuple(sorted(heard - set(GENRES)))


def _within(clips: Iterable[Clip], genres: tuple[str, ...]) -> list[Clip]:
    """Clips of a known split, without the genres that train lacks; one that is left without any label goes."""
    kept = [(clip, replace(clip, genres=clip.genres & set(genres))) for clip in clips if clip.split in SPLITS]
    return [after for before, after in kept if after.genres or after.mood or not before.genres]


def _notes(clips: list[Clip], labels: str, genres: tuple[str, ...]) -> list[str]:
    counts = Counter(genre for clip in clips for genre in clip.genres)
    notes = {
        "clips of no known split, left out": Counter(clip.split for clip in clips if clip.split not in SPLITS),
        "genres without a clip to learn from, left out": Counter({g: n for g, n in counts.items() if g not in genres}),
    }
    if labels == "standard":
        notes["labels that fit none of the fifteen"] = Counter(
            own_name(label) for clip in clips for label in clip.labels if not map_training_labels([label])
        )
    else:
        notes["genres of a single clip, learnt but not measured"] = Counter({g for g in genres if counts[g] == 1})
    return [f"{title}: {_listed(found)}" for title, found in notes.items() if found]


def _listed(found: Counter[str]) -> str:
    """Names with their counts, the most frequent first: "a (12), b (3), 2 more"."""
    ordered = sorted(found.items(), key=lambda entry: (-entry[1], entry[0]))
    more = [f"{len(ordered) - NAMED} more"] if len(ordered) > NAMED else []
    return ", ".join([f"{own_name(name)} ({count})" for name, count in ordered[:NAMED]] + more)


def _check(clips: list[Clip], genres: tuple[str, ...], source: Path) -> None:
    train = [clip for clip in clips if clip.split == "train"]
    if not train:
        raise TrainingError(f"expected clips of split 'train' in {source}, found none")
    if not any(clip.split == "valid" for clip in clips):
        raise TrainingError(
            f"expected clips of split 'valid' in {source}, found none",
            hint="add clips of another artist for each genre",
        )
    labels = Counter(label for clip in train for label in clip.labels)
    if labels and not any(clip.genres or clip.mood for clip in train):
        raise TrainingError(
            f"expected labels that fit the fifteen genres in {source}, found {_listed(labels)}", hint="use --labels own"
        )
    if len(genres) < 2:
        found = ", ".join(genres) or "none"
        raise TrainingError(f"expected two genres or more in {source}, found {found}", hint="or use --labels standard")
