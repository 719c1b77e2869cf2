"""`engine classify`: what scripts rely on, and tags written into files."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from engine.db import AudioFeatures, open_database, put_audio_features
from engine.models.labels import GENRES, MOODS, VALENCE, valence
from engine.models.weights_files import default_id, find_encoder, read_metadata
from engine.tags.tagging import LEAST_PROBABILITY
from tests.audio import write_audio
from tests.cli.conftest import Command
from tests.conftest import RATE, Collection, FirstRun, make_song, write_song

QUERY = ["path", "track_id", "error", "genres", "moods", "valence", "centroids", "tags"]
CHANGE = ["path", "track_id", "tag", "old", "new", "probability", "written"]


@pytest.fixture
def library(first_run: FirstRun) -> Path:
    """The shared library, only to be read."""
    return first_run.collection.library


def test_document(command: Command, library: Path, first_run: FirstRun) -> None:
    """The document has every key and complete lists, best first, and agrees with `similar`."""
    song = first_run.collection.song(0)
    document = command("--library", library, "classify", "--json", song, 2).document
    assert list(document) == ["encoder", "queries"]
    assert document["encoder"] == default_id()
    query, second = document["queries"]
    assert list(query) == QUERY
    assert (query["path"], query["track_id"], query["error"]) == (str(song), 1, None)
    assert second["track_id"] == 2
    for key, name, known in (("genres", "genre", GENRES), ("moods", "mood", MOODS), ("valence", "valence", VALENCE)):
        assert {tuple(entry) for entry in query[key]} == {(name, "probability")}
        assert {entry[name] for entry in query[key]} == set(known)
        shares = [entry["probability"] for entry in query[key]]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) == pytest.approx(1, abs=1e-5)
    assert {tuple(entry) for entry in query["centroids"]} == {("genre", "distance", "kind")}
    (similar,) = command("--library", library, "similar", "--json", 1).document["queries"]
    assert {key: similar[key] for key in QUERY} == query


def test_valence(command: Command, library: Path) -> None:
    """Valence is the shares of sad, calm and happy among themselves."""
    (query,) = command("--library", library, "classify", "--json", 3).document["queries"]
    expected = valence({entry["mood"]: entry["probability"] for entry in query["moods"]})
    assert {entry["valence"]: entry["probability"] for entry in query["valence"]} == pytest.approx(expected)


def test_own_moods(command: Command, own: Collection, tmp_path: Path) -> None:
    """An encoder with moods of its own has no valence."""
    shipped, weights = find_encoder(None), tmp_path / "mine.safetensors"
    labels = json.dumps({"genres": shipped.genres, "moods": ["bright", "dark", "red", "blue"], "words": shipped.words})
    metadata = read_metadata(shipped.path) | {"labels": labels}
    save_file(load_file(shipped.path), weights, metadata=metadata)
    asked = ["--library", own.library, "--encoder", weights, "classify", own.song(0)]
    (query,) = command(*asked, "--json").document["queries"]
    assert {entry["mood"] for entry in query["moods"]} == {"bright", "dark", "red", "blue"}
    assert query["valence"] == []
    assert "valence" not in command(*asked).out


def test_failed_keeps_its_place(command: Command, library: Path, tmp_path: Path) -> None:
    """A query that failed keeps its place with its reason, the others are answered, and the code is 1."""
    outcome = command("--library", library, "classify", "--json", 1, tmp_path / "none.wav", 2)
    assert outcome.code == 1
    queries = outcome.document["queries"]
    assert [query["track_id"] for query in queries] == [1, None, 2]
    assert list(queries[1]) == QUERY
    assert "no such file" in queries[1]["error"]
    assert [queries[1][key] for key in QUERY[3:]] == [[]] * len(QUERY[3:])
    assert outcome.err.count("engine: ") == 1


def test_readable(command: Command, own: Collection) -> None:
    """The answer for people shows genre, mood and valence, and what was measured where somebody asked for it."""
    with open_database(own.library, create=False) as database, database.write() as connection:
        put_audio_features(connection, 1, AudioFeatures(120.04, "A minor", -9.26))
        put_audio_features(connection, 2, AudioFeatures(None, None, None))
    outcome = command("--library", own.library, "classify", own.song(0))
    assert outcome.code == 0
    assert [line.split()[0] for line in outcome.out.splitlines()[1:] if line] == [
        "genre", "mood", "valence", "sounds", "nearest", "measured",
    ]  # fmt: skip
    assert "120.0 beats a minute, A minor, -9.3 LUFS" in outcome.out
    assert "no steady tempo, no key, silent" in command("--library", own.library, "classify", 2).out
    assert "measured" not in command("--library", own.library, "classify", 3).out


def test_plan(command: Command, own: Collection) -> None:
    """`--write-tags` alone prints file, tag, old value and new value, writes nothing, and exits 0."""
    before = {path: path.read_bytes() for path in own.folder.iterdir()}
    arguments = ["classify", "--write-tags", "--min-probability", "0", "--overwrite", own.song(0), own.song(13)]
    outcome = command("--library", own.library, *arguments)
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0].startswith(f"{own.song(0)}: genre: Rock -> ")
    assert lines[1].startswith(f"{own.song(0)}: mood: (none) -> ")
    assert lines[2].startswith(f"{own.song(13)}: genre: (none) -> ")
    assert "add --yes" in lines[-1]
    assert {path: path.read_bytes() for path in own.folder.iterdir()} == before
    document = command("--library", own.library, *arguments, "--json").document
    assert list(document) == ["encoder", "queries", "tags"]
    assert list(document["tags"]) == ["changes", "kept", "unsure", "failed"]
    assert {tuple(change) for change in document["tags"]["changes"]} == {tuple(CHANGE)}
    assert not any(change["written"] for change in document["tags"]["changes"])
    assert {path: path.read_bytes() for path in own.folder.iterdir()} == before


def test_write(command: Command, own: Collection) -> None:
    """With `--yes` the tags are written, and the next run of `index` opens none of the files."""
    arguments = ["classify", "--write-tags", "--min-probability", 0]
    outcome = command("--library", own.library, *arguments, "--yes", "--json", own.song(13), own.song(14))
    assert outcome.code == 0
    changes = outcome.document["tags"]["changes"]
    assert [change["written"] for change in changes] == [True] * 4
    assert "16 unchanged" in command("--library", own.library, "index", own.folder).out
    again = command("--library", own.library, *arguments, own.song(13), own.song(14))
    assert "0 tags to write" in again.out
    assert own.folder.name in changes[0]["path"]


def test_default_probability(command: Command, own: Collection) -> None:
    """Without an option guesses below 0.6 are left out."""
    assert LEAST_PROBABILITY == 0.6
    assert "default: 0.6" in command("classify", "--help").out
    document = command("--library", own.library, "classify", "--write-tags", "--json", 14, 15, 16).document
    sure = 0
    for query in document["queries"]:
        sure += sum(query[key][0]["probability"] >= LEAST_PROBABILITY for key in ("genres", "moods"))
    assert len(document["tags"]["changes"]) == sure
    assert document["tags"]["unsure"] == 6 - sure


def test_unwritable(command: Command, own: Collection, tmp_path: Path) -> None:
    """A format without tags is one line: the plan still exits 0, the writing exits 1 and does the others."""
    write_audio(tmp_path / "a.mka", make_song(50), RATE)
    arguments = ["--library", own.library, "classify", "--write-tags", "--min-probability", 0]
    plan = command(*arguments, tmp_path / "a.mka", own.song(13))
    assert (plan.code, plan.err.count("cannot write tags into")) == (0, 1)
    written = command(*arguments, "--yes", tmp_path / "a.mka", own.song(13))
    assert (written.code, written.err.count("\n")) == (1, 1)
    assert "2 tags written in 1 file\n" in written.out


def test_gone_file(command: Command, own: Collection) -> None:
    """A track whose file is gone is classified from the library; its tags cannot be written, in one line."""
    own.song(13).unlink()
    assert command("--library", own.library, "classify", 14).code == 0
    outcome = command("--library", own.library, "classify", "--write-tags", "--yes", "--min-probability", 0, 14)
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)


def test_without_mutagen(command: Command, own: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without mutagen the plan is shown; writing is refused in one line that says how to install it."""
    for name in [name for name in sys.modules if name.split(".")[0] == "mutagen"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mutagen", None)
    arguments = ["--library", own.library, "classify", "--write-tags", "--min-probability", 0, 14]
    assert command(*arguments).code == 0
    before = own.song(13).read_bytes()
    outcome = command(*arguments, "--yes")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (3, "", 1)
    assert "pip install 'music-engine[tags]'" in outcome.err
    assert own.song(13).read_bytes() == before


@pytest.mark.parametrize(
    "arguments",
    [[], ["--yes", "1"], ["--overwrite", "1"], ["--write-tags", "--min-probability", "2", "1"], ["--nonsense", "1"]],
)
def test_usage(command: Command, library: Path, arguments: list[str]) -> None:
    """Wrong use exits 2, before anything is heard."""
    assert command("--library", library, "classify", *arguments).code == 2


def test_hostile_tags(command: Command, tmp_path: Path) -> None:
    """Control characters of a tag, or of a file's name, reach no terminal; JSON stays one document."""
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/two\nlines\x1b[2J.wav")
    write_song(tmp_path / "a.wav", 1, genre="\x1b]0;owned\x07Rock")
    shutil.move(tmp_path / "a.wav", odd)
    library = tmp_path / "library.db"
    command("--library", library, "index", tmp_path)
    arguments = ["--library", library, "classify", "--write-tags", "--overwrite", "--min-probability", 0, "id:1"]
    outcome = command(*arguments)
    assert "\x1b" not in outcome.out
    assert len(outcome.out.splitlines()) == 4
    assert json.loads(command(*arguments, "--json").out)["tags"]["changes"]
    assert "\x1b[2J" not in command("--library", library, "classify", "id:1").out
