"""Which FAISS is installed, and what happens where two are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine import Engine, EngineError
from engine.runtime.faiss_distribution import DISTRIBUTIONS, faiss_distribution


def install(folder: Path, name: str, version: str) -> None:
    """Lay down the metadata that pip leaves of a distribution."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", "utf-8")


@pytest.fixture
def second_faiss(tmp_path: Path) -> Path:
    """A folder of packages with another FAISS than the one that is installed."""
    other = next(name for name in DISTRIBUTIONS[:2] if name != faiss_distribution().name)
    install(tmp_path / "packages", other, "1.14.3")
    return tmp_path / "packages"


def test_the_installed_one_is_named_with_its_version() -> None:
    """One FAISS is found, by its distribution's name and version."""
    found = faiss_distribution()
    assert found.name in DISTRIBUTIONS
    assert str(found) == f"{found.name} {found.version}"
    assert found.version[0].isdigit()


def test_a_second_faiss_is_refused(second_faiss: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No library opens beside two FAISS distributions: the error names both and says how to be rid of one."""
    installed = faiss_distribution()
    monkeypatch.syspath_prepend(str(second_faiss))
    with pytest.raises(EngineError, match="expected one FAISS") as refusal:
        Engine.open(tmp_path / "library.db")
    assert str(installed) in str(refusal.value)
    assert "1.14.3" in str(refusal.value)
    assert "pip uninstall" in str(refusal.value)
    assert not (tmp_path / "library.db").exists()


def test_no_faiss_is_told_with_what_to_install(tmp_path: Path) -> None:
    """Without FAISS, one line names the package to install."""
    code = (
        "import sys, engine.errors, engine.runtime.faiss_distribution as room\n"
        f"sys.path[:] = [{str(tmp_path)!r}]\n"
        "try: room.faiss_distribution()\n"
        "except engine.errors.EngineError as error: print(error)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "found none; pip install" in result.stdout


def test_the_command_refuses_in_one_line(second_faiss: Path) -> None:
    """`engine --version` beside two FAISS distributions prints one line and exits 3."""
    code = "import sys, engine.cli; sys.argv = ['engine', '--version']; sys.exit(engine.cli._run())"
    environment = os.environ | {"PYTHONPATH": str(second_faiss)}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (3, "", 1)
    assert "expected one FAISS" in result.stderr
