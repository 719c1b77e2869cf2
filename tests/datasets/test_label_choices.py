"""What a data set's labels become: the fifteen, its own, or both; and what is left out on the way."""

from pathlib import Path

import pytest

from engine.datasets.loading import read_dataset
from engine.errors import TrainingError
from engine.models.labels import GENRES
from tests.datasets.trees import touch
from tests.training.conftest import write_rows


def labelled(tmp_path: Path, *rows: tuple[str, str, str]) -> Path:
    """A CSV of clips: split, genres, quadrant."""
    columns = ("file", "split", "genres", "quadrant")
    return write_rows(
        tmp_path / "clips.csv",
        [dict(zip(columns, (f"{i}.wav", *row), strict=True)) for i, row in enumerate(rows)],
    )


THREE_WAYS = (
    ("train", "Bebop", "Q1"),
    ("train", "Zydeco; Hard Rock", ""),
    ("valid", "bebop", ""),
    ("valid", " ZYDECO ", ""),
    ("test", "Soul", ""),
)


@pytest.mark.parametrize(
    ("labels", "genres", "clips"),
    [
        ("standard", GENRES, ["jazz", "rock", "jazz", "", "rnb"]),
        ("own", ("bebop", "hard rock", "zydeco"), ["bebop", "hard rock zydeco", "bebop", "zydeco"]),
        ("extend", (*GENRES, "zydeco"), ["jazz", "rock zydeco", "jazz", "zydeco", "rnb"]),
    ],
)
def test_labels_are_named_in_three_ways(tmp_path: Path, labels: str, genres: tuple[str, ...], clips: list[str]) -> None:
    """The data set's labels are mapped to the fifteen, used unchanged, or mapped if they fit and added otherwise."""
    dataset = read_dataset(labelled(tmp_path, *THREE_WAYS), labels=labels)
    assert dataset.genres == genres
    assert [" ".join(sorted(clip.genres)) for clip in dataset.clips] == clips
    assert dataset.clips[1].labels == ("Zydeco", "Hard Rock")
    assert dataset.clips[0].mood == "happy"


def test_what_labels_lose_is_noted(tmp_path: Path) -> None:
    """Labels outside the fifteen, genres that train lacks, unknown splits and rows without a file are each counted."""
    path = labelled(tmp_path, *THREE_WAYS, ("holdout", "Bebop", ""))
    with path.open("a") as file:
        file.write(",train,Bebop,\n")
    standard, own = (read_dataset(path, labels=labels).notes for labels in ("standard", "own"))
    assert len(read_dataset(path).clips) == len(THREE_WAYS)
    assert standard == (
        "1 rows name no file",
        "clips of no known split, left out: holdout (1)",
        "labels that fit none of the fifteen: zydeco (2)",
    )
    assert own == (
        "1 rows name no file",
        "clips of no known split, left out: holdout (1)",
        "genres without a clip to learn from, left out: soul (1)",
        "genres of a single clip, learnt but not measured: hard rock (1)",
    )


def test_a_clip_keeps_its_mood_when_its_genre_goes(tmp_path: Path) -> None:
    """A clip whose genre cannot be learnt stays for its quadrant."""
    path = labelled(tmp_path, ("train", "a", "Q1"), ("train", "b", ""), ("valid", "c", "Q2"), ("valid", "d", ""))
    kept = [(clip.path.name, clip.genres, clip.mood) for clip in read_dataset(path, labels="own").clips]
    assert kept[2:] == [("2.wav", frozenset(), "tense")]


def test_labels_that_say_nothing_are_refused(tmp_path: Path) -> None:
    """Genres outside the fifteen need another choice of labels; "own" needs genres."""
    with pytest.raises(TrainingError, match=r"found polkacore \(1\); use --labels own"):
        read_dataset(labelled(tmp_path, ("train", "Polkacore", ""), ("valid", "Polkacore", "")))
    with pytest.raises(TrainingError, match=r"two genres or more .* found none; or use --labels standard"):
        read_dataset(labelled(tmp_path, ("train", "", "Q1"), ("valid", "", "Q1")), labels="own")


def test_folders_may_be_mapped_too(tmp_path: Path) -> None:
    """With standard labels a folder's name is read as a tag would be."""
    touch(*(tmp_path / genre / f"{i}.wav" for genre in ("Hip-Hop", "Bebop") for i in range(20)))
    dataset = read_dataset(tmp_path, labels="standard")
    assert dataset.genres == GENRES
    assert {genre for clip in dataset.clips for genre in clip.genres} == {"hiphop", "jazz"}


def test_odd_folder_names_are_read(tmp_path: Path) -> None:
    """Names that are not UTF-8, and control characters, become names that can be printed."""
    for name in (b"caf\xe9", b"a\x1bb"):
        folder = bytes(tmp_path) + b"/" + name
        Path(folder.decode("utf-8", "surrogateescape")).mkdir()
        for i in range(20):
            Path((folder + f"/{i}.wav".encode()).decode("utf-8", "surrogateescape")).touch()
    assert read_dataset(tmp_path).genres == ("a\ufffdb", "caf\ufffd")
