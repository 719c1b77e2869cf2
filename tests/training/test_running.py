"""A whole training (`run`, `options`, `material`, `trunk`): from a CSV to weights and report; and its errors."""

import csv
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from engine.datasets.clips import ClipSamples
from engine.errors import TrainingError
from engine.evaluation.report import Evaluation, evaluate
from engine.models.attention_signature import AttentionSignatureConfig
from engine.models.checkpoint import load_encoder
from engine.models.encoder import Encoder
from engine.models.weights_files import find_encoder, read_metadata
from engine.training.heads import fit_heads
from engine.training.options import TrainingOptions
from engine.training.run import TrainingOutcome, train_encoder
from tests.embedding import embed_file
from tests.training.conftest import write_rows


@dataclass(frozen=True)
class SmallConfig(AttentionSignatureConfig):
    """A network that trains in a moment."""

    tokens: int = 4
    token_seconds: float = 1.0
    stem: int = 8
    widths: tuple[int, ...] = (8, 16)
    frame_dim: int = 24
    dim: int = 32


@pytest.fixture(scope="module", autouse=True)
def _small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.models.attention_signature.AttentionSignatureConfig", SmallConfig)
        patch.setattr(fit_heads, "PENALTIES", (1e-2, 1e-1))
        yield


@pytest.fixture
def options(table: Path, tmp_path: Path) -> TrainingOptions:
    """Two steps on the six clips."""
    return TrainingOptions(
        data=str(table), out=str(tmp_path / "new.safetensors"), steps=2, cache=str(tmp_path / "cache"), threads=1
    )


@pytest.fixture(scope="module")
def finished(table: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingOptions:
    """The options of `outcome`."""
    folder = tmp_path_factory.mktemp("trained")
    out, cache = str(folder / "new.safetensors"), str(folder / "cache")
    return TrainingOptions(data=str(table), out=out, steps=2, cache=cache, threads=1)


@pytest.fixture(scope="module")
def outcome(finished: TrainingOptions) -> TrainingOutcome:
    """One training, for the tests of its output files, and of running it again."""
    outcome = train_encoder(finished, show=False)
    assert outcome.report.document["seconds"]["training"] > 0
    assert (outcome.report.folder / "training-curves.png").stat().st_size > 1000
    return outcome


def subset(table: Path, target: Path, **changes: object) -> Path:
    """A copy of the table whose files keep their place and whose columns are replaced, row by row."""
    with table.open(newline="") as file:
        rows = [row | {"file": str(table.parent / row["file"])} for row in csv.DictReader(file)]
    for column, values in changes.items():
        assert isinstance(values, list)
        rows = [row | {column: value} for row, value in zip(rows, values, strict=True)]
    return write_rows(target, [row for row in rows if row["file"]])


def says(encoder: Encoder, path: Path) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A file's signature, genres and moods."""
    encoded = embed_file(os.fsencode(path), encoder).embedding
    signature, genres, moods = (torch.from_numpy(v) for v in (encoded.signature, encoded.genres, encoded.moods))
    return signature, genres, moods


def tasks(outcome: TrainingOutcome) -> set[str]:
    """What a report has figures of."""
    return {figure["task"] for figure in outcome.report.document["figures"]}


def test_weights_load_and_encode(outcome: TrainingOutcome, table: Path) -> None:
    """The file that a training leaves is an encoder: found by its path, named by its hash, ready to encode."""
    file = find_encoder(str(outcome.path))
    assert file.id == outcome.encoder
    encoder = load_encoder(file)
    signature, genres, moods = says(encoder, table.parent / "e.wav")
    assert signature.norm().item() == pytest.approx(1, abs=1e-5)
    assert torch.isfinite(torch.cat([genres, moods])).all()
    assert (encoder.config.tokens, encoder.config.widths) == (4, (8, 16))


def test_heads_and_centroids_know_the_clips(outcome: TrainingOutcome, table: Path) -> None:
    """A train clip's likeliest genre is one of its own; centroids are unit rows where clips were, zero elsewhere."""
    encoder = load_encoder(find_encoder(str(outcome.path)))
    assert says(encoder, table.parent / "a.wav")[1].argmax() == 5  # jazz
    assert says(encoder, table.parent / "b.wav")[1].argmax() == 6  # metal
    lengths = encoder.centroids.norm(dim=1)
    assert lengths[[0, 5, 6]].tolist() == pytest.approx([1, 1, 1], abs=1e-4)
    assert lengths.sum().item() == pytest.approx(3, abs=1e-4)


def test_the_report_says_how_and_how_well(outcome: TrainingOutcome) -> None:
    """Report and checkpoint say how it was trained; every figure of the valid split has its interval and its clips."""
    folder = outcome.path.with_suffix(".report")
    document = json.loads((folder / "figures.json").read_text("utf-8"))
    assert document == outcome.report.document
    assert document["encoder"] == outcome.encoder
    assert document["training"] == json.loads(read_metadata(outcome.path)["training"])
    assert {"data": "clips.csv", "clips": 4, "skipped": 0, "steps": 2, "seed": 0}.items() <= document[
        "training"
    ].items()
    names = [f"{figure['task']} {figure['name']}" for figure in document["figures"]]
    assert {"genre accuracy", "genre precision at 5", "mood accuracy", "mood precision at 5"} <= set(names)
    for figure in document["figures"]:
        assert figure["clips"] == (1 if figure["task"] == "valence" else 2)
        if figure["name"] == "accuracy":
            assert 0 <= figure["low"] <= figure["value"] <= figure["high"] <= 1
    assert document["protocol"] == "as given: 0 of 2 clips are by artists that are also in train"
    assert "training-curves.png" in (folder / "report.md").read_text("utf-8")


@pytest.mark.usefixtures("outcome")
def test_another_csv_does_not_resume(finished: TrainingOptions, table: Path, tmp_path: Path) -> None:
    """With as many clips but other labels, the state of the training before is refused."""
    swapped = subset(table, tmp_path / "other.csv", genres=["metal", "jazz", "metal", "jazz", "jazz", "metal"])
    with pytest.raises(TrainingError, match="other settings or data"):
        train_encoder(replace(finished, data=str(swapped)), show=False)


def test_running_again_changes_nothing(finished: TrainingOptions, outcome: TrainingOutcome) -> None:
    """A finished training that is run again trains no further, to the bit; its report has no steps to draw or time."""
    again = train_encoder(finished, show=False)
    assert again.encoder == outcome.encoder
    assert not (again.report.folder / "training-curves.png").exists()
    assert again.report.document["seconds"]["training"] is None


def test_genres_alone_are_enough(options: TrainingOptions, table: Path, tmp_path: Path) -> None:
    """Without quadrants the mood head finds all moods equally likely, and nothing is NaN."""
    genres_only = subset(table, tmp_path / "genres.csv", quadrant=[""] * 6)
    outcome = train_encoder(replace(options, data=str(genres_only)), show=False)
    signature, genres, moods = says(load_encoder(find_encoder(str(outcome.path))), table.parent / "e.wav")
    assert moods.tolist() == pytest.approx([0.25] * 4)
    assert torch.isfinite(torch.cat([signature, genres])).all()
    assert tasks(outcome) == {"genre"}


def test_quadrants_alone_are_enough(options: TrainingOptions, table: Path, tmp_path: Path) -> None:
    """Without genres the genre head finds all equally likely, and nothing is NaN."""
    moods_only = subset(table, tmp_path / "moods.csv", genres=[""] * 6)
    outcome = train_encoder(replace(options, data=str(moods_only)), show=False)
    _, genres, moods = says(load_encoder(find_encoder(str(outcome.path))), table.parent / "e.wav")
    assert genres.tolist() == pytest.approx([1 / 15] * 15)
    assert torch.isfinite(moods).all()


def test_one_valid_clip_is_measured(options: TrainingOptions, table: Path, tmp_path: Path) -> None:
    """A valid split of one clip has an accuracy; without neighbours it has no precision, and that is no error."""
    one = subset(table, tmp_path / "one.csv", split=["train"] * 5 + ["valid"])
    outcome = train_encoder(replace(options, data=str(one)), show=False)
    names = {figure["name"] for figure in outcome.report.document["figures"]}
    assert "accuracy" in names
    assert not {"precision at 5", "same artist within 5", "hub skewness"} & names


def test_unreadable_clips_are_reported(options: TrainingOptions, table: Path, tmp_path: Path) -> None:
    """A clip that cannot be read is left out, counted and named in the report."""
    files = [str(table.parent / name) for name in ("a.wav", "b.wav", "c.wav", "missing.wav", "e.wav", "f.wav")]
    outcome = train_encoder(replace(options, data=str(subset(table, tmp_path / "x.csv", file=files))), show=False)
    document = outcome.report.document
    assert [clip["file"] for clip in document["skipped"]] == ["missing.wav"]
    assert (document["training"]["clips"], document["training"]["skipped"]) == (3, 1)


def test_nothing_readable_is_an_error(options: TrainingOptions, table: Path, tmp_path: Path) -> None:
    """When no clip of a split can be read, the first reason is given, and no weights are written."""
    data = subset(table, tmp_path / "x.csv", file=[f"{i}.wav" for i in range(6)])
    with pytest.raises(TrainingError, match="readable clips of split 'train'"):
        train_encoder(replace(options, data=str(data)), show=False)
    assert not Path(options.out).exists()


def test_a_report_that_cannot_be_written_says_where_the_weights_are(
    options: TrainingOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weights are there by then: the error names them, and a file put at the report's place meanwhile stays."""
    notes = Path(options.out).with_suffix(".report")

    def evaluate_late(encoder: Encoder, samples: ClipSamples) -> Evaluation:
        notes.write_text("mine")
        return evaluate(encoder, samples)

    monkeypatch.setattr("engine.training.run.evaluate", evaluate_late)
    with pytest.raises(TrainingError, match=r"weights are in .*new\.safetensors"):
        train_encoder(options, show=False)
    assert notes.read_text() == "mine"
    assert load_encoder(find_encoder(options.out)).dim == 32


@pytest.mark.parametrize("content", ["a file", "a folder", "missing"])
def test_the_place_of_the_report_is_checked_before_anything_runs(options: TrainingOptions, content: str) -> None:
    """A file or a folder of the user's at the report's place is refused before a clip is read, and stays."""
    place = Path(options.out).with_suffix(".report")
    if content == "a file":
        place.write_text("mine")
    elif content == "a folder":
        place.mkdir()
        (place / "mine.txt").write_text("mine")
    expected = "expected a CSV" if content == "missing" else "earlier report"
    with pytest.raises(TrainingError, match=expected):
        train_encoder(replace(options, data="missing.csv"), show=False)
    assert place.exists() == (content != "missing")


@pytest.mark.parametrize("out", ["a" * 300 + ".safetensors", "a" * 300 + "/a.safetensors", "a" * 243 + ".safetensors"])
def test_an_output_whose_name_is_too_long(options: TrainingOptions, tmp_path: Path, out: str) -> None:
    """Names that the file system cannot hold, also of the state's file, are a documented error."""
    with pytest.raises(TrainingError, match="cannot write"):
        train_encoder(replace(options, out=str(tmp_path / out)), show=False)


@pytest.mark.parametrize("out", ["weights.pt", "missing/weights.safetensors"])
def test_the_output_is_checked_before_anything_runs(options: TrainingOptions, tmp_path: Path, out: str) -> None:
    """Another ending, or a folder that is not there, is refused before a clip is read."""
    with pytest.raises(TrainingError, match="expected --out"):
        train_encoder(replace(options, out=str(tmp_path / out), data="missing.csv"), show=False)
