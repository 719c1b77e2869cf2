"""Study files: what a row inherits, how a grid multiplies rows, and what is refused in one line."""

from pathlib import Path

import pytest

from engine.errors import TrainingError
from engine.study.plan import read_study
from engine.training.augment.waveform_settings import read_augmentation

STUDIES = sorted((Path(__file__).parents[2] / "scripts" / "studies").glob("*.toml"))


def written(tmp_path: Path, text: str) -> Path:
    """A study file."""
    path = tmp_path / "study.toml"
    path.write_text(text, "utf-8")
    return path


def test_rows_inherit_and_add(tmp_path: Path) -> None:
    """A row has the file's settings and its own, its config added to the common one."""
    text = """
title = "T"
encoder = "mg_cam"
steps = 7
[config]
width = 8
dropout = 0.1
[[rows]]
name = "a"
[[rows]]
name = "b"
steps = 9
config = { dropout = 0.3, fusion = "concat" }
"""
    study = read_study(written(tmp_path, text))
    assert study.title == "T"
    first, second = study.rows
    assert (first.name, first.steps, first.config) == ("a", 7, {"width": 8, "dropout": 0.1})
    assert (second.steps, second.config) == (9, {"width": 8, "dropout": 0.3, "fusion": "concat"})
    assert first.key() != second.key()


def test_a_grid_multiplies_rows(tmp_path: Path) -> None:
    """Every combination is run, named by its values, of a row's settings and of the encoder's."""
    text = 'encoder = "mg_cam"\n[grid]\nlearning_rate = [0.1, 0.2]\n"config.width" = [8, 16, 32]\n'
    rows = read_study(written(tmp_path, text)).rows
    assert [(row.learning_rate, row.config["width"]) for row in rows] == [
        (rate, width) for rate in (0.1, 0.2) for width in (8, 16, 32)
    ]
    assert rows[1].name == "learning_rate 0.1, config.width 16"
    assert len({row.key() for row in rows}) == 6


def test_names_and_claims_do_not_make_another_row(tmp_path: Path) -> None:
    """A new name, or another claim of the paper, is no reason to run a row again."""
    text = 'encoder = "mg_cam"\n[[rows]]\nname = "a"\npaper = "1 %"\n[[rows]]\nname = "b"\npaper = "2 %"\n'
    first, second = read_study(written(tmp_path, text)).rows
    assert first.key() == second.key()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("encoder = ", "cannot read it"),
        ("steps = 3", "missing or unknown"),
        ('encoder = "mg_cam"\ncolour = 3', "missing or unknown.*a row has: name, encoder"),
        ('encoder = "resnet"', "expected encoder to be one of"),
        ('encoder = "mg_cam"\ntask = "tempo"', "expected task to be one of"),
        ('encoder = "mg_cam"\naugment = ["echo"]', "expected augmentation to be one of"),
        ('encoder = "mg_cam"\nfolds = 3', "with folds"),
        ('encoder = "mg_cam"\nsteps = 0', "steps and batch of 1 or more"),
        ('encoder = "mg_cam"\n[grid]\nsteps = 3', "expected lists"),
    ],
)
def test_mistakes_are_told_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    """A file that is no TOML, or has a setting that no row has, is refused, naming the expected content."""
    with pytest.raises(TrainingError, match=message) as caught:
        read_study(written(tmp_path, text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_the_papers_tables_are_studies(path: Path) -> None:
    """Every shipped study can be read and states the paper's claim; no two of its rows are the same training."""
    study = read_study(path)
    assert study.claim
    assert len({row.key() for row in study.rows}) == len(study.rows)
    assert len({row.seed for row in study.rows}) == 1


def test_all_papers_have_studies() -> None:
    """Twelve files: two tables of paper 1, five of paper 2, one of paper 3, two of papers 4 and 5."""
    assert [sum(path.stem.startswith(f"paper{n}_") for path in STUDIES) for n in range(1, 6)] == [2, 5, 1, 2, 2]


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    """TOML that is nested deeper than it can be read is refused in one short line, as a study and as augmentations."""
    path = tmp_path / "deep.toml"
    path.write_text("a = " + "[" * 50_000 + "]" * 50_000, "utf-8")
    for read in (read_study, read_augmentation):
        with pytest.raises(TrainingError, match="as TOML") as caught:
            read(path)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 1000
