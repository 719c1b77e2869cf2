"""The comparison with paper 3: its judgements on genres whose places are known."""

import csv
import os
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import paper3

from engine.db import NewTrack, Signature, open_database, put_signature, upsert_track
from engine.embedding import TrackEmbedding
from engine.models.weights_files import default_id

D = 256
TRACKS = 12  # a genre


def axis(genre: str) -> np.ndarray:
    """The axis (D,) of a genre: all ten are as far from each other."""
    return np.eye(D)[paper3.GENRES.index(genre)]


def judged(verdicts: list[paper3.Verdict]) -> dict[str, bool | None]:
    """What agrees, by claim."""
    return {verdict.claim: verdict.agrees for verdict in verdicts}


def test_an_equation_holds_where_no_other_genre_is_nearer() -> None:
    """An equation agrees when d is the nearest genre to a - b + c, and not when another one is."""
    vectors = np.stack([axis(genre) for genre in paper3.GENRES])
    sums = axis("disco") - axis("reggae") + axis("pop")
    for nearer, agrees in (("rock", True), ("metal", False)):
        turned = vectors.copy()
        turned[paper3.GENRES.index(nearer)] = sums / np.linalg.norm(sums)
        assert paper3.judge_equation(("disco", "reggae", "pop", "rock"), turned).agrees is agrees


def test_places() -> None:
    """Nearest and farthest genres are read off the centroids."""
    vectors = {genre: axis(genre) for genre in paper3.GENRES}
    vectors["blues"] = axis("country") + 0.9 * axis("reggae") + 0.1 * axis("blues")
    vectors["classical"] = axis("classical") + 0.2 * axis("jazz") + 0.1 * axis("pop")
    vectors["metal"] = axis("metal") - axis("classical") - axis("jazz")
    stacked = np.stack([vectors[genre] / np.linalg.norm(vectors[genre]) for genre in paper3.GENRES])
    found = judged(paper3.judge_places(stacked))
    assert found["blues is near country"]
    assert found["blues is near reggae"]
    assert found["classical is near jazz"]
    assert not found["classical is near blues"]
    assert found["metal is farthest from classical and jazz"]
    assert not found["classical and jazz are far from the rest"]  # metal is farther


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Excerpts of ten genres, each genre's signatures around its axis, two tracks by each artist."""
    random = np.random.default_rng(0)
    with open_database(tmp_path / "library.db", create=True) as database, database.write() as connection:
        for genre in paper3.GENRES:
            for number in range(TRACKS):
                path = os.fsencode(tmp_path / f"{genre}{number}.wav")
                new = NewTrack(path, 1, 1, path, 30.0, genre=genre, artist=f"{genre} band {number // 2}")
                vector = axis(genre) + 0.01 * random.standard_normal(D)
                embedding = TrackEmbedding(
                    (vector / np.linalg.norm(vector)).astype(np.float32), np.full(15, 1 / 15, np.float32),
                    np.full(4, 0.25, np.float32), np.zeros(1, np.float32), np.ones(1, np.float32),
                    np.ones((1, D), np.float32),
                )  # fmt: skip
                put_signature(connection, Signature(upsert_track(connection, new), default_id(), "windows", embedding))
    return tmp_path / "library.db"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Run the script."""
    monkeypatch.setattr(sys, "argv", ["paper3.py", *map(str, arguments)])
    return paper3.main()


def test_report(library: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where genres are apart, a track's neighbours are of its genre, and what cannot be measured is not counted."""
    assert run(monkeypatch, library) == 0
    out = capsys.readouterr().out
    assert f"{10 * TRACKS} tracks of 10 genres" in out
    assert f"  {'metal':<10}" + "     0" * 6 + "   100" + "     0" * 3 in out
    assert "3.5    agrees   neighbours of metal are mostly metal" in out
    assert out.count("not measurable") == 3
    assert out.splitlines()[-1].endswith("of 14 agree")


def test_chosen_clips(
    library: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A table chooses the tracks; where it leaves a genre too few, that is said in one line."""
    for kept in (10, 9):
        with (tmp_path / "clips.csv").open("w", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(["file", "dataset", "split", "artist_key"])
            for genre in paper3.GENRES:
                for number in range(TRACKS):
                    split = "valid" if number < kept else "train"
                    writer.writerow([f"{genre}{number}.wav", "gtzan", split, f"{genre}{number // 2}"])
        code = run(monkeypatch, library, "--clips", tmp_path / "clips.csv", "--dataset", "gtzan", "--split", "valid")
        out, err = capsys.readouterr()
        if kept == 10:
            assert (code, out.splitlines()[0]) == (0, "100 tracks of 10 genres")
        else:
            assert (code, out, err.count("\n")) == (3, "", 1)


def test_other_artists(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an artist's own tracks a genre of one artist finds the other genres."""
    with open_database(library, create=False) as database:
        view = paper3.LibrarySession(database, paper3.choose_encoder(database, None), None, "cpu", 1).view()
        tracks = paper3.choose_tracks(view, None)
    blues = paper3.GENRES.index("blues")
    tracks.artists[tracks.genres == blues] = "one band"
    assert paper3.neighbour_shares(tracks, other_artists=False)[blues, blues] == 1
    shares = paper3.neighbour_shares(tracks, other_artists=True)
    assert shares[blues, blues] == 0
    assert shares.sum(axis=1) == pytest.approx(1)
