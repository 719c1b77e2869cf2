"""Relocating a folder: whole path components, no track lost, no track overwritten."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings, strategies as st

from engine.db import (
    Database,
    NewTrack,
    add_root,
    known_files,
    put_skipped,
    relocate,
    remove_tracks,
    roots,
    search,
    upsert_track,
)
from engine.db.text import Folder
from engine.errors import LibraryError

NewTracks = Callable[..., NewTrack]
COMPONENTS = st.lists(st.sampled_from([b"a", b"b", b"a2", b"a\xff", b"a0", b"a.", b"%"]), min_size=1, max_size=4)
PATHS = COMPONENTS.map(lambda parts: b"/" + b"/".join(parts))


def test_relocation_moves_whole_components_only(database: Database, new_track: NewTracks) -> None:
    """`/music` moves with all below it, skipped files and roots too, bytes that are not UTF-8 kept; `/music2` stays."""
    with database.write() as connection:
        track_id = upsert_track(connection, new_track(b"/music/a\xff/1.mp3", title="One"))
        upsert_track(connection, new_track(b"/music2/2.mp3"))
        upsert_track(connection, new_track(b"/music.mp3"))
        put_skipped(connection, b"/music/cover.jpg", 1, 1, False, "no audio")
        for path in (b"/music", b"/music/a\xff", b"/music2"):
            add_root(connection, path)
        assert relocate(connection, b"/music/", b"/mnt/disk") == 1
        known = known_files(connection)
        assert set(known) == {b"/mnt/disk/a\xff/1.mp3", b"/mnt/disk/cover.jpg", b"/music2/2.mp3", b"/music.mp3"}
        assert known[b"/mnt/disk/a\xff/1.mp3"].track_id == track_id
        assert roots(connection) == [b"/mnt/disk", b"/mnt/disk/a\xff", b"/music2"]
        assert [track.id for track in search(connection, ["one", "/mnt/disk/"], None)] == [track_id]
        assert search(connection, ["/music/"], None) == []


def test_relocation_onto_a_track_is_refused_and_changes_nothing(database: Database, new_track: NewTracks) -> None:
    """When a target path belongs to a track outside OLD nothing moves, and the message names that path."""
    with database.write() as connection:
        for path in (b"/old/1.mp3", b"/old/2.mp3", b"/new/2.mp3"):
            upsert_track(connection, new_track(path))
        add_root(connection, b"/old")
        before = known_files(connection)
        with pytest.raises(LibraryError, match=r"/new/2\.mp3 is a track already"):
            relocate(connection, b"/old", b"/new")
        assert known_files(connection) == before
        assert roots(connection) == [b"/old"]


@pytest.mark.parametrize(("old", "new"), [(b"music", b"/new"), (b"/music", b"new"), (b"/a\0", b"/new")])
def test_relocation_needs_absolute_paths(database: Database, old: bytes, new: bytes) -> None:
    """A relative path, or one that no folder has, is refused."""
    with database.write() as connection, pytest.raises(LibraryError, match="absolute path"):
        relocate(connection, old, new)


def test_skipped_files_give_way_to_tracks(database: Database, new_track: NewTracks) -> None:
    """Where a track comes to lie, or lies already, no skipped file stays."""
    with database.write() as connection:
        arriving = upsert_track(connection, new_track(b"/old/1.mp3"))
        staying = upsert_track(connection, new_track(b"/new/2.mp3"))
        put_skipped(connection, b"/new/1.mp3", 1, 1, True, "truncated")
        put_skipped(connection, b"/old/2.mp3", 1, 1, True, "truncated")
        relocate(connection, b"/old", b"/new")
        assert {path: state.track_id for path, state in known_files(connection).items()} == {
            b"/new/1.mp3": arriving,
            b"/new/2.mp3": staying,
        }


def test_a_large_folder_moves_into_itself(database: Database, new_track: NewTracks) -> None:
    """More tracks than one statement binds move below their own folder, each once, and back again."""
    count = 1000
    with database.write() as connection:
        before = {b"/m/%d" % n: upsert_track(connection, new_track(b"/m/%d" % n)) for n in range(count)}
        assert relocate(connection, b"/m", b"/m/m") == count
        moved = {path: state.track_id for path, state in known_files(connection).items()}
        assert moved == {b"/m/m" + path[2:]: track_id for path, track_id in before.items()}
        assert relocate(connection, b"/m/m", b"/m") == count
        assert {path: state.track_id for path, state in known_files(connection).items()} == before


def test_relocation_keeps_every_track(database: Database, new_track: NewTracks) -> None:
    """Whatever overlaps, each track either moves to its rebased path or stays, or the whole is refused."""

    @settings(max_examples=150, deadline=None)
    @given(paths=st.sets(PATHS, max_size=8), old=PATHS | st.just(b"/"), new=PATHS | st.just(b"/"))
    def check(paths: set[bytes], old: bytes, new: bytes) -> None:
        source, target = Folder.of(old), Folder.of(new)
        with database.write() as connection:
            remove_tracks(connection, [track.id for track in search(connection, [], None)])
            before = {upsert_track(connection, new_track(path)): path for path in paths}
            expected = {i: source.rebased(p, target) if source.holds(p) else p for i, p in before.items()}
            if len(set(expected.values())) < len(expected):
                with pytest.raises(LibraryError, match="already"):
                    relocate(connection, old, new)
                expected = before
            else:
                assert relocate(connection, old, new) == sum(source.holds(path) for path in paths)
            after = {state.track_id: path for path, state in known_files(connection).items()}
            assert after == expected

    check()
