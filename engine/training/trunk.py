"""The first stage of a training: an encoder's trunk, from teacher, labels and unlabelled music."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from engine.datasets.clips import DecodedAudio
from engine.errors import TrainingError
from engine.evaluation.training_curves import TrainingStep
from engine.models.checkpoint import build, load_encoder
from engine.models.encoder import Encoder
from engine.models.layers.scoring import ReceivedAttention
from engine.models.teacher import Teacher
from engine.models.weights_files import find_encoder
from engine.models.yamnet import Yamnet
from engine.training.agreement import TrackCollection, music_collection
from engine.training.augment.spectral import SpectralAugmentation
from engine.training.distill.batches import DistillationBatches
from engine.training.distill.make_excerpts import make_excerpts
from engine.training.distill.second_teacher import run_second_teacher
from engine.training.loop import Training
from engine.training.material import TrainingMaterial, fingerprint_clips
from engine.training.options import TrainingOptions
from engine.training.schedule import Schedule
from engine.training.second_source import SecondSourceSamples, second_source_of_excerpts, uses_second_source
from engine.util.progress import progress

ATTENTION_LAYERS = ("attention.", "score_layer.", "metric.", "word_head.")  # everything behind the trunk


@dataclass(frozen=True, eq=False)
class TrainedTrunk:
    """An encoder with a trained trunk, its teacher-labelled excerpts if any, and the steps of this run."""

    encoder: Encoder
    distillation: DistillationBatches | None
    history: list[TrainingStep]


def train_trunk(
    options: TrainingOptions, material: TrainingMaterial, schedule: Schedule, *, show: bool
) -> TrainedTrunk:
    """Build or load an encoder, label excerpts if there is a teacher, and run the training loop.

    Raises:
        TrainingError: The initial weights, a teacher or the excerpts cannot be used, or a loss is not finite.
    """
    torch.manual_seed(schedule.seed)
    encoder = _initial_encoder(options, material)
    distillation = _label_excerpts(encoder, options, material, show) if options.teacher else None
    training = Training(
        encoder,
        material.train,
        schedule,
        state=options.state,
        settings=_resume_settings(options, material),
        distillation=distillation,
        second=_second_source(encoder, material.train, material.cache, show),
        music=_agreement_music(encoder, material, schedule, show),
    )
    history: list[TrainingStep] = []
    with progress("training", show, schedule.steps, training.step) as advance:

        def on_step(step: TrainingStep) -> None:
            advance(note=", ".join(f"{name} {loss:.3f}" for name, loss in step.losses.items()))
            history.append(step)

        training.run(on_step)
    return TrainedTrunk(encoder, distillation, history)


def with_received_attention(encoder: Encoder, architecture: str) -> Encoder:
    """Return the trunk with a new attention layer of kind "received" and no map, unless it has that kind already."""
    if isinstance(encoder.attention_layer, ReceivedAttention) and encoder.attention_layer.kind == "received":
        return encoder
    settings = asdict(encoder.config) | {"score": "received"}
    renewed = build(architecture, settings, encoder.genres, encoder.moods)
    trunk = {key: value for key, value in encoder.state_dict().items() if not key.startswith(ATTENTION_LAYERS)}
    renewed.load_state_dict(trunk, strict=False)
    return renewed.eval()


def _initial_encoder(options: TrainingOptions, material: TrainingMaterial) -> Encoder:
    """Build an untrained encoder, or load one of the same architecture; with heads for the data set's genres."""
    genres = material.dataset.genres
    encoder = (
        build(options.architecture, genres=genres) if options.start is None else _load_start(options, options.start)
    )
    if encoder.genres != genres:
        encoder.add_heads(genres)
    return with_received_attention(encoder, options.architecture) if material.music else encoder


def _load_start(options: TrainingOptions, start: str) -> Encoder:
    file = find_encoder(start)
    if file.name != options.architecture:
        raise TrainingError(f"expected weights of {options.architecture} to start from, found {file.name} in {start}")
    encoder = load_encoder(file)
    encoder.plan = replace(encoder.plan, placement="sound")
    encoder.add_words(())  # clips have no words: an untrained word head would predict wrong ones after a few steps
    return encoder


def _resume_settings(options: TrainingOptions, material: TrainingMaterial) -> dict[str, Any]:
    """Return settings, beside the schedule, that must be equal for a state to be resumed."""
    return {
        "encoder": options.architecture,
        "from": options.start,
        "clips": fingerprint_clips(material.train),
        "teacher": bool(options.teacher),
        "genres": material.dataset.genres,
        **({"second teacher": True} if options.second_teacher else {}),
        **({"music": material.music.fingerprint()} if material.music else {}),
    }


def _label_excerpts(
    encoder: Encoder, options: TrainingOptions, material: TrainingMaterial, show: bool
) -> DistillationBatches:
    """Make excerpts labelled by the teacher, and by the second one if given; derive their second source."""
    assert options.teacher is not None
    teacher = Teacher(Path(options.teacher))
    yamnet = Yamnet(Path(options.second_teacher), torch.get_num_threads()) if options.second_teacher else None
    with progress("labelling excerpts", show, options.excerpt_count) as step:
        excerpts = make_excerpts(
            Path(options.excerpts) if options.excerpts else material.cache / "excerpts",
            teacher,
            material.train,
            count=options.excerpt_count,
            augmentation=SpectralAugmentation(),
            seed=options.seed,
            music=material.music,
            on_batch=step,
        )
    second_teacher = None
    if yamnet:
        with progress("labelling again", show, len(excerpts)) as step:
            second_teacher = run_second_teacher(excerpts, yamnet, step)
    with progress("deriving sources", show, len(excerpts)) as step:
        second_source = second_source_of_excerpts(excerpts, encoder, step)
    return DistillationBatches(
        excerpts, encoder, options.lesson_seconds, second_source=second_source, second_teacher=second_teacher
    )


def _agreement_music(
    encoder: Encoder, material: TrainingMaterial, schedule: Schedule, show: bool
) -> TrackCollection | None:
    if not material.music or not schedule.agreement_weight:
        return None
    return music_collection(material.music, _second_source(encoder, material.music, material.cache, show))


def _second_source(encoder: Encoder, source: DecodedAudio, cache: Path, show: bool) -> SecondSourceSamples | None:
    if not uses_second_source(encoder):
        return None
    with progress("deriving sources", show, len(source)) as step:
        return SecondSourceSamples(source, encoder, cache, step)
