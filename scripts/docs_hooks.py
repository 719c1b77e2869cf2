"""Hooks of the documentation's build (mkdocs.yml): lay out the packages as they install, for the API page."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TREE = ROOT / "build" / "tree"
MAPPED = ("indexer", "models", "db")  # folders that install as engine.NAME
ONLY_SOURCES = shutil.ignore_patterns("__pycache__", "*.safetensors", "*.md")


def on_config(config: Any) -> Any:
    """Copy every part of the package `engine` into one folder, which static analysis can follow."""
    shutil.rmtree(TREE, ignore_errors=True)
    shutil.copytree(ROOT / "engine", TREE / "engine", ignore=ONLY_SOURCES)
    for name in MAPPED:
        shutil.copytree(ROOT / name, TREE / "engine" / name, ignore=ONLY_SOURCES)
    return config
