"""Columns of tags hold every track's log-odds to a step, follow the library, and survive damage.

Covers engine.search.tag_columns_file, engine.find.bounds and engine.find.term_scores, too.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import Engine, Filters, UnavailableError
from engine.db import NewTrack, get_signature, put_signature, upsert_track
from engine.find import scoring
from engine.find.finding import understand
from engine.find.scoring import Scorer
from engine.search import tag_columns as module, tag_filters
from engine.search.tag_columns import columns_path, edges, tag_columns
from engine.search.tag_filters import carriers, not_music
from engine.search.tag_scores import all_norms, tag_head
from engine.session import LibraryView
from tests.conftest import Collection, write_song
from tests.search.test_tag_filters import SONGS, library_of, spread_encoder

MANY = 400
DESCRIPTIONS = (
    "piano", "piano, no speech", "no vocals", "very loud vocals, a bit guitar, not too piano", "no guitar, no piano",
    "piano, guitar", "like Band 1, no piano", "like Band 1", "not like Band 1, guitar",
)  # fmt: skip


@pytest.fixture
def songs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Collection:
    """Six songs in a library that counts as large."""
    monkeypatch.setattr(scoring, "COLUMNS_FROM", 0)
    return library_of(tmp_path, spread_encoder())


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Six songs, and MANY made-up tracks with tags that spread as theirs do. Only read it."""
    collection = library_of(tmp_path_factory.mktemp("many"), spread_encoder())
    with Engine.open(collection.library, device="cpu") as library:
        head, random = tag_head(library._session.view()), np.random.default_rng(0)
        view = library._session.view()
        with library._session.database.write() as connection:
            model = get_signature(connection, 1, view.encoder_id, view.coverage)
            assert model is not None
            for number in range(MANY):
                path = f"/made/{number}.wav".encode()
                track = NewTrack(path, 1, 1, number.to_bytes(16, "little"), 5.0, artist=f"Maker {number % 7}")
                vector = random.normal(size=head.weight.shape[1]).astype(np.float32)
                vector /= np.linalg.norm(vector)
                logits = random.uniform(0.5, 1.5) * (head.weight @ vector) + head.bias
                made = replace(model.embedding, signature=vector, words=1 / (1 + np.exp(-logits)))
                put_signature(connection, replace(model, track_id=upsert_track(connection, track), embedding=made))
        library._session.cache.clear()
        yield library


def view_of(library: Engine) -> LibraryView:
    """The library as a query sees it."""
    return library._session.view()


def test_codes_enclose_the_log_odds(many: Engine) -> None:
    """Each track's log-odds of each tag lie between the edges of its code, and most codes are narrow."""
    view = view_of(many)
    (part,) = tag_columns(view).parts
    head, ids = tag_head(view), part.codes.track_ids
    norms = all_norms(view).of(ids)
    assert np.allclose(part.codes.norms, norms, rtol=1e-4)
    exact = norms[:, None] * (view.snapshot.take(ids) @ head.weight.T) + head.bias
    for tag in range(len(view.file.words)):
        lower, upper = edges(part.codes, tag)
        codes = part.column(tag)
        assert (lower[codes] <= exact[:, tag]).all()
        assert (exact[:, tag] <= upper[codes]).all()
        assert len(np.unique(codes)) > 20 or view.file.words[tag] in ("music", "speech", "silence")  # nearly constant


@pytest.mark.parametrize("text", DESCRIPTIONS)
@pytest.mark.parametrize("share", [None, 2, 20])
def test_bounds_change_no_answer(many: Engine, text: str, share: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The best by bounds are those of scoring every track, of all and of every second or twentieth, at any k."""
    view = view_of(many)
    allowed = None if share is None else np.sort(view.snapshot.ids)[::share]
    plan = understand(view, text)
    if allowed is not None:
        plan.restrict(allowed)
    every = view.snapshot.known(view.snapshot.ids if plan.allowed is None else plan.allowed)
    exact = Scorer(view, plan.terms, plan.targets).of(every, len(every))
    monkeypatch.setattr(scoring, "COLUMNS_FROM", 0)
    monkeypatch.setattr(scoring, "DIRECT", 0)
    for name in ("FIRST", "FIRST_FACTOR"):
        monkeypatch.setattr(scoring, name, 1)
    for count in (1, 20, MANY * 2):
        found = Scorer(view, plan.terms, plan.targets).best(count, plan.allowed)
        assert found.track_ids.tolist() == exact.track_ids[:count].tolist()
        assert found.scores == pytest.approx(exact.scores[:count], abs=1e-5)


def test_few_tracks_are_scored(many: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds leave less than a fifth of the tracks to be scored for five."""
    view, scored = view_of(many), []
    plan = understand(view, "piano, guitar, no speech")
    monkeypatch.setattr(scoring, "COLUMNS_FROM", 0)
    monkeypatch.setattr(scoring, "FIRST", 8)
    scorer = Scorer(view, plan.terms)
    of = scorer.of
    monkeypatch.setattr(scorer, "of", lambda ids, *rest: (scored.append(len(ids)), of(ids, *rest))[1])
    assert len(scorer.best(5).scores) == 5
    assert sum(scored) < MANY / 5


@pytest.mark.parametrize("phrase", ["piano", "guitar", "vocals"])
def test_a_large_library_knows_who_carries_a_tag(many: Engine, phrase: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Filters by tag read signatures instead of every track's words, and choose the same tracks but for rounding."""
    stored = set(carriers(view_of(many), [phrase]).tolist())
    monkeypatch.setattr(tag_filters, "COLUMNS_FROM", 0)
    many._session.cache.clear()
    derived = set(carriers(view_of(many), [phrase]).tolist())
    assert len(stored ^ derived) <= 1
    assert 5 < len(derived) < MANY
    assert len(not_music(view_of(many))) == 0


def test_the_file_serves_the_next_process(songs: Collection) -> None:
    """Columns are written once, private, and read by the next session; filters combine with them."""
    with Engine.open(songs.library, device="cpu") as library:
        first = library.find("piano, no guitar")
        path = columns_path(view_of(library))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    written = path.stat().st_mtime_ns, path.stat().st_ino
    with Engine.open(songs.library, device="cpu") as library:
        assert [m.track_id for m in library.find("piano, no guitar").matches] == [m.track_id for m in first.matches]
        only = library.find("piano", filters=Filters(artists=("Band 2",)))
        assert [match.artist for match in only.matches] == ["Band 2"]
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == written


@pytest.mark.parametrize("share", [0.0, 0.9])
def test_columns_follow_the_library(songs: Collection, share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Removed tracks leave the answers and new ones enter them, whether the file is written anew or not."""
    monkeypatch.setattr(module, "REWRITE_SHARE", share)
    with Engine.open(songs.library, device="cpu") as library:
        assert len(library.find("piano").matches) == SONGS
        before = columns_path(view_of(library)).stat().st_ino
        songs.song(0).unlink()
        write_song(songs.song(SONGS), 77)
        write_song(songs.song(SONGS + 1), 78)
        library.index(songs.folder, prune=True)
        found = library.find("piano, no guitar")
        assert (columns_path(view_of(library)).stat().st_ino == before) == (share > 0)
    monkeypatch.setattr(scoring, "COLUMNS_FROM", 10)
    with Engine.open(songs.library, device="cpu") as library:
        exact = library.find("piano, no guitar")
    assert len(found.matches) == SONGS + 1
    assert [match.track_id for match in found.matches] == [match.track_id for match in exact.matches]


def test_damage_is_found_and_mended(songs: Collection) -> None:
    """A damaged column is refused once, and columns are made again; a damaged or foreign file is not used at all."""
    with Engine.open(songs.library, device="cpu") as library:
        answer = [match.track_id for match in library.find("piano").matches]
        path = columns_path(view_of(library))
    content = bytearray(path.read_bytes())
    column = view_of(library).file.words.index("piano")
    content[len(content) - SONGS * (len(view_of(library).file.words) - column)] ^= 255
    path.write_bytes(content)
    with Engine.open(songs.library, device="cpu") as library:
        with pytest.raises(UnavailableError, match="damaged"):
            library.find("piano")
        assert [match.track_id for match in library.find("piano").matches] == answer
    for damaged in (b"", b"\xff" * 64, path.read_bytes()[:-1], path.read_bytes()[:200] + b"\1" * 4_000):
        path.write_bytes(damaged)
        with Engine.open(songs.library, device="cpu") as library:
            assert [match.track_id for match in library.find("piano").matches] == answer


def test_without_room_columns_stay_in_memory(songs: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file cannot be written, answers are the same and nothing is left behind."""

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with Engine.open(songs.library, device="cpu") as library:
        monkeypatch.setattr("engine.search.tag_columns_file.create_file", refuse)
        assert len(library.find("piano").matches) == SONGS
        assert not columns_path(view_of(library)).exists()
    assert not list(songs.library.parent.glob("*.part"))
