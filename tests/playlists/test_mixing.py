"""A DJ's order: the Camelot wheel, changes of tempo, neighbours that fit (engine.playlists.mixing)."""

from __future__ import annotations

import numpy as np
import pytest

from engine import Engine, documents
from engine.db import AudioFeatures, put_audio_features
from engine.errors import LibraryError
from engine.indexer.features.key import KEYS
from engine.playlists.mixing import Camelot, mix_order, mix_steps, tempo_change


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("A minor", "8A"), ("C major", "8B"),
        ("G major", "9B"), ("F major", "7B"), ("D minor", "7A"), ("B major", "1B"),
        ("F# minor", "11A"), ("Db major", "3B"), ("G# minor", "1A"), ("Eb minor", "2A"),
    ],
)  # fmt: skip
def test_the_wheel(key: str, place: str) -> None:
    """Keys lie on the wheel as DJs know it."""
    assert str(Camelot.of(key)) == place


def test_every_key_has_its_own_place() -> None:
    """The 24 keys fill the 24 places."""
    assert len({str(Camelot.of(key)) for key in KEYS}) == 24


@pytest.mark.parametrize(("a", "b", "steps"), [("8A", "8A", 0), ("8A", "8B", 1), ("12B", "1B", 1), ("2A", "8B", 7)])
def test_steps_on_the_wheel(a: str, b: str, steps: int) -> None:
    """Steps go the shorter way round; the other letter is one more."""
    first, second = (Camelot(int(place[:-1]), place[-1]) for place in (a, b))
    assert first.steps_to(second) == second.steps_to(first) == steps


@pytest.mark.parametrize(("a", "b", "ratio"), [(100, 102, 1.02), (70, 140, 1.0), (140, 71, 71 / 70), (120, None, None)])
def test_half_and_double_tempo_are_the_same(a: float, b: float | None, ratio: float | None) -> None:
    """A tempo and its double are the same; an unknown one has no change."""
    change = tempo_change(a, b)
    assert change is None if ratio is None else change == pytest.approx(np.log2(ratio))


def test_neighbours_fit() -> None:
    """Tracks of one sound are put into the order of their tempi, and an unfit one is left out of a choice."""
    tempi = [100.0, 118.0, 106.0, 112.0, 141.0]
    features = [AudioFeatures(tempo, "A minor", None) for tempo in tempi]
    vectors = np.tile(np.array([1, 0], np.float32), (5, 1))
    assert mix_order(features, vectors, count=4) == [0, 2, 3, 1]
    assert mix_order(features[:4], vectors[:4], fixed_end=True)[-1] == 3


def test_unknown_tempo_and_key_have_a_place() -> None:
    """A track that was not measured is ordered, too, and its steps are unknown."""
    features = [
        AudioFeatures(100, "A minor", None),
        AudioFeatures(None, None, None),
        AudioFeatures(101, "E minor", None),
    ]
    order = mix_order(features, np.eye(3, dtype=np.float32))
    assert sorted(order) == [0, 1, 2]
    steps = mix_steps(features)
    assert (steps[1].tempo_change, steps[1].key_steps, steps[2].tempo_change) == (None, None, None)


def test_one_track_is_its_own_mix() -> None:
    """An order of one track is that track."""
    assert mix_order([AudioFeatures(100, "A minor", None)], np.ones((1, 1), np.float32), count=5) == [0]


def test_a_mix_of_a_library(engine: Engine) -> None:
    """A radio mix holds measured tracks with their changes; without any, one line names the command."""
    with pytest.raises(LibraryError, match="index --features"):
        engine.playlist([1], 5, mix=True)
    with engine._session.database.write() as connection:
        for track_id in range(2, 12):
            put_audio_features(connection, track_id, AudioFeatures(90.0 + 3 * track_id, KEYS[track_id], None))
    made = engine.playlist([1], 5, mix=True)
    assert len(made.tracks) == len(made.mix) == 5
    assert made.mix[0].tempo_change is None
    assert all(step.tempo_change is not None and step.key_steps is not None for step in made.mix[1:])
    document = documents.playlist(made)
    assert list(document["mix"][0]) == ["tempo", "key", "camelot", "tempo_change", "key_steps"]


def test_ends_of_a_path_stay(engine: Engine) -> None:
    """A path in a DJ's order begins and ends with the tracks that were named."""
    made = engine.path(1, 5, 6, mix=True)
    assert (made.tracks[0].track_id, made.tracks[-1].track_id) == (1, 5)
    assert len(made.mix) == len(made.tracks) == 6
    assert "mix" not in documents.playlist(engine.path(1, 5, 6))
