"""The report's folder: whole or not there, and nobody else's files."""

import json
from pathlib import Path

import pytest

from engine.errors import TrainingError
from engine.evaluation.report_folder import FIGURES, FORMAT, atomic_report_folder, check_report_folder
from tests.training.test_resuming import small_disk


def write(folder: Path, word: str = "first") -> None:
    """A small report."""
    with atomic_report_folder(folder) as partial:
        (partial / FIGURES).write_text(
            json.dumps({"format": FORMAT, "word": word, "pictures": [{"file": f"{word}.png"}]})
        )
        (partial / f"{word}.png").write_bytes(b"picture")


def fill(folder: Path) -> None:
    """A report that no small disk holds."""
    with atomic_report_folder(folder) as partial:
        (partial / FIGURES).write_text("{}")
        (partial / "large.png").write_bytes(bytes(1 << 16))


def interrupted(folder: Path) -> None:
    """A report that is stopped midway."""
    with atomic_report_folder(folder) as partial:
        (partial / FIGURES).write_text("{}")
        raise KeyboardInterrupt


def names(folder: Path) -> set[str]:
    """What is in a folder."""
    return {path.name for path in folder.iterdir()}


def test_a_report_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    """Nothing of the earlier report is left, inside or beside; an empty folder is as good as none."""
    for target in (tmp_path / "new", tmp_path / "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        write(target)
        write(target, "second")
        assert names(target) == {FIGURES, "second.png"}
    assert names(tmp_path) == {"new", "empty"}


@pytest.mark.parametrize("kind", ["file", "link", "folder", "notes", "picture", "folder.png", "json", "parent"])
def test_what_is_no_report_is_never_replaced(tmp_path: Path, kind: str) -> None:
    """A file, a dead link, other folders, a report with notes or other pictures, and a missing place are refused."""
    target = tmp_path / "place"
    if kind == "file":
        target.write_text("mine")
    elif kind == "link":
        target.symlink_to(tmp_path / "nowhere")
    elif kind == "folder":
        (target / "holiday").mkdir(parents=True)
    elif kind == "notes":
        write(target)
        (target / "notes.txt").write_text("mine")
    elif kind == "picture":
        write(target)
        (target / "annotated.png").write_bytes(b"mine")
    elif kind == "folder.png":
        write(target, "a")
        (target / "a.png").unlink()
        (target / "a.png").mkdir()
    elif kind == "json":
        target.mkdir()
        (target / FIGURES).write_text("[1]")
    elif kind == "parent":
        target = tmp_path / "missing" / "place"
    before = sorted(tmp_path.rglob("*"))
    for attempt in (check_report_folder, write):
        with pytest.raises(TrainingError, match="expected a") as caught:
            attempt(target)
        assert "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_put_there_meanwhile_stays(tmp_path: Path) -> None:
    """Notes that are saved into an earlier report while the new one is drawn are kept, and the error says so."""
    target = tmp_path / "place"
    write(target)

    def draw() -> None:
        with atomic_report_folder(target) as partial:
            (partial / FIGURES).write_text("{}")
            (target / "notes.txt").write_text("mine")

    with pytest.raises(TrainingError, match="found something else"):
        draw()
    assert (target / "notes.txt").read_text() == "mine"


def test_a_full_disk_leaves_no_half_report(tmp_path: Path) -> None:
    """Writing that fails midway is one clear error; an earlier report stays whole, and no other file is left."""
    for target in (tmp_path / "new", tmp_path / "old"):
        if target.name == "old":
            write(target)
        with pytest.raises(TrainingError, match="free space"), small_disk():
            fill(target)
    assert names(tmp_path) == {"old"}
    assert names(tmp_path / "old") == {FIGURES, "first.png"}


def test_an_error_in_between_leaves_nothing(tmp_path: Path) -> None:
    """Whatever stops the writing, the half report goes."""
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path / "new")
    assert names(tmp_path) == set()


def test_a_name_that_no_folder_can_have(tmp_path: Path) -> None:
    """A NUL, or more letters than a name may have, is an error of one line."""
    for name in ("a\0b", "x" * 300):
        with pytest.raises(TrainingError, match="cannot write"):
            write(tmp_path / name)
