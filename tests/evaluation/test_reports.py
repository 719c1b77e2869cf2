"""Reports (`report`, `markdown`, `gallery`): complete, consistent, and readable."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import save_file

from engine.datasets.clips import ClipSamples
from engine.errors import TrainingError
from engine.evaluation.report import Evaluation, Report, ReportHeader, evaluate, write_report
from engine.evaluation.run import _training_settings
from engine.evaluation.training_curves import TrainingStep
from engine.models.checkpoint import contents
from engine.models.weights_files import find_encoder
from tests.evaluation.conftest import CLIPS
from tests.training.conftest import SmallEncoder
from tests.training.test_resuming import small_disk
from tests.words import NAME, worded_encoder

HEADER = ReportHeader("a@123456", "clips.csv", "valid", "as given", {"steps": 2, "teacher": None})
UNREADABLE = [(Path("elsewhere/a|b\udcff.wav"), "no sound\ndecodes")]


@pytest.fixture
def evaluation(valid: ClipSamples, small_encoder: SmallEncoder) -> Evaluation:
    """An untrained encoder on the sixteen clips."""
    return evaluate(small_encoder().eval(), valid)


def text_of(report: Report) -> str:
    """The report's Markdown."""
    return (report.folder / "report.md").read_text("utf-8")


def test_everything_that_is_named_is_there(evaluation: Evaluation, tmp_path: Path) -> None:
    """Every picture lies in the folder, once in the text and once in the document; nothing else does."""
    history = [TrainingStep(i, {"genre": 1 / i}, 1e-3) for i in (1, 2, 3)]
    report = write_report(tmp_path / "x", replace(HEADER, skipped=UNREADABLE), evaluation, history)
    pictures = [picture["file"] for picture in report.document["pictures"]]
    assert {path.name for path in report.folder.iterdir()} == {"report.md", "figures.json", *pictures}
    assert re.findall(r"\]\((.*?)\)", text_of(report)) == pictures
    kinds = ["confusion", "roc", "pca", "tsne"]
    expected = [f"{task}-{kind}.png" for task in ("one-genre", "one-mood") for kind in kinds]
    expected += [f"one-valence-{kind}.png" for kind in kinds[:2]] + [f"two-genre-{kind}.png" for kind in kinds]
    expected += [f"all-clips-neighbours-{kind}.png" for kind in kinds[2:]]
    assert pictures == ["training-curves.png", *expected]


def test_text_and_document_say_the_same(evaluation: Evaluation, tmp_path: Path) -> None:
    """Each figure stands in the text as in the document, with its interval and its clips, under its data set."""
    report = write_report(tmp_path / "x", HEADER, evaluation, tsne=False)
    assert json.loads((report.folder / "figures.json").read_text("utf-8")) == report.document
    assert len(report.document["figures"]) == sum(len(section.figures) for section in evaluation.sections)
    parts = re.split(r"^## ", text_of(report), flags=re.MULTILINE)
    for row in report.document["figures"]:
        (part,) = [part for part in parts if part.startswith(row["dataset"] + "\n")]
        line = f"| {row['name']} | {row['value']:.3f} | {row['low']:.3f} to {row['high']:.3f} | {row['clips']} |"
        assert line in part.split(f"### {row['task']}\n")[1].split("###")[0]
    assert "tsne" not in text_of(report)


def test_the_header_says_what_was_evaluated(evaluation: Evaluation, tmp_path: Path) -> None:
    """Encoder, data, protocol, training, times, machine and versions; the machine's own name is nowhere."""
    report = write_report(tmp_path / "x", replace(HEADER, training_seconds=1234.4), evaluation, tsne=False)
    head = text_of(report).split("##")[0]
    for words in ("a@123456", f"clips.csv, split valid, {CLIPS} clips", "as given", "1,234 s; steps 2", "s a clip"):
        assert words in head
    assert re.search(r"versions \| engine [\d.]+, python [\d.]+, torch ", head)
    assert "teacher" not in head
    assert os.uname().nodename not in text_of(report) + json.dumps(report.document)


def test_skipped_clips_are_listed(evaluation: Evaluation, tmp_path: Path) -> None:
    """A skipped clip has one line with its name, whatever bytes that holds, and the reason; its folder is not named."""
    report = write_report(tmp_path / "x", replace(HEADER, skipped=UNREADABLE), evaluation, tsne=False)
    assert "1 clips could not be read.\n- a\\|b\ufffd.wav: no sound" in text_of(report)
    assert "elsewhere" not in text_of(report) + json.dumps(report.document)


def test_names_of_data_sets_may_be_anything(evaluation: Evaluation, tmp_path: Path) -> None:
    """Names that differ in marks only have files of their own, and break neither a table nor a picture."""
    names = {"one": "A$$|/../x", "two": "a$^_x\n音"}
    sections = [replace(section, dataset=names.get(section.dataset, "all")) for section in evaluation.sections]
    clips = [replace(clip, dataset=names[clip.dataset]) for clip in evaluation.clips]
    report = write_report(tmp_path / "x", HEADER, replace(evaluation, clips=clips, sections=sections), tsne=False)
    pictures = [picture["file"] for picture in report.document["pictures"]]
    assert len(set(pictures)) == len(pictures) == len([*report.folder.glob("*.png")])
    assert all(re.fullmatch(r"[a-z0-9-]+\.png", name) for name in pictures)
    assert {"a-x-genre-roc.png", "a-x-genre-roc-2.png"} <= set(pictures)
    assert "## A$$\\|/../x" in text_of(report)


def test_the_table_shows_the_main_figures(evaluation: Evaluation, tmp_path: Path) -> None:
    """Every data set and task has one line, with the figures under their names."""
    table = write_report(tmp_path / "x", HEADER, evaluation, tsne=False).table
    first, second = table.split("\n\n")
    assert [line.split("  ")[0] for line in first.splitlines()[1:]] == [
        "one, genre", "one, mood", "one, valence", "two, genre",
    ]  # fmt: skip
    assert [line.split("  ")[0] for line in second.splitlines()[1:]] == ["one", "two", "all clips"]
    accuracy = evaluation.sections[0].figures[0]
    header, line = first.splitlines()[:2]
    assert line[header.index("accuracy") :].startswith(f"{accuracy.value:.2f} ({accuracy.low:.2f}-{accuracy.high:.2f})")
    assert line.endswith(" 10")


def test_a_report_can_be_made_again(valid: ClipSamples, small_encoder: SmallEncoder, tmp_path: Path) -> None:
    """The same encoder and clips give the same figures and the same pictures, to the byte, in an old folder or new."""
    write_report(tmp_path / "old", HEADER, evaluate(small_encoder().eval(), valid), tsne=False)
    old, new = (
        write_report(tmp_path / name, HEADER, evaluate(small_encoder().eval(), valid)) for name in ("old", "new")
    )
    assert old.document["figures"] == new.document["figures"]
    for path in old.folder.glob("*.png"):
        assert path.read_bytes() == (new.folder / path.name).read_bytes()


def test_a_full_disk_gives_one_error_and_no_report(evaluation: Evaluation, tmp_path: Path) -> None:
    """When a picture cannot be written, one error names the next step, and no partial report remains."""
    with pytest.raises(TrainingError, match="free space or choose another place") as caught, small_disk():
        write_report(tmp_path / "x", HEADER, evaluation, tsne=False)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("settings", ['{"rate": NaN}', '{"rate": 1e999}', '{"note": "\\ud800"}', "[1]", "{"])
def test_settings_that_no_report_can_hold(tmp_path: Path, settings: str) -> None:
    """Weights whose recorded training is no JSON of finite numbers and text are evaluated as weights without any."""
    tensors, metadata = contents(worded_encoder(), NAME, {"steps": 0})
    save_file(tensors, tmp_path / "weights.safetensors", metadata | {"training": settings})
    assert _training_settings(find_encoder(str(tmp_path / "weights.safetensors"))) == {}
