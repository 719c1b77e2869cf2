"""Data sets in every layout: what is recognised, what is refused, and how labelled folders are read and split."""

from collections import Counter
from pathlib import Path

import pytest

from engine.cli.train import train
from engine.datasets.loading import LABELS, LAYOUTS, detect_layout, read_dataset
from engine.datasets.published_sets import FMA_SUBSETS
from engine.errors import TrainingError
from tests.datasets.trees import folders, gtzan_names, touch, write_fma, write_gtzan, write_ismir2004


def test_each_layout_is_recognised(tmp_path: Path, table: Path) -> None:
    """A CSV, labelled folders and the three published sets are recognised by their files."""
    write_gtzan(tmp_path / "gtzan" / "genres")
    assert detect_layout(table) == "csv"
    assert detect_layout(folders(tmp_path / "folders")) == "folders"
    assert detect_layout(tmp_path / "gtzan") == "gtzan"
    assert detect_layout(tmp_path / "gtzan" / "genres") == "gtzan"
    assert detect_layout(write_ismir2004(tmp_path / "ismir")) == "ismir2004"
    assert detect_layout(write_fma(tmp_path / "fma", "small")) == "fma"
    assert detect_layout(tmp_path / "fma" / "fma_small") == "fma"
    touch(tmp_path / "gtzan" / "genres" / "k-pop" / "own.wav")
    assert detect_layout(tmp_path / "gtzan" / "genres") == "folders"


def test_what_is_given_goes_before_what_it_looks_like(tmp_path: Path) -> None:
    """A layout that is named is the one that is read; a wrong one is refused, naming the expected files."""
    write_gtzan(tmp_path / "genres")
    assert len(read_dataset(tmp_path / "genres", "folders").clips) == len(gtzan_names()) + 1
    for layout, message in (
        ("csv", "cannot read it"),
        ("ismir2004", "expected ISMIR 2004's tracks"),
        ("fma", "expected fma_metadata/tracks.csv"),
    ):
        with pytest.raises(TrainingError, match=message):
            read_dataset(tmp_path / "genres", layout)
    with pytest.raises(TrainingError, match="expected GTZAN's folders"):
        read_dataset(folders(tmp_path / "own"), "gtzan")


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"layout": "tsv"}, "a layout of csv, folders"),
        ({"labels": "mine"}, "labels of standard, own, extend"),
        ({"subset": "small"}, "only the Free Music Archive"),
        ({"layout": "fma", "subset": "tiny"}, "a subset of small, medium, large"),
    ],
)
def test_unknown_choices_are_refused(tmp_path: Path, choices: dict[str, str], message: str) -> None:
    """What is no layout, labels or subset is refused with the list of those that are."""
    with pytest.raises(TrainingError, match=message):
        read_dataset(folders(tmp_path), **choices)


def test_the_command_offers_what_there_is() -> None:
    """`engine train` knows the same layouts, labels and subsets as the reader, without loading it for its help."""
    offered = {option.name: tuple(getattr(option.type, "choices", ())) for option in train.params}
    assert (offered["layout"], offered["labels"], offered["subset"]) == (LAYOUTS, LABELS, FMA_SUBSETS)


def test_nothing_there_is_one_line(tmp_path: Path) -> None:
    """A path of nothing, and a folder without sound, are refused."""
    with pytest.raises(TrainingError, match=r"nowhere is not there"):
        read_dataset(tmp_path / "nowhere")
    touch(tmp_path / "music" / "rock" / "cover.jpg")
    with pytest.raises(TrainingError, match=r"expected labelled clips in .*music, found none"):
        read_dataset(tmp_path / "music")


def test_folders_name_genres_and_artists(tmp_path: Path) -> None:
    """The folder is the genre, the one below it the artist; hidden files, other files and loose ones are left out."""
    touch(
        tmp_path / "Rock" / "a.mp3",
        tmp_path / "Rock" / "Ada" / "b.FLAC",
        tmp_path / "Rock" / "Ada" / "album" / "cd 1" / "c.opus",
        tmp_path / "k-pop" / "ADA" / "d.m4a",
        tmp_path / "k-pop" / "Ben" / "e.wav",
        tmp_path / "k-pop" / "Ben" / "._e.wav",
        tmp_path / "k-pop" / "notes.txt",
        tmp_path / ".trash" / "f.wav",
        tmp_path / "loose.wav",
    )
    dataset = read_dataset(tmp_path, "folders")
    found = {clip.path.relative_to(tmp_path).as_posix(): (clip.artist, clip.labels) for clip in dataset.clips}
    assert found == {
        "Rock/a.mp3": ("", ("Rock",)),
        "Rock/Ada/b.FLAC": ("ada", ("Rock",)),
        "Rock/Ada/album/cd 1/c.opus": ("ada", ("Rock",)),
        "k-pop/ADA/d.m4a": ("ada", ("k-pop",)),
        "k-pop/Ben/e.wav": ("ben", ("k-pop",)),
    }
    assert (dataset.name, dataset.genres) == (tmp_path.name, ("k-pop", "rock"))
    assert dataset.notes == ("1 files lie in no genre's folder and are left out",)


def test_folders_hold_out_one_artist_in_ten(tmp_path: Path) -> None:
    """About a tenth of the artists is held out, each with all clips, and the same ones wherever the folder lies."""
    dataset = read_dataset(folders(tmp_path / "a", artists=100))
    sides = {clip.artist: clip.split for clip in dataset.clips}
    assert all(sides[clip.artist] == clip.split for clip in dataset.clips)
    assert 0.05 < Counter(sides.values())["valid"] / len(sides) < 0.15
    moved = read_dataset(folders(tmp_path / "b", artists=100))
    assert {clip.artist: clip.split for clip in moved.clips} == sides


def test_files_without_artists_are_drawn_one_by_one(tmp_path: Path) -> None:
    """Without artist folders a file's path below the root decides, whatever else is there."""
    touch(*(tmp_path / genre / f"{i}.wav" for genre in ("a", "b") for i in range(100)))
    before = {clip.path: clip.split for clip in read_dataset(tmp_path).clips}
    touch(*(tmp_path / genre / f"more {i}.wav" for genre in ("a", "b", "c") for i in range(20)))
    after = {clip.path: clip.split for clip in read_dataset(tmp_path).clips}
    assert before.items() <= after.items()
    assert 8 <= Counter(before.values())["valid"] <= 32


@pytest.mark.parametrize("artists", [2, 3, 5, 8])
def test_few_files_still_have_two_sides(tmp_path: Path, artists: int) -> None:
    """However few artists there are, from two a genre on, somebody is held out and every genre is learnt."""
    dataset = read_dataset(folders(tmp_path, artists))
    for genre in dataset.genres:
        assert any(clip.split == "train" and genre in clip.genres for clip in dataset.clips)
    assert any(clip.split == "valid" for clip in dataset.clips)


def test_nobody_to_hold_out_is_refused(tmp_path: Path) -> None:
    """One artist for each genre leaves nobody to measure on: the message names the clips to add."""
    with pytest.raises(TrainingError, match=r"'valid' .* add clips of another artist for each genre"):
        read_dataset(folders(tmp_path, artists=1))


def test_a_genre_of_one_clip_is_learnt(tmp_path: Path) -> None:
    """A single clip of a genre is never held out, whatever its name, and a note reports that it is not measured."""
    folders(tmp_path)
    single = [f"{letter} song" for letter in "abcdefghijklmnopqrstuvwxyz"]
    touch(*(tmp_path / genre / f"{genre}.wav" for genre in single))
    dataset = read_dataset(tmp_path)
    assert set(single) < set(dataset.genres)
    assert all(clip.split == "train" for clip in dataset.clips if clip.genres & set(single))
    (note,) = dataset.notes
    assert note == (
        "genres of a single clip, learnt but not measured: "
        "a song (1), b song (1), c song (1), d song (1), e song (1), 21 more"
    )


def test_one_genre_is_no_choice(tmp_path: Path) -> None:
    """A head of one genre learns nothing."""
    touch(*(tmp_path / "rock" / f"{i}.wav" for i in range(30)))
    with pytest.raises(TrainingError, match=r"two genres or more .* found rock"):
        read_dataset(tmp_path)
