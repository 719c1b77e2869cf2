"""Search by aspects: one or a mix, tracks without, files outside the library (engine.search.aspect_filling, too)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from engine import Engine
from engine.errors import InvalidError, LibraryError
from engine.indexer.aspects.kinds import KINDS
from engine.search import aspect_filling
from tests.conftest import SECONDS, Collection, write_song

ASPECTS = ("timbre", "rhythm", "harmony", "mood")


def forget(library: Path, *track_ids: int) -> None:
    """Remove the aspects of tracks, or of all, as in a library that an earlier version made."""
    with sqlite3.connect(library) as connection:
        which = f"WHERE track_id IN ({','.join(map(str, track_ids))})" if track_ids else ""
        connection.execute(f"DELETE FROM aspects {which}")


@pytest.mark.parametrize("by", ASPECTS)
def test_each_aspect_finds_the_same_sound_first(own: Collection, by: str) -> None:
    """A file outside the library that is one of its songs, tagged otherwise, has that song as its nearest."""
    outside = write_song(own.folder.parent / "outside.wav", 3, seconds=SECONDS, title="another")
    with Engine.open(own.library) as library:
        best = library.similar(outside, 1, by=by).matches[0]
    assert Path(best.path).name == "song03.wav"
    assert best.similarity > 0.99


def test_timbre_is_the_signature(own: Collection) -> None:
    """By timbre alone, the answer is the one without aspects."""
    with Engine.open(own.library) as library:
        plain, timbre = library.similar(1, 5), library.similar(1, 5, by="timbre")
    assert [match.track_id for match in plain.matches] == [match.track_id for match in timbre.matches]
    assert np.allclose([m.similarity for m in plain.matches], [m.similarity for m in timbre.matches], atol=1e-5)


def test_a_mix_lies_between_its_aspects(own: Collection) -> None:
    """The similarity by a mix is a weighted mean of those by its aspects, nearer to the one that weighs more."""
    with Engine.open(own.library) as library:
        found = {
            name: {match.track_id: match.similarity for match in library.similar(1, 99, by=by).matches}
            for name, by in (
                ("rhythm", "rhythm"),
                ("harmony", "harmony"),
                ("mix", "rhythm=9,harmony=1"),
            )
        }
    track = max(found["rhythm"], key=lambda each: found["rhythm"][each] - found["harmony"][each])
    rhythm, harmony, mix = (found[name][track] for name in ("rhythm", "harmony", "mix"))
    assert harmony < (rhythm + harmony) / 2 < mix < rhythm


@pytest.mark.parametrize("by", [{"rhythm": 1e308, "timbre": 1e308}, {"rhythm": 1e-300, "timbre": 1e300}])
def test_extreme_weights_give_finite_similarities(own: Collection, by: dict[str, float]) -> None:
    """Weights at the ends of floating point mix, or leave the lesser one without effect."""
    with Engine.open(own.library) as library:
        assert all(0 <= match.similarity <= 1 for match in library.similar(1, 5, by=by).matches)


def test_seeds_are_left_out_of_a_combined_answer(own: Collection) -> None:
    """Several liked tracks and one that is not liked combine by aspects as by signatures."""
    with Engine.open(own.library) as library:
        found = library.similar_to([1, 2], [3], 5, by={"rhythm": 2, "timbre": 1})
    assert not {1, 2, 3} & {match.track_id for match in found.matches}
    assert len(found.matches) == 5


def test_few_tracks_without_are_described(own: Collection) -> None:
    """A few tracks that lack an aspect are described when it is first asked for, and stored."""
    forget(own.library, 2, 3)
    with Engine.open(own.library) as library:
        assert library.lacking("rhythm") == 0
    with sqlite3.connect(own.library) as connection:
        (count,) = connection.execute("SELECT count(*) FROM aspects WHERE track_id IN (2, 3)").fetchone()
    assert count == 2 * len(KINDS)


def test_half_of_the_tracks_lack_an_aspect(own: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracks that lack an aspect are left out and counted; a query that lacks it is read from its file."""
    monkeypatch.setattr(aspect_filling, "FEW", 0)
    gone = range(1, 9)
    forget(own.library, *gone)
    with Engine.open(own.library) as library:
        found = library.similar(1, 99, by="rhythm")
        assert library.lacking("rhythm") == len(gone)
        assert library.lacking("mood") == 0
    assert found.matches
    assert not set(gone) & {match.track_id for match in found.matches}


def test_no_track_has_the_aspect(own: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library without the aspect answers in one line that names the command; `measure` fills it in."""
    monkeypatch.setattr(aspect_filling, "FEW", 0)
    forget(own.library)
    with Engine.open(own.library) as library:
        with pytest.raises(LibraryError, match="engine index --features"):
            library.similar(1, by="harmony=1,timbre=1")
        report = library.measure(own.folder)
        assert report.described == library.stats().tracks
        assert library.similar(1, by="harmony=1,timbre=1").matches


def test_new_tracks_are_found(own: Collection) -> None:
    """A track that is indexed while the library is open is found by aspects, too."""
    with Engine.open(own.library) as library:
        library.similar(1, by="rhythm")
        added = write_song(own.folder / "new.wav", 0, seconds=SECONDS, title="another")
        library.index(added)
        assert Path(library.similar(1, 1, by="rhythm").matches[0].path).name == "new.wav"


def test_a_part_of_a_track_has_no_aspects(own: Collection) -> None:
    """Aspects belong to whole tracks: with a part of one they are refused."""
    from engine import Span

    with Engine.open(own.library) as library, pytest.raises(InvalidError, match="part"):
        library.similar(1, at=Span(0, 2), by="rhythm")
