"""CSV tables (`layouts`) and decoded samples (`clips`)."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from engine.datasets.clips import MAX_CLIP_SECONDS, Clip, ClipSamples
from engine.datasets.loading import read_dataset
from engine.errors import TrainingError
from engine.models.encoder import SAMPLE_RATE
from tests.audio import peak_frequency, tone, write_audio
from tests.training.conftest import write_rows

PCM_STEP = 1 / 32_767


def clip(path: Path) -> Clip:
    """A clip without labels."""
    return Clip(path, "train", "", "", frozenset(), None)


def read_clips(table: Path) -> tuple[Clip, ...]:
    """The clips of a CSV, their genres mapped onto the fifteen."""
    return read_dataset(table).clips


def test_rows_become_clips(tmp_path: Path) -> None:
    """Paths are relative to the CSV, genres are mapped, a quadrant is a mood; missing values stay empty."""
    rows = [
        ("x/a.mp3", "train", "Ada ", "Bebop; Pop/Rock; Polkacore", "Q4", "mine"),
        ("b.mp3", "valid", "ADA", "", "", ""),
        ("", "valid", "nobody", "jazz", "Q1", ""),
    ]
    columns = ("file", "split", "artist", "genres", "quadrant", "dataset")
    table = write_rows(tmp_path / "clips.csv", [dict(zip(columns, row, strict=True)) for row in rows])
    first, second = read_clips(table)
    assert first == Clip(
        tmp_path / "x" / "a.mp3",
        "train",
        "ada",
        "mine",
        frozenset({"jazz", "pop", "rock", "metal"}),
        "calm",
        ("Bebop", "Pop/Rock", "Polkacore"),
    )
    assert second == Clip(tmp_path / "b.mp3", "valid", "ada", "", frozenset(), None)


def test_a_byte_order_mark_is_no_part_of_a_column(tmp_path: Path) -> None:
    """Spreadsheets begin UTF-8 files with a mark; the first column is found all the same."""
    rows = [{"file": f"{split}.wav", "split": split, "genres": "jazz"} for split in ("train", "valid")]
    assert len(read_clips(write_rows(tmp_path / "clips.csv", rows, encoding="utf-8-sig"))) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read it"),
        (b"", "found: no rows"),
        (b"file,genres\n", "found: no rows"),
        (b"path,genres\na.wav,jazz\n", "found: genres, path"),
        (b"file,artist\na.wav,Ada\n", "found: artist, file"),
        (b"file,split,genres\na.wav,train,jazz\n", "split 'valid'"),
        (b"file,split,genres\na.wav,valid,jazz\n", "split 'train'"),
        (b"file,split,genres\na.wav,test,jazz\n", "split 'train'"),
        (b"file,genres\n\xff\xfe.wav,jazz\n", "cannot read it"),
    ],
)
def test_unusable_tables_are_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    """A table that is missing, empty, not text, without a column that is needed or without a split gets one line."""
    table = tmp_path / "clips.csv"
    if content is not None:
        table.write_bytes(content)
    with pytest.raises(TrainingError, match=message) as caught:
        read_clips(table)
    assert str(table) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    """A folder in the table's place is refused."""
    with pytest.raises(TrainingError, match="cannot read it"):
        read_dataset(tmp_path, layout="csv")


def test_no_artist_is_on_both_sides(tmp_path: Path) -> None:
    """Without a split column about one artist in ten is held out, with all of their clips, however they are written."""
    names = [f"Artist {i // 3}" if i % 2 else f"ARTIST {i // 3}" for i in range(900)]
    rows = [{"file": f"{i}.wav", "artist": name, "genres": "jazz"} for i, name in enumerate(names)]
    clips = read_clips(write_rows(tmp_path / "clips.csv", rows))
    sides = defaultdict(set)
    for found in clips:
        sides[found.artist].add(found.split)
    assert len(sides) == 300
    assert all(len(splits) == 1 for splits in sides.values())
    assert 0.05 < sum(splits == {"valid"} for splits in sides.values()) / 300 < 0.15


def test_the_split_is_the_same_every_time(tmp_path: Path) -> None:
    """Rows in another order, and rows that are added, leave every clip on its side."""
    rows = [{"file": f"{i}.wav", "artist": "", "genres": "jazz"} for i in range(100)]
    before = {c.path.name: c.split for c in read_clips(write_rows(tmp_path / "a.csv", rows))}
    more = [*rows[::-1], {"file": "new.wav", "artist": "", "genres": "jazz"}]
    after = {c.path.name: c.split for c in read_clips(write_rows(tmp_path / "b.csv", more))}
    assert before.items() <= after.items()


def test_an_artist_key_goes_before_the_name(tmp_path: Path) -> None:
    """Where `artist_key` is given, two artists of one name are distinct."""
    rows = [{"file": f"{i}.wav", "split": split, "artist": "Nirvana", "artist_key": str(i), "genres": "rock"}
            for i, split in enumerate(("train", "valid"))]  # fmt: skip
    assert [c.artist for c in read_clips(write_rows(tmp_path / "clips.csv", rows))] == ["0", "1"]


def test_samples_are_those_of_the_file(tmp_path: Path) -> None:
    """A clip's samples are the file's at 22,050 Hz, and reading beyond its end gives zeros."""
    sound = tone(440, 1.0, SAMPLE_RATE)
    write_audio(tmp_path / "a.wav", sound, SAMPLE_RATE)
    source = ClipSamples([clip(tmp_path / "a.wav")], tmp_path / "cache")
    assert source.length(0) == SAMPLE_RATE
    part = source.read(0, 20_000, 4_000)
    np.testing.assert_allclose(part[:2_050], sound[20_000:], atol=2 * PCM_STEP)
    assert (part[2_050:] == 0).all()
    assert part.dtype == np.float32


def test_files_without_sound_are_skipped_with_a_reason(tmp_path: Path) -> None:
    """Missing files, text, and names that no file can have are left out and reported; the others stay in order."""
    for name in ("a.wav", "b.wav"):
        write_audio(tmp_path / name, tone(440, 0.6, SAMPLE_RATE), SAMPLE_RATE)
    (tmp_path / "text.wav").write_text("no sound")
    names = ["a.wav", "missing.wav", "text.wav", "nul\0.wav", "b.wav"]
    seen: list[int] = []
    source = ClipSamples([clip(tmp_path / name) for name in names], tmp_path / "cache", lambda: seen.append(1))
    assert [c.path.name for c in source.clips] == ["a.wav", "b.wav"]
    assert [path.name for path, _ in source.skipped] == names[1:4]
    assert all(reason for _, reason in source.skipped)
    assert len(seen) == 5
    assert len(source) == 2


def test_decoded_clips_are_kept_until_the_file_changes(tmp_path: Path) -> None:
    """A second reading decodes nothing; a file that was replaced is decoded anew."""
    path, cache = tmp_path / "a.wav", tmp_path / "cache"
    write_audio(path, tone(440, 1.0, SAMPLE_RATE), SAMPLE_RATE)
    ClipSamples([clip(path)], cache)
    kept = {p.name: p.stat().st_mtime_ns for p in cache.iterdir()}
    ClipSamples([clip(path)], cache)
    assert {p.name: p.stat().st_mtime_ns for p in cache.iterdir()} == kept
    write_audio(path, tone(880, 1.5, SAMPLE_RATE), SAMPLE_RATE)
    samples = ClipSamples([clip(path)], cache).read(0, 0, SAMPLE_RATE)
    assert abs(peak_frequency(samples, SAMPLE_RATE) - 880) < 2


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5])
def test_a_damaged_cache_is_replaced(tmp_path: Path, share: float) -> None:
    """A cached clip that was cut short is decoded anew."""
    path, cache = tmp_path / "a.wav", tmp_path / "cache"
    write_audio(path, tone(440, 1.0, SAMPLE_RATE), SAMPLE_RATE)
    expected = ClipSamples([clip(path)], cache).read(0, 0, SAMPLE_RATE)
    (kept,) = cache.iterdir()
    data = kept.read_bytes()
    kept.unlink()
    kept.write_bytes(data[: int(share * len(data))])
    assert np.array_equal(ClipSamples([clip(path)], cache).read(0, 0, SAMPLE_RATE), expected)


def test_long_files_are_cut(tmp_path: Path) -> None:
    """A longer file is truncated to two minutes."""
    write_audio(tmp_path / "long.wav", tone(300, MAX_CLIP_SECONDS + 5, 8_000), 8_000)
    assert ClipSamples([clip(tmp_path / "long.wav")], tmp_path / "cache").length(0) == MAX_CLIP_SECONDS * SAMPLE_RATE
