"""Tracks and files: what goes in comes out, and what is searched is found."""

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings, strategies as st

from engine.db import (
    Database,
    FileState,
    NewTrack,
    Signature,
    add_root,
    count_failed,
    count_tracks,
    failed_files,
    forget_skipped,
    get_signature,
    ids_by_hash,
    known_files,
    move_track,
    open_database,
    put_signature,
    put_skipped,
    remove_roots,
    remove_tracks,
    roots,
    search,
    touch_track,
    track_by_id,
    track_by_path,
    tracks_by_genre,
    tracks_by_hash,
    tracks_by_ids,
    upsert_track,
)
from engine.db.text_search import fold_for_search
from engine.errors import LibraryError, QueryError

NewTracks = Callable[..., NewTrack]
NewSignatures = Callable[..., Signature]

TAGS = (
    st.none() | st.text() | st.sampled_from(["100%", "O'Brien", '"; DROP TABLE tracks; --', "a_b", "🎺", "a\0b", "ß"])
)
PATHS = st.binary(min_size=1, max_size=300).filter(lambda name: b"\0" not in name).map(lambda name: b"/" + name)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
NEW_TRACKS = st.builds(
    NewTrack,
    path=PATHS,
    size=st.integers(0, 2**63 - 1),
    mtime_ns=INTEGERS,
    content_hash=st.binary(max_size=32),
    duration_seconds=st.floats(allow_nan=False, allow_infinity=False),
    artist=TAGS,
    title=TAGS,
    album=TAGS,
    album_artist=TAGS,
    genre=TAGS,
    year=st.none() | st.integers(1, 9999),
    recording_id=TAGS,
    isrc=TAGS,
)


def paths(tracks: list) -> list[bytes]:
    """Return the paths of some tracks."""
    return [track.path for track in tracks]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(NEW_TRACKS, min_size=1, max_size=4, unique_by=lambda new: new.path))
def test_tracks_come_back_as_written(new_tracks: list[NewTrack]) -> None:
    """Every tag, path and number comes back exactly, after the file was closed and opened again."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "library.db"
        with open_database(path, create=True) as database, database.write() as connection:
            ids = [upsert_track(connection, new) for new in new_tracks]
        with open_database(path, create=False) as database, database.read() as connection:
            stored = tracks_by_ids(connection, ids)
            for track_id, new in zip(ids, new_tracks, strict=True):
                assert dataclasses.asdict(stored[track_id]) == {"id": track_id, **dataclasses.asdict(new)}
                assert track_by_path(connection, new.path) == stored[track_id]


@settings(max_examples=25, deadline=None)
@given(new=NEW_TRACKS, part=st.data())
def test_any_part_of_a_tag_finds_its_track(new: NewTrack, part: st.DataObject) -> None:
    """A track is found by any piece of its artist, in any case, whatever characters it is made of."""
    artist = new.artist or "Ærøskøbing"
    start = part.draw(st.integers(0, len(artist) - 1))
    word = artist[start : part.draw(st.integers(start + 1, len(artist)))]
    if any(ord(character) > 0x2FF for character in word):
        word = artist  # a cut between a letter and its accent is another letter
    assume(not word.strip() or fold_for_search(word).strip())  # accents alone, such as a cedilla, find nothing
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(Path(folder) / "library.db", create=True)
        with database, database.write() as connection:
            upsert_track(connection, dataclasses.replace(new, artist=artist))
            assert len(search(connection, [word], None)) == 1
            assert len(search(connection, [word.casefold()], None)) == 1


def test_lone_surrogates_become_replacement_characters(database: Database, new_track: NewTracks) -> None:
    """A tag that is not valid Unicode is stored with U+FFFD instead of stopping the run."""
    with database.write() as connection:
        track = track_by_id(connection, upsert_track(connection, new_track(title="a\ud800b", artist="\udcff")))
        put_skipped(connection, b"/music/b", 1, 1, True, "bad name \udce9")
        assert failed_files(connection)[0].reason == "bad name \ufffd"
    assert track is not None
    assert (track.title, track.artist) == ("a\ufffdb", "\ufffd")


@pytest.mark.parametrize("year", [0, -5, 10_000, 10**30])
def test_impossible_years_are_no_year(database: Database, new_track: NewTracks, year: int) -> None:
    """A year outside 1 to 9999 is stored as none, however large."""
    with database.write() as connection:
        track = track_by_id(connection, upsert_track(connection, new_track(year=year)))
    assert track is not None
    assert track.year is None


@pytest.mark.parametrize("path", [b"relative.mp3", b"", b"/music/a\0b"])
def test_paths_that_no_file_has_are_refused(database: Database, new_track: NewTracks, path: bytes) -> None:
    """A relative path or one with a NUL byte is refused wherever a path is written."""
    with database.write() as connection:
        track_id = upsert_track(connection, new_track())
        for write in (
            lambda: upsert_track(connection, new_track(path)),
            lambda: move_track(connection, track_id, path, 1, 1),
            lambda: put_skipped(connection, path, 1, 1, True, "reason"),
            lambda: add_root(connection, path),
        ):
            with pytest.raises(LibraryError, match="absolute path"):
                write()


def test_display_path_is_one_valid_line(database: Database, new_track: NewTracks) -> None:
    """A path that is not UTF-8, or holds a line break, is shown as one line of valid text."""
    with database.write() as connection:
        track = track_by_id(connection, upsert_track(connection, new_track(b"/m\xfcsic/caf\xc3\xa9\n.mp3")))
    assert track is not None
    assert track.display_path == "/m\ufffdsic/café\\n.mp3"


def test_known_path_keeps_its_id(database: Database, new_track: NewTracks) -> None:
    """Writing a track again changes its tags and keeps its id."""
    with database.write() as connection:
        first = upsert_track(connection, new_track(title="old"))
        assert upsert_track(connection, new_track(title="new")) == first
        assert [track.title for track in search(connection, [], None)] == ["new"]
        assert search(connection, ["old"], None) == []


def test_removed_ids_are_never_given_out_again(database: Database, new_track: NewTracks) -> None:
    """The id of a removed track is not the id of any other one."""
    with database.write() as connection:
        first = upsert_track(connection, new_track())
        assert remove_tracks(connection, [first, 999]) == 1
        assert upsert_track(connection, new_track(b"/music/other.flac")) > first


def test_changed_bytes_lose_every_signature(
    database: Database, new_track: NewTracks, new_signature: NewSignatures
) -> None:
    """A track rewritten with another content hash loses its signatures; with the same hash it keeps them."""
    with database.write() as connection:
        track_id = upsert_track(connection, new_track(content_hash=b"one"))
        put_signature(connection, new_signature(track_id))
        upsert_track(connection, new_track(content_hash=b"one", title="retitled"))
        assert get_signature(connection, track_id, "a@1", "windows") is not None
        upsert_track(connection, new_track(content_hash=b"two"))
        assert get_signature(connection, track_id, "a@1", "windows") is None


def test_track_that_could_not_be_read_stays(
    database: Database, new_track: NewTracks, new_signature: NewSignatures
) -> None:
    """A track whose file fails keeps id and signature beside the reason; once it is read the reason goes."""
    path = b"/music/a.flac"
    with database.write() as connection:
        track_id = upsert_track(connection, new_track(path))
        put_signature(connection, new_signature(track_id))
        put_skipped(connection, path, 5, 6, True, "cannot be decoded")
        assert known_files(connection) == {path: FileState(track_id, 1000, 17, True, "cannot be decoded")}
        assert get_signature(connection, track_id, "a@1", "windows") is not None
        assert upsert_track(connection, new_track(path)) == track_id
        assert known_files(connection) == {path: FileState(track_id, 1000, 17)}
        put_skipped(connection, path, 5, 6, True, "cannot be decoded")
        touch_track(connection, track_id, 1000, 18, b"hash")
        assert count_failed(connection) == 0
        put_skipped(connection, path, 5, 6, True, "cannot be decoded")
        remove_tracks(connection, [track_id])
        assert known_files(connection) == {}


def test_failed_files_are_not_those_without_audio(database: Database) -> None:
    """Files without audio are passed over but do not count as failures."""
    with database.write() as connection:
        put_skipped(connection, b"/music/b.mp3", 1, 1, True, "truncated")
        put_skipped(connection, b"/music/cover.jpg", 1, 1, False, "no audio")
        assert [failed.path for failed in failed_files(connection)] == [b"/music/b.mp3"]
        assert count_failed(connection) == 1
        assert forget_skipped(connection, [b"/music/b.mp3", b"/elsewhere"]) == 1
        assert list(known_files(connection)) == [b"/music/cover.jpg"]


def test_search_takes_percent_and_underscore_literally(database: Database, new_track: NewTracks) -> None:
    """`100%` finds `100% Pure` and neither `1000` nor `100 times`; `_` finds underscores only."""
    with database.write() as connection:
        for name, title in [(b"a", "100% Pure"), (b"b", "1000"), (b"c", "100 times"), (b"d", "under_score")]:
            upsert_track(connection, new_track(b"/m/" + name, title=title))
        assert paths(search(connection, ["100%"], None)) == [b"/m/a"]
        assert paths(search(connection, ["_"], None)) == [b"/m/d"]


def test_every_word_must_occur_somewhere(database: Database, new_track: NewTracks) -> None:
    """Words may come from different tags and the path, in any case; a word that occurs nowhere leaves nothing."""
    with database.write() as connection:
        upsert_track(connection, new_track("/Mu\u0308sik/x.mp3".encode(), artist="Björk", title="Straße", genre="Pop"))
        for words in (["BJÖRK", "strasse"], ["pop", "müsik", "x.mp3"], ["bjo\u0308rk"], []):
            assert len(search(connection, words, None)) == 1
        assert search(connection, ["björk", "nowhere"], None) == []
        assert search(connection, ["björkstraße"], None) == []  # not across two tags


def test_search_is_ordered_and_limited(database: Database, new_track: NewTracks) -> None:
    """Results come by artist, album and path; at most LIMIT of them."""
    with database.write() as connection:
        for name, artist in [(b"3", "B"), (b"2", "A"), (b"1", "B")]:
            upsert_track(connection, new_track(b"/m/" + name, artist=artist))
        assert paths(search(connection, [], None)) == [b"/m/2", b"/m/1", b"/m/3"]
        assert paths(search(connection, [], 2)) == [b"/m/2", b"/m/1"]
        assert search(connection, [], 0) == []


def test_very_many_words_are_one_question_too_long(database: Database) -> None:
    """Thousands of different words are refused as a question; the same word repeated is one word."""
    with database.read() as connection:
        assert search(connection, ["again"] * 5000, None) == []
        with pytest.raises(QueryError, match="at most"):
            search(connection, [str(number) for number in range(5000)], None)


def test_moved_track_is_found_at_its_new_path_only(
    database: Database, new_track: NewTracks, new_signature: NewSignatures
) -> None:
    """A move keeps id, tags and signature, and the search follows the path."""
    with database.write() as connection:
        track_id = upsert_track(connection, new_track(b"/old/song.mp3", artist="Someone"))
        put_signature(connection, new_signature(track_id))
        put_skipped(connection, b"/new/song.mp3", 1, 1, True, "was truncated")
        move_track(connection, track_id, b"/new/song.mp3", 7, 8)
        assert known_files(connection) == {b"/new/song.mp3": FileState(track_id, 7, 8)}
        assert len(search(connection, ["someone", "/new/"], None)) == 1
        assert search(connection, ["/old/"], None) == []
        assert get_signature(connection, track_id, "a@1", "windows") is not None


def test_move_onto_another_track_is_refused(database: Database, new_track: NewTracks) -> None:
    """A move never overwrites another track."""
    with database.write() as connection:
        first = upsert_track(connection, new_track(b"/m/1"))
        upsert_track(connection, new_track(b"/m/2"))
        with pytest.raises(LibraryError, match="is a track already"):
            move_track(connection, first, b"/m/2", 1, 1)
        with pytest.raises(LibraryError, match="no track 99"):
            move_track(connection, 99, b"/m/3", 1, 1)
        assert set(known_files(connection)) == {b"/m/1", b"/m/2"}


def test_touched_track_is_known_by_its_new_state(database: Database, new_track: NewTracks) -> None:
    """A touched track has the new size, time and hash."""
    with database.write() as connection:
        track_id = upsert_track(connection, new_track(b"/m/1"))
        touch_track(connection, track_id, 3, 4, b"other")
        assert known_files(connection) == {b"/m/1": FileState(track_id, 3, 4)}
        assert [track.id for track in tracks_by_hash(connection, b"other")] == [track_id]
        assert tracks_by_hash(connection, b"hash of /m/1") == []


def test_thousands_of_ids_are_one_question(database: Database, new_track: NewTracks) -> None:
    """More ids than SQLite binds at once are looked up and removed, numpy's integers among them."""
    with database.write() as connection:
        ids = [upsert_track(connection, new_track(b"/m/%d" % number)) for number in range(1100)]
        asked = np.arange(40_000)
        assert sorted(tracks_by_ids(connection, asked)) == ids
        assert track_by_id(connection, np.int64(ids[0])) is not None
        assert remove_tracks(connection, asked) == 1100
        assert count_tracks(connection) == 0


def test_tracks_by_genre(database: Database, new_track: NewTracks) -> None:
    """Genre tags come as spelled, each with the ids of its tracks; tracks without a tag are left out."""
    with database.write() as connection:
        tags = ["Rock", "rock; 70%", None, "Rock"]
        ids = [upsert_track(connection, new_track(b"/m/%d" % i, genre=tag)) for i, tag in enumerate(tags)]
        found = {tag: members.tolist() for tag, members in tracks_by_genre(connection).items()}
    assert found == {"Rock": [ids[0], ids[3]], "rock; 70%": [ids[1]]}


def test_roots_are_remembered_once_each(database: Database) -> None:
    """A root added twice is there once, and goes when it is removed."""
    with database.write() as connection:
        for path in (b"/m/\xff", b"/a", b"/a"):
            add_root(connection, path)
        assert roots(connection) == [b"/a", b"/m/\xff"]
        assert remove_roots(connection, [b"/a", b"/never"]) == 1
        assert roots(connection) == [b"/m/\xff"]


def test_ids_of_identical_files(database: Database, new_track: NewTracks) -> None:
    """Files of the same bytes are found by their hash; a hash that no track has finds none."""
    with database.write() as connection:
        ids = {upsert_track(connection, new_track(b"/m/%d" % i, content_hash=b"same")) for i in range(3)}
        upsert_track(connection, new_track(b"/m/other", content_hash=b"other"))
    with database.read() as connection:
        assert ids_by_hash(connection, b"same") == ids
        assert ids_by_hash(connection, b"none") == frozenset()


@pytest.mark.parametrize("change", ["path = 'text'", "artist = x'00'", "year = 'text'", "duration_seconds = 'text'"])
def test_a_value_of_another_type_is_damage(database: Database, new_track: NewTracks, change: str) -> None:
    """A track's value of another type than its column is reported as damage of the library."""
    with database.write() as connection:
        track_id = upsert_track(connection, new_track(b"/m/1"))
        connection.exec_driver_sql(f"UPDATE tracks SET {change}")
    with pytest.raises(LibraryError, match="is damaged"), database.read() as connection:
        track_by_id(connection, track_id)
