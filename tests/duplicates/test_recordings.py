"""What two tracks are to each other, and how pairs become groups."""

from __future__ import annotations

import numpy as np
import pytest

from engine.db import Fingerprint
from engine.duplicates.candidates import plain_title
from engine.duplicates.linkage import Link, recordings, works_of
from engine.duplicates.recordings import SAME_RECORDING, SAME_WORK, Verdict, align, judge, level_difference
from engine.duplicates.works import agreement
from engine.indexer.features.fingerprint import OUTLINE, SAMPLE_RATE, SEMITONES, fingerprints, read_outline
from tests.versions import HOLLOW, Sound, brighter, melody

FRAME = 1365  # samples


def song(seed: int = 1, seconds: float = 20, **changes: object) -> Sound:
    """A melody at the fingerprints' rate."""
    return melody(seed, seconds, SAMPLE_RATE, **changes)  # type: ignore[arg-type]


def taken(sound: Sound) -> dict[str, Fingerprint]:
    """The fingerprints of a sound as the library holds them."""
    return {kind: Fingerprint(1, kind, words, None, None) for kind, words in fingerprints(sound).items()}


@pytest.mark.parametrize("start", [0, FRAME * 7, FRAME * 16])
def test_alignment(start: int) -> None:
    """A sound that begins later by up to two seconds is found where it begins, either way round."""
    whole, later = (fingerprints(sound)[SEMITONES] for sound in (song(), song()[start:]))
    for a, b, sign in ((whole, later, 1), (later, whole, -1)):
        found = align(a, b, 0)
        assert found is not None
        assert found.offset == sign * start // FRAME
        assert found.error < 0.01


def test_nothing_to_align() -> None:
    """Too little sound that both have, and words of silence only, give no alignment."""
    words = fingerprints(song())[SEMITONES]
    assert align(words[:10], words, 0) is None
    assert align(np.zeros(200, np.uint32), words, 0) is None


def test_same_recording() -> None:
    """A softer, later copy is the same recording, with a score near 1."""
    found = judge(taken(song()), taken(song()[4000:] * 0.4))
    assert found is not None
    assert found.kind == SAME_RECORDING
    assert 0.8 < found.score <= 1


OTHERS = {
    "other instrument": song(harmonics=HOLLOW),
    "other key": song(up=2),
    "other tempo": song(tempo=1.06),
    "all three": song(up=-3, tempo=0.94, harmonics=HOLLOW),
    "other master": brighter(song(), SAMPLE_RATE),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_same_work(other: Sound) -> None:
    """The same notes by another instrument, in another key, at another tempo, or mastered anew, are the same work."""
    found = judge(taken(song()), taken(other))
    assert found is not None
    assert found.kind == SAME_WORK
    assert 0.6 <= found.score <= 1
    assert judge(taken(song()), taken(other), works=False) is None


def test_nothing() -> None:
    """Other songs are nothing to each other, nor are those that are not close; tags make one work of those alike."""
    verdicts = [judge(taken(song(1)), taken(song(seed))) for seed in range(2, 8)]
    assert verdicts == [None] * 6
    assert judge(taken(song()), taken(song(up=2)), close=False) is None
    named = judge(taken(song(1)), taken(song(2)), alike=True)
    assert named is not None
    assert named.kind == SAME_WORK
    assert named.score < 0.5


def test_silence_and_too_short() -> None:
    """Silence and a second of sound are nothing to anything, not even to themselves."""
    for nothing in (np.zeros(20 * SAMPLE_RATE, np.float32), song(seconds=1)):
        assert judge(taken(nothing), taken(nothing), alike=True) is None
        assert judge(taken(nothing), taken(song()), alike=True) is None


def test_a_drone_agrees_with_nothing() -> None:
    """Two held chords are no work, though all moments of one are like all moments of the other."""
    time = np.arange(20 * SAMPLE_RATE) / SAMPLE_RATE
    held = sum(0.2 * np.sin(2 * np.pi * f * time) for f in (220.0, 277.2, 329.6)).astype(np.float32)
    outlines = [read_outline(fingerprints(held * gain)[OUTLINE]) for gain in (1.0, 0.7)]
    assert agreement(*outlines) < 0.3


def test_level_difference() -> None:
    """Volume does not count, the balance of low to high does, in dB."""
    outlines = [
        read_outline(fingerprints(each)[OUTLINE]) for each in (song(), song() / 3, brighter(song(), SAMPLE_RATE))
    ]
    assert level_difference(outlines[0], outlines[1], 0) < 0.2
    assert level_difference(outlines[0], outlines[2], 0) > 1


def link(first: int, second: int, kind: str = SAME_RECORDING, score: float = 0.9) -> Link:
    """A pair."""
    return Link(first, second, Verdict(kind, score))


def test_groups_of_recordings() -> None:
    """A chain of pairs is one group, scored by its weakest pair; pairs of one work join no recordings."""
    links = [link(1, 2), link(2, 3, score=0.6), link(4, 5), link(3, 4, SAME_WORK, 0.99)]
    found = {group.track_ids: group.score for group in recordings(links)}
    assert found == {(1, 2, 3): 0.6, (4, 5): 0.9}


def test_groups_of_works() -> None:
    """Works join recordings with all of their files, scored by the pairs between them; within one they say nothing."""
    links = [link(1, 2), link(2, 3), link(1, 3, SAME_WORK, 0.3), link(3, 4, SAME_WORK, 0.8), link(7, 8, SAME_WORK, 0.7)]
    assert {group.track_ids: group.score for group in works_of(links)} == {(1, 2, 3, 4): 0.8, (7, 8): 0.7}
    assert works_of(links[:3]) == []
    assert recordings([]) == works_of([]) == []


def test_titles() -> None:
    """Words of versions fall away, in brackets or after a dash; other brackets and dashes stay."""
    for title in ("Song (Live)", "song [Live at Home, 1999]", "Song - Remastered 2009", "SONG (2011 Remaster) (Mono)"):
        assert plain_title(title) == "song"
    for title in ("phenix - allegro", "allegro (part 2)", "live forever", "song (alive)"):
        assert plain_title(title) == title
