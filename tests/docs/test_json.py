"""The JSON documents have the keys and types that docs/json.md shows."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.docs.conftest import ROOT, Home
from tests.docs.test_examples import run

PAGE = (ROOT / "docs" / "json.md").read_text("utf-8")
PAIR = re.compile(r"^```console\n((?:\$ [^\n]*\n)+)```\n\n```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAIRS = [(shown.replace("$ ", "").splitlines(), json.loads(shape)) for shown, shape in PAIR.findall(PAGE)]
TYPES = {"text": (str,), "number": (int, float), "true or false": (bool,)}


def check(value: Any, shape: Any, place: str) -> None:
    """Assert that a value has a shape: the same keys, in the same order, and values of the type that is named."""
    if isinstance(shape, dict):
        assert list(value) == list(shape), place
        for key in shape:
            check(value[key], shape[key], f"{place}.{key}")
    elif isinstance(shape, list):
        assert isinstance(value, list), place
        for entry in value:
            check(entry, shape[0], f"{place}[]")
    elif not (value is None and shape.endswith("?")):
        assert isinstance(value, TYPES[shape.rstrip("?")]), f"{place}: {value!r} is no {shape}"


def test_every_shape_is_compared() -> None:
    """No document of the page lacks a command that prints it."""
    assert len(PAIRS) == PAGE.count("```json") > 10


@pytest.mark.parametrize(("lines", "shape"), PAIRS, ids=[lines[-1] for lines, _ in PAIRS])
def test_the_document_is_as_shown(
    lines: list[str], shape: Any, home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command's document has the shape on the page, in all its entries."""
    for line in lines:
        capsys.readouterr()
        assert run(line, monkeypatch) == 0
    check(json.loads(capsys.readouterr().out), shape, "")
