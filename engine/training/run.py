"""One training from a data set to a checkpoint and its report."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from engine.datasets.clips import ClipSamples, Decoded
from engine.datasets.loading import Dataset, read_dataset
from engine.datasets.music import MusicSamples
from engine.datasets.reading import clip_cache, progress, read_music, read_samples
from engine.db.text import displayable
from engine.errors import OutputError, TrainingError
from engine.evaluation.plots import TrainingStep
from engine.evaluation.report import Report, report_training
from engine.models.checkpoint import build, contents, load_encoder
from engine.models.encoder import Encoder
from engine.models.teacher import Teacher
from engine.models.weights_files import DEFAULT, find_encoder, shipped_path
from engine.models.yamnet import Yamnet
from engine.runtime.threads import default_threads
from engine.training.agreement import music_collection
from engine.training.augment.spectral import Augmentation
from engine.training.augment.waveform import Augmentations, read_augmentations
from engine.training.distill.distill import Lessons
from engine.training.distill.excerpts import judge_excerpts
from engine.training.distill.second_teacher import judge_again
from engine.training.fit_heads import finish
from engine.training.loop import Progress, Training
from engine.training.schedule import Schedule
from engine.training.second_source import DerivedClips, derive_excerpts
from engine.training.stages import calibrate_heads, pool, teach_words, with_received_attention
from engine.training.state import STATE, WEIGHTS, write_safetensors
from engine.util.atomic_files import check_output

AGREEMENT = 0.3  # weight of the agreement of a track's parts, where there is music without labels


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
    second_teacher: str | None = None
    music: tuple[str, ...] = ()
    agreement: float | None = None


@dataclass(frozen=True)
class TrainingOutcome:
    """The new encoder's id, its file, and the report that lies beside it."""

    encoder: str
    path: Path
    report: Report


def train_encoder(options: TrainingOptions, *, show: bool) -> TrainingOutcome:
    """Train, fit the heads, measure on the valid split, write weights and report.

    Raises:
        TrainingError: The labels, a teacher, the music or the output cannot be used, or a loss is not finite.
        OutputError: Another file lies where the weights are to go, or they would replace those that ship.
    """
    if options.second_teacher and not options.teacher:
        raise TrainingError("expected --teacher beside --second-teacher, found none", hint="name MusiCNN's weights")
    out = Path(options.out)
    if out.suffix != ".safetensors" or not out.absolute().parent.is_dir():
        raise TrainingError(f"expected --out FILE.safetensors in a folder that exists, found {out}")
    _check_places(out)
    torch.set_num_threads(options.threads or default_threads())
    dataset = _read(options, show)
    cache = clip_cache(options.cache)
    train, valid = (
        read_samples([clip for clip in dataset.clips if clip.split == split], split, cache, show)
        for split in ("train", "valid")
    )
    labelled = [clip.path for clip in dataset.clips]
    music = read_music(options.music, labelled, cache, show) if options.music else None
    schedule = _schedule(options, music)
    name = (options.encoder or DEFAULT).partition("@")[0]
    history: list[TrainingStep] = []
    began = time.perf_counter()
    encoder, lessons = _trained(name, dataset.genres, options, schedule, train, music, history, show)
    stages: dict[str, Any] = {}
    if music:
        with progress("pooling", show, len(music) + len(train)) as step:
            stages = pool(encoder, train, music, options.seed, step)
    with progress("fitting heads", show, len(train)) as step:
        penalties = finish(encoder, train, step)
    if lessons and lessons.opinions:
        teach_words(encoder, lessons.excerpts, lessons.opinions)
    with progress("calibrating heads", show, len(valid)) as step:
        stages |= calibrate_heads(encoder, valid, step)
    seconds = time.perf_counter() - began
    account = {
        "data": dataset.name,
        "clips": len(train),
        "skipped": len(train.skipped) + len(valid.skipped),
        **_account(options, music),
        **penalties,
        **stages,
    }
    write_safetensors(out, *contents(encoder, name, account), WEIGHTS)
    notes = {"notes": "; ".join(dataset.notes)} if dataset.notes else {}  # not in the weights: they name files
    report = report_training(out, dataset.name, train, valid, account | notes, history, seconds)
    return TrainingOutcome(find_encoder(str(out)).id, out, report)


def _check_places(out: Path) -> None:
    """Refuse places where weights or state cannot go, before hours of training."""
    try:
        real = check_output(out, WEIGHTS)
        check_output(state_path(out), STATE)
    except OSError as error:
        raise TrainingError(f"cannot write {out}: {error}", hint="choose another place") from error
    if real.parent == shipped_path(DEFAULT).resolve().parent:
        raise OutputError(f"{out} is where the weights that ship with Engine lie", hint="choose another folder")


def _schedule(options: TrainingOptions, music: MusicSamples | None) -> Schedule:
    agreement = AGREEMENT if music else 0.0
    return Schedule(
        steps=options.steps,
        seed=options.seed,
        learning_rate=options.learning_rate,
        lesson_seconds=options.lesson_seconds,
        track_seconds=options.track_seconds,
        tracks_from=options.tracks_from,
        effects=read_augmentations(Path(options.augment)) if options.augment else Augmentations(),
        agreement_weight=agreement if options.agreement is None else options.agreement,
    )


def _account(options: TrainingOptions, music: MusicSamples | None) -> dict[str, Any]:
    """How it was trained, beside the labels."""
    return {
        "steps": options.steps,
        "seed": options.seed,
        "teacher": "MusiCNN" if options.teacher else None,
        "excerpts": options.excerpt_count if options.teacher else 0,
        "from": options.start and find_encoder(options.start).id,
        **({"second teacher": "YAMNet"} if options.second_teacher else {}),
        **({"tracks without labels": len(music)} if music else {}),
    }


def _read(options: TrainingOptions, show: bool) -> Dataset:
    dataset = read_dataset(Path(options.data), options.layout, options.labels, options.subset)
    if show:
        counts = Counter(clip.split for clip in dataset.clips)
        sides = ", ".join(f"{count} {split}" for split, count in counts.items())
        tqdm.write(f"{dataset.name}: {sides}; {len(dataset.genres)} genres", file=sys.stderr)
        for note in dataset.notes:
            tqdm.write(f"  {displayable(note)}", file=sys.stderr)
    return dataset


def _trained(
    name: str,
    genres: tuple[str, ...],
    options: TrainingOptions,
    schedule: Schedule,
    source: ClipSamples,
    music: MusicSamples | None,
    history: list[TrainingStep],
    show: bool,
) -> tuple[Encoder, Lessons | None]:
    torch.manual_seed(schedule.seed)
    encoder = _begun(name, options.start, genres)
    if music:
        encoder = with_received_attention(encoder, name)
    lessons = _lessons(encoder, options, source, music, show)
    if lessons is None:
        schedule = replace(schedule, tracks_from=0.0)
    settings = {
        "encoder": name,
        "from": options.start,
        "clips": _fingerprint(source),
        "teacher": bool(lessons),
        "genres": genres,
        **({"second teacher": True} if options.second_teacher else {}),
        **({"music": music.fingerprint()} if music else {}),
    }
    state = state_path(Path(options.out))
    second = _second(encoder, options, source, show)
    tracks = None
    if music and schedule.agreement_weight:
        tracks = music_collection(music, _second(encoder, options, music, show))
    training = Training(encoder, source, schedule, lessons, state, settings, second, tracks)
    with progress("training", show, schedule.steps, training.step) as step:

        def report(told: Progress) -> None:
            losses = ", ".join(f"{key} {value:.3f}" for key, value in told.losses.items())
            step(note=losses)
            history.append(TrainingStep(told.step, told.losses, training.optimizer.param_groups[0]["lr"]))

        training.run(report)
    return encoder, lessons


def state_path(out: Path) -> Path:
    """Where the state of a training is kept until its end."""
    return out.with_name(f"{out.name}.state")


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
    encoder.plan = replace(encoder.plan, placement="sound")
    encoder.add_words(())  # clips name no words: a head that nothing teaches would soon say wrong ones
    return encoder


def _lessons(
    encoder: Encoder, options: TrainingOptions, source: ClipSamples, music: MusicSamples | None, show: bool
) -> Lessons | None:
    if not options.teacher:
        return None
    folder = Path(options.excerpts) if options.excerpts else clip_cache(options.cache) / "excerpts"
    teacher = Teacher(Path(options.teacher))
    yamnet = Yamnet(Path(options.second_teacher), torch.get_num_threads()) if options.second_teacher else None
    count, opinions = options.excerpt_count, None
    with progress("judging excerpts", show, count) as step:
        excerpts = judge_excerpts(folder, teacher, source, count, Augmentation(), options.seed, step, music)
    if yamnet:
        with progress("judging again", show, len(excerpts)) as step:
            opinions = judge_again(excerpts, yamnet, step)
    with progress("deriving sources", show, len(excerpts)) as step:
        second = derive_excerpts(excerpts, encoder, step)
    return Lessons(excerpts, encoder, second, options.lesson_seconds, opinions)


def _second(encoder: Encoder, options: TrainingOptions, source: Decoded, show: bool) -> DerivedClips | None:
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
