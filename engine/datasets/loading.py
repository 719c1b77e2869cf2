"""One data set, from any supported layout to clips ready for training: labels named, splits assigned and checked.

The choice of labels decides an encoder's genres:

    standard  map the data set's labels to the fifteen standard genres
    own       use the data set's labels unchanged
    extend    map those that fit one of the fifteen, and add the rest to them
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.datasets.clips import Clip
from engine.datasets.layouts import Listing, read_folders, read_table
from engine.datasets.published_sets import (
    FMA_SUBSETS,
    GTZAN_GENRES,
    fma_root,
    gtzan_folder,
    ismir2004_tracklist,
    read_fma,
    read_gtzan,
    read_ismir2004,
)
from engine.datasets.splits import hold_out
from engine.errors import TrainingError
from engine.models.labels import GENRES, map_training_labels, own_name

LAYOUTS = ("csv", "folders", "gtzan", "ismir2004", "fma")
LABELS = ("standard", "own", "extend")
SPLITS = ("train", "valid", "test")
MAX_NAMES_IN_NOTE = 5  # the remaining names are counted


@dataclass(frozen=True)
class Dataset:
    """Labelled clips, ready for training.

    Attributes:
        clips: Clips with a split: some in "train", some in "valid", perhaps some in "test". Their `genres` are a subset
            of the data set's `genres`.
        name: For reports.
        genres: Outputs of an encoder trained on it: the fifteen, the data set's own (sorted), or both.
        notes: Omissions and their reasons, one per line.
    """

    clips: tuple[Clip, ...]
    name: str
    genres: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_dataset(
    source: Path, layout: str | None = None, labels: str | None = None, subset: str | None = None
) -> Dataset:
    """Read a data set. Listed files that do not exist are left out and noted.

    Args:
        source: A CSV of clips, or a folder.
        layout: One of LAYOUTS; detected by default.
        labels: One of LABELS; by default "standard" for a CSV and "own" for the others.
        subset: For "fma": "small", "medium" or "large"; by default that of the audio folder found.

    Raises:
        TrainingError: The source cannot be read, has another layout, lacks train or valid clips, or has labels that no
            encoder can learn.
    """
    layout = _one_of("a layout", layout or detect_layout(source), LAYOUTS)
    labels = _one_of("labels", labels or ("standard" if layout == "csv" else "own"), LABELS)
    listing = _read_layout(source, layout, subset)
    if not listing.clips:
        raise TrainingError("; ".join([f"expected labelled clips in {source}, found none", *listing.notes]))
    clips = [replace(clip, genres=_genres_of(clip, labels)) for clip in hold_out(listing.clips, source)]
    genres = _encoder_genres(clips, labels)
    usable = _usable(clips, genres)
    _check(usable, genres, source)
    return Dataset(tuple(usable), listing.name, genres, (*listing.notes, *_notes(clips, labels, genres)))


def detect_layout(source: Path) -> str:
    """Return the layout of a CSV or folder; raise TrainingError if it is neither."""
    if os.path.isfile(source):  # noqa: PTH113 (`Path.is_file` fails for names that are too long)
        return "csv"
    if not os.path.isdir(source):  # noqa: PTH112
        raise TrainingError(f"expected a CSV or a folder of labelled clips, cannot read it: {source} is not there")
    if fma_root(source):
        return "fma"
    if ismir2004_tracklist(source, "training").is_file():
        return "ismir2004"
    gtzan = gtzan_folder(source)
    return "gtzan" if gtzan and _subfolders(gtzan) <= set(GTZAN_GENRES) else "folders"


def _subfolders(root: Path) -> set[str]:
    return {path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")}


def _one_of(kind: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise TrainingError(f"expected {kind} of {', '.join(known)}, found {value!r}")
    return value


def _read_layout(source: Path, layout: str, subset: str | None) -> Listing:
    if subset is not None and layout != "fma":
        raise TrainingError(
            f"expected no subset for {source}: only the Free Music Archive has them", hint="leave it out"
        )
    try:
        if layout == "fma":
            return read_fma(source, subset and _one_of("a subset", subset, FMA_SUBSETS))
        readers = {"csv": read_table, "folders": read_folders, "gtzan": read_gtzan, "ismir2004": read_ismir2004}
        return readers[layout](source)
    except OSError as error:
        raise TrainingError(f"expected labelled clips in {source}, cannot read them: {error}") from error


def _genres_of(clip: Clip, labels: str) -> frozenset[str]:
    """Name a clip's genres according to the choice of labels."""
    if labels == "standard":
        return map_training_labels(clip.labels)
    genres: set[str] = set()
    for label in clip.labels:
        genres |= (map_training_labels([label]) if labels == "extend" else set()) or {own_name(label)}
    return frozenset(genres - {""})


def _encoder_genres(clips: Iterable[Clip], labels: str) -> tuple[str, ...]:
    """Return the genres of the encoder's head, in order; only genres of train clips can be learned."""
    if labels == "standard":
        return GENRES
    learned = {genre for clip in clips if clip.split == "train" for genre in clip.genres}
    return tuple(sorted(learned)) if labels == "own" else GENRES + tuple(sorted(learned - set(GENRES)))


def _usable(clips: Iterable[Clip], genres: tuple[str, ...]) -> list[Clip]:
    """Drop clips of unknown splits, genres without train clips, and clips that lose their only label that way."""
    usable = []
    for clip in clips:
        reduced = replace(clip, genres=clip.genres & set(genres))
        if clip.split in SPLITS and (reduced.genres or reduced.mood or not clip.genres):
            usable.append(reduced)
    return usable


def _notes(clips: list[Clip], labels: str, genres: tuple[str, ...]) -> list[str]:
    counts = Counter(genre for clip in clips for genre in clip.genres)
    found = {
        "clips of no known split, left out": Counter(clip.split for clip in clips if clip.split not in SPLITS),
        "genres without a clip to learn from, left out": Counter({g: n for g, n in counts.items() if g not in genres}),
    }
    if labels == "standard":
        found["labels that fit none of the fifteen"] = Counter(
            own_name(label) for clip in clips for label in clip.labels if not map_training_labels([label])
        )
    else:
        found["genres of a single clip, learnt but not measured"] = Counter({g for g in genres if counts[g] == 1})
    return [f"{title}: {_with_counts(names)}" for title, names in found.items() if names]


def _with_counts(found: Counter[str]) -> str:
    """Format names by falling count: "a (12), b (3), 2 more"."""
    ordered = sorted(found.items(), key=lambda entry: (-entry[1], entry[0]))
    more = [f"{len(ordered) - MAX_NAMES_IN_NOTE} more"] if len(ordered) > MAX_NAMES_IN_NOTE else []
    return ", ".join([f"{own_name(name)} ({count})" for name, count in ordered[:MAX_NAMES_IN_NOTE]] + more)


def _check(clips: Sequence[Clip], genres: tuple[str, ...], source: Path) -> None:
    """Raise TrainingError unless there are train and valid clips and labels to learn."""
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
            f"expected labels that fit the fifteen genres in {source}, found {_with_counts(labels)}",
            hint="use --labels own",
        )
    if len(genres) < 2:
        found = ", ".join(genres) or "none"
        raise TrainingError(f"expected two genres or more in {source}, found {found}", hint="or use --labels standard")
