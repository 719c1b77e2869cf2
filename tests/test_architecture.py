"""The rooms and their arrows: what may import what, what is installed, what loads when."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import engine
from engine import errors

ROOT = Path(__file__).parents[1]
ROOMS = {"engine.models": "models", "engine.db": "db", "engine.indexer": "indexer", "engine": "engine"}
BELOW = {  # what each room may import, beside itself and engine.errors
    "engine.models": set(),
    "engine.db": set(),
    "engine.indexer": {"engine.models", "engine.db"},
    "engine": {"engine.models", "engine.db", "engine.indexer"},
}
SHARED = ("engine.errors", "engine.embedding")  # leaves that every room may import
LAYERS = (  # rooms of engine/, lowest first; a room imports rooms of lower layers only
    {"embedding", "errors"},
    {"util"},
    {"catalogue", "runtime"},
    {"session"},
    {"duplicates"},
    {"search"},
    {"find"},
    {"backup", "doctor", "explain", "genres", "manage", "map", "playlists", "recommend", "tags"},
    {"documents"},
    {"library"},
    {"server"},
    {"cli"},
)
TRAINING_LAYERS = (  # beside them: training has no library and no search
    {"embedding", "errors"},
    {"util"},
    {"runtime"},
    {"datasets"},
    {"evaluation"},
    {"training"},
    {"study"},
    {"cli"},
)
SHIPPED = {".py", ".json", ".safetensors", ".typed", ".pyi", ".html", ".css", ".js", ".svg", ".txt"}
HEAVY = ["torch", "faiss", "sqlalchemy", "numpy", "av", "librosa", "scipy", "sklearn", "matplotlib", "mutagen"]


def room_of(module: str) -> str:
    """The room that a module of Engine's lies in."""
    return next(room for room in ROOMS if module == room or module.startswith(f"{room}."))


def imported(source: str) -> Iterator[str]:
    """Names of Engine's modules that a source imports anywhere, also inside functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "engine")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide which room they reach"
            if node.module and node.module.split(".")[0] == "engine":
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def packages_of(file: Path) -> frozenset[str]:
    """The packages, Engine's and others, that a file imports anywhere."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return frozenset(found)


@pytest.mark.parametrize("room", ROOMS)
def test_arrows(room: str) -> None:
    """Imports flow one way: engine -> indexer -> models, db; all may import the two leaves, errors and embedding."""
    files = sorted((ROOT / ROOMS[room]).rglob("*.py"))
    assert files
    for file in files:
        for name in imported(file.read_text("utf-8")):
            if not name.startswith(SHARED):
                assert room_of(name) in {room, *BELOW[room]}, f"{file.relative_to(ROOT)} imports {name}"


def modules() -> dict[str, Path]:
    """All modules of Engine by name, packages included."""
    found = {}
    for room, folder in ROOMS.items():
        for file in (ROOT / folder).rglob("*.py"):
            parts = file.relative_to(ROOT / folder).with_suffix("").parts
            found[".".join([room, *(parts[:-1] if parts[-1] == "__init__" else parts)])] = file
    return found


@cache
def import_graph() -> dict[str, set[str]]:
    """The modules that each module imports anywhere, also inside functions and for type checking."""
    known = modules()
    graph = {}
    for name, file in known.items():
        targets = {target if target in known else target.rpartition(".")[0] for target in imported(file.read_text())}
        graph[name] = targets & known.keys() - {name}
    return graph


def inner_room(module: str) -> str | None:
    """The room inside engine/ that a module lies in; None for the package itself and for the other top rooms."""
    return module.split(".")[1] if room_of(module) == "engine" and module != "engine" else None


def test_arrows_inside_engine() -> None:
    """The rooms of engine/ import lower ones only, in the order of LAYERS and of TRAINING_LAYERS."""
    allowed: dict[str, set[str]] = {}
    for layers in (LAYERS, TRAINING_LAYERS):
        for i, layer in enumerate(layers):
            for room in layer:
                allowed.setdefault(room, {room}).update(*layers[:i])
    wrong = []
    for module, targets in import_graph().items():
        room = inner_room(module)
        assert room is None or room in allowed, f"{module} lies in a room without a place in LAYERS"
        inner = {target: inner_room(target) for target in targets}
        wrong += [f"{module} -> {t}" for t, below in inner.items() if room and below and below not in allowed[room]]
    assert not wrong


def test_no_module_imports_itself_in_a_circle() -> None:
    """No chain of imports leads from a module back to itself, not even inside functions."""
    remaining = dict(import_graph())
    while leaves := {module for module, targets in remaining.items() if not targets & remaining.keys()}:
        for module in leaves:
            del remaining[module]
    assert not remaining, "in or above a circle: " + ", ".join(sorted(remaining))


@pytest.mark.parametrize(
    ("package", "module"),
    [
        ("mutagen", "engine/tags/audio_files.py"),
        ("ai_edge_litert", "models/yamnet.py"),
        ("tokenizers", "engine/find/embedding.py"),
    ],
)
def test_extras_are_apart(package: str, module: str) -> None:
    """mutagen, which is GPL, ai-edge-litert and tokenizers are extras: each is imported in one module only."""
    folders = (*ROOMS.values(), "scripts")
    importing = {file for folder in folders for file in (ROOT / folder).rglob("*.py") if package in packages_of(file)}
    assert importing == {ROOT / module}


def test_faiss_is_behind_vectors() -> None:
    """FAISS is imported in indexer/vectors only: all others use its stores."""
    folders = ROOMS.values()
    importing = {file for folder in folders for file in (ROOT / folder).rglob("*.py") if "faiss" in packages_of(file)}
    assert {file.parent for file in importing} == {ROOT / "indexer" / "vectors"}


def test_errors_import_nothing() -> None:
    """engine.errors imports nothing, and its classes are one tree."""
    tree = ast.parse((ROOT / "engine" / "errors.py").read_text("utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    assert all(issubclass(value, errors.EngineError) for value in classes)
    assert {value.__name__ for value in classes} <= set(engine.__all__)


def test_packages() -> None:
    """Every folder with an __init__.py is listed in pyproject.toml, and no other."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    found = set()
    for room, folder in ROOMS.items():
        for init in (ROOT / folder).rglob("__init__.py"):
            found.add(".".join([room, *init.parent.relative_to(ROOT / folder).parts]))
    assert sorted(listed) == sorted(found)


def test_public_names() -> None:
    """Each public name, of those that engine/__init__.pyi lists and docs/api.md shows, loads."""
    assert {"Engine", "EngineError", "QueryResult"} <= set(engine.__all__)
    for name in engine.__all__:
        assert getattr(engine, name) is not None
    assert set(engine.__all__) <= set(dir(engine))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = engine.nonsense


LIGHT = {
    "errors": "import engine.errors",
    "package": "import engine; engine.EngineError; engine.__version__",
    "help": "import engine.cli; engine.cli.cli.main(['--help'], standalone_mode=False)",
    "help of a command": "import engine.cli; engine.cli.cli.main(['similar', '--help'], standalone_mode=False)",
    "completion": (
        "import os, engine.cli\n"
        "os.environ.update(_ENGINE_COMPLETE='bash_complete', COMP_WORDS='engine similar x', COMP_CWORD='2')\n"
        "try: engine.cli._run()\n"
        "except SystemExit: pass"
    ),
    "wrong use": "import sys, engine.cli; sys.argv = ['engine', 'index']; engine.cli._run()",
}


@pytest.mark.parametrize("code", LIGHT.values(), ids=LIGHT)
def test_light(code: str) -> None:
    """Help, usage errors and the errors' own module load none of the heavy libraries."""
    check = f"import sys\n{code}\nprint('LOADED', *[name for name in {HEAVY} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1].strip() == "LOADED"


def test_decoding_loads_no_database() -> None:
    """A decoder's process loads neither the database nor the network: it starts in a fraction of a second."""
    code = (
        "import sys, engine.indexer.pipeline.worker, engine.indexer.pipeline.decoding\n"
        "import engine.indexer.features.fingerprint, engine.indexer.features.audio_features, engine.tags.audio_files\n"
        f"print('LOADED', *[name for name in {HEAVY} if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1].strip() == "LOADED numpy av"


def test_measuring_loads_no_librosa() -> None:
    """Tempo, key and pictures need no librosa: it compiles for half a minute, and can end a process (numba#10128)."""
    code = (
        "import sys, numpy, engine.explain.picture\n"
        "from engine.indexer.features.audio_features import SAMPLE_RATE, MeasuredSound, features_of\n"
        "clicks = numpy.zeros(20 * SAMPLE_RATE, numpy.float32)\n"
        "clicks[:: SAMPLE_RATE // 2] = 1\n"
        "assert round(features_of(MeasuredSound(clicks, None)).tempo) == 120\n"
        "print('LOADED', *[name for name in ('librosa', 'numba', 'torch') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1].strip() == "LOADED"


def test_reading_loads_no_torch(tmp_path: Path) -> None:
    """A command that only reads the database loads neither torch nor FAISS, nor does a run that finds nothing new."""
    code = (
        "import sys, engine.cli\n"
        f"for words in (['index', {str(tmp_path)!r} + '/music'], ['stats'], ['search', 'x'], ['encoders']):\n"
        f"    sys.argv = ['engine', '--library', {str(tmp_path / 'library.db')!r}, *words]\n"
        "    assert engine.cli._run() == 0\n"
        "print('LOADED', *[name for name in ('torch', 'faiss') if name in sys.modules])"
    )
    (tmp_path / "music").mkdir()
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1].strip() == "LOADED"


def test_command_is_installed(tmp_path: Path) -> None:
    """The installed command works from any folder: its exit code and its one line reach the shell."""
    command = Path(sysconfig.get_path("scripts")) / "engine"
    asked = [str(command), "--library", str(tmp_path / "none.db"), "stats"]
    result = subprocess.run(asked, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (3, "", 1)


def test_wheel(tmp_path: Path) -> None:
    """A wheel installs nothing at top level but `engine`, with every module, the weights and the tables inside."""
    pytest.importorskip("setuptools", minversion="77")
    names = wheel_names(tmp_path)
    top = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert top == {"engine"}
    for room, folder in ROOMS.items():
        for file in (ROOT / folder).rglob("*"):
            if file.suffix in SHIPPED:
                inside = "/".join([*room.split("."), *file.relative_to(ROOT / folder).parts])
                assert inside in names


def wheel_names(tmp_path: Path) -> list[str]:
    """Build a wheel from a copy of what is packaged; returns the files in it."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for folder in ROOMS.values():
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    code = "from setuptools import build_meta; print(build_meta.build_wheel('wheel'))"
    built = subprocess.run([sys.executable, "-c", code], cwd=copy, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[-2000:]
    with zipfile.ZipFile(copy / "wheel" / built.stdout.splitlines()[-1]) as wheel:
        return wheel.namelist()
