"""A study on a few synthetic clips (`run`, `rows`, `units`, `features`, `unit_training`, `table`)."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.datasets.clips import ClipSamples
from engine.datasets.loading import read_dataset
from engine.errors import TrainingError
from engine.study import run as study_run, unit_training
from engine.study.plan import read_study
from engine.study.rows import OURS, PAPER, run_row
from engine.study.run import StudyOptions, run_study
from tests.audio import write_audio
from tests.small_study import study_text
from tests.training.conftest import write_rows

RATE = 22_050
TEXT = study_text(title="A small study", steps=40, batch=8, shares=[0.75, 0.0, 0.25])


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen short clips: tones are jazz, noise is metal; four of them are held out."""
    folder = tmp_path_factory.mktemp("study")
    time = np.arange(2 * RATE) / RATE
    rows = []
    for i in range(16):
        random = np.random.default_rng(i)
        tones = 0.1 * np.sin(2 * np.pi * random.uniform(200, 900, (3, 1)) * time).sum(axis=0)
        sound = tones if i % 2 else 0.2 * random.standard_normal(len(time))
        write_audio(folder / f"{i}.wav", sound.astype(np.float32), RATE)
        split = "train" if i < 12 else "valid"
        rows.append({"file": f"{i}.wav", "split": split, "artist": f"a{i}", "genres": ("metal", "jazz")[i % 2]})
    return write_rows(folder / "clips.csv", rows)


@pytest.fixture
def options(table: Path, tmp_path: Path) -> StudyOptions:
    """The small study."""
    study = tmp_path / "small.toml"
    study.write_text(TEXT, "utf-8")
    return StudyOptions(
        study=str(study), data=str(table), out=str(tmp_path / "out"), cache=str(tmp_path / "cache"), threads=1
    )


def samples(table: Path, cache: Path) -> list[ClipSamples]:
    """Train and valid clips."""
    clips = read_dataset(table).clips
    return [ClipSamples([c for c in clips if c.split == split], cache) for split in ("train", "valid")]


def test_a_study_ends_with_a_table(options: StudyOptions) -> None:
    """Each row learns to tell tones from noise; the table has a line each, with intervals, seconds and the claim."""
    outcome = run_study(options, show=False)
    assert [row["name"] for row in outcome.rows] == ["with", "without"]
    for row in outcome.rows:
        assert np.mean(row["losses"][-10:]) < np.mean(row["losses"][:10])
        for protocol, clips in ((PAPER, 9), (OURS, 4)):
            accuracy = row["figures"][protocol][0]
            assert accuracy["clips"] == clips
            assert accuracy["low"] <= accuracy["value"] <= accuracy["high"]
    text = (outcome.folder / "report.md").read_text("utf-8")
    assert text == outcome.table
    assert "| with | 90 % | " in text
    assert "attention helps" in text
    assert len(list((outcome.folder / "rows").glob("*.confusion.png"))) == 4
    assert outcome.rows[0]["parameters"] > outcome.rows[1]["parameters"]


def test_a_stopped_study_goes_on(options: StudyOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped in its second row, a study runs that one only when run again, and a damaged row once more."""
    ran: list[str] = []
    real = study_run.run_row

    def once(row, *rest):  # type: ignore[no-untyped-def]
        ran.append(row.name)
        if len(ran) == 2:
            raise KeyboardInterrupt
        return real(row, *rest)

    monkeypatch.setattr(study_run, "run_row", once)
    with pytest.raises(KeyboardInterrupt):
        run_study(options, show=False)
    outcome = run_study(options, show=False)
    assert ran == ["with", "without", "without"]
    next((outcome.folder / "rows").glob("*.json")).write_text("{", "utf-8")
    run_study(options, show=False)
    assert len(ran) == 4


def test_a_row_runs_the_same_twice(options: StudyOptions, table: Path, tmp_path: Path) -> None:
    """One seed, one result: a row that is run again, has the same losses and predictions."""
    row = read_study(Path(options.study)).rows[0]
    train, valid = samples(table, tmp_path / "cache")
    first, second = (run_row(row, train, valid, tmp_path / "cache") for _ in range(2))
    assert first.losses == second.losses
    np.testing.assert_array_equal(first.results[PAPER].confusion, second.results[PAPER].confusion)


@pytest.mark.parametrize(
    "change",
    [
        {"unit": "tracks"},
        {"unit": "tracks", "folds": 3, "steps": 3},
        {"unit": "tracks", "folds": 3, "steps": 3, "artists": True},
        {"augment": ("shift",)},
    ],
)
def test_tracks_folds_and_variants(options: StudyOptions, table: Path, tmp_path: Path, change: dict) -> None:
    """Rows may split tracks, cross-validate (every track is tested once), and enlarge their training side."""
    row = replace(read_study(Path(options.study)).rows[0], **change)
    train, valid = samples(table, tmp_path / "cache")
    result = run_row(row, train, valid, tmp_path / "cache")
    tested = result.results[PAPER].figures[0].clips
    assert tested == (12 if row.folds else 3 if row.unit == "tracks" else 9)
    assert len(result.losses) == row.steps * max(1, row.folds)


def test_features_are_read_once(
    options: StudyOptions, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second row with the same front-end reads no audio: its features come from the cache."""
    train, valid = samples(table, tmp_path / "cache")
    first, second = read_study(Path(options.study)).rows
    run_row(first, train, valid, tmp_path / "cache")
    monkeypatch.setattr(ClipSamples, "read", lambda *_: pytest.fail("audio was read again"))
    run_row(second, train, valid, tmp_path / "cache")


def test_nothing_to_learn_is_told(options: StudyOptions, table: Path, tmp_path: Path) -> None:
    """One class only, or clips of no such data set, is refused before any training."""
    row = read_study(Path(options.study)).rows[0]
    train, valid = samples(table, tmp_path / "cache")
    for change in ({"classes": ("jazz",)}, {"dataset": "nothing"}, {"task": "valence"}):
        with pytest.raises(TrainingError, match="expected clips of two classes"):
            run_row(replace(row, **change), train, valid, tmp_path / "cache")


def test_a_loss_that_is_not_finite_names_its_row(
    options: StudyOptions, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A diverging row stops the study, naming the row and the setting to change."""
    real: Callable = unit_training.set_loss
    monkeypatch.setattr(unit_training, "set_loss", lambda *given: real(*given) * float("nan"))
    row = read_study(Path(options.study)).rows[0]
    with pytest.raises(TrainingError, match="row 'with': loss is not finite at step 0"):
        run_row(row, *samples(table, tmp_path / "cache"), tmp_path / "cache")
