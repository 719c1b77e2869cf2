"""The operations under test: each writes user data, and runs from a prepared state."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine import Engine
from engine.errors import LibraryError, QueryError
from faults.world import ENDINGS, World


@dataclass(frozen=True)
class Operation:
    """One operation.

    Attributes:
        name: For the table.
        state: The world's state that it begins from.
        run: Does it.
        share: Of the random kills, relative to the others.
        repeatable: Whether a second run succeeds after a complete first one; otherwise it may be refused.
        indexes: Whether an indexing run can follow; not if a library's encoder no longer ships.
    """

    name: str
    state: str
    run: Callable[[World], None]
    share: int = 2
    repeatable: bool = True
    indexes: bool = True

    def again(self, world: World) -> None:
        """Run it once more after a fault, and index, as a user would."""
        with suppress(*(() if self.repeatable else (LibraryError, QueryError))):
            self.run(world)
        if not self.indexes:
            return
        with world.open() as engine:
            engine.index(world.elsewhere if world.elsewhere.exists() else world.music)


def _index(world: World) -> None:
    world.acknowledged.write_bytes(b"")
    with world.open() as engine, world.acknowledged.open("ab", buffering=0) as acknowledged:
        # Files without sound are committed many at a time: examining one again loses nothing.
        engine.index(world.music, lambda seen: acknowledged.write(b"." * Path(seen.path).name.startswith("song")))


def _find_duplicates(world: World) -> None:
    with world.open() as engine:
        engine.duplicates()


def _compact(world: World) -> None:
    with world.open() as engine:
        engine.check(repair=True)


def _migrate(world: World) -> None:
    Engine.open(world.library, create=False).close()


def _relocate(world: World) -> None:
    with world.open() as engine:
        engine.relocate(world.music, world.elsewhere)


def _remove(world: World) -> None:
    with world.open() as engine:
        engine.remove([2, 3])


def _prune(world: World) -> None:
    with world.open() as engine:
        engine.index(world.music, prune=True)


def _write_tags(world: World) -> None:
    with world.open() as engine:
        found = [engine.classify(track_id) for track_id in range(1, len(ENDINGS) + 1)]
        report = engine.write_tags(found, write=True, minimum=0.0, overwrite=True)
        if report.failed:
            raise LibraryError(f"tags not written: {report.failed[0].reason}")


def _back_up(world: World) -> None:
    with world.open() as engine:
        engine.backup(world.backup)


def _restore(world: World) -> None:
    Engine.restore(world.backup, world.library)


def _export(world: World) -> None:
    with world.open() as engine:
        engine.export(world.backup.with_name("signatures.npz"))
        engine.save_playlist(engine.playlist([1], 4), world.backup.with_name("radio.m3u8"))


OPERATIONS = (
    Operation("index", "fresh", _index, share=8),
    Operation("index of changed files", "changed", _index, share=4),
    Operation("fingerprints", "ready", _find_duplicates),
    Operation("compaction", "without index", _compact),
    Operation("migration", "old", _migrate, indexes=False),
    Operation("relocate", "moved", _relocate, repeatable=False),
    Operation("remove", "ready", _remove, repeatable=False),
    Operation("prune", "gone", _prune),
    Operation("tag writing", "ready", _write_tags, share=4),
    Operation("backup", "removed", _back_up),
    Operation("restore", "removed", _restore, share=3),
    Operation("export and playlist", "ready", _export),
)
