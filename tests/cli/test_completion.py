"""What the shell offers after the tab key."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import click
import pytest

from engine.cli.completion import FILES, SHELLS
from tests.cli.conftest import Command

SCRIPTS = Path(sysconfig.get_path("scripts"))


def offered(words: str, position: int) -> list[tuple[str, str]]:
    """What bash would be offered: kind and word of each."""
    asked = {"_ENGINE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(position)}
    found = subprocess.run(
        [SCRIPTS / "engine"], env={**os.environ, **asked}, capture_output=True, text=True, check=True
    )
    return [(kind, word) for kind, _, word in (line.partition(",") for line in found.stdout.split())]


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts(command: Command, shell: str) -> None:
    """Each shell has its script, which asks the command by the variable that it answers to."""
    outcome = command("completion", shell)
    assert outcome.code == 0
    assert f"_ENGINE_COMPLETE={shell}_complete" in outcome.out
    assert outcome.err == ""


def test_unknown_shell(command: Command) -> None:
    """Another shell is wrong use, and the message lists those that there are."""
    outcome = command("completion", "tcsh")
    assert outcome.code == 2
    assert all(shell in outcome.err for shell in SHELLS)


def test_offers() -> None:
    """Commands, options and choices are offered; where a file is wanted, the shell's own file names."""
    assert offered("engine si", 1) == [("plain", "similar")]
    assert ("plain", "--csv") in offered("engine search --", 2)
    assert offered("engine map --method ", 3) == [("plain", method) for method in ("pca", "umap", "tsne")]
    for words, position in (
        ("engine similar a", 2),
        ("engine index ", 2),
        ("engine --library ", 2),
        ("engine map --out x", 3),
    ):
        assert [kind for kind, _ in offered(words, position)] == ["file"], words
    assert offered("engine playlist 1 --genre ja", 4) == [("plain", "jazz")]
    assert offered("engine similar 1 --not-tag bagp", 4) == [("plain", "bagpipes")]
    assert offered("engine search x", 2) == []


def test_every_file_is_named_so() -> None:
    """Every argument or option that its help calls a file, a folder or a track has a metavar that offers file names."""
    from engine.cli import cli

    for name, command in cli.commands.items():
        for parameter in command.params:
            if isinstance(parameter, click.Argument) and isinstance(parameter.type, click.types.StringParamType):
                assert name in ("find", "search") or any(word in (parameter.metavar or "").upper() for word in FILES), (
                    name,
                    parameter,
                )


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_in_bash(tmp_path: Path) -> None:
    """The script works in bash: a half command is completed."""
    lines = [
        f'PATH="{SCRIPTS}:$PATH"; eval "$(engine completion bash)"',
        "COMP_WORDS=(engine rel) COMP_CWORD=1; _engine_completion engine rel engine; echo ${COMPREPLY[@]}",
    ]
    found = subprocess.run(["bash", "-c", "\n".join(lines)], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert found.stdout.strip() == "relocate"
