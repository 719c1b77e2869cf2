"""Known vulnerabilities: versions past them, a bill of materials, and nothing that runs code found in a file."""

from __future__ import annotations

import ast
import json
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from scripts.supply_chain import FLOORS, Package, bill, installed, known_vulnerabilities, numbers, outdated
from tests.test_architecture import modules

ROOT = Path(__file__).parents[2]
UNSAFE_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}


@contextmanager
def answering(body: bytes) -> Iterator[str]:
    """A server on this machine that gives one answer to everything; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_installed_versions_are_past_known_vulnerabilities() -> None:
    """No installed package is older than the version that closed a vulnerability."""
    assert outdated(installed()) == []
    assert outdated([Package("tqdm", "4.66.1", "")]) == [f"tqdm 4.66.1: expected 4.66.3 or later ({FLOORS['tqdm'][1]})"]


def test_pyproject_asks_for_them() -> None:
    """Floors of the packages that pyproject names are at least those."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lines = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    floors = {line.partition(">=")[0]: line.partition(">=")[2].partition(",")[0] for line in lines if ">=" in line}
    for name, floor in floors.items():
        assert numbers(floor) >= numbers(FLOORS.get(name, ("0", ""))[0]), name
    assert {"av", "tqdm", "setuptools"} <= floors.keys()


def test_bill() -> None:
    """The bill names each package once, FFmpeg inside PyAV, and each file of weights with its hash."""
    document = json.loads(json.dumps(bill(installed())))
    names = [component["name"] for component in document["components"]]
    assert (document["bomFormat"], document["metadata"]["component"]["name"]) == ("CycloneDX", "music-engine")
    assert {"av", "ffmpeg", "numpy", "torch", "sqlalchemy", "mako"} <= set(names)
    assert len({component["bom-ref"] for component in document["components"]}) == len(names)
    weights = list((ROOT / "models" / "weights").glob("*.safetensors"))
    assert {path.stem for path in weights} <= set(names)


def test_vulnerabilities() -> None:
    """Each vulnerability in OSV's answer belongs to its package; an incomplete answer, or none, is an error."""
    packages = [Package("a", "1", ""), Package("b", "2", "")]
    with answering(b'{"results": [{}, {"vulns": [{"id": "GHSA-1"}, {"id": "PYSEC-2"}]}]}') as address:
        assert [(each.package.name, each.id) for each in known_vulnerabilities(packages, address)] == [
            ("b", "GHSA-1"),
            ("b", "PYSEC-2"),
        ]
        with pytest.raises(ValueError, match="incomplete"):
            known_vulnerabilities(packages[:1], address)
    with pytest.raises(OSError, match="refused"):
        known_vulnerabilities(packages, address)  # the server has gone


def test_nothing_of_a_file_is_run() -> None:
    """No module unpickles or evaluates: `torch.load` and `np.load` only without pickles, YAML not at all."""
    for name, file in modules().items():
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                found = {getattr(node, "module", None) or ""} | {alias.name for alias in node.names}
                assert not {each.split(".")[0] for each in found} & {*UNSAFE_MODULES, "yaml"}, name
            elif isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                allowed = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                assert called not in UNSAFE_CALLS, f"{name}: {called}"
                if called in ("torch.load", "torch.hub.load"):
                    assert allowed.get("weights_only") == "True", name
                if called in ("np.load", "numpy.load"):
                    assert allowed.get("allow_pickle") == "False", name
                if called.endswith(("subprocess.run", "Popen", "check_output", "check_call")):
                    assert allowed.get("shell", "False") == "False", name
