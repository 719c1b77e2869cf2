"""`evaluate`, with the encoder that ships."""

import json
from pathlib import Path

import pytest

from tests.audio import tone, write_audio
from tests.cli.conftest import Command
from tests.training.conftest import write_rows

RATE = 22_050


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two valid clips, one of an artist that train has, and one that cannot be read."""
    rows = []
    for name, split, artist in (("a", "train", "Ada"), ("b", "valid", "Ada"), ("c", "valid", "Cleo")):
        write_audio(tmp_path / f"{name}.wav", tone(220, 1.0, RATE), RATE)
        rows.append({"file": f"{name}.wav", "split": split, "artist": artist, "genres": "jazz"})
    rows.append({"file": "missing.wav", "split": "valid", "artist": "Dan", "genres": "rock"})
    return write_rows(tmp_path / "clips.csv", rows)


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports go to the current folder by default."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def test_a_report_is_written_and_shown(command: Command, table: Path, tmp_path: Path) -> None:
    """The folder is named after encoder and split, the table and the folder's name printed, skipped clips listed."""
    outcome = command("--threads", 1, "evaluate", "--data", table, "--cache", tmp_path / "cache")
    assert outcome.code == 0
    (folder,) = (tmp_path / "here").iterdir()
    assert folder.name.startswith("attention_signature@")
    assert folder.name.endswith(".valid.report")
    assert f"report written to {folder.name}" in outcome.out
    assert "all clips, genre" in outcome.out
    text = (folder / "report.md").read_text("utf-8")
    assert "no artist of these clips is in train (1 clips left out for that)" in text
    assert "- missing.wav: " in text
    assert "split valid, 1 clips" in text


def test_json_is_the_document(command: Command, table: Path, tmp_path: Path) -> None:
    """--json prints what figures.json holds, and only that; `given` takes the split as it is, and says so."""
    outcome = command(
        "--quiet", "--threads", 1, "evaluate", "--data", table, "--protocol", "given", "--json",
        "--no-tsne", "--out", tmp_path / "r", "--cache", tmp_path / "cache",
    )  # fmt: skip
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.document == json.loads((tmp_path / "r" / "figures.json").read_text("utf-8"))
    assert outcome.document["clips"] == 2
    assert outcome.document["protocol"] == "as given: 1 of 2 clips are by artists that are also in train"
    assert outcome.document["training"]["genre_penalty"] > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--split", "test"], "the splits are: train, valid"),
        (["--out", "missing/report"], "found no "),
        (["--out", ".."], "found something else"),
        (["--data", "missing.csv"], "cannot read it"),
    ],
)
def test_what_cannot_be_done(command: Command, table: Path, tmp_path: Path, options: list[str], message: str) -> None:
    """A split, a place or a table that is not there exits 3 with one line, before any clip is read."""
    outcome = command("evaluate", "--data", table, "--cache", tmp_path / "cache", *options)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (3, "", 1)
    assert message in outcome.err
    assert not (tmp_path / "cache").exists()


def test_an_encoder_that_is_not_there(command: Command, table: Path) -> None:
    """An unknown encoder, or weights that are not there, exits 3 with one line."""
    for name in ("nobody", "missing.safetensors"):
        outcome = command("--encoder", name, "evaluate", "--data", table)
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (3, "", 1)


def test_the_train_side_is_called_by_its_name(command: Command, table: Path, tmp_path: Path) -> None:
    """Measuring on train is possible, and the report says that the encoder may have been trained on the clips."""
    asked = ("--threads", 1, "evaluate", "--data", table, "--split", "train", "--json", "--cache", tmp_path / "cache")
    assert "may have been trained on" in command("--quiet", *asked).document["protocol"]
