"""Measure the detection of one recording in several files: `python scripts/duplicates.py MUSIC [--artists 20]`.

MUSIC is a folder (artists from tags, else from the first folder below it) or a CSV with the columns `file`,
`artist_key` or `artist`, and `title`; only the first of an artist's tracks of one title is used. Three tracks each of
some artists are re-encoded five times, each time trimmed by up to 2 s at the start and changed by up to 6 dB; three
more of each artist stay unchanged, as they are the hardest to distinguish. For each kind of fingerprint (Chromaprint's
if `fpcalc` is on PATH), a limit on its share of wrong bits is chosen on one half of the artists and tested on the
other. Finally `Engine.duplicates` runs with its own limits, and is judged by the pairs of files of the other half.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream

from engine import Engine
from engine.db import Database, Fingerprint, get_fingerprints, open_database, tracks_below
from engine.duplicates.recordings import ERROR_LIMITS, SILENT_WORDS, align, level_difference
from engine.errors import AudioError
from engine.indexer.audio.decode import AudioFile
from engine.indexer.audio.formats import has_media_extension
from engine.indexer.audio.samples import Samples
from engine.indexer.audio.scan import FoundFile, scan
from engine.indexer.audio.tags import read_tags
from engine.indexer.features.fingerprint import OUTLINE, read_outline
from engine.indexer.features.fingerprint_store import FingerprintStore
from engine.indexer.features.fingerprinting import Fingerprinting

RE_ENCODED, AS_THEY_ARE = 3, 3  # tracks of an artist
TRIM_SECONDS, GAIN_DECIBELS = 2.0, 6.0
FRAME = 1024


@dataclass(frozen=True)
class Version:
    """An encoding: FFmpeg's names, bits per second (None if lossless), and Hz."""

    codec: str
    container: str
    bitrate: int | None
    sample_rate: int


VERSIONS = {
    ".mp3": Version("libmp3lame", "mp3", 128_000, 44_100),
    ".m4a": Version("aac", "ipod", 96_000, 44_100),
    ".opus": Version("libopus", "ogg", 64_000, 48_000),
    ".ogg": Version("vorbis", "ogg", 112_000, 44_100),
    ".flac": Version("flac", "flac", None, 44_100),
}


@dataclass(frozen=True)
class Pair:
    """Two files: whether they are one recording, by one artist, in the second half; errors by kind; balance in dB."""

    same: bool
    hard: bool
    second_half: bool
    errors: dict[str, float]
    levels: float


def read_music(music: Path) -> dict[str, list[Path]]:
    """Return files by artist, one per title; files without a known artist are left out."""
    found: dict[str, dict[str, Path]] = defaultdict(dict)
    for path, artist, title in _table(music) if music.is_file() else _folder(music):
        letters = "".join(filter(str.isalnum, title.casefold()))
        found[artist].setdefault(letters or path.name, path)
    found.pop("", None)
    return {artist: list(files.values()) for artist, files in found.items()}


def write_version(path: Path, samples: Samples, version: Version) -> None:
    """Write sound (L,) at the version's rate as a stereo file."""
    with av.open(str(path), "w", format=version.container) as output:
        stream = cast(
            "AudioStream", output.add_stream(version.codec, rate=version.sample_rate, options={"strict": "-2"})
        )
        stream.layout = "stereo"
        if version.bitrate:
            stream.bit_rate = version.bitrate
        for start in range(0, len(samples), FRAME):
            part = np.repeat(samples[None, start : start + FRAME], 2, axis=0).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = version.sample_rate, start
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def make_versions(original: Path, folder: Path, name: str, random: np.random.Generator) -> None:
    """Write the five versions of a file as `name` with five extensions; existing ones are not rewritten."""
    for ending, version in VERSIONS.items():
        trim, gain = random.uniform(0, TRIM_SECONDS), random.uniform(-GAIN_DECIBELS, GAIN_DECIBELS)
        path = folder / f"{name}{ending}"
        if path.exists():
            continue
        with AudioFile.open(original) as audio:
            samples = np.concatenate(list(audio.blocks(4.0, version.sample_rate)))
        louder = samples[round(trim * version.sample_rate) :] * 10 ** (gain / 20)
        write_version(path, np.clip(louder, -1, 1), version)


def make_set(music: dict[str, list[Path]], artists: int, folder: Path) -> list[str]:
    """Create links `ARTIST-TRACK` to files and re-encodings `ARTIST-TRACK.EXT`; return the chosen artists."""
    random = np.random.default_rng(0)
    names = sorted(name for name, files in music.items() if len(files) >= 2)
    shuffled = [names[i] for i in random.permutation(len(names))]
    chosen = sorted(shuffled, key=lambda name: len(music[name]) < RE_ENCODED + AS_THEY_ARE)[
        :artists
    ]  # artists with enough tracks first
    for i, name in enumerate(chosen):
        files = [music[name][j] for j in random.permutation(len(music[name]))[: RE_ENCODED + AS_THEY_ARE]]
        for j, path in enumerate(files):
            link = folder / f"{i}-{j}.original{path.suffix}"
            if not link.is_symlink():
                link.symlink_to(path.absolute())
            if j < RE_ENCODED:
                try:
                    make_versions(path, folder, f"{i}-{j}", random)
                except AudioError as error:
                    print(f"{path}: {error}", file=sys.stderr)
        print(f"{i + 1}/{len(chosen)} artists", file=sys.stderr, flush=True)
    return chosen


def compare(database: Database, folder: Path) -> Iterator[Pair]:
    """Compare all versions of a recording with each other, and all originals."""
    with database.read() as connection:
        tracks = {Path(track.name).name: track.id for track in tracks_below(connection, os.fsencode(folder))}
    Fingerprinting(database, FingerprintStore.of(database), 1).run(tracks.values(), lambda _: None)
    with database.read() as connection:
        fingerprints = get_fingerprints(connection, tracks.values())
    for a, b in combinations(sorted(tracks), 2):
        same, hard = _recording(a) == _recording(b), _artist_number(a) == _artist_number(b)
        if same or (".original." in a and ".original." in b):
            second_half = bool(_artist_number(a) % 2 and _artist_number(b) % 2)
            yield Pair(
                same, hard, second_half, *_measure(fingerprints.get(tracks[a], {}), fingerprints.get(tracks[b], {}))
            )


def _measure(a: dict[str, Fingerprint], b: dict[str, Fingerprint]) -> tuple[dict[str, float], float]:
    """Return the share of wrong bits by kind, and the difference in balance in dB."""
    errors, levels = {}, float("nan")
    for kind in SILENT_WORDS:
        found = align(a[kind].words, b[kind].words, SILENT_WORDS[kind]) if kind in a and kind in b else None
        if found is not None:
            errors[kind] = found.error
            levels = level_difference(*(read_outline(each[OUTLINE].words) for each in (a, b)), found.offset)
    return errors, levels


def choose_limit(errors: Sequence[float], same: Sequence[bool]) -> float:
    """Return the limit with the greatest F1: midway between the last pair below it and the first above."""
    order = np.argsort(errors)
    values, truth = np.asarray(errors)[order], np.asarray(same)[order]
    right = np.cumsum(truth)
    f1 = 2 * right / (np.arange(1, len(truth) + 1) + truth.sum())
    best = int(np.argmax(f1))
    return float(values[best] if best + 1 == len(values) else (values[best] + values[best + 1]) / 2)


def figures(found: Iterable[frozenset[str]], true: Iterable[frozenset[str]]) -> str:
    """Format precision and recall of pairs, with counts."""
    found, true = set(found), set(true)
    right = len(found & true)
    precision, recall = right / max(len(found), 1), right / max(len(true), 1)
    return (
        f"precision {precision:.4f} ({right} of {len(found)} pairs)  recall {recall:.4f} ({right} of {len(true)} pairs)"
    )


def report_limits(pairs: Sequence[Pair]) -> None:
    """Print, per kind of fingerprint, the errors, the limit chosen on the first half, and its result on the second."""
    for kind, limit in ERROR_LIMITS.items():
        rows = [pair for pair in pairs if kind in pair.errors]
        if not rows:
            continue
        print(f"{kind}: wrong bits")
        print_range("one recording", [pair.errors[kind] for pair in rows if pair.same])
        print_range("others of the artist", [pair.errors[kind] for pair in rows if pair.hard and not pair.same])
        print_range("other artists", [pair.errors[kind] for pair in rows if not pair.hard])
        first = [pair for pair in rows if not pair.second_half]
        chosen = choose_limit([pair.errors[kind] for pair in first], [pair.same for pair in first])
        second = {str(i): pair for i, pair in enumerate(rows) if pair.second_half}
        found = {frozenset([i]) for i, pair in second.items() if pair.errors[kind] <= chosen}
        true = {frozenset([i]) for i, pair in second.items() if pair.same}
        print(f"  limit chosen on the first half {chosen:.3f} (in use: {limit:.3f})")
        print(f"  second half: {figures(found, true)}")
    print("balance of low to high, dB")
    print_range("one recording", [pair.levels for pair in pairs if pair.same and pair.errors])


def print_range(name: str, values: Sequence[float]) -> None:
    """Print a line of quantiles."""
    if values:
        marks = (0, 0.01, 0.5, 0.99, 1)
        shown = "  ".join(
            f"{mark:.0%} {value:.3f}" for mark, value in zip(marks, np.quantile(values, marks), strict=True)
        )
        print(f"  {name:20} {len(values):6} pairs  {shown}")


def main() -> int:
    """Print all results; return 0, or 2 if the music is not sufficient."""
    parser = argparse.ArgumentParser(description="Measures how well one recording in several files is found.")
    parser.add_argument("music", type=Path, help="a folder, or a CSV of files and artists")
    parser.add_argument("--artists", type=int, default=20, help="how many; %(default)s")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="folder for the files and the library; default: a temporary one"
    )
    arguments = parser.parse_args()
    music = read_music(arguments.music)
    if sum(len(files) > 1 for files in music.values()) < 2:
        print(f"expected two artists or more with two files or more in {arguments.music}, found fewer", file=sys.stderr)
        return 2
    with ExitStack() as stack:
        base = arguments.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder = (base / "set").absolute()
        folder.mkdir(parents=True, exist_ok=True)
        make_set(music, arguments.artists, folder)
        with Engine.open(base / "library.db", threads=1) as engine:
            engine.index(folder)
            found = engine.duplicates("same_recording")
        with open_database(base / "library.db", create=False) as database:
            report_limits(list(compare(database, folder)))
        groups = [[Path(track.path).name for track in group.tracks] for group in found.groups]
        report_groups(groups, [path.name for path in sorted(folder.iterdir())])
    return 0


def report_groups(groups: Sequence[Sequence[str]], names: Sequence[str]) -> None:
    """Print precision and recall of the command's groups, by pairs, on the second half and on all files."""
    found = {frozenset(pair) for group in groups for pair in combinations(group, 2)}
    true = {frozenset(pair) for pair in combinations(names, 2) if _recording(pair[0]) == _recording(pair[1])}
    second = [{pair for pair in pairs if all(_artist_number(name) % 2 for name in pair)} for pairs in (found, true)]
    print(f"engine duplicates, second half: {figures(*second)}")
    print(f"engine duplicates, all {len(names)} files: {figures(found, true)}")
    for pair in sorted(sorted(pair) for pair in found - true):
        print(f"  wrongly one: {' '.join(pair)}")


def _recording(name: str) -> str:
    return name.split(".")[0]


def _artist_number(name: str) -> int:
    return int(name.split("-")[0])


def _table(table: Path) -> Iterator[tuple[Path, str, str]]:
    """Yield path, artist and title of each row."""
    with table.open(encoding="utf-8-sig", newline="") as handle:
        for row in csv.DictReader(handle):
            yield table.parent / row["file"], row.get("artist_key") or row.get("artist") or "", row.get("title") or ""


def _folder(folder: Path) -> Iterator[tuple[Path, str, str]]:
    """Yield path, artist and title of each file."""
    folder = folder.absolute()
    files = (Path(os.fsdecode(each.path)) for each in scan([folder]) if isinstance(each, FoundFile))
    for path in sorted(path for path in files if has_media_extension(os.fsencode(path))):
        try:
            with AudioFile.open(path) as audio:
                tags = read_tags(audio.info.metadata)
        except AudioError:
            continue
        below = path.relative_to(folder).parts
        yield path, (tags.artist or (below[0] if len(below) > 1 else "")).casefold(), tags.title or ""


if __name__ == "__main__":
    sys.exit(main())
