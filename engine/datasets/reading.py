"""What trainings, evaluations and studies begin with: progress to show, and the readable clips of a split."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from engine.datasets.clips import Clip, ClipSamples
from engine.datasets.music import LEAST_SECONDS, MusicSamples, find_tracks
from engine.db.places import make_private_folder
from engine.db.text import displayable
from engine.errors import TrainingError, UnavailableError
from engine.runtime.paths import default_cache

CACHE_HINT = "name a folder with --cache DIR"


@contextmanager
def progress(title: str, show: bool, total: int | None = None, done: int = 0) -> Iterator[Callable[..., None]]:
    """A bar on standard error; gives a function of how much was done (1) and a note to show beside it."""
    every = 1.0 if sys.stderr.isatty() else 30.0
    with tqdm(total=total, initial=done, desc=title, disable=not show, mininterval=every) as bar:

        def step(done: int = 1, note: str = "") -> None:
            if note:
                bar.set_postfix_str(note, refresh=False)
            bar.update(done)

        yield step


def clip_cache(folder: str | None) -> Path:
    """Return the folder of decoded clips: as given, or one in the user's cache directory.

    Raises:
        UnavailableError: The folder cannot be made or written.
    """
    default = default_cache()
    if not folder and default is None:
        raise UnavailableError("expected a home directory for decoded clips, found none", hint=CACHE_HINT)
    path = Path(folder or default / "clips")  # type: ignore[operator]
    try:
        make_private_folder(path)
    except OSError as error:
        reason = f"{displayable(path)}: {error.strerror or error}"
        raise UnavailableError(f"cannot keep decoded clips in {reason}", hint=CACHE_HINT) from error
    return path


def read_samples(chosen: Sequence[Clip], split: str, cache: Path, show: bool) -> ClipSamples:
    """The samples of a split's clips; raises TrainingError where none can be read."""
    with progress(f"reading {split} clips", show, len(chosen)) as step:
        samples = ClipSamples(chosen, cache, step)
    if not len(samples):
        raise TrainingError(
            f"expected readable clips of split '{split}', found none; the first: {samples.skipped[0][1]}"
        )
    return samples


def read_music(folders: Sequence[str], labelled: Sequence[Path], cache: Path, show: bool) -> MusicSamples:
    """The samples of the tracks below these folders but for labelled files; raises TrainingError where none is left."""
    tracks = find_tracks(folders, labelled)
    with progress("reading music", show, len(tracks)) as step:
        music = MusicSamples(tracks, cache, step)
    if show:
        tqdm.write(f"music without labels: {len(music)} tracks; {len(music.skipped)} left out", file=sys.stderr)
    if not len(music):
        reason = f"; the first: {music.skipped[0][1]}" if music.skipped else ""
        raise TrainingError(
            f"expected tracks of {LEAST_SECONDS:g} s or more beside the labelled files in "
            f"{displayable(', '.join(folders))}, found none{reason}"
        )
    return music
