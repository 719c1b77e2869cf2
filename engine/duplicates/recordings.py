"""Two tracks: the same recording, the same work, or neither; by their fingerprints.

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

OFFSET_SECONDS = 3.0  # by which one file may begin later than the other
SHORTEST_SECONDS = 3.0  # of sound that both have, for a verdict
ERROR_LIMITS = {CHROMAPRINT: 0.25, SEMITONES: 0.30}  # share of wrong bits up to which a recording is the same
SILENT_WORDS = {CHROMAPRINT: 627_964_279, SEMITONES: 0}  # what silence gives: it is alike everywhere
LEVEL_LIMIT = 0.7  # dB, root mean square over half-octaves: beyond it lies another master, or other instruments
LEVEL_RANGE = 30.0  # dB below the loudest half-octave; what is softer may be a codec's noise
AGREEMENT_LIMIT = 0.6  # of what is played, from which on it is the same work

_ONES = np.array([bin(value).count("1") for value in range(1 << 16)], np.uint8)  # numpy 2 has bitwise_count


@dataclass(frozen=True)
class Alignment:
    """How two fingerprints fit best: their share of wrong bits (0.5 is chance), and the frame of the first at which
    the second begins."""

    error: float
    offset: int


@dataclass(frozen=True)
class Verdict:
    """What two tracks are to each other.

    Attributes:
        kind: SAME_RECORDING or SAME_WORK.
        score: 0 to 1. Of a recording, and of its remaster, 1 - 2 * the share of wrong bits; of a work how much of what
            is played agrees, where that is more.
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
    """What two tracks are to each other, or None.

    The same recording: few wrong bits, and the same balance of low to high. The same work: one of the two only
    (a remaster), or the same melody and harmony, in any key and at another tempo (live versions, covers), or tags that
    say so.

    Args:
        a, b: Their fingerprints, by kind.
        alike: Whether they sound alike and their tags call them the same.
        close: Whether they sound so much alike that melody and harmony are worth comparing.
        works: Whether SAME_WORK is asked for.
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
    """The offset up to OFFSET_SECONDS each way with the fewest wrong bits; None where too little sound overlaps.

    Args:
        a, b: (n,) and (m,) words.
        silent: The word that stands for silence: frames in which either has it do not count.
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
    """By how many dB two sounds differ in their balance of low to high, whatever their volume.

    The root mean square, over the half-octaves that both play, of the difference of their mean powers without its
    median.

    Args:
        a, b: The sounds.
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
