"""The report's folder: whole or not there, and nobody else's files."""

import json
import subprocess
import sys
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


@pytest.mark.parametrize("place", ["x" * 300, "/proc/x", "/proc/self"])
def test_refused_before_the_work(tmp_path: Path, place: str) -> None:
    """What cannot be written later is refused by the check, in one line; the check leaves nothing."""
    with pytest.raises(TrainingError, match=r"cannot write|found something else") as caught:
        check_report_folder(tmp_path / place)
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == set()


def test_the_check_leaves_nothing(tmp_path: Path) -> None:
    """A place that the check allows is as it was before."""
    (tmp_path / "empty").mkdir()
    write(tmp_path / "old")
    for target in (tmp_path / "new", tmp_path / "empty", tmp_path / "old"):
        check_report_folder(target)
    assert names(tmp_path) == {"empty", "old"}
    assert (names(tmp_path / "empty"), names(tmp_path / "old")) == (set(), {FIGURES, "first.png"})


@pytest.mark.parametrize("mount", ["-t tmpfs none", "--bind {}/other"])
def test_a_mount_point(tmp_path: Path, mount: str) -> None:
    """An empty mount point is refused by the check: no file beside it can be moved into it."""
    target = tmp_path / "target"
    target.mkdir()
    (tmp_path / "other").mkdir()
    mounted = f"mount {mount.format(tmp_path)} {target}"
    if subprocess.run(["unshare", "-rm", "sh", "-c", mounted], capture_output=True).returncode:
        pytest.skip("mounting is forbidden here")
    check = (
        f"from pathlib import Path; from engine.evaluation.report_folder import check_report_folder as check; "
        f"check(Path({str(target)!r}))"
    )
    script = f'{mounted} && exec "$0" -c "$1"'
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script, sys.executable, check], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1].startswith("engine.errors.TrainingError: ")
    assert any(word in done.stderr for word in ("found a mount point", "cannot write a report"))


@pytest.mark.parametrize("kind", ["empty", "earlier"])
def test_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """A report into the current folder leaves it the current folder."""
    target = tmp_path / "here"
    target.mkdir()
    if kind == "earlier":
        write(target, "zero")
    monkeypatch.chdir(target)
    write(Path())
    assert (Path.cwd(), names(Path())) == (target, {FIGURES, "first.png"})
    assert Path().samefile(target)
    assert names(tmp_path) == {"here"}


@pytest.mark.parametrize("kind", ["empty", "earlier"])
def test_a_private_folder_stays_private(tmp_path: Path, kind: str) -> None:
    """A folder keeps its mode, as does a file of the same name; others see nothing in the meantime either."""
    target = tmp_path / "private"
    target.mkdir()
    if kind == "earlier":
        write(target)
        (target / FIGURES).chmod(0o600)
    target.chmod(0o700)
    with atomic_report_folder(target) as partial:
        (partial / FIGURES).write_text("{}")
        assert partial.stat().st_mode & 0o077 == 0
    assert target.stat().st_mode & 0o777 == 0o700
    assert kind == "empty" or (target / FIGURES).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("kind", ["empty", "earlier"])
def test_an_interrupt_between_two_renames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, done: bool
) -> None:
    """Whichever rename Ctrl-C stops, before or after it is done, the folder is as it was, with nothing beside it."""
    target, rename = tmp_path / "place", Path.rename
    target.mkdir()
    if kind == "earlier":
        write(target)
    before = names(target)
    stop_at, renames = 0, 0

    def stopped(path: Path, to: Path) -> None:
        nonlocal renames
        renames += 1
        if renames == stop_at and not done:
            raise KeyboardInterrupt
        rename(path, to)
        if renames == stop_at:
            raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", stopped)
    while renames >= stop_at:
        stop_at, renames = stop_at + 1, 0
        try:
            write(target, "second")
        except KeyboardInterrupt:
            assert names(target) == before
            assert names(tmp_path) == {"place"}
    assert stop_at > 3
    assert (names(target), names(tmp_path)) == ({FIGURES, "second.png"}, {"place"})


def test_an_earlier_report_that_cannot_be_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second Ctrl-C while the earlier report is put back is an error that says where its files are."""
    target, rename = tmp_path / "place", Path.rename
    write(target)

    def stopped(path: Path, to: Path) -> None:
        if path.name == FIGURES and path.parent != target:  # the new one in, and the earlier one back
            raise KeyboardInterrupt
        rename(path, to)

    monkeypatch.setattr(Path, "rename", stopped)
    with pytest.raises(TrainingError, match="find its files in") as caught:
        write(target, "second")
    earlier = Path(str(caught.value).rpartition("find its files in ")[2])
    assert FIGURES in names(earlier)


def test_notes_saved_at_the_last_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes that are saved into an earlier report after the last check are kept, and so is the report."""
    target, mkdir = tmp_path / "place", Path.mkdir
    write(target)

    def late(path: Path, *args: int) -> None:
        mkdir(path, *args)
        made.append(path)
        if len(made) == 4:  # after those of two checks and of the new report
            (target / "notes.txt").write_text("mine")

    made: list[Path] = []
    monkeypatch.setattr(Path, "mkdir", late)
    with pytest.raises(TrainingError, match="found something else"):
        write(target, "second")
    assert names(target) == {FIGURES, "first.png", "notes.txt"}
    assert names(tmp_path) == {"place"}
