"""The second teacher: its network, its stored outputs, and distillation from them.

Covers `engine.models.yamnet`, too.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.errors import TrainingError
from engine.models.checkpoint import build
from engine.models.encoder import SAMPLE_RATE
from engine.models.teacher import FEATURES as FIRST_FEATURES, TAGS
from engine.models.yamnet import FEATURES, PATCH_SAMPLES, WORDS, Yamnet
from engine.training.distill.batches import DistillationBatches
from engine.training.distill.excerpts import EXCERPT_SAMPLES, EXCERPT_SECONDS, TARGET_SECONDS, Excerpts, TeacherTargets
from engine.training.distill.second_teacher import PATCHES, SecondTeacherTargets, run_second_teacher, yamnet_patches
from engine.training.distill.teacher_heads import TeacherHeads, joint_space
from tests.audio import peak_frequency, tone
from tests.training.networks import kernel, write_network

COUNT = 5


def bank(folder: Path, count: int = COUNT, seed: int = 0) -> Excerpts:
    """A folder as MusiCNN's judging leaves it, of noise whose level changes every second."""
    random = np.random.default_rng(seed)
    folder.mkdir(exist_ok=True)
    levels = np.repeat(random.uniform(100, 6000, (count, EXCERPT_SECONDS)), SAMPLE_RATE, axis=1)
    np.save(folder / "audio.npy", (random.uniform(-1, 1, (count, EXCERPT_SAMPLES)) * levels).astype(np.int16))
    for seconds in TARGET_SECONDS:
        windows = EXCERPT_SECONDS // seconds
        for name, width in (("features", FIRST_FEATURES), ("tags", TAGS)):
            np.save(folder / f"{name}{seconds}.npy", random.random((count, windows, width)).astype(np.float16))
    (folder / "judged.json").write_text(json.dumps({"count": count, "made_of": {"seed": seed}}))
    return Excerpts(folder)


@pytest.fixture(scope="module")
def yamnet(tmp_path_factory: pytest.TempPathFactory) -> Yamnet:
    """The network of YAMNet's shape."""
    return Yamnet(write_network(tmp_path_factory.mktemp("network") / "yamnet.tflite"))


def test_the_network_answers_patch_by_patch(yamnet: Yamnet) -> None:
    """Features and logits are the network's inner tensors of those names, each patch's its own."""
    patches = np.random.default_rng(1).uniform(-1, 1, (3, PATCH_SAMPLES)).astype(np.float32)
    features, logits = yamnet(patches)
    np.testing.assert_allclose(features, np.abs(patches[:, :FEATURES]), rtol=1e-6)
    np.testing.assert_allclose(logits, features @ kernel().T, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "other"])
def test_other_files_are_no_second_teacher(tmp_path: Path, kind: str) -> None:
    """A file that is missing, no .tflite, or another network is refused in one line."""
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    path = tmp_path / "yamnet.tflite"
    if kind == "other":
        write_network(path, "another name")
    elif kind != "missing":
        path.write_text("no network" * 100 if kind == "text" else "")
    with pytest.raises(TrainingError, match="expected YAMNet") as caught:
        Yamnet(path)
    assert "\n" not in str(caught.value)


def test_without_its_package_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where ai-edge-litert is not installed, the error names the extra that installs it."""
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(TrainingError, match=r"pip install 'music-engine\[teachers\]'"):
        Yamnet(tmp_path / "yamnet.tflite")


def test_patches_are_the_sound_at_the_teachers_rate() -> None:
    """A tone retains its pitch and its level, and a patch begins at every full second."""
    heard = torch.from_numpy(tone(1000, EXCERPT_SECONDS, SAMPLE_RATE, level=0.5))[None].clone()
    heard[:, : 3 * SAMPLE_RATE] = 0
    patches = yamnet_patches(heard)
    assert patches.shape == (1, PATCHES, PATCH_SAMPLES)
    assert abs(peak_frequency(patches[0, 7], 16_000) - 1000) < 1
    levels = np.sqrt(np.square(patches[0]).mean(axis=1))
    np.testing.assert_allclose(levels[:3], 0, atol=5e-3)
    np.testing.assert_allclose(levels[3:], 0.5 / 2**0.5, rtol=0.01)


@pytest.mark.parametrize("seconds", [3, 4, 12])
def test_a_windows_answer_is_the_mean_of_its_patches(yamnet: Yamnet, tmp_path: Path, seconds: int) -> None:
    """Words are mean probabilities, features mean roots, over the patches that begin in the window."""
    excerpts = bank(tmp_path)
    second_teacher = run_second_teacher(excerpts, yamnet)
    numbers = np.arange(COUNT)
    windows = numbers % (EXCERPT_SECONDS // seconds)
    said = second_teacher.targets(numbers, windows, float(seconds))
    heard = yamnet_patches(excerpts.read(numbers, np.zeros(COUNT, int), EXCERPT_SAMPLES))
    parts = np.stack([heard[i, w * seconds : (w + 1) * seconds] for i, w in enumerate(windows)])
    features, logits = (answer.reshape(COUNT, seconds, -1) for answer in yamnet(parts.reshape(-1, PATCH_SAMPLES)))
    np.testing.assert_allclose(said.words.numpy(), (1 / (1 + np.exp(-logits))).mean(axis=1), atol=5e-3)
    roots = np.sqrt(features).mean(axis=1)
    offset = roots - said.features.numpy() * second_teacher._deviation
    np.testing.assert_allclose(offset, np.broadcast_to(second_teacher._mean, offset.shape), atol=5e-3)


def test_a_folder_that_one_teacher_judged_can_be_judged_again(yamnet: Yamnet, tmp_path: Path) -> None:
    """Labelled in two runs, outputs are those of one; nothing is labelled twice; new excerpts are labelled anew."""
    judged: list[int] = []
    bank(tmp_path / "a", 3)
    run_second_teacher(Excerpts(tmp_path / "a"), yamnet)
    note = json.loads((tmp_path / "a" / "judged.json").read_text())
    rows = np.arange(3)
    before = run_second_teacher(Excerpts(tmp_path / "a"), yamnet, judged.append).targets(rows, rows, 3.0)
    assert judged == [3]
    assert note["count"] == 3
    anew = bank(tmp_path / "a", 3, seed=1)
    judged.clear()
    after = run_second_teacher(anew, yamnet, judged.append).targets(rows, rows, 3.0)
    assert judged == [0, 3]
    assert (before.words - after.words).abs().max() > 0.01


def test_damaged_answers_are_refused(yamnet: Yamnet, tmp_path: Path) -> None:
    """Outputs of another shape, or a damaged note, are an error in one line that names the file to remove."""
    excerpts = bank(tmp_path)
    run_second_teacher(excerpts, yamnet)
    np.save(tmp_path / "yamnet_logits.npy", np.zeros((COUNT, 3)))
    with pytest.raises(TrainingError, match=r"remove yamnet\.json there"):
        run_second_teacher(excerpts, yamnet)
    (tmp_path / "yamnet.json").write_text("{}")
    with pytest.raises(TrainingError, match="is damaged"):
        run_second_teacher(excerpts, yamnet)


def test_lessons_bring_both_teachers_answers(yamnet: Yamnet, tmp_path: Path) -> None:
    """A segment comes with the targets of both teachers, and the loss of both reaches every head."""
    excerpts = bank(tmp_path)
    second_teacher = run_second_teacher(excerpts, yamnet)
    encoder = build("attention_signature", {"widths": (8,)})
    batch = DistillationBatches(excerpts, encoder, 12.0, second_teacher=second_teacher).draw(np.random.default_rng(0))
    assert batch.second_targets is not None
    seconds = encoder.plan.segment_seconds
    rows, windows = (axis.ravel() for axis in np.mgrid[:COUNT, : round(EXCERPT_SECONDS / seconds)])
    first = excerpts.targets(rows, windows, seconds)
    second = second_teacher.targets(rows, windows, seconds)
    for said, words in zip(batch.targets.features, batch.second_targets.words, strict=True):
        match = (first.features - said).abs().sum(dim=1).argmin()
        torch.testing.assert_close(words, second.words[match])
    heads = TeacherHeads(encoder.dim, second=True)
    heads(torch.randn(len(batch.targets.features), encoder.dim), batch.targets, batch.second_targets).backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in heads.parameters())


def test_words_that_never_occur_teach_nothing() -> None:
    """Only words that occur count: the others get no gradient."""
    heads = TeacherHeads(8, second=True)
    heard = torch.zeros(WORDS, dtype=torch.bool)
    heard[:5] = True
    said = TeacherTargets(torch.randn(4, FIRST_FEATURES), torch.rand(4, TAGS))
    heads(
        torch.randn(4, 8), said, SecondTeacherTargets(torch.randn(4, FEATURES), torch.rand(4, WORDS), heard)
    ).backward()
    assert heads.words.bias.grad is not None
    assert heads.words.bias.grad[:5].abs().min() > 0
    assert not heads.words.bias.grad[5:].any()


def test_neither_teacher_drowns_in_the_joined_space() -> None:
    """Standardised features of either width get a length of their share: 1 to 0.8."""
    first, second = torch.randn(64, FIRST_FEATURES), torch.randn(64, FEATURES)
    both = joint_space(first, second)
    lengths = [part.square().sum(dim=1).mean().sqrt().item() for part in both.split([FIRST_FEATURES, FEATURES], dim=1)]
    assert lengths == pytest.approx([1, 0.8], rel=0.05)


def test_the_published_network_knows_a_siren_from_noise() -> None:
    """YAMNet itself, where it is at hand: a pure tone and white noise get other words, features are not below 0."""
    path = os.environ.get("ENGINE_YAMNET")
    if not path:
        pytest.skip("set ENGINE_YAMNET to yamnet.tflite to test it")
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, PATCH_SAMPLES).astype(np.float32)
    features, logits = Yamnet(Path(path))(np.stack([tone(1000, PATCH_SAMPLES / 16_000, 16_000), noise]))
    assert features.min() >= 0
    assert logits.argmax(axis=1)[0] != logits.argmax(axis=1)[1]
