"""Duplicates: the same recording in different files, as opposed to remasters, live versions and covers.

Candidates come from signatures, bytes and tags (`engine.duplicates.candidates`); fingerprints of the first two minutes
decide (`engine.duplicates.recordings`); pairs become groups (`engine.duplicates.linkage`).
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from engine.db import Fingerprint, tracks_by_ids
from engine.duplicates.candidates import Pair, candidates, candidates_among
from engine.duplicates.linkage import Group, Link, recordings, works_of
from engine.duplicates.recordings import SAME_RECORDING, SAME_WORK, Verdict, judge
from engine.duplicates.results import DuplicateGroup, Duplicates, DuplicateTrack
from engine.errors import AudioError, InvalidError
from engine.indexer.features.fingerprint import fingerprints, first_sound
from engine.indexer.features.fingerprinting import Fingerprinting, FingerprintReport
from engine.indexer.pipeline.reports import OnProgress
from engine.session import LibraryView

KINDS = (SAME_RECORDING, SAME_WORK)
PAIRS_AT_ONCE = 256
LOSSLESS = frozenset(
    ["alac", "ape", "flac", "mlp", "mp4als", "shorten", "tak", "truehd", "tta", "wavpack", "wmalossless"]
)
LOSSLESS_STARTS = ("pcm_s", "pcm_u", "pcm_f", "dsd_")  # but not telephony's pcm_alaw and pcm_mulaw
PARTIAL_SHARE = 0.05  # of the longest file of a recording: a file that lacks more is partial
PARTIAL_SECONDS = (3.0, 10.0)  # bounds of that difference: rips differ in silence at their ends


def find_duplicates(view: LibraryView, kind: str | None, on_progress: OnProgress) -> Duplicates:
    """Find the groups of a library.

    Args:
        view: The library.
        kind: One of KINDS, or None for both.
        on_progress: Called after each new fingerprint.

    Raises:
        QueryError: There is no such kind.
        LibraryError: The library has no signatures, or fingerprints cannot be stored.
    """
    if kind not in (None, *KINDS):
        raise InvalidError(f"expected a kind of {' or '.join(KINDS)}, found {kind!r}", hint="leave it out for both")
    pairs = candidates(view)
    report = _take_fingerprints(view, {each for pair in pairs for each in (pair.first, pair.second)}, on_progress)
    there = [pair for pair in pairs if not {pair.first, pair.second} & report.left_out.keys()]
    links = list(_links(view, there, works=kind != SAME_RECORDING))
    same = recordings(links)
    found = [(SAME_RECORDING, group) for group in same] + [(SAME_WORK, group) for group in works_of(links)]
    wanted = [(each, group) for each, group in found if kind in (None, each)]
    groups = sorted(_describe(view, wanted, same), key=lambda group: (KINDS.index(group.kind), -group.score))
    return Duplicates(tuple(groups), tuple(report.left_out.values()), tuple(report.notes))


def repeated(
    view: LibraryView, track_ids: Iterable[int], origins: Iterable[int] = (), files: Sequence[str] = ()
) -> frozenset[int]:
    """Return the tracks that repeat the recording of an origin, of a file, or of a better track among them.

    Missing fingerprints are computed and stored. An unreadable track counts as a repetition only if it has a
    fingerprint or is byte-identical.

    Args:
        view: The library.
        track_ids: The tracks to examine.
        origins: Other tracks of the library.
        files: Paths of files outside the library; if there are any, every track needs its fingerprint.
    """
    looked_at, known = frozenset(track_ids), frozenset(origins)
    among = candidates_among(view, looked_at | known)
    pairs = [pair for pair in among if not {pair.first, pair.second} <= known]
    needed = {track_id for pair in pairs for track_id in (pair.first, pair.second) if not pair.same_bytes}
    _take_fingerprints(view, needed | looked_at if files else needed, lambda _: None)
    links = [*_links(view, pairs, works=False), *_links_to_files(view, files, looked_at)]
    groups = [frozenset(group.track_ids) for group in recordings(links)]
    again = [group for group in groups if any(track_id in known or track_id < 0 for track_id in group)]
    worse = [_best_first(view, group)[1:] for group in groups if group not in again]
    return frozenset(chain(*again, *worse)) & looked_at


def _links_to_files(view: LibraryView, files: Sequence[str], track_ids: Iterable[int]) -> Iterator[Link]:
    """Link tracks to files of the same recording; the files have the ids -1, -2 and so on."""
    if not files:
        return
    with view.read() as connection:
        held = view.fingerprints.get(connection, track_ids)
    for number, path in enumerate(files, start=1):
        try:
            words = fingerprints(view.decoders.call(first_sound, os.fsencode(path)).samples)
        except AudioError:  # the file vanished after it was embedded
            continue
        taken = {kind: Fingerprint(-number, kind, words[kind], None, None) for kind in words}
        for track_id, other in held.items():
            verdict = judge(taken, other, works=False)
            if verdict is not None:
                yield Link(-number, track_id, verdict)


def _best_first(view: LibraryView, track_ids: Iterable[int]) -> list[int]:
    """Sort the tracks of one recording by file quality, best first."""
    with view.read() as connection:
        held = view.fingerprints.get(connection, track_ids)
        tracks = tracks_by_ids(connection, track_ids)
    seconds = {track_id: track.duration_seconds for track_id, track in tracks.items()}
    partial = _partial(seconds)
    files = []
    for track_id in track_ids:
        stream = next(iter(held.get(track_id, {}).values()), None)
        codec, bitrate = (stream.codec, stream.bitrate) if stream else (None, None)
        files.append(DuplicateTrack(track_id, "", codec, bitrate, track_id in partial))
    return [file.track_id for file in _sorted(files, seconds)]


def _take_fingerprints(view: LibraryView, track_ids: Iterable[int], on_progress: OnProgress) -> FingerprintReport:
    return Fingerprinting(view.database, view.fingerprints, view.threads).run(sorted(track_ids), on_progress)


def _links(view: LibraryView, pairs: Sequence[Pair], *, works: bool) -> Iterator[Link]:
    """Return the links between pairs; fingerprints are read for a few pairs at a time."""
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        portion = pairs[start : start + PAIRS_AT_ONCE]
        with view.read() as connection:
            held = view.fingerprints.get(connection, {each for pair in portion for each in (pair.first, pair.second)})
        for pair in portion:
            verdict = _verdict(pair, held.get(pair.first, {}), held.get(pair.second, {}), works)
            if verdict is not None:
                yield Link(pair.first, pair.second, verdict)


def _verdict(pair: Pair, a: dict[str, Fingerprint], b: dict[str, Fingerprint], works: bool) -> Verdict | None:
    if pair.same_bytes:
        return Verdict(SAME_RECORDING, 1.0)
    return judge(a, b, alike=pair.same_name and pair.near, close=pair.close, works=works)


def _describe(view: LibraryView, found: Sequence[tuple[str, Group]], same: Sequence[Group]) -> Iterator[DuplicateGroup]:
    """Return the groups with their files; those in `same` shorter than their recording are partial."""
    listed = {each for _, group in found for each in group.track_ids}
    with view.read() as connection:
        tracks = tracks_by_ids(connection, listed)
        held = view.fingerprints.get(connection, listed)
    seconds = {track_id: track.duration_seconds for track_id, track in tracks.items() if held.get(track_id)}
    partial = {short for group in same for short in _partial({i: seconds[i] for i in group.track_ids if i in seconds})}
    for kind, group in found:
        files = []
        for track_id in group.track_ids:
            if track_id in seconds:
                stream = next(iter(held[track_id].values()))
                name = tracks[track_id].name
                files.append(DuplicateTrack(track_id, name, stream.codec, stream.bitrate, track_id in partial))
        if len(files) > 1:  # else the others have since been removed
            yield DuplicateGroup(kind, group.score, tuple(_sorted(files, seconds)))


def _partial(seconds: Mapping[int, float]) -> set[int]:
    """Return the files of one recording that are clearly shorter than the longest."""
    longest = max(seconds.values(), default=0.0)
    least, most = PARTIAL_SECONDS
    lacking = min(max(PARTIAL_SHARE * longest, least), most)
    return {track_id for track_id, length in seconds.items() if longest - length > lacking}


def _sorted(files: Iterable[DuplicateTrack], seconds: Mapping[int, float]) -> list[DuplicateTrack]:
    """Sort the best file first; partial ones last, longest first."""

    def worth(file: DuplicateTrack) -> tuple[float, bool, int, int]:
        codec = file.codec or ""
        lossless = codec in LOSSLESS or codec.startswith(LOSSLESS_STARTS)
        missing = -seconds[file.track_id] if file.partial else -math.inf
        return missing, not lossless, -(file.bitrate or 0), file.track_id

    return sorted(files, key=worth)
