"""MusiCNN with random weights (`models.teacher`), the excerpts it labels, and training on them."""

from dataclasses import replace
from pathlib import Path

import librosa
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.signal import resample_poly

from engine.datasets.clips import ClipSamples
from engine.errors import TrainingError
from engine.evaluation.training_curves import TrainingStep
from engine.models.checkpoint import build
from engine.models.encoder import SAMPLE_RATE as ENGINE_RATE, Encoder
from engine.models.teacher import FEATURES, N_MELS, NORM_EPSILON, SAMPLE_RATE, TAGS, Teacher
from engine.training.augment.spectral import SpectralAugmentation
from engine.training.distill.batches import DistillationBatches
from engine.training.distill.excerpts import Excerpts, TeacherTargets
from engine.training.distill.make_excerpts import make_excerpts
from engine.training.distill.teacher_heads import TeacherHeads
from engine.training.loop import Training
from engine.training.schedule import Schedule
from tests.audio import stft
from tests.training.conftest import SmallEncoder

FRONTS = ((7, 38, 204), (7, 67, 204), (128, 1, 51), (64, 1, 51), (32, 1, 51))  # frames, bands, filters
FRONT, MIDDLE = 561, 64  # channels


def random_weights() -> dict[str, np.ndarray]:
    """Arrays of MusiCNN's names and shapes; a third of the norms' scales are negative, as some are in the real ones."""
    random = np.random.default_rng(0)
    arrays = {}
    kernels: list[tuple[int, ...]] = [(height, width, 1, out) for height, width, out in FRONTS]
    kernels += [(7, channels, 1, MIDDLE) for channels in (FRONT, MIDDLE, MIDDLE)]
    for i, shape in enumerate(kernels):
        arrays[f"conv{i}_kernel"] = random.standard_normal(shape) / np.sqrt(np.prod(shape[:3]))
        arrays[f"conv{i}_bias"] = 0.1 * random.standard_normal(shape[3])
    pooled = 2 * (FRONT + 3 * MIDDLE)
    for i, (inputs, outputs) in enumerate(((pooled, FEATURES), (FEATURES, TAGS))):
        arrays[f"dense{i}_kernel"] = random.standard_normal((inputs, outputs)) / np.sqrt(inputs)
        arrays[f"dense{i}_bias"] = 0.1 * random.standard_normal(outputs)
    for i, size in enumerate((1, *(out for *_, out in FRONTS), *(3 * [MIDDLE]), pooled, FEATURES)):
        arrays[f"bn{i}_gamma"] = random.uniform(-0.5, 1.0, size) if i else np.ones(1)
        arrays[f"bn{i}_beta"] = 0.1 * random.standard_normal(size)
        arrays[f"bn{i}_mean"] = 0.1 * random.standard_normal(size)
        arrays[f"bn{i}_var"] = random.uniform(0.5, 1.5, size)
    return {name: array.astype(np.float32) for name, array in arrays.items()}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The random weights as a file."""
    path = tmp_path_factory.mktemp("teacher") / "weights.npz"
    np.savez(path, **random_weights())  # type: ignore[arg-type]
    return path


@pytest.fixture(scope="module")
def teacher(weights: Path) -> Teacher:
    """A teacher that knows nothing."""
    return Teacher(weights)


def published(mel: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """MusiCNN as its authors wrote it: convolution, ReLU, norm, then the maximum over bands; (B, T, N_MELS) ->."""
    w = {name: torch.from_numpy(array) for name, array in random_weights().items()}

    def norm(x: torch.Tensor, i: int) -> torch.Tensor:  # channels last
        scaled = (x - w[f"bn{i}_mean"]) / torch.sqrt(w[f"bn{i}_var"] + NORM_EPSILON)
        return scaled * w[f"bn{i}_gamma"] + w[f"bn{i}_beta"]

    def convolve(x: torch.Tensor, i: int) -> torch.Tensor:  # (B, 1, T, F) -> (B, T, F', out), same length in time
        kernel = w[f"conv{i}_kernel"].permute(3, 2, 0, 1)
        height = kernel.shape[2]
        padded = F.pad(x, (0, 0, (height - 1) // 2, height // 2))
        return norm(F.relu(F.conv2d(padded, kernel, w[f"conv{i}_bias"]).permute(0, 2, 3, 1)), i + 1)

    x = norm(mel[..., None], 0).permute(0, 3, 1, 2)  # (B, 1, T, F)
    front = torch.cat([convolve(x, i).amax(dim=2) for i in range(5)], dim=2)  # (B, T, 561)
    first = convolve(front[:, None], 5)[:, :, 0]
    second = convolve(first[:, None], 6)[:, :, 0] + first
    third = convolve(second[:, None], 7)[:, :, 0] + second
    maps = torch.cat([front, first, second, third], dim=2)
    pooled = norm(torch.stack([maps.amax(dim=1), maps.mean(dim=1)], dim=2).flatten(1), 9)
    features = norm(F.relu(pooled @ w["dense0_kernel"] + w["dense0_bias"]), 10)
    return features, torch.sigmoid(features @ w["dense1_kernel"] + w["dense1_bias"])


@pytest.mark.parametrize("frames", [50, 64])
def test_the_fast_teacher_is_the_published_network(teacher: Teacher, frames: int) -> None:
    """Toeplitz products and early maxima change nothing: features and tags are those of the plain network."""
    mel = torch.rand(2, frames, N_MELS, generator=torch.Generator().manual_seed(1)) * 4
    features, tags = teacher(mel)
    expected_features, expected_tags = published(mel)
    torch.testing.assert_close(features, expected_features, atol=2e-4, rtol=1e-3)
    torch.testing.assert_close(tags, expected_tags, atol=2e-4, rtol=1e-3)


def test_the_teachers_log_mel_is_librosas(teacher: Teacher) -> None:
    """Its front-end is that of the published code: power under librosa's mel filters."""
    sound = 0.1 * np.random.default_rng(2).standard_normal(SAMPLE_RATE).astype(np.float32)
    mel = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=512, n_mels=N_MELS) @ np.abs(stft(sound, 512, 256)) ** 2
    found = teacher.log_mel(torch.from_numpy(sound)[None])[0]
    np.testing.assert_allclose(found.numpy(), np.log10(1 + 1e4 * mel).T[: len(found)], atol=2e-3)


@pytest.mark.parametrize("kind", ["missing", "text", "array", "others", "objects"])
def test_other_files_are_no_teacher(tmp_path: Path, kind: str) -> None:
    """A file that is missing, no .npz, of other arrays, or of pickled objects is refused in one line."""
    path = tmp_path / "teacher.npz"
    if kind == "text":
        path.write_text("no arrays")
    elif kind == "array":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    elif kind == "others":
        np.savez(path, a=np.zeros(3))
    elif kind == "objects":
        np.savez(path, dense1_kernel=np.array([{}], dtype=object))
    with pytest.raises(TrainingError, match=r"expected MusiCNN's weights") as caught:
        Teacher(path)
    assert "\n" not in str(caught.value)


COUNT = 12


@pytest.fixture
def three_seconds() -> Encoder:
    """A small encoder whose segments the teacher judges, untrained."""
    torch.manual_seed(11)
    sizes = {"token_seconds": 3.0, "tokens": 4, "widths": [8, 16], "stem": 8, "frame_dim": 24, "dim": 32}
    return build("attention_signature", sizes)


@pytest.fixture(scope="module")
def excerpts(teacher: Teacher, samples: ClipSamples, tmp_path_factory: pytest.TempPathFactory) -> Excerpts:
    """Twelve labelled excerpts."""
    return make_excerpts(
        tmp_path_factory.mktemp("excerpts"), teacher, samples, count=COUNT, augmentation=SpectralAugmentation(), seed=0
    )


def test_excerpts_are_stored_with_their_targets(excerpts: Excerpts, teacher: Teacher) -> None:
    """A stored excerpt is the one that the teacher labelled: run again, it gives the same outputs."""
    rows, windows = np.array([0, 5, 11]), np.array([3, 0, 2])
    heard = excerpts.read(rows, windows * 3 * ENGINE_RATE, 3 * ENGINE_RATE)
    again = torch.from_numpy(resample_poly(heard.numpy(), 320, 441, axis=1)).float()
    _, tags = teacher(teacher.log_mel(again))
    said = excerpts.targets(rows, windows, 3.0)
    assert said.features.shape == (3, FEATURES)
    assert (said.tags - tags).abs().max() < 0.05
    whole = excerpts.targets(rows, np.zeros(3, int), 12.0).tags
    parts = torch.stack([excerpts.targets(rows, np.full(3, i), 4.0).tags for i in range(3)])
    torch.testing.assert_close(whole, parts.mean(dim=0), atol=1e-3, rtol=1e-3)


def test_labelling_resumes(excerpts: Excerpts, teacher: Teacher, samples: ClipSamples, tmp_path: Path) -> None:
    """Made in two runs, the second for more, the excerpts are those of one run."""
    for count in (8, COUNT):
        again = make_excerpts(tmp_path, teacher, samples, count=count, augmentation=SpectralAugmentation(), seed=0)
    assert len(again) == COUNT
    rows, zeros = np.arange(COUNT), np.zeros(COUNT, int)
    assert torch.equal(again.read(rows, zeros, 1000), excerpts.read(rows, zeros, 1000))
    first, second = (e.targets(rows, zeros, 3.0) for e in (again, excerpts))
    torch.testing.assert_close(first.features, second.features, atol=2e-2, rtol=2e-2)


def test_other_excerpts_are_not_mixed_in(excerpts: Excerpts, teacher: Teacher, samples: ClipSamples) -> None:
    """A folder of excerpts of another seed is refused, and an empty one holds none."""
    with pytest.raises(TrainingError, match="other clips, seed or settings"):
        make_excerpts(excerpts.folder, teacher, samples, count=COUNT, augmentation=SpectralAugmentation(), seed=1)
    with pytest.raises(TrainingError, match="expected labelled excerpts"):
        Excerpts(excerpts.folder / "nothing")


def test_a_segment_that_the_teacher_cannot_label_is_refused(excerpts: Excerpts, small_encoder: SmallEncoder) -> None:
    """An encoder of one-second segments cannot learn from targets of three and four seconds."""
    with pytest.raises(TrainingError, match="3, 4, 6 or 12 seconds"):
        DistillationBatches(excerpts, small_encoder(), 24.0)


@pytest.mark.parametrize(
    ("name", "config"), [("attention_signature", {"widths": (8,)}), ("icff_net", {"source": "mix"})]
)
def test_batches_pair_segments_with_their_targets(excerpts: Excerpts, name: str, config: dict) -> None:
    """A batch holds one row of targets per segment, and the features of a segment come with its own targets."""
    encoder = build(name, config)
    batch = DistillationBatches(excerpts, encoder, 24.0).draw(np.random.default_rng(0))
    segments = encoder.embed(batch.features).shape[0]
    assert segments == 24 / encoder.plan.segment_seconds
    assert batch.targets.features.shape == (segments, FEATURES)
    parts = round(12 / encoder.plan.segment_seconds)
    rows, windows = (axis.ravel() for axis in np.mgrid[:COUNT, :parts])
    known = excerpts.targets(rows, windows, encoder.plan.segment_seconds)
    if encoder.plan.segments > 1:  # hears whole excerpts
        heard = excerpts.read(np.arange(COUNT), np.zeros(COUNT, int), 12 * ENGINE_RATE)
    else:
        length = round(encoder.plan.segment_seconds * ENGINE_RATE)
        heard = excerpts.read(rows, windows * length, length)
    mels = encoder.front_end(heard)["mel"]
    for mel, said in zip(batch.features["mel"], batch.targets.features, strict=True):
        match = (known.features - said).abs().sum(dim=1).argmin()
        torch.testing.assert_close(mel, mels[match], atol=1e-3, rtol=1e-3)


def test_the_teachers_features_are_learnt() -> None:
    """The loss falls when embeddings hold the teacher's features, and gradients reach the embedding."""
    torch.manual_seed(0)
    heads = TeacherHeads(FEATURES)
    said = TeacherTargets(torch.randn(16, FEATURES), torch.rand(16, TAGS))
    vectors = torch.randn(16, FEATURES, requires_grad=True)
    torch.nn.init.eye_(heads.features.weight)
    torch.nn.init.zeros_(heads.features.bias)
    apart, together = heads(vectors, said), heads(said.features, said)
    assert together < apart - 1
    apart.backward()
    assert vectors.grad is not None
    assert vectors.grad.abs().max() > 0


def test_a_training_learns_from_the_teacher_first(
    excerpts: Excerpts, three_seconds: Encoder, samples: ClipSamples, tmp_path: Path
) -> None:
    """With a teacher, early steps learn from it alone and later ones from labels too; a stop resumes at its step."""
    schedule = Schedule(steps=4, warmup=1, tracks_from=0.5, track_batch=4, track_seconds=6.0)
    batches = DistillationBatches(excerpts, three_seconds, 24.0)
    seen: list[TrainingStep] = []
    training = Training(three_seconds, samples, schedule, distillation=batches, state=tmp_path / "a.state", settings={})
    training.run(seen.append)
    assert [set(p.losses) for p in seen[:2]] == [{"teacher"}] * 2
    assert [set(p.losses) for p in seen[2:]] == [{"teacher", "genre", "mood", "metric"}] * 2
    assert all(np.isfinite(list(p.losses.values())).all() for p in seen)
    assert (
        Training(three_seconds, samples, schedule, distillation=batches, state=tmp_path / "a.state", settings={}).step
        == 4
    )
    with pytest.raises(TrainingError, match="other settings"):
        Training(
            three_seconds,
            samples,
            replace(schedule, mood_weight=3.0),
            distillation=batches,
            state=tmp_path / "a.state",
            settings={},
        )
