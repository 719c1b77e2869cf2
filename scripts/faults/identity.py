"""Test random file operations and runs against a model: a track keeps its id, its plays and its likes.

The model identifies each song by its sound. Songs are added, renamed, moved, retagged, both at once, encoded again in
place, deleted, brought back, touched, and damaged for a while; in between, the folder is indexed, pruned and relocated,
tracks are removed, and the library is backed up and restored. After each run every intact song must be a track at its
path, with its earlier id and all of its plays.

Not covered: a song that is both renamed and encoded again between two runs, which only its sound distinguishes from a
new one, and plays since the restored backup.
"""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from engine import Engine, Play
from engine.db import list_plays, open_database, track_by_path
from engine.errors import LibraryError, NotFoundError
from faults.children import run
from faults.form import Form
from faults.table import Row
from faults.world import RATE, sound
from tests.audio import write_audio

EXAMPLES, SHORT_EXAMPLES, STEPS = 40, 3, 30
LIMIT = 1_800.0  # seconds, of the whole part
SECONDS = 2.5
FOLDERS = ("a", "b", "c")
ENDINGS = (".wav", ".flac")
NOISE = 1e-4  # of an encoding: below the sound, above rounding
choice = st.integers(0, 1_000)


@dataclass
class Song:
    """A song on disk: its sound, path, tags and encoding, and its changes since the last run."""

    seed: int
    path: Path
    tags: int = 0
    encoding: int = 0
    present: bool = True
    whole: bool = True
    renamed: bool = False
    encoded_again: bool = False

    def write(self) -> None:
        """Write the file, as it should be now."""
        noise = NOISE * self.encoding * sound(1_000 + self.seed, SECONDS)
        samples = sound(self.seed, SECONDS) + noise
        self.path.parent.mkdir(exist_ok=True)
        write_audio(self.path, samples, RATE, tags={"title": f"Song {self.tags}", "artist": f"Band {self.seed}"})

    @property
    def readable(self) -> bool:
        """Whether a run can read it."""
        return self.present and self.whole


@dataclass
class Known:
    """The library, as it should be: ids and times of plays by the songs' seeds."""

    ids: dict[int, int] = field(default_factory=dict)
    plays: dict[int, set[float]] = field(default_factory=dict)


class Identity(RuleBasedStateMachine):
    """The model, and the library under test; `operations` counts those of all examples."""

    operations = 0

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="faults-identity-"))
        self.music, self.library = self.root / "music", self.root / "library.db"
        self.music.mkdir()
        self.songs: list[Song] = []
        self.known, self.saved = Known(), None
        self.named = self.played = 0
        self.engine = Engine.open(self.library, device="cpu", threads=2)

    def teardown(self) -> None:
        """Remove all."""
        self.engine.close()
        shutil.rmtree(self.root)

    @rule(folder=st.sampled_from(FOLDERS), ending=st.sampled_from(ENDINGS))
    def add(self, folder: str, ending: str) -> None:
        """Add one or two songs."""
        for _ in range(2):
            self.songs.append(Song(len(self.songs), self._new_path(folder, ending)))
            self.songs[-1].write()

    @precondition(lambda self: self._some(lambda song: song.present))
    @rule(which=choice, folder=st.sampled_from(FOLDERS))
    def rename(self, which: int, folder: str) -> None:
        """Rename or move a song."""
        song = self._pick(which, lambda song: song.present)
        before, song.path, song.renamed = song.path, self._new_path(folder, song.path.suffix), True
        song.path.parent.mkdir(exist_ok=True)
        before.rename(song.path)

    @precondition(lambda self: self._some(lambda song: song.readable))
    @rule(which=choice, folder=st.sampled_from(FOLDERS), also_rename=st.booleans())
    def retag(self, which: int, folder: str, also_rename: bool) -> None:
        """Change a song's tags, perhaps its name, too."""
        song = self._pick(which, lambda song: song.readable)
        song.tags += 1
        if also_rename:
            song.path.unlink()
            song.path, song.renamed = self._new_path(folder, song.path.suffix), True
        song.write()

    @precondition(lambda self: self._some(lambda song: song.readable))
    @rule(which=choice)
    def encode_again(self, which: int) -> None:
        """Encode a song again, in place."""
        song = self._pick(which, lambda song: song.readable)
        song.encoding, song.encoded_again = song.encoding + 1, True
        song.write()

    @precondition(lambda self: self._some(lambda song: song.readable))
    @rule(which=choice)
    def touch(self, which: int) -> None:
        """Change a song's modification time."""
        os.utime(self._pick(which, lambda song: song.readable).path)

    @precondition(lambda self: self._some(lambda song: song.readable))
    @rule(which=choice)
    def damage(self, which: int) -> None:
        """Truncate a song to half, like a copy in progress."""
        song = self._pick(which, lambda song: song.readable)
        song.path.write_bytes(bytes(1000))
        song.whole = False

    @precondition(lambda self: self._some(lambda song: song.present))
    @rule(which=choice)
    def delete(self, which: int) -> None:
        """Delete a song."""
        song = self._pick(which, lambda song: song.present)
        song.path.unlink()
        song.present = False

    @precondition(lambda self: self._some(lambda song: not song.readable))
    @rule(which=choice, folder=st.sampled_from(FOLDERS))
    def bring_back(self, which: int, folder: str) -> None:
        """Bring a song back that was deleted, elsewhere, or damaged, in place."""
        song = self._pick(which, lambda song: not song.readable)
        if not song.present:
            song.path, song.renamed = self._new_path(folder, song.path.suffix), True
        song.present = song.whole = True
        song.write()

    @precondition(lambda self: self.known.ids)
    @rule(which=choice, event=st.sampled_from(["play", "like"]))
    def play(self, which: int, event: str) -> None:
        """Play or like a track."""
        seed = sorted(self.known.ids)[which % len(self.known.ids)]
        self.played += 1
        if self.engine.add_plays([Play(1.7e9 + self.played, event, self.known.ids[seed])]):
            self.known.plays.setdefault(seed, set()).add(1.7e9 + self.played)

    @rule(prune=st.booleans())
    def index(self, prune: bool) -> None:
        """Index, perhaps prune; then compare."""
        self.engine.index(self.music, prune=prune, force=prune)
        self._compare()

    @precondition(lambda self: self.known.ids)
    @rule(which=choice)
    def remove(self, which: int) -> None:
        """Remove a track but not its file; the next run adds it again."""
        seed = sorted(self.known.ids)[which % len(self.known.ids)]
        with suppress(NotFoundError):  # it was pruned
            self.engine.remove(self.known.ids[seed])

    @rule(old=st.sampled_from(FOLDERS))
    def relocate(self, old: str) -> None:
        """Move a folder away and back to another name, and relocate it in the library if possible."""
        folder, target = self.music / old, self.music / f"{old}{len(self.songs)}{self.named}"
        if not folder.is_dir():
            return
        folder.rename(target)
        for song in self.songs:
            if song.path.parent == folder:
                song.path = target / song.path.name
                song.renamed = song.renamed or not song.present
        try:
            self.engine.relocate(folder, target)
        except LibraryError:  # nothing of it was indexed, or is there now
            for song in self.songs:
                song.renamed = song.renamed or song.path.parent == target

    @rule()
    def back_up(self) -> None:
        """Back up the library."""
        self.engine.backup(self.root / "music.bak")
        self.saved = copy.deepcopy(self.known)

    @precondition(lambda self: self.saved is not None)
    @rule()
    def restore(self) -> None:
        """Restore the backup, and the state of the model at that time."""
        self.engine.close()
        Engine.restore(self.root / "music.bak", self.library)
        self.engine = Engine.open(self.library, device="cpu", threads=2)
        self.known = copy.deepcopy(self.saved) or Known()
        for song in self.songs:  # of the backup it is another name, and perhaps another encoding
            song.renamed, song.encoded_again = True, song.encoding > 0

    @invariant()
    def count(self) -> None:
        """Count an operation."""
        Identity.operations += 1

    def _compare(self) -> None:
        with open_database(self.library, create=False) as database, database.read() as connection:
            played: dict[int, set[float]] = {}
            for each in list_plays(connection):
                played.setdefault(each.track_id, set()).add(each.time)
            for song in self.songs:
                if song.readable:
                    track = track_by_path(connection, os.fsencode(song.path))
                    assert track is not None, f"{song} is not a track"
                    self._compare_song(song, track.id, played.get(track.id, set()))

    def _compare_song(self, song: Song, track_id: int, played: set[float]) -> None:
        if song.seed not in self.known.ids or (
            song.renamed and song.encoded_again and track_id != self.known.ids[song.seed]
        ):
            self.known.ids[song.seed] = track_id
            self.known.plays[song.seed] = played
        assert track_id == self.known.ids[song.seed], (
            f"{song}: expected id {self.known.ids[song.seed]}, found {track_id}"
        )
        expected = self.known.plays.get(song.seed, set())
        assert played == expected, f"{song}: expected plays {expected}, found {played}"
        song.renamed = song.encoded_again = False

    def _new_path(self, folder: str, ending: str) -> Path:
        self.named += 1
        return self.music / folder / f"song{self.named}{ending}"

    def _some(self, condition: Callable[[Song], bool]) -> bool:
        return any(map(condition, self.songs))

    def _pick(self, which: int, condition: Callable[[Song], bool]) -> Song:
        fitting = [song for song in self.songs if condition(song)]
        return fitting[which % len(fitting)]


def identity(folder: Path, form: Form) -> list[Row]:
    """Run this part."""
    row = Row("operations on files and library: identity")
    examples = SHORT_EXAMPLES if form.short else EXAMPLES
    ended = run(lambda: check(examples), limit=LIMIT)
    row.injected = row.survived = ended.value if ended.how == "done" else 1
    if ended.how != "done":
        row.survived = 0
        row.problems.append(f"{ended.how}: {str(ended.value)[-2000:]}")
    return [row]


def check(examples: int) -> int:
    """Run the model and return the number of operations; raise AssertionError with the shortest sequence that fails."""
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    chosen = settings(
        max_examples=examples, stateful_step_count=STEPS, deadline=None, suppress_health_check=checks, database=None
    )
    run_state_machine_as_test(Identity, settings=chosen)
    return Identity.operations
