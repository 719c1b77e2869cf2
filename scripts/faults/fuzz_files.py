"""Mutated playlists, histories, settings, weights, index files and databases.

Each is read as a user's command would read it: it must be read, or be refused with one of Engine's own errors in one
short line, within limits of time and memory. A damaged index file must change no answer.
"""

from __future__ import annotations

import random
import resource
import shutil
import struct
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import connect
from typing import Any

import numpy as np

from engine import Engine
from engine.errors import EngineError
from engine.models.checkpoint import load_encoder
from engine.models.weights_files import find_encoder, shipped_path
from engine.playlists.m3u8 import read_playlist
from engine.study.plan import read_study
from faults.children import run, share
from faults.form import Form
from faults.mutations import OF_BINARY, OF_SOUND, OF_TEXT
from faults.table import Row
from faults.world import World, build

EACH, SHORT_EACH = 150, 6
LIMIT = 150.0  # seconds, of all
PORTION = 25  # inputs of one child
PORTION_LIMIT = 300.0  # seconds
LONGEST_LINE = 1_500  # characters of a refusal
MEMORY = 4 << 30  # bytes of data that one child may hold
STUDIES = Path(__file__).resolve().parents[1] / "studies"
PLAYLIST = (
    b"#EXTM3U\n#EXTINF:3,Band - Song\nsong0.wav\n#EXTINF:-1,\nfile:///music/song%201.flac\nC:\\music\\a.mp3\n../b.ogg\n"
)
PLS = b"[playlist]\nNumberOfEntries=2\nFile1=song0.wav\nTitle1=Song\nLength1=3\nFile2=http://example.org/\nVersion=2\n"
HISTORY = b"time,path,event\n2024-01-02T03:04,music/song0.wav,play\n1700000000,id:2,like\n1.7e9,music/song3.ogg,skip\n"


@dataclass(frozen=True)
class Kind:
    """One kind of input: how an input is made from a number, and how it is read; the reader returns a problem."""

    name: str
    make: Callable[[World, random.Random], bytes]
    read: Callable[[World, Path], str | None]
    suffix: str


def fuzz_files(folder: Path, form: Form) -> list[Row]:
    """Run this part of the fuzzing."""
    for worker in range(form.workers):
        ended = run(lambda place=folder / str(worker): build(World(place)))  # type: ignore[misc]
        if ended.how != "done":
            raise RuntimeError(f"the world could not be built: {ended}")
    each = SHORT_EACH if form.short else EACH
    portions = [(kind, first, min(first + PORTION, each)) for first in range(0, each, PORTION) for kind in KINDS]
    found = share(
        lambda worker, portion: _read_portion(World(folder / str(worker)), *portion),
        portions,
        form.workers,
        form.limit(LIMIT),
    )
    rows = {name: Row(f"mutated {name}") for name in KINDS}
    for (name, first, last), problems in zip(portions, found, strict=True):
        for number in range(first, last) if problems is not None else ():
            rows[name].count(problems.get(str(number)))
    return list(rows.values())


def _read_portion(world: World, name: str, first: int, last: int) -> dict[str, str]:
    """Read inputs in one child; return problems by number."""
    world.enter()
    world.load("ready")
    ended = run(lambda: _read(world, KINDS[name], first, last), limit=PORTION_LIMIT)
    if ended.how == "done":
        return dict(ended.value)
    if last - first == 1:
        return {str(first): f"{name} {first}: {ended.how}: {ended.value}"}
    half = (first + last) // 2  # find the culprits
    return _read_portion(world, name, first, half) | _read_portion(world, name, half, last)


def _read(world: World, kind: Kind, first: int, last: int) -> dict[str, str]:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    problems = {}
    for number in range(first, last):
        draw = random.Random(f"{kind.name} {number}")
        path = world.now / f"input{number}{kind.suffix}"
        path.write_bytes(kind.make(world, draw))
        try:
            problem = kind.read(world, path)
        except EngineError as error:
            line = str(error)
            problem = f"refused in {len(line)} characters: {line}" if "\n" in line or len(line) > LONGEST_LINE else None
        except Exception:
            problem = traceback.format_exc()[-250:]
        path.unlink()
        if problem is not None:
            problems[str(number)] = f"{kind.name} {number}: {problem}"
    return problems


def _text(*seeds: bytes) -> Callable[[World, random.Random], bytes]:
    def make(_: World, draw: random.Random) -> bytes:
        text = draw.choice(seeds)
        for _round in range(draw.randint(1, 3)):
            text = draw.choice(OF_TEXT)(draw, text or b"\n", seeds)
        return text

    return make


def _read_playlist(_: World, path: Path) -> None:
    read_playlist(path)


def _read_history(world: World, path: Path) -> None:
    with world.open() as engine:
        engine.recommend(path, 3)


def _read_study(_: World, path: Path) -> None:
    read_study(path)


def _weights(_: World, draw: random.Random) -> bytes:
    """Change the header of shipped weights, or the numbers after it: lengths, overlapping offsets, NaN."""
    content = shipped_path("ts_resformer").read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    header, numbers = content[8 : 8 + length], bytearray(content[8 + length :])
    way = draw.randrange(5)
    if way == 0:  # a length that is not the header's
        return (
            struct.pack("<Q", draw.choice([0, 1, length - 1, length + 1, 2**31, 2**62, 2**64 - 1])) + header + numbers
        )
    if way == 1:  # NaN and infinity
        values = np.frombuffer(numbers, "<f2")
        values[:: draw.randint(1, 1000)] = draw.choice([np.nan, np.inf, -np.inf, 65504])
        return content[: 8 + length] + values.tobytes()
    if way == 2:  # other numbers in the header: shapes and offsets
        digits = [i for i, byte in enumerate(header) if chr(byte).isdigit()]
        header = bytearray(header)
        for at in draw.sample(digits, draw.randint(1, 20)):
            header[at] = ord(draw.choice("0123456789"))
    elif way == 3:  # a text that is no longer JSON, or another one
        header = OF_TEXT[0](draw, bytes(header), ())
    else:
        header = OF_SOUND["bit flips"](draw, bytes(header), ())
    return struct.pack("<Q", len(header)) + bytes(header) + numbers


def _read_weights(world: World, path: Path) -> str | None:
    encoder = load_encoder(find_encoder(str(path)))
    with Engine.open(world.now / "other.db", encoder=str(path), device="cpu", threads=1) as engine:
        report = engine.index(world.music / "song0.wav")
        del encoder
        findings = [finding for finding in engine.check().findings if finding.check == "signatures"]
    for part in world.now.glob("other.db*"):
        part.unlink()
    return f"stored {report.new} bad signatures" if findings else None


def _index_file(world: World, draw: random.Random) -> bytes:
    (original,) = (world.root / "ready" / "library").glob("*.faiss")
    return draw.choice(OF_BINARY)(draw, original.read_bytes(), ())


def _read_index_file(world: World, path: Path) -> str | None:
    expected = _answers(world)
    for original in world.library.parent.glob("*.faiss"):
        shutil.copyfile(path, original)
    return None if _answers(world) == expected else "another answer"


def _database(world: World, draw: random.Random) -> bytes:
    """Change bytes of one page, drawn so that every kind of page occurs."""
    content = bytearray((world.root / "ready" / "library" / "library.db").read_bytes())
    size = struct.unpack(">H", content[16:18])[0]
    pages: dict[int, list[int]] = {}
    for start in range(0, len(content), size):
        kind = content[start + (100 if start == 0 else 0)]  # 2, 5, 10, 13: trees; others: overflow and free pages
        pages.setdefault(kind if kind in (2, 5, 10, 13) else 0, []).append(start)
    start = 0 if draw.random() < 0.1 else draw.choice(pages[draw.choice([*pages])])
    within = 100 if start == 0 and draw.random() < 0.7 else draw.choice([16, 200, size])
    for _byte in range(draw.choice([1, 1, 4, 30])):
        content[start + draw.randrange(within)] = draw.randrange(256)
    return bytes(content)


def _read_database(world: World, path: Path) -> str | None:
    """Run every query on a damaged library: each call must answer or be refused on its own."""
    problems = []
    calls: list[Callable[[Engine], Any]] = [
        Engine.stats,
        lambda engine: engine.search("song"),
        lambda engine: engine.similar(1, k=3),
        lambda engine: engine.similar_groups("artist", [2]),
        lambda engine: engine.classify(3),
        lambda engine: engine.explain(4),
        lambda engine: engine.recommend(),
        lambda engine: engine.genres(),
        lambda engine: engine.map(),
        lambda engine: engine.check(),
        lambda engine: engine.export(path.with_suffix(".npz")),
        lambda engine: engine.backup(path.with_suffix(".bak")),
        lambda engine: engine.index(world.music),
        lambda engine: engine.check(repair=True),
    ]
    with suppress(EngineError), Engine.open(path, device="cpu", threads=1, create=False) as engine:
        for number, call in enumerate(calls):
            try:
                call(engine)
            except EngineError as error:
                problems += [f"call {number}: several lines"] if "\n" in str(error) else []
            except Exception:
                problems.append(f"call {number}: {traceback.format_exc()[-250:]}")
    for part in _parts(path):
        part.unlink()
    path.touch()
    return problems[0] if problems else None


def _parts(path: Path) -> Iterator[Path]:
    yield from path.parent.glob(f"{path.stem}.*")


def _answers(world: World) -> list[list[int]]:
    with closing(connect(world.library)) as connection:
        ids = [number for (number,) in connection.execute("SELECT id FROM tracks")]
    with world.open() as engine:
        return [[match.track_id for match in engine.similar(track_id, k=5).matches] for track_id in ids]


KINDS = {
    kind.name: kind
    for kind in (
        Kind("playlists", _text(PLAYLIST, PLS), _read_playlist, ".m3u8"),
        Kind("histories", _text(HISTORY), _read_history, ".csv"),
        Kind("TOML", _text(*(path.read_bytes() for path in sorted(STUDIES.glob("*.toml")))), _read_study, ".toml"),
        Kind("safetensors", _weights, _read_weights, ".safetensors"),
        Kind("index files", _index_file, _read_index_file, ".faiss"),
        Kind("databases", _database, _read_database, ".db"),
    )
}
