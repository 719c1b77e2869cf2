"""Decoded samples of a split's clips and of unlabelled music, with progress bars and checks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.datasets.clips import Clip, ClipSamples
from engine.datasets.music import MIN_TRACK_SECONDS, MusicSamples, find_tracks
from engine.db.places import make_private_folder
from engine.db.text import displayable
from engine.errors import TrainingError, UnavailableError, reason_of
from engine.util.paths import default_cache
from engine.util.progress import progress, write_line

CACHE_HINT = "name a folder with --cache DIR"


def clip_cache(folder: str | None) -> Path:
    """Return the folder for decoded clips: `folder` if given, else one in the user's cache directory.

    Raises:
        UnavailableError: The folder cannot be created, or there is no home directory.
    """
    default = default_cache()
    if not folder and default is None:
        raise UnavailableError("expected a home directory for decoded clips, found none", hint=CACHE_HINT)
    path = Path(folder or default / "clips")  # type: ignore[operator]
    try:
        make_private_folder(path)
    except OSError as error:
        reason = f"{displayable(path)}: {reason_of(error)}"
        raise UnavailableError(f"cannot store decoded clips in {reason}", hint=CACHE_HINT) from error
    return path


def read_samples(clips: Sequence[Clip], split: str, cache: Path, show: bool) -> ClipSamples:
    """Decode the clips of one split; raise TrainingError if none is readable.

    Args:
        clips: Clips of the split.
        split: Its name, for messages.
        cache: Folder for decoded samples.
        show: Whether to draw a progress bar.
    """
    with progress(f"reading {split} clips", show, len(clips)) as step:
        samples = ClipSamples(clips, cache, step)
    if not len(samples):
        raise TrainingError(
            f"expected readable clips of split '{split}', found none; the first: {samples.skipped[0][1]}"
        )
    return samples


def read_music(folders: Sequence[str], labelled: Sequence[Path], cache: Path, show: bool) -> MusicSamples:
    """Decode the tracks below `folders`, excluding labelled files; raise TrainingError if none is left."""
    tracks = find_tracks(folders, labelled)
    with progress("reading music", show, len(tracks)) as step:
        music = MusicSamples(tracks, cache, step)
    if show:
        write_line(f"music without labels: {len(music)} tracks; {len(music.skipped)} left out")
    if not len(music):
        reason = f"; the first: {music.skipped[0][1]}" if music.skipped else ""
        raise TrainingError(
            f"expected tracks of {MIN_TRACK_SECONDS:g} s or more beside the labelled files in "
            f"{displayable(', '.join(folders))}, found none{reason}"
        )
    return music
