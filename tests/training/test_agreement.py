"""Agreement of a track's parts: batches, negatives, and training."""

import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine.datasets.clips import ClipSamples
from engine.datasets.label_tensors import label_tensors
from engine.errors import TrainingError
from engine.evaluation.training_curves import TrainingStep
from engine.models.losses import NO_FOLDER, AgreementLoss
from engine.training.agreement import AgreementBatches, TrackCollection, TrackPart, clip_collection, cut_in_two
from engine.training.loop import Training
from engine.training.options import TrainingOptions
from engine.training.pooling.schedule import PoolingSchedule
from engine.training.run import train_encoder
from engine.training.schedule import Schedule
from tests.audio import tone, write_audio
from tests.training.conftest import SmallEncoder
from tests.training.test_running import _small, options  # noqa: F401 (fixtures)

RATE = 22_050
SCHEDULE = Schedule(
    steps=2, warmup=1, tracks_from=1.0, track_batch=4, track_seconds=2.0, agreement_weight=0.3, agreement_windows=2
)


class Tones:
    """Tracks of a tone each, of these seconds."""

    def __init__(self, *seconds: float) -> None:
        self.tracks = [tone(300 + 100 * i, each, RATE) for i, each in enumerate(seconds)]

    def __len__(self) -> int:
        return len(self.tracks)

    def length(self, index: int) -> int:
        """Samples in a track."""
        return len(self.tracks[index])

    def read(self, index: int, start: int, length: int) -> np.ndarray:
        """Samples of a track."""
        part = self.tracks[index][start : start + length]
        return np.pad(part, (0, length - len(part)))


def loss_of(loss: AgreementLoss, views: torch.Tensor, labels: torch.Tensor, folders: list[int]) -> float:
    """The loss of tracks numbered 0, 1, ..."""
    return loss(views, labels, torch.arange(len(folders)), torch.tensor(folders)).item()


def test_the_other_view_is_the_one_positive() -> None:
    """Without a memory, labels and folders the loss is NT-Xent, as worked out by hand."""
    views = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0))
    unit = F.normalize(views, dim=2).flatten(0, 1)
    cosines = (unit @ unit.T / 0.1).masked_fill(torch.eye(6, dtype=torch.bool), -torch.inf)
    expected = F.cross_entropy(cosines, torch.tensor([3, 4, 5, 0, 1, 2]))
    found = loss_of(AgreementLoss(4, 1), views, torch.zeros(3, 1), [NO_FOLDER] * 3)
    assert found == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("kind", ["label", "folder"])
def test_what_may_sound_alike_is_no_negative(kind: str) -> None:
    """Two tracks that share a label or a folder are not contrasted: with no other track there is nothing to learn."""
    views = torch.randn(2, 2, 4, generator=torch.Generator().manual_seed(1))
    labels = torch.ones(2, 1) if kind == "label" else torch.zeros(2, 1)
    folders = [7, 7] if kind == "folder" else [NO_FOLDER] * 2
    assert loss_of(AgreementLoss(4, 1), views, labels, folders) == pytest.approx(0, abs=1e-6)
    assert loss_of(AgreementLoss(4, 1), views, torch.zeros(2, 1), [NO_FOLDER] * 2) > 0.01


def test_the_memory_holds_negatives_but_not_the_track_itself() -> None:
    """Another track of a past batch counts against a view; the same track of a past batch does not."""
    loss = AgreementLoss(2, 1)
    views, nothing = torch.ones(2, 1, 2), torch.zeros(1, 1)
    assert loss_of(loss, views, nothing, [NO_FOLDER]) == pytest.approx(0, abs=1e-6)
    assert loss_of(loss, views, nothing, [NO_FOLDER]) == pytest.approx(0, abs=1e-6)
    other = loss(views, nothing, torch.tensor([1]), torch.tensor([NO_FOLDER])).item()
    assert other == pytest.approx(math.log(5), rel=1e-5)  # itself once, and four remembered that are as near


@pytest.mark.parametrize("length", [10, 199, 200, 230, 10_000])
def test_parts_are_disjoint_and_hold_a_window(length: int) -> None:
    """The two parts share no sample and make up the track; a window fits into each where two fit into the track."""
    for seed in range(50):
        (first, cut), (also, end) = cut_in_two(length, 100, np.random.default_rng(seed))
        assert (first, also, end) == (0, cut, length)
        assert 0 < cut < length
        assert length < 200 or min(cut, length - cut) >= 100


def test_nothing_is_heard_beyond_a_part() -> None:
    """What lies behind a part's end is silent, though the track goes on."""
    source = Tones(1.0)
    heard = TrackPart(source, 1000, 1500).read(0, 400, 300)
    np.testing.assert_array_equal(heard[:100], source.tracks[0][1400:1500])
    assert not heard[100:].any()
    assert not TrackPart(source, 1000, 1500).read(0, 600, 300).any()


def test_pairs_hold_clips_and_tracks(samples: ClipSamples, small_encoder: SmallEncoder) -> None:
    """A batch has both kinds, none twice; clips bring their labels, tracks their folders; windows come in two sets."""
    encoder = small_encoder()
    labels = label_tensors(samples.clips, encoder.genres, encoder.moods).relation
    music = TrackCollection(Tones(3.0, 4.0, 5.0), None, np.array([0, 0, 1]))
    schedule = replace(SCHEDULE, agreement_clips=3, agreement_tracks=6)
    pairs = AgreementBatches(clip_collection(samples, None), labels, music, encoder, schedule).draw(
        np.random.default_rng(0)
    )
    numbers = pairs.tracks.tolist()
    assert len(set(numbers)) == len(numbers) == 3 + 3
    assert pairs.features["mel"].shape[0] == 2 * 6 * schedule.agreement_windows
    for number, row, folder in zip(numbers, pairs.labels, pairs.folders.tolist(), strict=True):
        clip = number < len(samples)
        assert torch.equal(row, labels[number] if clip else torch.zeros(labels.shape[1]))
        assert folder == (NO_FOLDER if clip else [0, 0, 1][number - len(samples)])


def test_agreement_trains_and_resumes(samples: ClipSamples, small_encoder: SmallEncoder, tmp_path: Path) -> None:
    """Its loss counts from the first step on, beside the others; a finished state is taken up as it was left."""
    music = TrackCollection(Tones(3.0, 4.0), None, np.array([0, 1]))
    seen: list[TrainingStep] = []
    state = tmp_path / "a.state"
    Training(small_encoder(), samples, SCHEDULE, state=state, settings={}, music=music).run(seen.append)
    assert [set(p.losses) for p in seen] == [{"agreement", "genre", "mood", "metric"}] * 2
    assert all(math.isfinite(loss) for p in seen for loss in p.losses.values())
    again = Training(small_encoder(), samples, SCHEDULE, state=state, settings={}, music=music)
    assert again.step == 2
    assert (again.learner.agreement.tracks != -1).sum() == 2 * 2 * 6  # steps, views, four clips and two tracks


def test_a_training_with_music_says_so(
    options: TrainingOptions,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`music` enables agreement, is counted in the report without short tracks, and other music does not resume."""
    monkeypatch.setattr("engine.training.run.PoolingSchedule", partial(PoolingSchedule, steps=2, runs=1))
    folder = tmp_path / "music"
    folder.mkdir()
    for name, seconds in (("a", 46), ("b", 47), ("short", 5)):
        write_audio(folder / f"{name}.wav", tone(300 + seconds, seconds, RATE), RATE)
    asked = replace(options, music=(str(folder),))
    training = train_encoder(asked, show=False).report.document["training"]
    assert training["tracks without labels"] == 2
    (folder / "b.wav").unlink()
    with pytest.raises(TrainingError, match="other settings or data"):
        train_encoder(asked, show=False)
    (folder / "a.wav").unlink()
    with pytest.raises(TrainingError, match="expected tracks of 45 s or more"):
        train_encoder(asked, show=False)


def test_a_second_teacher_needs_a_first(options: TrainingOptions) -> None:  # noqa: F811
    """A second teacher alone is refused before a clip is read."""
    with pytest.raises(TrainingError, match="expected --teacher beside --second-teacher"):
        train_encoder(replace(options, second_teacher="yamnet.tflite", data="missing.csv"), show=False)
