"""Options of `engine train`, checked before anything is read, and the schedule that they imply."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.errors import OutputError, TrainingError
from engine.evaluation.report_folder import check_report_folder
from engine.models.weights_files import DEFAULT, shipped_path
from engine.training.augment.waveform_settings import WaveformAugmentation, read_augmentation
from engine.training.schedule import Schedule
from engine.training.state import STATE, WEIGHTS
from engine.util.atomic_files import check_output
from engine.util.paths import real_path

AGREEMENT_WEIGHT = 0.3  # default of --agreement with unlabelled music


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """Options of `engine train`.

    Attributes:
        data: A CSV of clips, or a folder.
        out: Weights file to write (.safetensors); the report folder and the state are written beside it.
        encoder: Architecture; None for the default.
        teacher, second_teacher: MusiCNN's and YAMNet's weights; the second requires the first.
        excerpts: Folder for teacher-labelled excerpts; by default in the cache.
        excerpt_count: Number of excerpts.
        start: Weights to continue from; None for random ones.
        steps: Steps of the trunk; 0 leaves it unchanged.
        seed: Seed of weights and draws.
        learning_rate, lesson_seconds, track_seconds, tracks_from: See `engine.training.schedule.Schedule`.
        cache: Folder for decoded clips; by default in the user's cache directory.
        threads: CPU threads; None for the default.
        layout, labels, subset: See `engine.datasets.loading.read_dataset`.
        augment: TOML file of waveform augmentation; None for none.
        music: Folders of unlabelled whole tracks.
        agreement: Weight of the agreement loss; by default AGREEMENT_WEIGHT with music, else 0.
    """

    data: str
    out: str
    encoder: str | None = None
    teacher: str | None = None
    second_teacher: str | None = None
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
    music: tuple[str, ...] = ()
    agreement: float | None = None

    @property
    def architecture(self) -> str:
        """Name of the encoder without a hash."""
        return (self.encoder or DEFAULT).partition("@")[0]

    @property
    def state(self) -> Path:
        """File for the state of an unfinished training."""
        out = Path(self.out)
        return out.with_name(f"{out.name}.state")

    @property
    def report(self) -> Path:
        """Folder for the report."""
        return Path(self.out).with_suffix(".report")


def check_options(options: TrainingOptions) -> None:
    """Check options and output files, before hours of training.

    Raises:
        TrainingError: A teacher is missing, `out` cannot be written, or something else is at the report's place.
        OutputError: Another file exists at `out` or the state's place, or `out` would replace shipped weights.
    """
    if options.second_teacher and not options.teacher:
        raise TrainingError("expected --teacher beside --second-teacher, found none", hint="name MusiCNN's weights")
    out = Path(options.out)
    try:
        if out.suffix != ".safetensors" or not out.absolute().parent.is_dir():
            raise TrainingError(f"expected --out FILE.safetensors in a folder that exists, found {out}")
        real = check_output(out, WEIGHTS)
        check_output(options.state, STATE)
    except OSError as error:
        raise TrainingError(f"cannot write {out}: {error}", hint="choose another place") from error
    if real.parent == real_path(shipped_path(DEFAULT)).parent:
        raise OutputError(f"{out} is in the folder of the weights that ship with Engine", hint="choose another folder")
    check_report_folder(options.report)


def make_schedule(options: TrainingOptions) -> Schedule:
    """Return the schedule for these options.

    Raises:
        TrainingError: The file of augmentations cannot be read or has invalid settings.
    """
    agreement = AGREEMENT_WEIGHT if options.music else 0.0
    return Schedule(
        steps=options.steps,
        seed=options.seed,
        learning_rate=options.learning_rate,
        lesson_seconds=options.lesson_seconds,
        track_seconds=options.track_seconds,
        tracks_from=options.tracks_from if options.teacher else 0.0,
        effects=read_augmentation(Path(options.augment)) if options.augment else WaveformAugmentation(),
        agreement_weight=agreement if options.agreement is None else options.agreement,
    )
