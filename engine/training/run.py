"""One training from a data set to a checkpoint and its report."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from tqdm import tqdm

from engine.errors import TrainingError
from engine.evaluation.plots import TrainingStep
from engine.evaluation.report import Report, report_training
from engine.models.checkpoint import build, contents, load_encoder
from engine.models.encoder import Encoder
from engine.models.shipped import DEFAULT, find_encoder
from engine.models.teacher import Teacher
from engine.threads import default_threads
from engine.training.augment import Augmentations, read_augmentations
from engine.training.clips import ClipSamples
from engine.training.datasets import Dataset, read_dataset
from engine.training.derived import DerivedClips, derive_excerpts
from engine.training.distill import Lessons
from engine.training.excerpts import judge_excerpts
from engine.training.finish import finish
from engine.training.loop import Progress, Schedule, Training
from engine.training.patches import Augmentation
from engine.training.progress import clip_cache, progress, read_samples
from engine.training.state import write_safetensors


@dataclass(frozen=True)
class TrainingOptions:
    """What `engine train` was asked for; see its help."""

    data: str
    out: str
    encoder: str | None = None
    teacher: str | None = None
    excerpts: str | None = None
    excerpt_count: int = 10_000
    start: str | None = None
    steps: int = 2300
    seed: int = 0
    learning_rate: float = 2e-3
    lesson_seconds: float = 192.0
    track_seconds: float = 18.0
    tracks_from: float = 0.8
    cache: str | None = None
    threads: int | None = None
    layout: str | None = None
    labels: str | None = None
    subset: str | None = None
    augment: str | None = None


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
    dataset = _read(options, show)
    cache = clip_cache(options.cache)
    train, valid = (
        read_samples([clip for clip in dataset.clips if clip.split == split], split, cache, show)
        for split in ("train", "valid")
    )
    schedule = Schedule(
        steps=options.steps,
        seed=options.seed,
        learning_rate=options.learning_rate,
        lesson_seconds=options.lesson_seconds,
        track_seconds=options.track_seconds,
        tracks_from=options.tracks_from,
        effects=read_augmentations(Path(options.augment)) if options.augment else Augmentations(),
    )
    name = (options.encoder or DEFAULT).partition("@")[0]
    history: list[TrainingStep] = []
    began = time.perf_counter()
    encoder = _trained(name, dataset.genres, options, schedule, train, history, show)
    with progress("fitting heads", show, len(train)) as step:
        penalties = finish(encoder, train, step)
    seconds = time.perf_counter() - began
    skipped = len(train.skipped) + len(valid.skipped)
    account = {
        "data": dataset.name,
        "clips": len(train),
        "skipped": skipped,
        "steps": options.steps,
        "seed": options.seed,
        "teacher": "MusiCNN" if options.teacher else None,
        "excerpts": options.excerpt_count if options.teacher else 0,
        "from": options.start and find_encoder(options.start).id,
        **penalties,
    }
    write_safetensors(out, *contents(encoder, name, account))
    notes = {"notes": "; ".join(dataset.notes)} if dataset.notes else {}  # not in the weights: they name files
    report = report_training(out, dataset.name, train, valid, account | notes, history, seconds)
    return TrainingOutcome(find_encoder(str(out)).id, out, report)


def _read(options: TrainingOptions, show: bool) -> Dataset:
    dataset = read_dataset(Path(options.data), options.layout, options.labels, options.subset)
    if show:
        counts = Counter(clip.split for clip in dataset.clips)
        sides = ", ".join(f"{count} {split}" for split, count in counts.items())
        tqdm.write(f"{dataset.name}: {sides}; {len(dataset.genres)} genres", file=sys.stderr)
        for note in dataset.notes:
            tqdm.write(f"  {note}", file=sys.stderr)
    return dataset


def _trained(
    name: str,
    genres: tuple[str, ...],
    options: TrainingOptions,
    schedule: Schedule,
    source: ClipSamples,
    history: list[TrainingStep],
    show: bool,
) -> Encoder:
    torch.manual_seed(schedule.seed)
    encoder = _begun(name, options.start, genres)
    lessons = _lessons(encoder, options, source, show)
    if lessons is None:
        schedule = replace(schedule, tracks_from=0.0)
    settings = {
        "encoder": name,
        "from": options.start,
        "clips": _fingerprint(source),
        "teacher": bool(lessons),
        "genres": genres,
    }
    state = Path(f"{options.out}.state")
    second = _second(encoder, options, source, show)
    training = Training(encoder, source, schedule, lessons, state, settings, second)
    with progress("training", show, schedule.steps, training.step) as step:

        def report(told: Progress) -> None:
            losses = ", ".join(f"{key} {value:.3f}" for key, value in told.losses.items())
            step(note=losses)
            history.append(TrainingStep(told.step, told.losses, training.optimizer.param_groups[0]["lr"]))

        training.run(report)
    return encoder


def _begun(name: str, start: str | None, genres: tuple[str, ...]) -> Encoder:
    """A fresh encoder, or one that goes on from other weights of the same architecture, with heads of its own."""
    if start is None:
        return build(name, genres=genres)
    file = find_encoder(start)
    if file.name != name:
        raise TrainingError(f"expected weights of {name} to start from, found {file.name} in {start}")
    encoder = load_encoder(file)
    if encoder.genres != genres:
        encoder.add_heads(genres)
    encoder.add_words(())  # clips name no words: a head that nothing teaches would soon say wrong ones
    return encoder


def _lessons(encoder: Encoder, options: TrainingOptions, source: ClipSamples, show: bool) -> Lessons | None:
    if not options.teacher:
        return None
    folder = Path(options.excerpts) if options.excerpts else clip_cache(options.cache) / "excerpts"
    with progress("judging excerpts", show, options.excerpt_count) as step:
        excerpts = judge_excerpts(
            folder, Teacher(Path(options.teacher)), source, options.excerpt_count, Augmentation(), options.seed, step
        )
    with progress("deriving sources", show, len(excerpts)) as step:
        second = derive_excerpts(excerpts, encoder, step)
    return Lessons(excerpts, encoder, second, options.lesson_seconds)


def _second(encoder: Encoder, options: TrainingOptions, source: ClipSamples, show: bool) -> DerivedClips | None:
    if encoder.second_source(torch.zeros(1, encoder.plan.samples)) is None:
        return None
    with progress("deriving sources", show, len(source)) as step:
        return DerivedClips(source, encoder, clip_cache(options.cache), step)


def _fingerprint(source: ClipSamples) -> str:
    """What a training learns from, names, lengths and labels, as a hash: a state resumes with the same clips only."""
    rows = [
        (clip.path.name, source.length(i), clip.artist, clip.dataset, sorted(clip.genres), clip.mood)
        for i, clip in enumerate(source.clips)
    ]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()
