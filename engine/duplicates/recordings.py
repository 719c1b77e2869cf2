"""Compare two tracks by their fingerprints: the same recording, the same work, or neither.

The limits were chosen on one half of a set of re-encoded, trimmed and amplified clips with others of the same artists,
and checked on the other half (scripts/duplicates.py prints both).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.db import Fingerprint
from engine.duplicates.works import agreement
from engine.indexer.features.chromaprint import KIND as CHROMAPRINT
from engine.indexer.features.fingerprint import (
    FRAMES_PER_SECOND,
    OUTLINE,
    OUTLINE_FRAMES,
    SEMITONES,
    Outline,
    Words,
    read_outline,
)

SAME_RECORDING, SAME_WORK = "same_recording", "same_work"

OFFSET_SECONDS = 3.0  # most by which one file begins later than the other
SHORTEST_SECONDS = 3.0  # of overlapping sound for a verdict
ERROR_LIMITS = {CHROMAPRINT: 0.25, SEMITONES: 0.30}  # share of wrong bits of the same recording
SILENT_WORDS = {CHROMAPRINT: 627_964_279, SEMITONES: 0}  # the word of silence, which matches anywhere
LEVEL_LIMIT = 0.7  # dB, root mean square over half-octaves; more is another master or arrangement
LEVEL_RANGE = 30.0  # dB below the loudest half-octave; softer ones may be codec noise
AGREEMENT_LIMIT = 0.6  # share of the music, for the same work

_ONES = np.array([bin(value).count("1") for value in range(1 << 16)], np.uint8)  # numpy 2 has bitwise_count


@dataclass(frozen=True)
class Alignment:
    """The best alignment of two fingerprints: share of wrong bits (0.5 is chance), and the first one's frame at which
    the second begins.
    """

    error: float
    offset: int


@dataclass(frozen=True)
class Verdict:
    """The relation of two tracks.

    Attributes:
        kind: SAME_RECORDING or SAME_WORK.
        score: 0 to 1. Of a recording or its remaster 1 - 2 * the share of wrong bits; of a work the agreement of
            melody and harmony, if that is larger.
    """

    kind: str
    score: float


def judge(
    a: Mapping[str, Fingerprint],
    b: Mapping[str, Fingerprint],
    *,
    alike: bool = False,
    close: bool = True,
    works: bool = True,
) -> Verdict | None:
    """Compare two tracks; return None if they are unrelated.

    The same recording: few wrong bits, and the same balance of low to high frequencies. The same work: only one of the
    two (a remaster), or the same melody and harmony in any key and tempo (live versions, covers), or equal tags.

    Args:
        a, b: Their fingerprints, by kind.
        alike: Whether they are near by signature and their tags agree.
        close: Whether they are near enough by signature to compare melody and harmony.
        works: Whether to test for SAME_WORK.
    """
    kind = next((kind for kind in (CHROMAPRINT, SEMITONES) if _comparable(a, b, kind)), None)
    if kind is None or not _comparable(a, b, OUTLINE):
        return None
    first, second = read_outline(a[OUTLINE].words), read_outline(b[OUTLINE].words)
    found = align(a[kind].words, b[kind].words, SILENT_WORDS[kind])
    if found is None:
        return None
    same_notes = found.error <= ERROR_LIMITS[kind]
    if same_notes and level_difference(first, second, found.offset) <= LEVEL_LIMIT:
        return Verdict(SAME_RECORDING, 1 - 2 * found.error)
    if not works or not (same_notes or alike or close):
        return None
    agreed = max(agreement(first, second), 1 - 2 * found.error if same_notes else 0.0)
    return Verdict(SAME_WORK, agreed) if same_notes or alike or agreed >= AGREEMENT_LIMIT else None


def align(a: Words, b: Words, silent: int) -> Alignment | None:
    """Return the offset, within +-OFFSET_SECONDS, with the fewest wrong bits; None if too little sound overlaps.

    Args:
        a, b: (n,) and (m,) words.
        silent: The word of silence: frames with it in either do not count.
    """
    reach, shortest = round(OFFSET_SECONDS * FRAMES_PER_SECOND), round(SHORTEST_SECONDS * FRAMES_PER_SECOND)
    best: Alignment | None = None
    for offset in range(-reach, reach + 1):
        first, second = a[max(0, offset) :], b[max(0, -offset) :]
        length = min(len(first), len(second))
        first, second = first[:length], second[:length]
        wrong = (first ^ second)[(first != silent) & (second != silent)]
        if len(wrong) < shortest:
            continue
        error = float(_ONES[wrong.view(np.uint16)].sum()) / (32 * len(wrong))
        if best is None or error < best.error:
            best = Alignment(error, offset)
    return best


def level_difference(a: Outline, b: Outline, offset: int) -> float:
    """Return the difference of two spectral balances in dB, independent of volume.

    The root mean square, over the half-octaves present in both, of the difference of their mean powers minus its
    median.

    Args:
        a, b: The outlines.
        offset: The frame of a's fingerprint at which b begins.
    """
    start = round(offset / OUTLINE_FRAMES)
    first, second = a.powers[max(0, start) :], b.powers[max(0, -start) :]  # (N, 12)
    length = min(len(first), len(second))
    decibels = [_decibels(powers[:length]) for powers in (first, second)]
    played = np.all([each > each.max() - LEVEL_RANGE for each in decibels], axis=0)
    if not played.any():
        return float("inf")
    difference = (decibels[0] - decibels[1])[played]
    return float(np.sqrt(np.mean(np.square(difference - np.median(difference)))))


def _decibels(powers: NDArray[np.float64]) -> NDArray[np.float64]:
    decibels: NDArray[np.float64] = 10 * np.log10(powers.mean(axis=0) + 1e-20) if len(powers) else np.zeros(1)
    return decibels


def _comparable(a: Mapping[str, Fingerprint], b: Mapping[str, Fingerprint], kind: str) -> bool:
    return all(kind in each and len(each[kind].words) for each in (a, b))
