"""`engine train`: from a data set to weights and their report, stage by stage."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from engine.errors import TrainingError
from engine.evaluation.protocols import describe_given_split, train_artists
from engine.evaluation.report import Report, ReportHeader, evaluate, write_report
from engine.evaluation.training_curves import TrainingStep
from engine.models.checkpoint import contents, load_encoder
from engine.models.weights_files import find_encoder
from engine.runtime.threads import default_threads
from engine.training.heads.calibration import calibrate_heads
from engine.training.heads.fit_heads import fit_heads
from engine.training.heads.fit_words import fit_words, word_examples
from engine.training.material import TrainingMaterial, read_material
from engine.training.options import TrainingOptions, check_options, make_schedule
from engine.training.pooling.schedule import PoolingSchedule
from engine.training.pooling.segment_bank import embed_bank
from engine.training.pooling.train_pooling import train_pooling
from engine.training.state import WEIGHTS, write_safetensors
from engine.training.trunk import TrainedTrunk, train_trunk
from engine.util.progress import progress


@dataclass(frozen=True)
class TrainingOutcome:
    """Id and file of the new encoder, and the report beside it."""

    encoder: str
    path: Path
    report: Report


def train_encoder(options: TrainingOptions, *, show: bool) -> TrainingOutcome:
    """Train an encoder, measure it on the valid split, and write weights and report.

    Raises:
        TrainingError: The labels, a teacher, the music or the output cannot be used, or a loss is not finite.
        OutputError: Another file exists at the place of the weights, or they would replace shipped ones.
    """
    check_options(options)
    torch.set_num_threads(options.threads or default_threads())
    schedule = make_schedule(options)
    material = read_material(options, show=show)
    began = time.perf_counter()
    trunk = train_trunk(options, material, schedule, show=show)
    results = _finish_encoder(trunk, material, options.seed, show)
    seconds = time.perf_counter() - began
    account = _account(options, material) | results
    out = Path(options.out)
    write_safetensors(out, *contents(trunk.encoder, options.architecture, account), WEIGHTS)
    report = _report(options, material, account, trunk.history, seconds)
    return TrainingOutcome(find_encoder(str(out)).id, out, report)


def _finish_encoder(trunk: TrainedTrunk, material: TrainingMaterial, seed: int, show: bool) -> dict[str, Any]:
    """Train the pooling (with music), fit and calibrate the heads; return settings and results to record."""
    encoder, train, music = trunk.encoder, material.train, material.music
    pooling: dict[str, Any] = {}
    if music:
        schedule = PoolingSchedule(seed=seed)
        with progress("pooling", show, len(music) + len(train)) as step:
            train_pooling(encoder, embed_bank(encoder, train, music, seed, step), schedule)
        pooling = {"pooling": asdict(schedule)}
    with progress("fitting heads", show, len(train)) as step:
        penalties = fit_heads(encoder, train, step)
    if trunk.distillation and trunk.distillation.second_teacher:
        fit_words(encoder, word_examples(encoder, trunk.distillation.excerpts, trunk.distillation.second_teacher))
    with progress("calibrating heads", show, len(material.valid)) as step:
        calibration = calibrate_heads(encoder, material.valid, step)
    return penalties | pooling | calibration


def _account(options: TrainingOptions, material: TrainingMaterial) -> dict[str, Any]:
    """Describe the training for the weights' metadata; no entry names a file of the user's."""
    return {
        "data": material.dataset.name,
        "clips": len(material.train),
        "skipped": len(material.train.skipped) + len(material.valid.skipped),
        "steps": options.steps,
        "seed": options.seed,
        "teacher": "MusiCNN" if options.teacher else None,
        "excerpts": options.excerpt_count if options.teacher else 0,
        "from": options.start and find_encoder(options.start).id,
        **({"second teacher": "YAMNet"} if options.second_teacher else {}),
        **({"tracks without labels": len(material.music)} if material.music else {}),
    }


def _report(
    options: TrainingOptions,
    material: TrainingMaterial,
    account: dict[str, Any],
    history: Sequence[TrainingStep],
    seconds: float,
) -> Report:
    """Evaluate the written weights on the valid split and write FILE.report beside them."""
    weights = Path(options.out)
    file = find_encoder(str(weights))
    notes = {"notes": "; ".join(material.dataset.notes)} if material.dataset.notes else {}
    complete = bool(history) and history[0].step == 1  # a resumed run knows only its own duration
    header = ReportHeader(
        encoder=file.id,
        data=material.dataset.name,
        split="valid",
        protocol=describe_given_split(material.valid.clips, train_artists(material.train.clips)),
        training=account | notes,
        training_seconds=seconds if complete else None,
        skipped=[*material.train.skipped, *material.valid.skipped],
    )
    try:
        evaluation = evaluate(load_encoder(file), material.valid)
        return write_report(options.report, header, evaluation, history)
    except TrainingError as error:
        raise TrainingError(f"weights are in {weights}, but there is no report: {error}") from error
