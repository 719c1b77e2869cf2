"""One training from a CSV to a checkpoint and its report."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from tqdm import tqdm

from engine.errors import TrainingError
from engine.evaluation.plots import TrainingStep
from engine.evaluation.report import Report, report_training
from engine.models.checkpoint import build, contents
from engine.models.encoder import Encoder
from engine.models.shipped import DEFAULT, find_encoder
from engine.models.teacher import Teacher
from engine.opening import default_threads
from engine.paths import default_cache
from engine.training.clips import Clip, ClipSamples, read_clips
from engine.training.distill import Bank
from engine.training.finish import finish
from engine.training.loop import Progress, Schedule, Training
from engine.training.state import write_safetensors


@dataclass(frozen=True)
class TrainingOptions:
    """What `engine train` was asked for; see its help."""

    encoder: str | None
    data: str
    out: str
    teacher: str | None
    steps: int
    seed: int
    learning_rate: float
    cache: str | None
    threads: int | None


@dataclass(frozen=True)
class TrainingOutcome:
    """The new encoder's id, its file, and the report that lies beside it."""

    encoder: str
    path: Path
    report: Report


def train_encoder(options: TrainingOptions, *, show: bool) -> TrainingOutcome:
    """Train, fit the heads, measure on the valid split, write weights and report.

    Raises:
        TrainingError: The labels, the teacher or the output cannot be used, or a loss is not finite.
    """
    out = Path(options.out)
    if out.suffix != ".safetensors" or not out.absolute().parent.is_dir():
        raise TrainingError(f"expected --out FILE.safetensors in a folder that exists, found {out}")
    torch.set_num_threads(options.threads or default_threads())
    clips = read_clips(Path(options.data))
    train, valid = (_samples(clips, split, options.cache, show) for split in ("train", "valid"))
    schedule = Schedule(steps=options.steps, seed=options.seed, learning_rate=options.learning_rate)
    name = (options.encoder or DEFAULT).partition("@")[0]
    history: list[TrainingStep] = []
    began = time.perf_counter()
    encoder = _trained(name, options, schedule, train, history, show)
    with _bar("fitting heads", len(train), show) as step:
        penalties = finish(encoder, train, step)
    seconds = time.perf_counter() - began
    skipped = len(train.skipped) + len(valid.skipped)
    account = {"data": Path(options.data).name, "clips": len(train), "skipped": skipped, "steps": options.steps,
               "seed": options.seed, "teacher": "MusiCNN" if options.teacher else None, **penalties}  # fmt: skip
    write_safetensors(out, *contents(encoder, name, account))
    report = report_training(out, Path(options.data).name, train, valid, account, history, seconds)
    return TrainingOutcome(find_encoder(str(out)).id, out, report)


def _trained(
    name: str,
    options: TrainingOptions,
    schedule: Schedule,
    source: ClipSamples,
    history: list[TrainingStep],
    show: bool,
) -> Encoder:
    torch.manual_seed(schedule.seed)
    encoder = build(name)
    bank = None
    if options.teacher:
        bank = Bank(Teacher(Path(options.teacher)), encoder, source, schedule.bank_capacity, schedule.augmentation)
    else:
        schedule = replace(schedule, tracks_from=0.0)
    settings = {"encoder": name, "clips": _fingerprint(source), "teacher": bool(options.teacher)}
    state = Path(f"{options.out}.state")
    training = Training(encoder, source, schedule, bank, state, settings)
    with _bar("training", schedule.steps, show, training.step) as step:

        def report(progress: Progress) -> None:
            losses = ", ".join(f"{key} {value:.3f}" for key, value in progress.losses.items())
            step(losses)
            history.append(TrainingStep(progress.step, progress.losses, training.optimizer.param_groups[0]["lr"]))

        training.run(report)
    return encoder


def _fingerprint(source: ClipSamples) -> str:
    """What a training learns from, names, lengths and labels, as a hash: a state resumes with the same clips only."""
    rows = [
        (clip.path.name, source.length(i), clip.artist, clip.dataset, sorted(clip.genres), clip.mood)
        for i, clip in enumerate(source.clips)
    ]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def _samples(clips: list[Clip], split: str, cache: str | None, show: bool) -> ClipSamples:
    chosen = [clip for clip in clips if clip.split == split]
    folder = Path(cache) if cache else default_cache() / "clips"
    with _bar(f"reading {split} clips", len(chosen), show) as step:
        samples = ClipSamples(chosen, folder, step)
    if not len(samples):
        raise TrainingError(
            f"expected readable clips of split '{split}', found none; the first: {samples.skipped[0][1]}"
        )
    return samples


@contextmanager
def _bar(title: str, total: int, show: bool, done: int = 0) -> Iterator[Callable[..., None]]:
    every = 1.0 if sys.stderr.isatty() else 30.0
    with tqdm(total=total, initial=done, desc=title, disable=not show, mininterval=every) as bar:

        def step(note: str = "") -> None:
            if note:
                bar.set_postfix_str(note, refresh=False)
            bar.update()

        yield step
