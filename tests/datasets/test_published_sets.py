"""GTZAN, ISMIR 2004 and the Free Music Archive: their own splits, and what is missing of them."""

from collections import Counter
from pathlib import Path

import pytest
from torchaudio.datasets import gtzan

from engine.datasets.loading import read_dataset
from engine.datasets.published_sets import GTZAN_GENRES
from engine.errors import TrainingError
from tests.datasets.trees import (
    ISMIR2004_TRAINING,
    gtzan_names,
    splits,
    touch,
    write_fma,
    write_gtzan,
    write_ismir2004,
    write_tracklist,
)


@pytest.mark.parametrize("folder", ["", "genres", "genres_original"])
def test_gtzan_is_split_without_its_faults(tmp_path: Path, folder: str) -> None:
    """GTZAN's clips are on the sides that the fault-filtered split gives them, whichever folder they lie in."""
    write_gtzan(tmp_path / folder, "au" if folder else "wav")
    touch(tmp_path / folder / "jazz" / "jazz.00034.txt")
    dataset = read_dataset(tmp_path)
    found = {clip.path.stem: clip.split for clip in dataset.clips}
    expected = {"train": gtzan.filtered_train, "valid": gtzan.filtered_valid, "test": gtzan.filtered_test}
    assert found == {name: split for split, names in expected.items() for name in names}
    assert (dataset.name, dataset.genres) == ("GTZAN", tuple(sorted(GTZAN_GENRES)))
    assert all(clip.labels == (clip.path.parent.name,) == tuple(clip.genres) for clip in dataset.clips)
    assert dataset.notes == ("1 clips are not in the fault-filtered split",)


def test_gtzan_may_be_incomplete(tmp_path: Path) -> None:
    """Clips that are not there are counted, and a genre without any is none that the heads know."""
    names = [name for name in gtzan_names() if name.startswith(("jazz", "metal"))]
    touch(*(tmp_path / name.split(".")[0] / f"{name}.wav" for name in names))
    dataset = read_dataset(tmp_path)
    assert dataset.genres == ("jazz", "metal")
    assert dataset.notes == (f"{930 - len(names)} of 930 listed files are missing, the first: blues.00029.wav",)


def test_the_contest_keeps_its_halves(tmp_path: Path) -> None:
    """Of ISMIR 2004 the development half is the test, one artist in ten of the training half is held out."""
    dataset = read_dataset(write_ismir2004(tmp_path, "development", "evaluation"))
    assert dataset.genres == ("classical", "jazz_blues")
    assert {n for n, split in splits(dataset).items() if split == "test"} == {
        "development_classical.mp3",
        "development_jazz_blues.mp3",
    }
    counts = Counter(clip.split for clip in dataset.clips)
    assert (counts["train"] + counts["valid"], counts["test"]) == (60, 2)
    assert 1 <= counts["valid"] <= 15
    assert dataset.notes == ()


def test_the_evaluation_stands_in_for_the_development_half(tmp_path: Path) -> None:
    """Where only the evaluation half is there, it is the test; with neither there is none."""
    assert "evaluation_classical.mp3" in splits(read_dataset(write_ismir2004(tmp_path / "a", "evaluation")))
    assert "test" not in splits(read_dataset(write_ismir2004(tmp_path / "b"))).values()


def test_the_contests_lists_may_vary(tmp_path: Path) -> None:
    """A header, Windows' separators and paths from the root are understood; missing files are counted and skipped."""
    write_ismir2004(tmp_path)
    extra = (
        ("class", "artist", "album", "track", "track number", "file path"),
        ("classical", "Ada", "album", "track", "1", "classical\\ada\\1.mp3"),
        ("classical", "Ada", "album", "track", "2", "audio/training/classical/ada/2.mp3"),
        ("classical", "Ada", "album", "track", "3", "classical/ada/3.mp3"),
    )
    touch(*(tmp_path / "audio" / "training" / "classical" / "ada" / f"{i}.mp3" for i in (1, 2)))
    write_tracklist(tmp_path, "training", (*extra, *ISMIR2004_TRAINING))
    dataset = read_dataset(tmp_path)
    assert [clip.path.name for clip in dataset.clips if clip.artist == "ada"] == ["1.mp3", "2.mp3"]
    assert dataset.notes == ("training: 1 of 63 listed files are missing, the first: classical/ada/3.mp3",)


def test_a_list_without_its_columns_is_refused(tmp_path: Path) -> None:
    """A list that is not the contest's is refused, naming the expected columns."""
    write_tracklist(tmp_path, "training", (("classical", "1.mp3"),))
    with pytest.raises(TrainingError, match=r"expected class, artist, .* found: classical, 1.mp3"):
        read_dataset(tmp_path)


def test_the_archive_keeps_its_split(tmp_path: Path) -> None:
    """The Free Music Archive's own split, genres and artists are read, of the folder that is there."""
    dataset = read_dataset(write_fma(tmp_path, "medium"))
    sides = {"000002": "train", "000003": "valid", "000005": "train", "000010": "test", "000134": "train"}
    assert splits(dataset) == {f"{number}.mp3": side for number, side in sides.items()}
    assert (dataset.name, dataset.genres) == ("FMA medium", ("hip-hop", "old-time / historic", "soul-rnb"))
    assert (dataset.clips[0].artist, dataset.clips[0].labels) == ("awol", ("Hip-Hop",))
    assert dataset.clips[0].path == tmp_path / "fma_medium" / "000" / "000002.mp3"


def test_a_subset_of_the_archive_is_chosen(tmp_path: Path) -> None:
    """By name, by the folder given, or by the largest there; a small one is found within a larger folder."""
    write_fma(tmp_path, "small", "large")
    assert read_dataset(tmp_path).name == "FMA large"
    assert read_dataset(tmp_path).notes[0] == "1 tracks without a top genre are left out"
    assert len(read_dataset(tmp_path).clips) == 6
    assert {clip.path.parts[-3] for clip in read_dataset(tmp_path, subset="medium").clips} == {"fma_large"}
    assert len(read_dataset(tmp_path, subset="medium").clips) == 5
    for small in (read_dataset(tmp_path, subset="small"), read_dataset(tmp_path / "fma_small")):
        assert (small.name, len(small.clips)) == ("FMA small", 3)
        assert {clip.path.parts[-3] for clip in small.clips} == {"fma_small"}
    with pytest.raises(TrainingError, match="expected fma_medium or fma_large or fma_full"):
        read_dataset(tmp_path / "fma_small", subset="medium")


def test_the_archive_may_be_incomplete(tmp_path: Path) -> None:
    """Clips that are not there are counted and skipped, until nothing is left."""
    write_fma(tmp_path, "medium")
    (tmp_path / "fma_medium" / "000" / "000134.mp3").unlink()
    dataset = read_dataset(tmp_path)
    assert len(dataset.clips) == 4
    assert dataset.notes[0] == "1 of 5 listed files are missing, the first: 000134.mp3"
    for file in (tmp_path / "fma_medium" / "000").iterdir():
        file.unlink()
    with pytest.raises(TrainingError, match="found none; 5 of 5 listed files are missing"):
        read_dataset(tmp_path)


def test_endless_ids_are_no_tracks(tmp_path: Path) -> None:
    """A row whose id has thousands of digits is passed over."""
    table = write_fma(tmp_path, "small") / "fma_metadata" / "tracks.csv"
    before = len(read_dataset(tmp_path).clips)
    rows = table.read_text()
    table.write_text(rows + rows[rows.rstrip().rindex("\n") + 1 :].replace(",", "9" * 5000 + ",", 1))
    assert len(read_dataset(tmp_path).clips) == before


def test_the_archives_columns_are_checked(tmp_path: Path) -> None:
    """A table without the genre column is refused, naming the column."""
    table = write_fma(tmp_path, "small") / "fma_metadata" / "tracks.csv"
    table.write_text(table.read_text().replace("genre_top", "genres", 1))
    with pytest.raises(TrainingError, match=r"expected the column \(track, genre_top\)"):
        read_dataset(tmp_path)
    table.write_bytes(b"")
    with pytest.raises(TrainingError, match=r"expected the column \(set, split\)"):
        read_dataset(tmp_path)
