"""Hooks of the documentation's build (mkdocs.yml): sources as they install, for the API page; examples of commands."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from engine.cli import cli
from engine.cli.examples import EXAMPLES

ROOT = Path(__file__).resolve().parents[1]
TREE = ROOT / os.environ.get("DOCS_TREE", "build/tree")  # as in mkdocs.yml; builds at the same time need one each
MAPPED = ("indexer", "models", "db")  # folders that install as engine.NAME
ONLY_SOURCES = shutil.ignore_patterns("__pycache__", "*.safetensors", "*.md")


def on_startup(command: str, dirty: bool) -> None:
    """Copy every part of the package `engine` into one folder, before the API page's plugin looks for it."""
    shutil.rmtree(TREE, ignore_errors=True)
    shutil.copytree(ROOT / "engine", TREE / "engine", ignore=ONLY_SOURCES)
    for name in MAPPED:
        shutil.copytree(ROOT / name, TREE / "engine" / name, ignore=ONLY_SOURCES)


def on_config(config: Any) -> Any:
    """Show each command's examples with its help."""
    for name, lines in EXAMPLES.items():  # mkdocs-click omits the part of a command's help after its options
        command = cli.commands[name]
        command.help = "\n".join([f"{command.help}\n", "```sh", *lines, "```"])
    return config
