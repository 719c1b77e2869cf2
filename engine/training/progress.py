"""What trainings, evaluations and studies begin with: progress to show, and the readable clips of a split."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from engine.errors import TrainingError
from engine.paths import default_cache
from engine.training.clips import Clip, ClipSamples


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
    """Where decoded clips are kept: the folder asked for, or one in the user's cache directory."""
    return Path(folder) if folder else default_cache() / "clips"


def read_samples(chosen: Sequence[Clip], split: str, cache: Path, show: bool) -> ClipSamples:
    """The samples of a split's clips; raises TrainingError where none can be read."""
    with progress(f"reading {split} clips", show, len(chosen)) as step:
        samples = ClipSamples(chosen, cache, step)
    if not len(samples):
        raise TrainingError(
            f"expected readable clips of split '{split}', found none; the first: {samples.skipped[0][1]}"
        )
    return samples
