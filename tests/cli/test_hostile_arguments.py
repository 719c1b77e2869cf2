"""Every command with values that nobody should give it: it ends soon, with one clear line or an answer.

The commands and their parameters are those of click's tree, so that a new command is tested without being named here.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import stat
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import click
import pytest

from engine.cli import cli
from tests.cli.conftest import Command, Outcome
from tests.conftest import Collection

LONGEST_SECONDS = 60  # far more than any of these takes; a command that hangs fails
MOST_MEMORY = 6 << 30  # bytes of data
NUMBERS = ("nan", "inf", "-inf", "-1", "0", "1e400", "9" * 400, "1" * 5000, "", "1_0", "\u0663")
TEXTS = (
    "",
    "a\0b",
    "\udcff",
    "a\nb",
    "x" * 10_000,
    "-rf",
    "--",
    "\x1b[31m\u202e",
    "~nobody/x",
    "%s%n{0}",
    "id:" + "9" * 30,
)
PLACES = ("folder", "song", "library", "missing/in/missing", "pipe", "null", "full", "loop", "empty")
CODES = {0, 1, 2, 3}
SPARSE = {"genres": 4}  # of so many values one is tried, of commands that take long
ENDLESS = {"serve": 0.5, "watch": 0.5}  # seconds after which Ctrl-C stops a command that runs until then


@dataclass(frozen=True)
class Trial:
    """One parameter of a command, and the arguments before and after its value."""

    command: str
    parameter: click.Parameter
    before: list[str]
    after: list[str]

    def arguments(self, value: str) -> list[str]:
        """The command's words."""
        return [*self.before, value, *self.after]


def commands(group: click.Group = cli, words: str = "") -> dict[str, click.Command]:
    """All commands by their words: `similar`, or `group command`."""
    found = {}
    context = click.Context(group)
    for name in group.list_commands(context):
        each = group.get_command(context, name)
        assert each is not None
        inner = f"{words} {name}".strip()
        found |= commands(each, inner) if isinstance(each, click.Group) else {inner: each}
    return found


def takes_value(parameter: click.Parameter) -> bool:
    """Whether a parameter takes a value."""
    return not (isinstance(parameter, click.Option) and (parameter.is_flag or parameter.count))


def trials(name: str, command: click.Command, filler: dict[str, str]) -> Iterator[Trial]:
    """Each parameter of a command that no later command has, with what else the command needs."""
    for parameter in command.params:
        if not takes_value(parameter) or (isinstance(parameter, click.Option) and _owner(parameter) != name):
            continue
        others = [other for other in command.params if other.required and other is not parameter]
        options = [word for other in others if isinstance(other, click.Option) for word in _given(other, filler)]
        places = [other for other in command.params if isinstance(other, click.Argument)]
        at = places.index(parameter) if parameter in places else len(places)
        before = [filler.get(str(other.name), filler["track"]) for other in places[:at] if other in others]
        after = [filler.get(str(other.name), filler["track"]) for other in places[at + 1 :] if other in others]
        if isinstance(parameter, click.Option):
            longest = max(parameter.opts, key=len)
            yield Trial(name, parameter, [*name.split(), *options, *before, longest], after)
        else:
            yield Trial(name, parameter, [*name.split(), *options, "--", *before], after)


def _owner(option: click.Option) -> str:
    """The last command that has an option of this name and kind: `similar` has the filters, and answers soonest."""
    kind = (option.opts, repr(option.type), option.help)
    return next(
        name
        for name, command in reversed(commands().items())
        if any(isinstance(p, click.Option) and (p.opts, repr(p.type), p.help) == kind for p in command.params)
    )


def _given(option: click.Option, filler: dict[str, str]) -> list[str]:
    return [option.opts[-1], filler.get(str(option.name), filler["track"])]


@dataclass(frozen=True)
class Ground:
    """A folder with a library that each trial may change, and odd places."""

    folder: Path
    library: Path
    song: Path

    @property
    def filler(self) -> dict[str, str]:
        """Sound values by the names of parameters."""
        names = {"data": self.folder / "folder", "out": self.folder / "out.new", "file": self.folder / "out.new"}
        names |= {"track": self.song, "old": self.folder / "music", "new": self.folder / "elsewhere"}
        return {name: str(path) for name, path in names.items()} | {"words": "song", "study": "paper3", "shell": "bash"}

    def place(self, name: str) -> str:
        """The path of an odd place."""
        return str({"song": self.song, "library": self.library}.get(name, self.folder / name))

    def restore(self, whole: Path, song: bytes) -> None:
        """Put back what a trial may have changed."""
        for file in self.folder.glob(f"{self.library.name}*"):
            file.unlink()
        shutil.copy(whole, self.library)
        shutil.rmtree(self.folder / "folder", ignore_errors=True)
        (self.folder / "folder").mkdir()
        assert self.song.read_bytes() == song, "a song was changed"


@pytest.fixture
def ground(own: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """A library and odd places around it; the current folder is an empty one."""
    folder = own.library.parent
    os.mkfifo(folder / "pipe")
    (folder / "null").symlink_to("/dev/null")
    (folder / "full").symlink_to("/dev/full")
    (folder / "loop").symlink_to("loop")
    (folder / "empty").touch()
    (folder / "here").mkdir()
    monkeypatch.chdir(folder / "here")
    return Ground(folder, own.library, own.song(4))


@contextmanager
def no_hang(what: str, seconds: float = LONGEST_SECONDS) -> Iterator[None]:
    """Fail what takes longer than LONGEST_SECONDS, or more memory than MOST_MEMORY; stop an endless one earlier."""

    def stop(_: int, frame: FrameType | None) -> None:
        if seconds == LONGEST_SECONDS:
            raise AssertionError(f"hangs: {what}")
        signal.setitimer(signal.ITIMER_REAL, seconds)  # a signal between two loops may be lost
        os.kill(os.getpid(), signal.SIGINT)

    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells let background jobs ignore it
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def stopping(name: str) -> AbstractContextManager[None]:
    """Stop an endless command, and fail one that hangs."""
    return no_hang(name, ENDLESS.get(name, LONGEST_SECONDS))


def complaint(outcome: Outcome) -> str | None:
    """What is wrong with the way a command ended; None where nothing is."""
    if outcome.code not in CODES:
        return f"exit code {outcome.code}"
    if "unexpected" in outcome.err:
        return outcome.err
    if outcome.code and not outcome.err.strip():
        return f"exit code {outcome.code} without a word"
    if outcome.code in (2, 3) and outcome.err.count("\n") != 1:
        return f"{outcome.err.count(chr(10))} lines: {outcome.err[:300]}"
    if any(character in outcome.err for character in "\x1b\u202e\0"):
        return f"controls in {outcome.err[:300]!r}"
    return None


def values_for(parameter: click.Parameter, ground: Ground) -> list[str]:
    """The values that a parameter is tried with."""
    if isinstance(parameter.type, click.types.IntParamType | click.types.FloatParamType):
        return [*NUMBERS, "a\nb", "\udcff"]
    if isinstance(parameter.type, click.Choice | click.DateTime):
        return ["", "\udcff", "x" * 10_000, "a\nb"]
    if isinstance(parameter.type, click.types.StringParamType | click.Path):
        return [*TEXTS, *map(ground.place, PLACES)]
    return [*NUMBERS, *TEXTS]


@pytest.mark.parametrize("name", sorted(commands()))
def test_values(name: str, ground: Ground, command: Command, tmp_path: Path) -> None:
    """Each value of each parameter gives one line or an answer; nothing of the user's is lost."""
    whole = Path(shutil.copy(ground.library, tmp_path / "whole"))
    song, wrong = ground.song.read_bytes(), []
    for trial in trials(name, commands()[name], ground.filler):
        for value in values_for(trial.parameter, ground)[:: 8 if name in ENDLESS else SPARSE.get(name, 1)]:
            ground.restore(whole, song)
            words = trial.arguments(value)
            with stopping(name):
                outcome = command("--library", ground.library, "--device", "cpu", "--threads", "1", *words)
            if found := complaint(outcome):
                wrong.append(f"{name} {trial.parameter.name} = {value[:80]!r}: {found}")
            assert "hangs" not in outcome.err, wrong[-1]  # each further one would take as long
    ground.restore(whole, song)
    assert not wrong, "\n".join(wrong)
    for device in ("/dev/null", "/dev/full"):
        assert stat.S_ISCHR(Path(device).stat().st_mode)


@pytest.mark.parametrize("option", [each for each in cli.params if takes_value(each)], ids=lambda each: each.name)
def test_global_values(option: click.Option, ground: Ground, command: Command) -> None:
    """Each value of each global option gives one line or an answer."""
    wrong = []
    for value in [*NUMBERS, *TEXTS, *map(ground.place, PLACES)]:
        for words in (["stats"], ["similar", str(ground.song)]):
            with no_hang(f"{option.name} {value}"):
                outcome = command("--library", ground.library, option.opts[0], value, *words)
            if found := complaint(outcome):
                wrong.append(f"{option.name} = {value[:80]!r}: {found}")
    assert not wrong, "\n".join(wrong)


def plain(name: str, filler: dict[str, str]) -> list[str]:
    """The words of a command with all that it needs."""
    needed = [each for each in commands()[name].params if each.required]
    options = [word for each in needed if isinstance(each, click.Option) for word in _given(each, filler)]
    places = [filler.get(str(each.name), filler["track"]) for each in needed if isinstance(each, click.Argument)]
    return [*name.split(), *options, *places]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a system without /dev/full")
@pytest.mark.parametrize("name", sorted(commands()))
def test_full_output(name: str, ground: Ground, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that cannot be written is one line."""
    kept = os.dup(1)
    try:
        with monkeypatch.context() as context, suppress(OSError), Path("/dev/full").open("w") as full, stopping(name):
            context.setattr(sys, "stdout", full)
            outcome = command("--library", ground.library, "--device", "cpu", *plain(name, ground.filler))
    finally:
        os.dup2(kept, 1)
        os.close(kept)
    assert complaint(outcome) is None


@pytest.mark.parametrize("home", ["", "/dev/null/none"])
@pytest.mark.parametrize("name", sorted(commands()))
def test_no_home(name: str, home: str, ground: Ground, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no home directory, a command says so in one line, or answers."""
    for variable in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", home)
    with stopping(name):
        outcome = command("--device", "cpu", *plain(name, ground.filler))
    assert complaint(outcome) is None
    assert not list((ground.folder / "here").iterdir()), "something was written into the current folder"
