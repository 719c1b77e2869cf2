"""The registry: each encoder's module, classes and weights are where its line says, and reading it is light."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields, is_dataclass

import pytest

from engine.models.encoder import Encoder
from engine.models.registry import ARCHITECTURES, VARIANTS, load_classes
from engine.models.weights_files import SHIPPED, shipped_ids


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_line_is_enough(name: str) -> None:
    """A line names an encoder and its settings, which have the length of a segment."""
    encoder, settings = load_classes(name)
    assert issubclass(encoder, Encoder)
    assert is_dataclass(settings)
    assert ARCHITECTURES[name].segment_setting in {field.name for field in fields(settings)}


def test_weights_are_found_without_torch() -> None:
    """What ships is known without torch."""
    code = (
        "import sys; from engine.models.weights_files import shipped_ids; print(shipped_ids(), 'torch' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split("\n")[0] == f"{shipped_ids()} False"
    assert len(SHIPPED) + len(VARIANTS) == len(shipped_ids())
