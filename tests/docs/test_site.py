"""The built documentation: complete, self-contained, and true about the code that it names."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest

import engine
from engine.cli import cli
from engine.cli.examples import EXAMPLES
from tests.docs.conftest import ROOT

LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "object": "data"}
LOADING_LINKS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload", "manifest"}
OUTSIDE = re.compile(r"(?:https?:)?//")
STYLE = re.compile(r"(?:url\(\s*['\"]?|@import\s+['\"])(https?:)?//")
EXTRACT = re.compile(r"\(`([\w/.]+)`\)(?:\*\*)?:(?:\*\*)?\n\n```py\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BUILDS = re.compile(r"(torch\w*|faiss[\w-]*)==([\d.]+)")
NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


class Assets(HTMLParser):
    """Collects the addresses that a browser loads with a page, and the classes of its elements."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.classes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what one element loads."""
        given = {name: value or "" for name, value in attrs}
        self.classes.update(given.get("class", "").split())
        if tag in LOADED and LOADED[tag] in given:
            self.addresses.append(given[LOADED[tag]])
        if tag == "link" and LOADING_LINKS & set(given.get("rel", "").split()):
            self.addresses.append(given.get("href", ""))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation, built as the gate builds it."""
    pytest.importorskip("mkdocs")
    folder = tmp_path_factory.mktemp("site")
    asked = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder / "site")]
    variables = os.environ | {"DOCS_TREE": str(folder / "tree")}
    built = subprocess.run(asked, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "site"


def test_pages_load_nothing_from_a_network(site: Path) -> None:
    """No page and no style sheet names a script, font, style or picture on another host."""
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 10
    for page in pages:
        assets = Assets()
        assets.feed(page.read_text("utf-8"))
        assert assets.addresses
        assert not [address for address in assets.addresses if OUTSIDE.match(address)], page
        assert "mermaid" not in assets.classes, "the theme would fetch Mermaid from a network"
        assert not STYLE.search(page.read_text("utf-8")), page
    for sheet in [*site.rglob("*.css"), *site.rglob("*.svg")]:
        assert not STYLE.search(sheet.read_text("utf-8")), sheet


def test_every_command_is_on_the_commands_page(site: Path) -> None:
    """The commands page has a heading for each command, with its examples."""
    page = (site / "commands.html").read_text("utf-8")
    text = html.unescape(re.sub(r"<[^>]+>", "", page))
    for name in cli.commands:
        assert f'id="engine-{name}"' in page
        for example in EXAMPLES[name]:
            assert example in text


def test_every_public_name_is_on_the_api_page() -> None:
    """The API page shows each name that `engine` exports, once, and no other."""
    shown = re.findall(r"^::: engine\.(\w+)$", (ROOT / "docs" / "api.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(shown) == sorted(set(engine.__all__) - {"__version__"})


def test_tests_that_pages_name_exist() -> None:
    """Each test that the page of guarantees names is there."""
    named = NAMED_TEST.findall((ROOT / "docs" / "limits.md").read_text("utf-8"))
    assert len(named) > 20
    for file, test in named:
        assert f"def {test}(" in (ROOT / file).read_text("utf-8"), f"{file}::{test}"


def test_extracts_stand_in_the_code() -> None:
    """Each extract of CONTRIBUTING.md stands, line by line, in the file that it names."""
    extracts = EXTRACT.findall((ROOT / "CONTRIBUTING.md").read_text("utf-8"))
    assert len(extracts) == 3
    for file, extract in extracts:
        code = [line.strip() for line in (ROOT / file).read_text("utf-8").splitlines()]
        for line in extract.splitlines():
            assert line.strip() in code, f"{file}: {line}"


def test_every_room_has_its_line() -> None:
    """The architecture page has a line for each folder of code, and names no folder that is not there."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    named = set(re.findall(r"^\| `([\w/]+)` \|", text, re.MULTILINE))
    rooms = {f"{top}/{init.parent.name}" for top in ("engine", "indexer") for init in ROOT.glob(f"{top}/*/__init__.py")}
    assert named == rooms | {"models", "db", "tests", "scripts"}


def test_links_between_files_lead_somewhere() -> None:
    """Relative links in the README and its companions name files that exist."""
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "models/README.md"):
        page = ROOT / name
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{name}: {target}"


def test_small_requirements_follow_the_project() -> None:
    """requirements-cpu.txt lists what pyproject.toml does; PyTorch and FAISS have the same versions in other builds."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    lines = (ROOT / "requirements-cpu.txt").read_text("utf-8").splitlines()
    listed = [line for line in lines if line[:1].isalpha()]
    assert [line for line in listed if not BUILDS.match(line)] == [line for line in declared if not BUILDS.match(line)]
    builds = {found[1]: found[2] for line in listed if (found := BUILDS.match(line))}
    for name, version in (found.groups() for line in declared if (found := BUILDS.match(line))):
        assert builds["faiss-cpu" if name.startswith("faiss") else name] == version
