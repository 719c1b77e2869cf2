"""Recommendations, on a library of three tastes of made signatures."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine import Engine, Play, QueryError
from engine.db import NewTrack, open_database, put_signature, upsert_track
from engine.recommend import recommendations as recommend
from engine.recommend.history import History, read_history
from engine.recommend.taste import DAY, HALF_LIFE_DAYS, WEIGHTS, taste
from engine.search.filters import Filters
from tests.search.test_ranking import D, signature

TASTES, EACH = 3, 20
COPY = TASTES * EACH + 1  # a byte-identical copy of track 1
NOW = 1_700_000_000.0


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tracks 1 to 20, 21 to 40 and 41 to 60 each around a direction of their own, and a copy of the first."""
    file = tmp_path_factory.mktemp("made") / "library.db"
    random = np.random.default_rng(8)
    centres = random.standard_normal((TASTES, D))
    vectors = [centres[i // EACH] + random.standard_normal(D) * 0.5 for i in range(TASTES * EACH)]
    with open_database(file, create=True) as database, database.write() as connection:
        for i, vector in enumerate([*vectors, vectors[0]]):
            content = b"0" if i + 1 == COPY else str(i).encode()
            artist = ("Ada", "Ben", None)[i // EACH % TASTES]
            new = NewTrack(f"/music/{i + 1}.mp3".encode(), 1, 1, content, 60.0, artist=artist, title=f"Title {i + 1}")
            put_signature(connection, signature(upsert_track(connection, new), vector, 0, 0))
    return file


@pytest.fixture
def library(made: Path, tmp_path: Path) -> Iterator[Engine]:
    """The test's own copy of it."""
    with Engine.open(shutil.copy(made, tmp_path / "library.db"), device="cpu") as session:
        yield session


def history(folder: Path, *lines: str, header: str = "time,path,event") -> Path:
    """A history file with these lines."""
    file = folder / "history.csv"
    file.write_text("\n".join([header, *lines, ""]), "utf-8")
    return file


def tastes(library: Engine, file: Path, n: int = 10, **options: object) -> list[int]:
    """Which taste each recommended track is of."""
    return [(track.track_id - 1) // EACH for track in library.recommend(file, n, **options).tracks]  # type: ignore[arg-type]


def test_weights() -> None:
    """A like weighs more than a play, a skip takes away, and what is a half-life older weighs half."""
    assert WEIGHTS["like"] > WEIGHTS["play"] > 0 > WEIGHTS["skip"]
    old = NOW - HALF_LIFE_DAYS * DAY
    weights = taste([Play(NOW, "like", 1), Play(old, "like", 2), Play(NOW, "play", 3), Play(old, "skip", 3)])
    assert weights == pytest.approx({1: 3, 2: 1.5, 3: 0.5})


def test_likes_lead_to_their_own_kind(library: Engine, tmp_path: Path) -> None:
    """What is near to a like comes, best first, with the like as its reason; neither it nor a copy of it comes."""
    found = library.recommend(history(tmp_path, f"{NOW},id:1,like"), 10).tracks
    assert {(track.track_id - 1) // EACH for track in found} == {0}
    assert not {1, COPY} & {track.track_id for track in found}
    assert {track.reason for track in found} == {"near Ada - Title 1, which you liked"}
    scores = [track.score for track in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score < 1 for score in scores)
    assert library.recommend(tmp_path / "history.csv", 10).tracks == found


def test_tastes_stay_apart(library: Engine, tmp_path: Path) -> None:
    """Two tastes both get their tracks, where their mean would lie near neither."""
    file = history(tmp_path, f"{NOW},id:1,like", f"{NOW},id:21,like", f"{NOW},id:41,skip")
    found = tastes(library, file)
    assert min(found.count(0), found.count(1)) >= 3
    assert found.count(2) == 0


def test_large_libraries(library: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only what is near to a centre is looked at, the best are the same; what is not near is still found."""
    file = history(tmp_path, f"{NOW},id:1,like", f"{NOW},id:21,play", f"{NOW},id:2,skip")
    others = Filters(artists=("Ben",))
    whole, far = library.recommend(file, 5).tracks, library.recommend(file, 15, filters=others).tracks
    monkeypatch.setattr(recommend, "NEAREST", 15)
    monkeypatch.setattr(recommend, "NEAREST_FACTOR", 1)
    near = library.recommend(file, 5).tracks
    assert [track.track_id for track in near] == [track.track_id for track in whole]
    assert [track.score for track in near] == pytest.approx([track.score for track in whole])
    assert len(far) == 15
    assert library.recommend(file, 15, filters=others).tracks == far


def test_reasons_are_true(library: Engine, tmp_path: Path) -> None:
    """A reason counts the plays of the track that it names, and says liked only of a liked one."""
    plays = [f"{NOW - i},id:21,play" for i in range(4)]
    file = history(tmp_path, f"{NOW},id:1,like", *plays, f"{NOW},id:41,play")
    reasons = {track.reason for track in library.recommend(file, 30).tracks}
    said = {"which you liked", "played 4 times", "played once"}
    assert {reason.split(", ")[-1] for reason in reasons} == said
    assert "near Ben - Title 21, played 4 times" in reasons
    assert "near Title 41, played once" in reasons


def test_skips_and_age_count_against(library: Engine, tmp_path: Path) -> None:
    """What is near to a skip comes later or not at all, and an old like says less than a new one."""
    both = [f"{NOW},id:1,like", f"{NOW},id:21,like"]
    skipped = tastes(library, history(tmp_path, *both, *(f"{NOW},id:{i},skip" for i in range(22, 30))), 20)
    assert skipped.count(1) < tastes(library, history(tmp_path, *both), 20).count(1)
    old = NOW - 5 * HALF_LIFE_DAYS * DAY
    assert tastes(library, history(tmp_path, f"{NOW},id:1,like", f"{old},id:21,like"), 5) == [0] * 5


def test_heard_tracks_come_again_when_asked(library: Engine, tmp_path: Path) -> None:
    """Heard tracks are left out, unless asked for and long not heard; skipped ones never come."""
    old = NOW - 100 * DAY
    file = history(tmp_path, f"{NOW},id:1,like", f"{old},id:2,play", f"{NOW},id:3,play", f"{old},id:4,skip")

    def heard(again: float | None) -> set[int]:
        return {track.track_id for track in library.recommend(file, 70, again_days=again).tracks} & {1, 2, 3, 4}

    assert (heard(None), heard(30), heard(0)) == (set(), {2}, {1, 2, 3})
    with pytest.raises(QueryError, match="0 or more days"):
        heard(-1)


def test_filters(library: Engine, tmp_path: Path) -> None:
    """Filters choose what may be recommended, and an artist may be capped."""
    file = history(tmp_path, f"{NOW},id:1,like", f"{NOW},id:21,play")
    assert set(tastes(library, file, 30, filters=Filters(artists=("Ben",)))) == {1}
    assert set(tastes(library, file, 60, filters=Filters(other_artists=True))) == {2}
    assert len(library.recommend(file, 60, filters=Filters(artists=("Ben", "Ada"), per_artist=2)).tracks) == 4
    with pytest.raises(QueryError, match="1 or more"):
        library.recommend(file, 0)


def test_lines_that_cannot_be_used(library: Engine, tmp_path: Path) -> None:
    """Times of three spellings and paths of three spellings are read; other lines are counted, and a few named."""
    (tmp_path / "music").mkdir()
    file = history(
        tmp_path,
        "x,2023-11-14T22:13:20Z,like,/music/1.mp3",
        "x,1700000000,PLAY,../music/2.mp3",
        "x,2023-11-14 23:13:20+01:00, play ,id:3",
        "x,2023-11-14,dance,id:4",
        "x,yesterday,play,id:4",
        "x,nan,play,id:4",
        "x,9999-01-01,play,id:4",
        "x,1e300,play,id:4",
        *(f"x,5,play,none{i}.mp3" for i in range(5)),
        "x,5,play,id:999",
        "x,5",
        "",
        header="Extra, Time ,EVENT,path",
    )
    moved = tmp_path / "lists"
    moved.mkdir()
    with library._session.database.write() as connection:
        from engine.db import move_track

        move_track(connection, 2, str(tmp_path / "music" / "2.mp3").encode(), 1, 1)
    problems = library.recommend(file.rename(moved / "history.csv"), 3).problems
    assert [problem.split(":")[0] for problem in problems] == [
        "left out 2 lines with an event that is not play, skip or like",
        "left out 2 lines with a time that is neither ISO 8601 nor seconds since 1970",
        "left out 2 lines with a time in the future",
        "left out 6 lines without a track of the library",
    ]
    assert problems[3].endswith("'none0.mp3', 'none1.mp3', 'none2.mp3' and 3 more")
    library.add_plays(moved / "history.csv")
    from engine.db import list_plays

    with library._session.database.read() as connection:
        assert {(play.time, play.track_id) for play in list_plays(connection)} == {(NOW, 1), (NOW, 2), (NOW, 3)}


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("", "time, path, event missing"),
        ("time,path\n1,id:1\n", "event missing"),
        ("time,path,event\n", "it is empty"),
        ("time,path,event\n1,none.mp3,play\n", "none.mp3"),
        ("time,path,event\n1,id:1,skip\n", "only skips"),
        ("time,path,event\n1,id:1,skip\n1,id:1,play\n", "more than it is skipped"),
        ("time,path,event\n1,\x00id:1,skip\n", "history.csv"),
        ("time,path,event\n1," + "x" * 200_000 + ",skip\n", "history.csv"),
    ],
)
def test_histories_that_say_nothing(library: Engine, tmp_path: Path, content: str, hint: str) -> None:
    """A history without its columns, without events, or of skips only, is refused with the reason."""
    (tmp_path / "history.csv").write_text(content)
    with pytest.raises(QueryError, match=hint):
        library.recommend(tmp_path / "history.csv")


def test_no_history(library: Engine, tmp_path: Path) -> None:
    """A file that is not there and a library that keeps no plays are refused."""
    with pytest.raises(QueryError, match="no such file"):
        library.recommend(tmp_path / "none.csv")
    with pytest.raises(QueryError, match="play something first"):
        library.recommend()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    "when",
    [
        "1700000000", "1700000000.0", "1700000000000", "1700000000000000", "1700000000000000000",
        "2023-11-14T22:13:20Z", "2023-11-14 23:13:20+01:00", "2023-11-14T23:13:20.0+0100", "2023-11-14T22:13:20",
        "2023-11-14T22:13:20.000000000Z",
    ],
)  # fmt: skip
def test_separators_and_times(library: Engine, tmp_path: Path, separator: str, when: str) -> None:
    """Commas, semicolons and tabs separate; seconds, milli-, micro- and nanoseconds and ISO 8601 are one moment."""
    lines = [",".join(["a", when, "id:1", "like"]), ",".join(["b", when, "id:2", "play"])]
    file = history(
        tmp_path,
        *(line.replace(",", separator) for line in lines),
        header=separator.join(["x", "Time", "path", "event"]),
    )
    read = read_history(library._session.view(), file)
    assert read == History((Play(NOW, "like", 1), Play(NOW, "play", 2)), ())


def test_decimal_comma(library: Engine, tmp_path: Path) -> None:
    """Between semicolons a time may have a decimal comma, and a path commas."""
    file = history(tmp_path, "1700000000,5;id:1;like", '1700000000;"a, b.mp3";play', header="time;path;event")
    read = read_history(library._session.view(), file)
    assert read.plays == (Play(NOW + 0.5, "like", 1),)
    assert "'a, b.mp3'" in read.problems[0]


def test_heard_recently(library: Engine, tmp_path: Path) -> None:
    """What was heard within some days of the newest event is known with its copies, and can be left out of a radio."""
    file = history(
        tmp_path, f"{NOW},id:{COPY},play", f"{NOW - 13 * DAY},id:3,skip", f"{NOW - 15 * DAY},id:4,like", "1,none,play"
    )
    heard = library.heard_recently(file)
    assert heard.track_ids == (1, 3, COPY)
    assert len(heard.problems) == 1
    assert library.heard_recently(file, 20).track_ids == (1, 3, 4, COPY)
    assert library.heard_recently(file, 0).track_ids == ()
    assert library.heard_recently().track_ids == ()
    library.add_plays(file)
    assert library.heard_recently().track_ids == heard.track_ids
    radio = library.playlist(["id:2"], 60, filters=Filters(not_tracks=heard.track_ids)).tracks
    assert {track.track_id for track in radio} == set(range(1, COPY)) - {1, 2, 3}
    with pytest.raises(QueryError, match="0 or more days"):
        library.heard_recently(file, -1)


def test_kept_plays(library: Engine, tmp_path: Path) -> None:
    """Plays kept in the library answer as their file does; keeping them twice changes nothing."""
    file = history(tmp_path, f"{NOW},id:1,like", f"{NOW - 9},id:21,play")
    assert (library.add_plays(file), library.add_plays(file)) == (2, 0)
    assert library.recommend(n=12).tracks == library.recommend(file, 12).tracks
    assert library.add_plays([Play(NOW, "skip", 30), Play(NOW, "skip", 999)]) == 1


def test_nothing_left(library: Engine, tmp_path: Path) -> None:
    """A listener who has heard everything gets no recommendation, and no error."""
    file = history(tmp_path, *(f"{NOW},id:{i},play" for i in range(1, COPY + 1)))
    assert library.recommend(file).tracks == ()
    assert len(library.recommend(file, 100, again_days=0).tracks) == COPY - 1  # one of the two copies
