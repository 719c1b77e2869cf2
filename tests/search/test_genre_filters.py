"""Filters at their edges: genres as tags spell and join them, numbers out of range, a thousand folders."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import numpy as np
import pytest

from engine import Engine, InvalidError, NotFoundError
from engine.db import NewTrack, open_database, put_signature, upsert_track
from engine.models.labels import GENRES
from engine.search.filters import MOST_FOLDERS, Filters
from tests.search.test_ranking import D, signature

TAGS = ("Música Popular", unicodedata.normalize("NFD", "Música Popular"), "Whale/Drone", "drone", None, "Rock; Drone")
JAZZ = GENRES.index("jazz")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Six tracks with the genre tags of TAGS, all of which sound like jazz."""
    path = tmp_path_factory.mktemp("genres") / "library.db"
    random = np.random.default_rng(6)
    with open_database(path, create=True) as database, database.write() as connection:
        for number, genre in enumerate(TAGS):
            name = f"/music/{number}.flac".encode()
            track_id = upsert_track(connection, NewTrack(name, 1, 1, name, 60.0, title=str(number), genre=genre))
            put_signature(connection, signature(track_id, random.standard_normal(D), JAZZ, 0))
    with Engine.open(path, device="cpu") as opened:
        yield opened


def ids(library: Engine, **filters: object) -> list[int]:
    """The ids of the tracks, but for the first, that pass filters."""
    found = library.similar("id:1", len(TAGS), filters=Filters(**filters))  # type: ignore[arg-type]
    return sorted(match.track_id for match in found.matches)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_may_be_decomposed(library: Engine, form: str) -> None:
    """macOS decomposes accents: a genre is found and excluded in either form."""
    name = unicodedata.normalize(form, "MÚSICA popular")
    assert ids(library, genres=(name,)) == [2]
    assert ids(library, not_genres=(name,)) == [3, 4, 5, 6]


def test_a_tag_as_it_is_written(library: Engine) -> None:
    """A tag of several genres, as it is written or in another order, stands for the tracks that have all of them."""
    assert ids(library, genres=("Whale/Drone",)) == ids(library, genres=("drone; WHALE",)) == [3]
    assert ids(library, genres=("Rock; Drone",)) == [6]
    assert ids(library, genres=("drone",)) == [3, 4, 6]
    assert ids(library, not_genres=("Whale/Drone",)) == [2, 4, 5, 6]
    assert ids(library, genres=("Whale/Drone", "rock")) == [3, 6]


def test_the_sound_decides_where_the_tag_says_nothing(library: Engine) -> None:
    """Without a genre of the encoder's in its tag, a track has the predicted one beside those of the tag."""
    assert ids(library, genres=("jazz",)) == [2, 3, 4, 5]
    assert ids(library, genres=("jazz; drone",)) == []


def test_an_unknown_genre_is_named_as_it_was_given(library: Engine) -> None:
    """The message holds the user's spelling, the hint that of the library."""
    with pytest.raises(NotFoundError, match="genre 'Wail'") as raised:
        ids(library, genres=("Wail",))
    assert raised.value.hint == "did you mean 'whale'?"
    with pytest.raises(NotFoundError, match="genre 'Whale/Tuba'"):
        ids(library, genres=("Whale/Tuba",))


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"years": (float("nan"), None)}, "expected years as numbers, found NaN"),
        ({"durations": (None, float("nan"))}, "expected durations as numbers, found NaN"),
        ({"added_since": float("nan")}, "expected a time of addition as numbers, found NaN"),
        ({"added_since": 10**30}, "expected a time of addition of at most 18 digits"),
        ({"durations": (1234567, 1234566)}, "found 1234567 to 1234566"),
        ({"per_artist": float("nan")}, "expected 1 or more tracks of an artist, found nan"),
        ({"not_below": ("/x",) * (MOST_FOLDERS + 1)}, "expected at most 5,000 folders to exclude, found 5,001"),
    ],
)
def test_numbers_out_of_range(library: Engine, filters: dict[str, object], message: str) -> None:
    """A number that no track can be compared with is refused in one line."""
    with pytest.raises(InvalidError, match=message):
        ids(library, **filters)


def test_tracks_that_no_library_has_are_excluded(library: Engine) -> None:
    """An id beyond those of any database leaves out nothing."""
    assert ids(library, not_tracks=(2**63, -1, 10**30, 3)) == [2, 4, 5, 6]


def test_thousands_of_folders_are_excluded(library: Engine) -> None:
    """As many folders as are allowed fit into one question."""
    folders = tuple(f"/elsewhere/{number}" for number in range(MOST_FOLDERS - 1))
    assert ids(library, not_below=(*folders, "/music/3.flac")) == [2, 3, 5, 6]
