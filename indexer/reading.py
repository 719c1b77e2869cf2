"""A track's windows: planned over its length, read, and planned anew where its length was a lie.

Timestamps lie (VBR mp3 without a header, truncated files, raw AAC): what was decoded is compared with what was
planned, and the file is measured in ever more costly ways until the two agree.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from engine.errors import AudioError
from engine.indexer.decode import MINIMUM_SECONDS, SILENCE_PEAK, AudioFile, AudioInfo
from engine.indexer.samples import Samples, stack

TOLERANCE_SECONDS = 0.1  # by which a container's duration may miss what decodes, without a second look


@dataclass(frozen=True)
class TrackAudio:
    """One track's windows: where they start in seconds, and (W, L) float32 mono samples in [-8, 8]."""

    info: AudioInfo
    duration_seconds: float
    starts: list[float]
    windows: Samples


def read_track(path: bytes | str | os.PathLike[str], seconds: float, count: int, sample_rate: int) -> TrackAudio:
    """Read `count` windows of `seconds`, spread evenly over a file; one window, zero-padded, if the file is shorter.

    Raises:
        AudioError: unreadable, not sound, shorter than 0.5 s, or silent throughout. The message does not name the path.
    """
    with AudioFile.open(path) as audio:
        cuts = _plan_and_cut(audio, seconds, count, sample_rate)
        sound = sum(len(window) for window in cuts.windows) / sample_rate
        if sound == 0:
            raise AudioError(f"no sound could be decoded: {audio.trouble or 'the file holds no frames'}")
        if sound < MINIMUM_SECONDS:
            raise AudioError(f"only {sound:.2g} s of sound; at least {MINIMUM_SECONDS} s is needed")
        windows = stack(cuts.windows, round(seconds * sample_rate))
        if np.abs(windows).max() < SILENCE_PEAK:
            raise AudioError(f"silence: nothing above {SILENCE_PEAK:g} of full scale in {len(cuts.starts)} windows")
        return TrackAudio(audio.info, cuts.duration, cuts.starts, windows)


def plan_starts(duration: float, seconds: float, count: int) -> list[float]:
    """Give the starts, in seconds, of `count` windows spread over `duration`.

    One that is as long as all there is starts at 0; a single one lies in the middle.
    """
    if duration <= seconds:
        return [0.0]
    if count == 1:
        return [(duration - seconds) / 2]
    return [i * (duration - seconds) / (count - 1) for i in range(count)]


@dataclass(frozen=True)
class _Cuts:
    """A plan and what was read by it: a window is short where the file ends."""

    duration: float
    starts: list[float]
    windows: list[Samples]

    def as_planned(self, seconds: float, sample_rate: int) -> bool:
        """Say whether each window is as long as the duration promised."""
        expected = [min(seconds, self.duration - start) for start in self.starts]
        found = [len(window) / sample_rate for window in self.windows]
        return all(abs(f - e) <= TOLERANCE_SECONDS for f, e in zip(found, expected, strict=True))


def _plan_and_cut(audio: AudioFile, seconds: float, count: int, sample_rate: int) -> _Cuts:
    """Plan windows and read them, by ever better measures of the duration, until what was read is what was planned."""
    cuts = _Cuts(-1.0, [], [])
    for measure in (audio.duration, audio.measured_duration, audio.decoded_duration):
        duration, seeking = measure(), measure != audio.decoded_duration
        if seeking and duration == cuts.duration:
            continue
        starts = plan_starts(duration, seconds, count)
        cuts = _Cuts(duration, starts, audio.cut(starts, seconds, sample_rate, seeking))
        if cuts.as_planned(seconds, sample_rate):
            break
    return cuts
