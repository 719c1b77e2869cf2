"""A small music folder with its library, the states that faults begin from, and the facts that must be equal after.

Paths in a library are absolute, so a world has a fixed path: `save` copies its state under a name, `load` restores it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine import Engine
from engine.db import Play
from engine.models.weights_files import shipped_ids
from engine.util.paths import APPLICATION, default_cache
from tests.audio import write_audio

RATE = 22_050
SECONDS = 3.1
ENDINGS = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a")
UNCOMPARED = {"settings": "key != 'indexing'"}  # the claim of the last run
SHADOWS = (
    "sqlite_",
    "search_trigrams",
    "search_words",
)  # of SQLite and its text index, whose layout depends on history
VOLATILE = {  # columns by table: times of a run, and numbers of rows that can be recomputed
    "tracks": {"added_at", "mtime_ns"},  # `_changed` compares the latter with the file's
    "departed_tracks": {"added_at", "removed_at"},
    "signatures": {"id"},
    "plays": {"id"},
    "segments": {"signature_id"},
    "words": {"signature_id"},
    "vector_indexes": {"last_signature_id", "file_digest"},
}
PRECIOUS = ("tracks", "signatures", "plays")
GOLDEN = Path(__file__).resolve().parents[2] / "tests" / "golden" / "library-v1.db"
DIGITS = re.compile(r"[0-9a-f]{16,}|\.before-[0-9-]+")

Facts = dict[str, Any]


@dataclass(frozen=True)
class World:
    """The folder of one worker: `now` holds the music, library and cache; the saved states are beside it."""

    root: Path

    @property
    def now(self) -> Path:
        """The folder that runs see."""
        return self.root / "now"

    @property
    def music(self) -> Path:
        """The folder of songs."""
        return self.now / "music"

    @property
    def elsewhere(self) -> Path:
        """The folder of songs after its move, in the state "moved"."""
        return self.now / "elsewhere"

    @property
    def library(self) -> Path:
        """The library's file, alone in its folder."""
        return self.now / "library" / "library.db"

    @property
    def backup(self) -> Path:
        """A backup."""
        return self.now / "backup" / "music.bak"

    @property
    def acknowledged(self) -> Path:
        """A file with one byte for each file that an indexing run has reported as done."""
        return self.root / "acknowledged"

    def enter(self) -> None:
        """Give this process a cache folder of its own, with the results of the test of bf16, which takes seconds."""
        tested, cache = default_cache(), self.root / "cache"
        os.environ["XDG_CACHE_HOME"] = str(cache)
        if not cache.exists():
            (cache / APPLICATION).mkdir(parents=True)
            for result in tested.glob("bf16-*") if tested else ():
                shutil.copy(result, cache / APPLICATION)

    def save(self, state: str) -> None:
        """Save the current state under a name."""
        shutil.copytree(self.now, self.root / state, symlinks=True)

    def load(self, state: str) -> None:
        """Restore a state."""
        shutil.rmtree(self.now, ignore_errors=True)
        shutil.copytree(self.root / state, self.now, symlinks=True)

    def open(self) -> Engine:
        """Open the library."""
        return Engine.open(self.library, device="cpu", threads=1)  # with more, ids depend on which file is done first


def sound(seed: int, seconds: float = SECONDS) -> np.ndarray[Any, Any]:
    """Return a chord over noise, (n,) at RATE, drawn from a seed."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    notes = 110 * 2 ** (random.integers(0, 36, 3) / 12)
    chord = sum(np.sin(2 * np.pi * note * time) for note in notes)
    beat = np.exp(-((time * random.uniform(1, 4)) % 1) * random.uniform(4, 20))
    return (chord * beat * 0.2 + random.standard_normal(len(time)) * 0.02).astype(np.float32)


def write_song(path: Path, seed: int, seconds: float = SECONDS, **tags: str) -> Path:
    """Write a tagged song; the ending chooses the format."""
    samples, rate = sound(seed, seconds), RATE
    if path.suffix in (".opus", ".ac3"):  # do not know 22 kHz
        rate = 48_000
        samples = np.interp(np.arange(round(seconds * rate)) * RATE / rate, np.arange(len(samples)), samples)
    named = {"artist": f"Band {seed}", "title": f"Song {seed}", **tags}
    write_audio(path, samples.astype(np.float32), rate, tags=named)
    return path


def build(world: World) -> None:
    """Make all states of a world; this process computes, so call it in a child."""
    world.enter()
    for folder in (world.music, world.library.parent, world.backup.parent):
        folder.mkdir(parents=True)
    for number, ending in enumerate(ENDINGS):
        write_song(world.music / f"song{number}{ending}", number)
    (world.music / "garbage.mp3").write_bytes(bytes(range(256)) * 40)
    (world.music / "notes.txt").write_text("no sound\n", "utf-8")
    world.save("fresh")
    with world.open() as engine:
        engine.index(world.music)
        engine.add_plays([Play(1.7e9 + i, "like", 1 + i % len(ENDINGS)) for i in range(2 * len(ENDINGS))])
        engine.backup(world.backup)
    world.save("ready")
    for path in world.library.parent.glob("*.faiss"):
        path.unlink()
    world.save("without index")
    world.load("ready")
    write_song(world.music / f"song0{ENDINGS[0]}", 100)
    write_song(world.music / f"song1{ENDINGS[1]}", 1, title="Another title")
    (world.music / f"song2{ENDINGS[2]}").rename(world.music / f"renamed{ENDINGS[2]}")
    world.save("changed")
    world.load("ready")
    world.music.rename(world.elsewhere)
    world.save("moved")
    world.load("ready")
    for number in (0, 1):
        (world.music / f"song{number}{ENDINGS[number]}").unlink()
    world.save("gone")
    world.load("ready")
    with world.open() as engine:
        engine.remove([2, 3])
    for number in (1, 2):
        (world.music / f"song{number}{ENDINGS[number]}").unlink()
    world.save("removed")
    shutil.rmtree(world.library.parent)
    world.library.parent.mkdir()
    shutil.copy(GOLDEN, world.library)
    world.save("old")


def facts(world: World) -> Facts:
    """Open and check the library; return everything to compare: findings, rows, answers, files, sounds."""
    with Engine.open(world.library, device="cpu", create=False) as engine:
        found = engine.check().findings
        tracks = engine.stats().tracks
        answers = [_answer(engine, track_id) for track_id in _ids(world)] if engine.encoder in shipped_ids() else []
    files = sorted(path for path in world.now.rglob("*") if path.is_file())
    return {
        "findings": sorted(_plain(world, f"{finding.check}: {finding.message}") for finding in found),
        "tracks": tracks,
        "answers": answers,
        "rows": rows(world),
        "files": sorted({_plain(world, str(path)) for path in files}),
        "unfinished": len(list((world.root / "cache").rglob("*.part"))),
        "changed": _changed(world),
        "sounds": {path.name: _digest(path.read_bytes()) for path in files if path.suffix in ENDINGS},
    }


def rows(world: World) -> dict[str, list[str]]:
    """Return all rows of all tables, blobs as digests, without those that differ from run to run."""
    with closing(sqlite3.connect(f"{world.library.as_uri()}?mode=ro", uri=True)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        kept = [name for name in sorted(names) if not name.startswith(SHADOWS)]
        return {name: _table(world, connection, name) for name in kept}


def count_lost(least: Facts, found: Facts) -> int:
    """Return the number of tracks, plays and files of `least` that are missing."""
    lost = sum(max(0, len(least["rows"].get(name, [])) - len(found["rows"].get(name, []))) for name in PRECIOUS)
    return lost + len(set(least["sounds"]) - set(found["sounds"]))


def difference(expected: Facts, found: Facts) -> str | None:
    """Describe the first difference; None if there is none."""
    for key in ("findings", "tracks", "files", "unfinished", "changed", "sounds", "answers"):
        if expected[key] != found[key]:
            return f"{key}: expected {_differing(expected[key], found[key])}"
    for name, wanted in expected["rows"].items():
        if wanted != (got := found["rows"].get(name, [])):
            return f"table {name}: expected {_differing(wanted, got)}"
    return None


def _changed(world: World) -> list[str]:
    """Return the files that the next indexing run would treat as changed."""
    with closing(sqlite3.connect(f"{world.library.as_uri()}?mode=ro", uri=True)) as connection:
        known = {
            Path(os.fsdecode(path)): time for path, time in connection.execute("SELECT path, mtime_ns FROM tracks")
        }
    return sorted(_plain(world, str(p)) for p, time in known.items() if p.exists() and p.stat().st_mtime_ns != time)


def _table(world: World, connection: sqlite3.Connection, name: str) -> list[str]:
    cursor = connection.execute(f'SELECT * FROM "{name}" WHERE {UNCOMPARED.get(name, "1")}')
    kept = [i for i, column in enumerate(cursor.description) if column[0] not in VOLATILE.get(name, ())]
    return sorted(repr([_brief(world, row[i]) for i in kept]) for row in cursor)


def _brief(world: World, value: Any) -> Any:
    if not isinstance(value, bytes):
        return _plain(world, value) if isinstance(value, str) else value
    return _plain(world, os.fsdecode(value)) if value.startswith(b"/") else _digest(value)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _answer(engine: Engine, track_id: int) -> list[int]:
    return [match.track_id for match in engine.similar(track_id, k=3).matches]


def _ids(world: World) -> list[int]:
    with closing(sqlite3.connect(f"{world.library.as_uri()}?mode=ro", uri=True)) as connection:
        return [number for (number,) in connection.execute("SELECT track_id FROM signatures ORDER BY track_id")]


def _plain(world: World, text: str) -> str:
    """Replace details that differ from run to run: digests, times and the world's own place."""
    return DIGITS.sub("#", text.replace(str(world.now), ""))


def _differing(expected: Any, found: Any) -> str:
    if isinstance(expected, dict):
        expected, found = [*expected.items()], [*found.items()]
    if isinstance(expected, list):
        expected, found = [e for e in expected if e not in found], [f for f in found if f not in expected]
    return f"{expected}, found {found}"
