"""The training loop (`loop`) and its saved state (`state`): resuming after a stop, and states that are refused."""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import Tensor, nn

from engine.datasets.clips import ClipSamples
from engine.errors import TrainingError
from engine.evaluation.training_curves import TrainingStep
from engine.training import loop
from engine.training.loop import Training
from engine.training.schedule import Schedule
from engine.training.state import Average, write_safetensors
from tests.training.conftest import SmallEncoder

SCHEDULE = Schedule(steps=4, warmup=1, tracks_from=0.0, track_batch=6, track_seconds=2.0)

Begin = Callable[..., Training]


@pytest.fixture(autouse=True)
def _save_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SAVE_EVERY", 1)


@pytest.fixture
def begin(samples: ClipSamples, small_encoder: SmallEncoder, tmp_path: Path) -> Begin:
    """A function that begins, or goes on with, a training without a teacher."""

    def make(schedule: Schedule = SCHEDULE, name: str = "a", **settings: object) -> Training:
        return Training(small_encoder(), samples, schedule, state=tmp_path / f"{name}.state", settings=dict(settings))

    return make


def ignore(_: TrainingStep) -> None:
    """Report to nobody."""


def stop_after(step: int) -> Callable[[TrainingStep], None]:
    """A report that is interrupted, as Ctrl-C would."""

    def report(progress: TrainingStep) -> None:
        if progress.step == step:
            raise KeyboardInterrupt

    return report


def interrupted(training: Training, step: int = 2) -> Training:
    """Run until after a step."""
    with pytest.raises(KeyboardInterrupt):
        training.run(stop_after(step))
    return training


def weights(training: Training) -> dict[str, Tensor]:
    """Copies of the encoder's tensors."""
    return {name: value.clone() for name, value in training.learner.encoder.state_dict().items()}


@pytest.mark.parametrize("step", [1, 3, 4])
def test_a_stopped_training_ends_like_one_that_was_not(begin: Begin, step: int) -> None:
    """Interrupted after any step and run again, a training ends with the weights of an uninterrupted one."""
    whole = begin(name="whole")
    whole.run(ignore)
    interrupted(begin(), step)
    resumed = begin()
    assert resumed.step == step
    steps: list[int] = []
    resumed.run(lambda progress: steps.append(progress.step))
    assert steps == list(range(step + 1, 5))
    for name, value in weights(whole).items():
        torch.testing.assert_close(weights(resumed)[name], value, atol=1e-6, rtol=1e-5, msg=name)


def test_training_changes_weights_and_a_seed_decides_how(begin: Begin, small_encoder: SmallEncoder) -> None:
    """Two trainings of one seed agree; another seed's does not; neither leaves the weights as they were."""
    found = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        training = begin(replace(SCHEDULE, seed=seed), name)
        training.run(ignore)
        found.append(weights(training)["cnn.project.weight"])
    torch.testing.assert_close(found[0], found[1], atol=1e-6, rtol=1e-5)
    assert (found[0] - found[2]).abs().max() > 1e-4
    assert (found[0] - small_encoder().state_dict()["cnn.project.weight"]).abs().max() > 1e-4


def test_the_average_is_what_remains(begin: Begin) -> None:
    """At the end the encoder holds the averaged weights, not those of the last step, and is ready for inference."""
    training = begin()
    training.run(ignore)
    with safe_open(training.state, framework="pt") as file:
        last, averaged = (file.get_tensor(f"{kind}.encoder.cnn.project.weight") for kind in ("module", "average"))
    found = weights(training)["cnn.project.weight"]
    assert torch.equal(found, averaged)
    assert not torch.equal(found, last)
    assert not training.learner.encoder.training


def test_every_loss_teaches_the_labels(begin: Begin) -> None:
    """In some twenty steps on four clips, the genre loss falls well below where it began."""
    losses: list[dict[str, float]] = []
    begin(replace(SCHEDULE, steps=24, learning_rate=5e-3)).run(lambda progress: losses.append(progress.losses))
    assert set(losses[0]) == {"genre", "mood", "metric"}
    early, late = (sum(step["genre"] for step in part) / 3 for part in (losses[:3], losses[-3:]))
    assert late < 0.7 * early


@pytest.mark.parametrize("changes", [{"seed": 5}, {"steps": 9}, {"learning_rate": 1e-4}])
def test_other_schedules_do_not_resume(begin: Begin, changes: dict[str, float]) -> None:
    """A state belongs to its schedule: with another one it is refused and left as it is."""
    state = interrupted(begin()).state
    before = state.read_bytes()
    with pytest.raises(TrainingError, match="other settings or data"):
        begin(replace(SCHEDULE, **changes))  # type: ignore[arg-type]
    assert state.read_bytes() == before


def test_other_settings_do_not_resume(begin: Begin) -> None:
    """A state also belongs to the encoder and the data that were named with it."""
    interrupted(begin(clips="some hash"))
    with pytest.raises(TrainingError, match="other settings or data"):
        begin(clips="another hash")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_damaged_state_is_refused(begin: Begin, share: float) -> None:
    """A state that was cut short is refused in one line that names the next step, and is not overwritten."""
    state = interrupted(begin()).state
    data = state.read_bytes()[: int(share * state.stat().st_size)]
    state.write_bytes(data)
    with pytest.raises(TrainingError, match="remove it to start over") as caught:
        begin()
    assert "\n" not in str(caught.value)
    assert state.read_bytes() == data


def test_a_state_without_its_tensors_is_refused(begin: Begin) -> None:
    """A state with the right settings whose tensors are not this encoder's is refused in one line."""
    state = interrupted(begin()).state
    with safe_open(state, framework="pt") as file:
        metadata = file.metadata()
    write_safetensors(state, {"module.encoder.cnn.project.weight": torch.zeros(3, 3)}, metadata)
    with pytest.raises(TrainingError, match="cannot read it") as caught:
        begin()
    assert "\n" not in str(caught.value)


def test_a_loss_that_is_not_finite_ends_the_training(begin: Begin) -> None:
    """Weights that diverge are an error that names the step; the state saved before it is there and whole."""
    training = begin(replace(SCHEDULE, learning_rate=1e30))
    with pytest.raises(TrainingError, match=r"not finite at step [123]; choose a lower --learning-rate") as caught:
        training.run(ignore)
    assert "\n" not in str(caught.value)
    with safe_open(training.state, framework="pt") as file:
        assert int(file.metadata()["step"]) == training.step > 0


def test_no_labels_no_training(
    samples: ClipSamples, small_encoder: SmallEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clips without genre, mood and artist cannot teach, and the message points to the columns of the CSV."""
    bare = [replace(clip, genres=frozenset(), mood=None, artist="") for clip in samples.clips]
    monkeypatch.setattr(samples, "clips", bare)
    with pytest.raises(TrainingError, match="clips with genres or a quadrant"):
        Training(small_encoder(), samples, SCHEDULE, state=tmp_path / "state", settings={})


def test_the_average_follows_the_weights() -> None:
    """Early steps move the average quickly, later ones by 1 - decay; counters are copied."""
    module = nn.BatchNorm1d(1, affine=False)
    average = Average(module, decay=0.5)
    assert module.running_mean is not None
    assert module.num_batches_tracked is not None
    module.running_mean.fill_(1.0)
    module.num_batches_tracked.fill_(7)
    average.update(module, step=0)  # keeps 1 / 10
    assert average.values["running_mean"].item() == pytest.approx(0.9)
    assert average.values["num_batches_tracked"].item() == 7
    average.update(module, step=1000)  # keeps decay
    assert average.values["running_mean"].item() == pytest.approx(0.95)


def test_the_same_weights_make_the_same_file(tmp_path: Path) -> None:
    """A file's hash is its encoder's id, so equal weights and metadata give equal bytes, which load as written."""
    tensors = {"b": torch.arange(3.0), "a": torch.ones(2, 2).half()}
    metadata = {f"key {i}": f"valüe {i}" for i in range(8)}
    paths = [tmp_path / f"{i}.safetensors" for i in range(6)]
    for path in paths:
        write_safetensors(path, tensors, metadata)
    assert len({path.read_bytes() for path in paths}) == 1
    with safe_open(paths[0], framework="pt") as file:
        assert file.metadata() == metadata
        assert all(torch.equal(file.get_tensor(name), tensors[name]) for name in tensors)


@contextmanager
def small_disk() -> Iterator[None]:
    """No file may grow beyond 4 kB: writing more fails as on a full disk. For one call: pytest writes, too."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_keeps_what_was_written_before(tmp_path: Path) -> None:
    """Writing that fails midway raises one error, and leaves the old file and no unfinished one."""
    path = tmp_path / "weights.safetensors"
    write_safetensors(path, {"a": torch.ones(4)}, {"v": "1"})
    before = path.read_bytes()
    with pytest.raises(TrainingError, match="free space"), small_disk():
        write_safetensors(path, {"a": torch.ones(1 << 16)}, {"v": "2"})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
