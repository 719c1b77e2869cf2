"""`train`: from a path to weights, and what it refuses."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from engine.models.weights_files import find_encoder
from engine.training.heads import fit_heads
from tests.cli.conftest import Command
from tests.conftest import write_song
from tests.training.test_running import SmallConfig


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.models.attention_signature.AttentionSignatureConfig", SmallConfig)
    monkeypatch.setattr(fit_heads, "PENALTIES", (1e-1,))


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Two genres of two songs each, and a file that is in neither."""
    for number, genre in enumerate(("Bebop", "Night Drive") * 2):
        (tmp_path / "music" / genre).mkdir(parents=True, exist_ok=True)
        write_song(tmp_path / "music" / genre / f"{number}.wav", number)
    (tmp_path / "music" / "loose.wav").touch()
    return tmp_path / "music"


def test_folders_become_an_encoder(command: Command, music: Path, tmp_path: Path) -> None:
    """A labelled folder is recognised, files left out of it are reported, and weights with its names are written."""
    out = tmp_path / "own.safetensors"
    outcome = command(
        "--threads", 1, "train", "--data", music, "--out", out, "--steps", 1, "--cache", tmp_path / "cache"
    )
    assert outcome.code == 0
    assert "music: " in outcome.err
    assert "1 files lie in no genre's folder" in outcome.err
    assert "1 files lie in no genre's folder" in (out.with_suffix(".report") / "report.md").read_text("utf-8")
    assert f"written to {out}" in outcome.out
    assert find_encoder(str(out)).genres == ("bebop", "night drive")


def test_layout_and_labels_are_chosen(command: Command, music: Path, tmp_path: Path) -> None:
    """`--layout` and `--labels` go before what the path looks like and what is usual for it."""
    out = tmp_path / "standard.safetensors"
    asked = [
        "--quiet",
        "--threads",
        1,
        "train",
        "--data",
        music,
        "--out",
        out,
        "--steps",
        1,
        "--cache",
        tmp_path / "cache",
    ]
    outcome = command(*asked, "--layout", "folders", "--labels", "extend")
    assert (outcome.code, outcome.err) == (0, "")
    assert find_encoder(str(out)).genres[-2:] == ("world", "night drive")


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        (["--layout", "gtzan"], "expected GTZAN's folders"),
        (["--layout", "fma", "--subset", "small"], "expected fma_metadata/tracks.csv"),
        (["--subset", "small"], "only the Free Music Archive"),
        (["--layout", "csv"], "cannot read it"),
    ],
)
def test_another_layout_is_one_line(
    command: Command, music: Path, tmp_path: Path, choices: list[str], said: str
) -> None:
    """A layout that the data do not have exits 3 with one line, and no weights are written."""
    out = tmp_path / "none.safetensors"
    outcome = command("train", "--data", music, "--out", out, *choices)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (3, "", 1)
    assert said in outcome.err
    assert not out.exists()


@pytest.mark.parametrize("choices", [["--layout", "tsv"], ["--labels", "mine"], ["--subset", "tiny"]])
def test_unknown_choices_are_wrong_use(command: Command, music: Path, choices: list[str]) -> None:
    """What is no layout, labels or subset exits 2."""
    assert command("train", "--data", music, "--out", "x.safetensors", *choices).code == 2


def test_a_csv_needs_no_choice(command: Command, music: Path, tmp_path: Path) -> None:
    """A CSV of clips trains on the fifteen, as it always did."""
    table, out = tmp_path / "clips.csv", tmp_path / "new.safetensors"
    with table.open("w", newline="") as file:
        rows = [(path, "valid" if path.stem in "01" else "train", path.parent.name) for path in music.glob("*/*.wav")]
        csv.writer(file).writerows([("file", "split", "genres"), *rows])
    outcome = command("--quiet", "--threads", 1, "train", "--data", table, "--out", out, "--steps", 1)
    assert outcome.code == 0
    assert len(find_encoder(str(out)).genres) == 15
