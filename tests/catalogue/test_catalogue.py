"""Albums, artists and genres from tags. Covers engine.catalogue.grouping, current and engine.db.catalogue."""

from __future__ import annotations

from pathlib import PurePosixPath

from engine import Engine
from engine.catalogue.grouping import UNKNOWN_ALBUM, UNKNOWN_ARTIST, VARIOUS, Catalogue, album_id, make_catalogue
from engine.db import CatalogueRow
from tests.conftest import Collection, write_song


def row(number: int, path: str, artist: str | None = None, album: str | None = None, **tags: object) -> CatalogueRow:
    """A track with these tags."""
    values = {"album_artist": None, "genre": None, "year": None} | tags
    return CatalogueRow(
        number, path.encode(), artist, PurePosixPath(path).stem, album, duration_seconds=60.0, added_at=number, **values
    )  # type: ignore[arg-type]


def named(catalogue: Catalogue) -> dict[tuple[str, str], tuple[int, ...]]:
    """The tracks of each album by artist and name."""
    return {(album.artist, album.name): album.tracks for album in catalogue.albums.values()}


def test_an_album_is_a_title_and_an_artist() -> None:
    """Tracks are grouped without case, in the order of their paths; one folder with several artists is a sampler."""
    catalogue = make_catalogue(
        [
            row(3, "/a/1.mp3", "Ada", "Blue"),
            row(1, "/a/2.mp3", "ADA", "BLUE"),
            row(2, "/b/1.mp3", "Eve", "Blue"),
            row(4, "/c/1.mp3", "Ada", "Hits"),
            row(5, "/c/2.mp3", "Eve", "Hits"),
            row(6, "/d/1.mp3", "Guest", "Live", album_artist="Ada; Eve"),
            row(7, "/e/1.mp3"),
        ]
    )
    assert named(catalogue) == {
        ("Ada", "Blue"): (3, 1),
        ("Eve", "Blue"): (2,),
        (VARIOUS, "Hits"): (4, 5),
        ("Ada", "Live"): (6,),
        (UNKNOWN_ARTIST, UNKNOWN_ALBUM): (7,),
    }
    assert catalogue.album_of[6] == album_id("ada", "LIVE")


def test_an_artist_has_albums_and_tracks() -> None:
    """An artist of several on a track has the track; the album belongs to its album artist."""
    catalogue = make_catalogue([row(1, "/1", "Ada; Eve", "Duets", album_artist="Ada"), row(2, "/2", "Eve", "Solo")])
    artists = {artist.name: (len(artist.albums), artist.tracks) for artist in catalogue.artists.values()}
    assert artists == {"Ada": (1, (1,)), "Eve": (1, (1, 2))}


def test_ids_do_not_depend_on_files() -> None:
    """Ids stay when files move and tracks get other numbers."""
    before = make_catalogue([row(1, "/a/x.mp3", "Ada", "Blue"), row(2, "/a/y.mp3", "Eve", "Red")])
    after = make_catalogue([row(9, "/other/y.mp3", "Eve", "Red"), row(8, "/elsewhere/x.mp3", "Ada", "Blue")])
    assert list(before.albums) == list(after.albums)
    assert list(before.artists) == list(after.artists)


def test_genres_are_counted_without_case() -> None:
    """Several genres of a tag count each; the commonest spelling is shown; the year is the earliest."""
    catalogue = make_catalogue(
        [
            row(1, "/1", "A", "X", genre="Rock; Pop", year=1999),
            row(2, "/2", "A", "X", genre="rock", year=1989),
            row(3, "/3", "A", "Y", genre="Rock"),
        ]
    )
    assert [(genre.name, genre.tracks) for genre in catalogue.genres.values()] == [("Rock", (1, 2, 3)), ("Pop", (1,))]
    assert catalogue.albums[album_id("A", "X")].year == 1989


def test_spellings_of_one_genre() -> None:
    """A genre that a tag has in two spellings counts once; an album shows each of its genres once, as most spell it."""
    catalogue = make_catalogue(
        [
            row(1, "/1", "A", "X", genre="rock; Rock"),
            row(2, "/2", "A", "X", genre="Rock; Jazz"),
            row(3, "/3", "A", "X", genre="Pop; Rock"),
            row(4, "/4", "A", "X", genre="Pop"),
        ]
    )
    assert catalogue.genres["rock"].tracks == (1, 2, 3)
    assert list(catalogue.genres) == ["rock", "pop", "jazz"]
    assert catalogue.albums[album_id("A", "X")].genres == ("Rock", "Pop", "Jazz")


def test_the_catalogue_follows_the_library(engine: Engine, own: Collection) -> None:
    """A new track is in the catalogue soon after it was indexed."""
    known = set(engine.catalogue().tracks)
    write_song(own.folder / "new.wav", 77, album="Fresh")
    engine.index(own.folder)
    engine._session.catalogue._due = 0.0  # as if some seconds had passed
    (new,) = set(engine.catalogue().tracks) - known
    assert engine.catalogue().albums[engine.catalogue().album_of[new]].name == "Fresh"
