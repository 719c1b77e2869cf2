"""Seeds, filters and the order of answers, on a library of synthetic signatures.

Covers `query_vector`, `filters`, `ranking`, `hubness`, `variety`, `groups`, `answers` and `results`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import Engine, InvalidError, QueryError
from engine.db import NewTrack, Signature, open_database, put_signature, upsert_track
from engine.embedding import TrackEmbedding
from engine.models.labels import GENRES, MOODS
from engine.models.weights_files import default_id
from engine.search.filters import Filters
from engine.search.query_vector import query_from_reference
from engine.search.ranking import Ranking

D = 256
TRACKS = 60
ARTISTS = ("Ada", "Ben", "Björk", None)


def signature(track_id: int, vector: np.ndarray, genre: int, mood: int) -> Signature:
    """A signature in one window, sure of its genre and mood."""
    unit = (vector / np.linalg.norm(vector)).astype(np.float32)
    genres, moods = (np.eye(n, dtype=np.float32)[i] for n, i in ((len(GENRES), genre), (len(MOODS), mood)))
    one = np.ones(1, np.float32)
    return Signature(track_id, default_id(), "windows", TrackEmbedding(unit, genres, moods, 0 * one, one, unit[None]))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Sixty tracks around one direction; artists in turn, years from 1950, every third without a genre tag."""
    folder = tmp_path_factory.mktemp("made")
    random = np.random.default_rng(4)
    centre = random.standard_normal(D)
    with open_database(folder / "library.db", create=True) as database, database.write() as connection:
        for i in range(TRACKS):
            track_id = upsert_track(connection, new_track(i))
            vector = centre + random.standard_normal(D) * (1 + i / 10)
            put_signature(connection, signature(track_id, vector, i % len(GENRES), i % len(MOODS)))
    with Engine.open(folder / "library.db", device="cpu") as session:
        yield session


def new_track(i: int) -> NewTrack:
    """The i-th track, in one of two folders."""
    return NewTrack(
        path=f"/music/{'old' if i < TRACKS // 2 else 'new'}/{i}.flac".encode(),
        size=1,
        mtime_ns=1,
        content_hash=str(i).encode(),
        duration_seconds=60.0 + i,
        artist=ARTISTS[i % len(ARTISTS)],
        title=f"Title {i}",
        album=f"Album {i // 10}",
        genre=None if i % 3 == 0 else "Skronk; Rock" if i % 3 == 1 else "skronk",
        year=1950 + i,
    )


def ids(library: Engine, k: int = TRACKS, **filters: object) -> list[int]:
    """Track ids near to the first track that pass filters."""
    found = library.similar("id:1", k, filters=Filters(**filters))  # type: ignore[arg-type]
    return [match.track_id for match in found.matches]


def test_filters_by_tags_place_and_length(library: Engine) -> None:
    """Each filter leaves exactly the tracks whose tags, place or length meet it, and those before it do not matter."""
    assert sorted(ids(library, years=(1955, 1957))) == [6, 7, 8]
    assert sorted(ids(library, durations=(None, 62))) == [2, 3]
    assert sorted(ids(library, below="/music/new")) == list(range(31, 61))
    assert sorted(ids(library, albums=("ALBUM 2",))) == list(range(21, 31))
    assert sorted(ids(library, artists=("BJÖRK",), years=(None, 1960))) == [3, 7, 11]
    assert ids(library, added_since=4e9) == []


def test_years_beyond_the_database(library: Engine) -> None:
    """A year of twenty digits is refused; it would not fit into a column."""
    with pytest.raises(InvalidError, match="at most 18 digits"):
        ids(library, years=(10**20, None))


def test_filters_by_genre(library: Engine) -> None:
    """A genre is the tag's; a track whose tag names none of the encoder's genres counts as what it sounds like."""
    rock = {i + 1 for i in range(1, TRACKS) if i % 3 == 1 or GENRES[i % len(GENRES)] == "rock"}
    assert set(ids(library, genres=("Rock",))) == rock
    assert set(ids(library, genres=("skronk",))) == {i + 1 for i in range(1, TRACKS) if i % 3}
    assert set(ids(library, moods=("sad",))) == {i + 1 for i in range(1, TRACKS) if MOODS[i % 4] == "sad"}


def test_exclusions(library: Engine) -> None:
    """An exclusion leaves out what its filter would leave, and nothing else: what lacks the value passes it."""
    everything = set(ids(library))
    for name, value in (
        ("genres", ("Rock", "jazz")), ("moods", ("sad",)), ("artists", ("BJÖRK", "Ben")), ("albums", ("album 2",))
    ):  # fmt: skip
        left = set(ids(library, **{f"not_{name}": value}))
        assert left == everything - set(ids(library, **{name: value}))
        assert left not in (everything, set())
    assert set(ids(library, not_below=("/music/new", "/music/none"))) == everything - set(range(31, 61))
    assert set(ids(library, not_artists=("Ada", "Ben", "Björk"))) == set(range(4, TRACKS + 1, 4))
    assert set(ids(library, not_tracks=(3, 4, 999))) == everything - {3, 4}
    both = ids(library, artists=("Ben",), not_genres=("rock",), not_albums=("Album 1",), years=(1950, 1990))
    assert set(both) == set(ids(library, artists=("Ben",), years=(1950, 1990))) - set(
        ids(library, genres=("rock",))
    ) - {*range(11, 21)}
    assert set(ids(library, other_artists=True, not_artists=("Ben",))) == everything - {
        i for i in everything if ARTISTS[(i - 1) % 4] in ("Ada", "Ben")
    }
    groups = library.similar_groups("artist", ["id:1"], filters=Filters(not_artists=("ben",))).groups
    assert [group.artist for group in groups] == ["Björk"]


@pytest.mark.parametrize(
    ("filters", "hint"),
    [
        ({"not_genres": ("skonk",)}, "did you mean 'skronk'"),
        ({"not_artists": ("Bjork",)}, "did you mean 'Björk'"),
        ({"not_moods": ("glad",)}, "mood 'glad'"),
        ({"not_albums": ("x",)}, "engine search"),
        ({"genres": ("skonk",)}, "did you mean 'skronk'"),
        ({"artists": ("Bjork",)}, "did you mean 'Björk'"),
        ({"moods": ("glad",)}, "mood 'glad'"),
        ({"albums": ("x",)}, "engine search"),
        ({"years": (1990, 1980)}, "swap"),
        ({"tempos": (1, 1000)}, "index --features"),
        ({"keys": ("A minor",)}, "index --features"),
        ({"per_artist": 0}, "1 or more"),
    ],
)
def test_wrong_filters_are_explained(library: Engine, filters: dict[str, object], hint: str) -> None:
    """A name that nothing has, and a span that holds nothing, are refused with what to write instead."""
    with pytest.raises(QueryError, match=hint):
        ids(library, **filters)


def test_artists_are_capped_and_excluded(library: Engine) -> None:
    """At most n tracks of one artist are answers however many are asked for; unknown artists are no one artist."""
    by_artist = [ARTISTS[(i - 1) % 4] for i in ids(library, per_artist=2)]
    assert [by_artist.count(name) for name in ARTISTS[:3]] == [2, 2, 2]
    assert by_artist.count(None) == TRACKS // 4
    assert not {ARTISTS[(i - 1) % 4] for i in ids(library, other_artists=True)} & {"Ada"}
    assert min(ids(library, other_albums=True)) == 11


def test_likes_and_unlikes(library: Engine) -> None:
    """Several seeds search from their normalised sum, what is unlike taken away; none of them is an answer."""
    with library._session.database.read() as connection:
        from engine.db import matrix

        stored = matrix(connection, default_id(), "windows")
    query = stored.vectors[0] + stored.vectors[1] - stored.vectors[59]
    query /= np.linalg.norm(query)
    found = library.similar_to(["id:1", 2], ["search:Title 59"], 3, ranking=Ranking(hubs=True))
    assert [(seed.track_id, seed.sign) for seed in found.seeds] == [(1, 1), (2, 1), (60, -1)]
    cosines = stored.vectors @ query
    cosines[[0, 1, 59]] = -1
    best = np.argsort(-cosines)[:3]
    assert [match.track_id for match in found.matches] == (best + 1).tolist()
    np.testing.assert_allclose([match.similarity for match in found.matches], cosines[best], atol=1e-5)
    assert (found.path, found.track_id) == (None, None)


def test_artist_counts_like_one_track(library: Engine) -> None:
    """An artist searches from the mean of the artist's tracks, whatever the case, and answers with none of them."""
    found = library.similar("artist:björk", TRACKS)
    assert {seed.track_id for seed in found.seeds} == set(range(3, TRACKS + 1, 4))
    assert not {seed.track_id for seed in found.seeds} & {match.track_id for match in found.matches}
    assert len(found.matches) == TRACKS * 3 // 4
    album = library.similar_to(["album:Album 5"], k=1)
    assert len(album.seeds) == 10


def test_the_query_of_an_artist(tmp_path: Path) -> None:
    """An artist's signature is the normalised mean of the tracks' unit vectors, its predictions are their means."""
    random = np.random.default_rng(5)
    units, genres, moods = (
        random.random((3, n)).astype(np.float32) for n in (D, len(GENRES), len(MOODS))
    )  # fmt: skip
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    genres, moods = (each / each.sum(axis=1, keepdims=True) for each in (genres, moods))
    with open_database(tmp_path / "library.db", create=True) as database, database.write() as connection:
        for i, unit in enumerate(units):
            track_id = upsert_track(connection, replace(new_track(i), artist="Ada"))
            made = signature(track_id, unit, 0, 0)
            embedding = replace(made.embedding, genres=genres[i], moods=moods[i])
            put_signature(connection, replace(made, embedding=embedding))
    with Engine.open(tmp_path / "library.db", device="cpu") as session:
        found = query_from_reference(session._session.view(), "artist:Ada").embedding
    mean = units.mean(axis=0)
    np.testing.assert_allclose(found.signature, mean / np.linalg.norm(mean), atol=1e-6)
    np.testing.assert_allclose(found.genres, genres.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(found.moods, moods.mean(axis=0), atol=1e-6)
    assert found.identical_ids == {1, 2, 3}


def test_an_artist_of_opposites(tmp_path: Path) -> None:
    """An artist whose tracks cancel out is refused as such seeds are; with a little left of their sum it is a query."""
    for name, angle in (("opposite", 0.0), ("nearly", 0.01)):  # the mean's norm is half the angle
        with open_database(tmp_path / f"{name}.db", create=True) as database, database.write() as connection:
            for i, sign in enumerate((1, -1)):
                track_id = upsert_track(connection, replace(new_track(i), artist="Ada"))
                vector = np.cos(angle) * sign * np.eye(D)[0] + np.sin(angle) * (sign > 0) * np.eye(D)[1]
                put_signature(connection, signature(track_id, vector, 0, 0))
    with (
        Engine.open(tmp_path / "opposite.db", device="cpu") as session,
        pytest.raises(InvalidError, match="'Ada' cancel out"),
    ):
        session.similar("artist:Ada")
    with Engine.open(tmp_path / "nearly.db", device="cpu") as session:
        found = query_from_reference(session._session.view(), "artist:Ada").embedding.signature
    assert float(np.linalg.norm(found)) == pytest.approx(1, abs=1e-5)
    assert float(found[1]) > 0.99


@pytest.mark.parametrize(
    ("like", "unlike", "reason"),
    [
        ((), ("id:1",), "--like"),
        (("id:1",), ("id:1",), "cancel out"),
        (("artist:Nobody",), (), "Nobody"),
        (("search:nothing like it",), (), "all of the words"),
        (("search:",), (), "all of the words"),
        (("id:999",), (), "999"),
    ],
)
def test_seeds_that_mean_nothing(library: Engine, like: tuple[str], unlike: tuple[str], reason: str) -> None:
    """Seeds that name nothing, or leave nothing to be like, are refused with the reason."""
    with pytest.raises(QueryError, match=reason):
        library.similar_to(like, unlike)


def test_reranking_keeps_similarities(library: Engine) -> None:
    """Diversity and hub correction change the order of answers; each one's similarity stays its cosine."""
    plain = library.similar("id:1", TRACKS, ranking=Ranking(hubs=True)).matches
    cosines = {match.track_id: match.similarity for match in plain}
    assert list(cosines.values()) == sorted(cosines.values(), reverse=True)
    for ranking in (Ranking(), Ranking(diverse=0.5), Ranking(diverse=0.5, hubs=True)):
        changed = library.similar("id:1", TRACKS, ranking=ranking).matches
        assert {match.track_id: match.similarity for match in changed} == cosines
        assert [match.rank for match in changed] == list(range(1, TRACKS))
        assert [match.track_id for match in changed] != list(cosines)


def test_hubs_step_back(library: Engine) -> None:
    """Local scaling evens out how often a track is an answer: the most frequent one is less frequent."""
    counts = {}
    for hubs in (True, False):
        answers = [library.similar(i, 5, ranking=Ranking(hubs=hubs)).matches for i in range(1, TRACKS + 1)]
        counts[hubs] = np.bincount([match.track_id for found in answers for match in found], minlength=TRACKS + 1)
    assert counts[False].max() < counts[True].max()
    assert (counts[False][1:] == 0).sum() < (counts[True][1:] == 0).sum()


def test_diverse_answers_differ(library: Engine) -> None:
    """With more diversity, answers are less like each other; the nearest one stays first."""
    with library._session.database.read() as connection:
        from engine.db import matrix

        vectors = matrix(connection, default_id(), "windows").vectors

    def likeness(diverse: float) -> float:
        rows = [m.track_id - 1 for m in library.similar("id:1", 8, ranking=Ranking(diverse, hubs=True)).matches]
        chosen = vectors[rows]
        return float((chosen @ chosen.T)[np.triu_indices(len(rows), 1)].mean())

    assert likeness(0.7) < likeness(0.3) < likeness(0.0)
    with pytest.raises(QueryError, match="from 0 to 1"):
        likeness(1.5)


def drawn(library: Engine, k: int = 8, **ranking: object) -> list[int]:
    """The ids of the nearest of the first track, drawn."""
    return [m.track_id for m in library.similar("id:1", k, ranking=Ranking(**ranking)).matches]  # type: ignore[arg-type]


def test_variety(library: Engine) -> None:
    """A seed gives one answer, best first, another seed another; no variety is the plain answer, whatever the seed."""
    plain = drawn(library)
    assert drawn(library, variety=0.0, seed=7) == plain
    assert drawn(library, variety=0.5, seed=7) == drawn(library, variety=0.5, seed=7)
    lists = {tuple(drawn(library, variety=0.5, seed=seed)) for seed in range(10)}
    assert len(lists) > 5
    place = {track_id: at for at, track_id in enumerate(drawn(library, TRACKS))}
    for listed in lists:
        places = [place[track_id] for track_id in listed]
        assert (len(set(listed)), sorted(places)) == (8, places)
    varied = library.similar("id:1", 8, ranking=Ranking(variety=0.5))
    assert varied.seed is not None
    assert [match.track_id for match in varied.matches] == drawn(library, variety=0.5, seed=varied.seed)
    assert library.similar("id:1", 8).seed is None
    for wrong in ({"variety": 1.1}, {"variety": 0.5, "seed": -1}):
        with pytest.raises(QueryError):
            drawn(library, **wrong)


def test_variety_prefers_the_near(library: Engine) -> None:
    """The nearer a track the oftener it is drawn, and more variety draws more different ones."""
    plain = drawn(library, 48)
    counts = {
        variety: np.bincount(
            [i for s in range(40) for i in drawn(library, variety=variety, seed=s)], minlength=TRACKS + 1
        )
        for variety in (0.1, 0.5, 1.0)
    }
    for found in counts.values():
        assert found[plain[:8]].sum() > 2 * found[plain[-8:]].sum()
    different = [int((found > 0).sum()) for found in counts.values()]
    assert different == sorted(set(different))


def test_variety_goes_with_the_rest(library: Engine) -> None:
    """A drawn answer keeps filters, the cap on artists and the length asked, and may be diverse."""
    for ranking in (
        Ranking(variety=1.0, seed=1),
        Ranking(diverse=0.5, variety=1.0, seed=1),
        Ranking(0.5, True, 1.0, 1),
    ):
        filters = Filters(per_artist=3, not_albums=("Album 5",))
        found = library.similar("id:1", 20, filters=filters, ranking=ranking).matches
        assert len({match.track_id for match in found}) == 20
        artists = [match.artist for match in found if match.artist]
        assert max(artists.count(name) for name in artists) <= 3
        assert not [match for match in found if match.album == "Album 5"]


def test_genres_follow_tags(library: Engine, tmp_path: Path) -> None:
    """A genre filter goes by the tags as they are now, whoever changed them, signature or none."""
    file = shutil.copy(library._session.database.path, tmp_path / "library.db")
    with Engine.open(file, device="cpu") as session, open_database(Path(file), create=False) as other:
        before = set(ids(session, genres=("skronk",)))
        assert 10 not in before
        with other.write() as connection:
            upsert_track(connection, replace(new_track(9), genre="skronk"))
        assert set(ids(session, genres=("skronk",))) == before | {10}


def test_groups(library: Engine) -> None:
    """Artists or albums are ranked by the mean of their tracks; the seed's own artist is no answer."""
    found = library.similar_groups("artist", ["id:1"], k=10)
    assert {group.artist for group in found.groups} == {"Ben", "Björk"}
    assert [group.tracks for group in found.groups] == [15, 15]
    assert found.matches == ()
    albums = library.similar_groups("album", ["artist:Ada"], k=3).groups
    assert len(albums) == 3
    assert [group.similarity for group in albums] == sorted((group.similarity for group in albums), reverse=True)
    with pytest.raises(QueryError, match="artist or album"):
        library.similar_groups("mood", ["id:1"])


@pytest.fixture
def duets(tmp_path: Path) -> Iterator[Engine]:
    """Twelve tracks in a row: by Ada, by Ben, by both, and by an album artist, in turn."""
    by = (("Ada", None), ("Ben", None), ("Ada;BEN ", "Both"), (None, "Ada; AC/DC"))
    with open_database(tmp_path / "library.db", create=True) as database, database.write() as connection:
        for i in range(12):
            artist, album_artist = by[i % 4]
            track_id = upsert_track(connection, replace(new_track(i), artist=artist, album_artist=album_artist))
            put_signature(connection, signature(track_id, np.eye(D)[0] + np.eye(D)[1] * i, 0, 0))
    with Engine.open(tmp_path / "library.db", device="cpu") as session:
        yield session


def test_each_of_several_artists_matches(duets: Engine) -> None:
    """A track of several artists is one of each: as a filter, as a seed, and where a seed's artists are left out."""
    assert set(ids(duets, artists=("ben",))) == {2, 3, 6, 7, 10, 11}
    assert set(ids(duets, artists=("ada; ben", "ac/dc"))) == {3, 4, 7, 8, 11, 12}
    with pytest.raises(QueryError, match="AC/DC"):
        ids(duets, artists=("AC/DX",))
    seeds = {seed.track_id for seed in duets.similar_to(["artist:Ben"]).seeds}
    assert seeds == {2, 3, 6, 7, 10, 11}
    others = {match.track_id for match in duets.similar("id:2", 12, filters=Filters(other_artists=True)).matches}
    assert others == {1, 4, 5, 8, 9, 12}
    assert duets.similar("id:3", 12, filters=Filters(other_artists=True)).matches == ()


def test_each_of_several_artists_is_capped(duets: Engine) -> None:
    """A track counts for each of its artists, in searches and on paths; one that is not taken counts for none."""
    by = ({"ada"}, {"ben"}, {"ada", "ben"}, {"ada", "ac/dc"})
    taken = [by[(i - 1) % 4] for i in ids(duets, per_artist=2)]
    assert max(sum(name in artists for artists in taken) for name in ("ada", "ben")) == 2
    assert sum("ben" in artists for artists in taken) == 2
    path = [track.track_id for track in duets.path(1, 2, 12, filters=Filters(per_artist=2)).tracks]
    assert sum("ada" in by[(i - 1) % 4] for i in path) == sum("ben" in by[(i - 1) % 4] for i in path) == 2


def test_groups_of_several_artists(duets: Engine) -> None:
    """Each artist is the mean of all of its tracks, those with others too, and is shown by its own name."""
    groups = duets.similar_groups("artist", ["id:2"]).groups
    assert {(group.artist, group.tracks) for group in groups} == {("Ada", 9), ("AC/DC", 3)}
    vectors = np.array([np.eye(D)[0] + np.eye(D)[1] * i for i in (0, 2, 3, 4, 6, 7, 8, 10, 11)])
    mean = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).mean(axis=0)
    query = (np.eye(D)[0] + np.eye(D)[1]) / 2**0.5
    found = {group.artist: group.similarity for group in groups}["Ada"]
    assert found == pytest.approx(float(mean @ query / np.linalg.norm(mean)), abs=1e-5)


def test_library_smaller_than_asked(tmp_path: Path) -> None:
    """One track has no neighbour; asking for ten gives none, and no error."""
    with open_database(tmp_path / "library.db", create=True) as database, database.write() as connection:
        track_id = upsert_track(connection, new_track(0))
        put_signature(connection, signature(track_id, np.ones(D), 0, 0))
    with Engine.open(tmp_path / "library.db", device="cpu") as session:
        assert session.similar(track_id, 10).matches == ()
        assert session.similar_groups("artist", [track_id]).groups == ()
