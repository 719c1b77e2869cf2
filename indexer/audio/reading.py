"""Read the windows of a track: plan them over its duration, decode, and plan again if the duration was wrong.

Stated durations are too long (VBR MP3 without a header, truncated files, raw AAC) or too short (chained streams, wrong
headers). The decoded lengths, and whether sound follows the end, are compared with the plan; on a mismatch the duration
is measured by ever more expensive methods. Tracks may begin and end in silence: if a window at either end has little
sound, search for the first or last sound and spread the windows between the two.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.errors import AudioError
from engine.indexer.audio.decode import MINIMUM_SECONDS, SILENCE_PEAK, AudioFile
from engine.indexer.audio.decoded_levels import DecodedLevels, decode_levels, levels_of
from engine.indexer.audio.info import AudioInfo
from engine.indexer.audio.joined import is_joined
from engine.indexer.audio.placement import LOWEST_FLOOR, audible_segments, floor_of, levels, sound_bounds
from engine.indexer.audio.samples import Samples, clean, stack
from engine.indexer.audio.tape import StretchCache

TOLERANCE_SECONDS = 0.1  # between the stated and the decoded duration
QUIET_SECONDS = 1.0  # shorter silence at an end is accepted: reading the windows again costs more than it improves
STRETCH_SECONDS = 10.0  # decoded at once in the search for the first or last sound
HALVINGS = 4  # of the distance from a silent window to the nearest one with sound

Cut: TypeAlias = Callable[[list[float], float], list[Samples]]


@dataclass(frozen=True)
class TrackAudio:
    """Windows of a track: starts in seconds, and mono samples (W, L), float32 in [-8, 8]."""

    info: AudioInfo
    duration_seconds: float
    starts: list[float]
    windows: Samples


def read_track(
    path: bytes | str | os.PathLike[str], seconds: float, count: int, sample_rate: int, placement: str = "whole"
) -> TrackAudio:
    """Read `count` evenly spread windows of `seconds`; one zero-padded window if the file is shorter.

    Args:
        path: A regular file.
        seconds: Length of a window.
        count: Number of windows.
        sample_rate: In Hz.
        placement: "whole" spreads them from 0 to the end; "sound" from the first to the last sound, and moves silent
            windows towards the nearest one with sound.

    Raises:
        AudioError: Unreadable, not audio, shorter than 0.5 s, or silent throughout; one line without the path.
    """
    with AudioFile.open(path) as audio:
        cuts = _plan_and_cut(audio, seconds, count, sample_rate)
        sound = sum(len(window) for window in cuts.windows) / sample_rate
        if sound == 0:
            raise AudioError(f"no sound could be decoded: {audio.trouble or 'the file holds no frames'}")
        if sound < MINIMUM_SECONDS:
            raise AudioError(f"only {sound:.2g} s of sound", hint=f"at least {MINIMUM_SECONDS} s is needed")
        if placement == "sound":
            cut = partial(audio.cut, sample_rate=sample_rate, seeking=cuts.seeking, cache=cuts.cache)
            cuts = _Placing(cut, partial(decode_levels, audio), cuts, seconds, count, sample_rate).placed()
        windows = stack(cuts.windows, round(seconds * sample_rate))
        if np.abs(windows).max() < SILENCE_PEAK:
            raise AudioError(f"silence: nothing above {SILENCE_PEAK:g} of full scale in {len(cuts.starts)} windows")
        return TrackAudio(audio.info, cuts.duration, cuts.starts, windows)


def plan_starts(duration: float, seconds: float, count: int) -> list[float]:
    """Return the starts, in seconds, of `count` windows spread evenly over `duration`.

    A single window lies in the middle; a window at least as long as `duration` starts at 0.
    """
    if duration <= seconds:
        return [0.0]
    if count == 1:
        return [(duration - seconds) / 2]
    return [i * (duration - seconds) / (count - 1) for i in range(count)]


def plan_between(first: float, last: float, duration: float, seconds: float, count: int) -> list[float]:
    """Return the starts of `count` windows spread from `first` to `last`, the bounds of the sound in `duration`.

    If the sound is shorter than a window, return one window centred on it.
    """
    if last - first > seconds:
        return [first + start for start in plan_starts(last - first, seconds, count)]
    return [min(max(0.0, (first + last - seconds) / 2), max(0.0, duration - seconds))]


def place_in(samples: Samples, seconds: float, count: int, sample_rate: int, placement: str) -> list[float]:
    """Return the starts that `read_track` would choose for samples (n,) in memory."""
    duration = len(samples) / sample_rate
    starts = plan_starts(duration, seconds, count)
    if placement == "whole" or not len(samples):
        return starts
    samples = clean(samples)  # as a decoded file is
    cut, measure = partial(_cut, samples, sample_rate), partial(levels_of, samples, sample_rate)
    cuts = _Cuts(duration, starts, cut(starts, seconds))
    return _Placing(cut, measure, cuts, seconds, count, sample_rate).placed().starts


@dataclass(frozen=True)
class _Cuts:
    """Planned windows and their samples.

    Attributes:
        duration: Of the file, in seconds.
        starts: In seconds.
        windows: Samples of each, fewer than planned at the end of the file.
        beyond: Samples after `duration`.
        levels: Of the whole file if it had to be decoded to its end; such a file cannot seek.
        cache: Decoded stretches.
    """

    duration: float
    starts: list[float]
    windows: list[Samples]
    beyond: Samples | None = None
    levels: DecodedLevels | None = None
    cache: StretchCache = field(default_factory=StretchCache)

    @property
    def seeking(self) -> bool:
        """Whether the file can seek."""
        return self.levels is None

    def as_planned(self, seconds: float, sample_rate: int) -> bool:
        """Return whether each window is as long as `duration` implies, and no sound follows."""
        if self.beyond is not None and len(self.beyond) > TOLERANCE_SECONDS * sample_rate:
            return False
        expected = [min(seconds, self.duration - start) for start in self.starts]
        found = [len(window) / sample_rate for window in self.windows]
        return all(abs(f - e) <= TOLERANCE_SECONDS for f, e in zip(found, expected, strict=True))


def _plan_and_cut(audio: AudioFile, seconds: float, count: int, sample_rate: int) -> _Cuts:
    """Plan and read windows with ever better measures of the duration until the samples match the plan."""
    tried = -1.0
    for measure in () if is_joined(audio) else (audio.duration, audio.measured_duration):
        duration = measure()
        if duration == tried:
            continue
        tried, starts, cache = duration, plan_starts(duration, seconds, count), StretchCache()
        *windows, beyond = audio.cut([*starts, duration], seconds, sample_rate, True, cache)
        cuts = _Cuts(duration, starts, windows, beyond, cache=cache)
        if cuts.as_planned(seconds, sample_rate):
            return cuts
    levels, cache = decode_levels(audio), StretchCache()
    starts = plan_starts(levels.duration, seconds, count)
    windows = audio.cut(starts, seconds, sample_rate, False, cache)
    return _Cuts(levels.duration, starts, windows, levels=levels, cache=cache)


class _Placing:
    """Move windows that were spread over a whole track, in a file or in memory, to its sound.

    Args:
        cut: Returns the windows of a length, in seconds, at starts, unpadded.
        measure: Returns the levels of the whole track.
        cuts: The windows.
        seconds, count, sample_rate: See `read_track`.
    """

    def __init__(
        self, cut: Cut, measure: Callable[[], DecodedLevels], cuts: _Cuts, seconds: float, count: int, sample_rate: int
    ) -> None:
        self.cut, self.measure, self.cuts = cut, measure, cuts
        self.seconds, self.count, self.rate = seconds, count, sample_rate
        self.levels = cuts.levels  # of the whole track, once known
        self.loudest = _loudest(cuts.windows)
        self.floor = floor_of(self.loudest)

    def placed(self) -> _Cuts:
        """Spread the windows between the first and last sound, then move those that are still silent."""
        cuts = self.cuts
        bounds = self._bounds_of_all() if self.loudest < LOWEST_FLOOR else (self._first(), self._last())
        if bounds[0] > QUIET_SECONDS or cuts.duration - bounds[1] > QUIET_SECONDS:
            starts = plan_between(*bounds, cuts.duration, self.seconds, self.count)
            cuts = replace(cuts, starts=starts, windows=self.cut(starts, self.seconds))
        return self._without_gaps(cuts)

    def _bounds_of_all(self) -> tuple[float, float]:
        """Return the bounds of the sound if all windows are silent: decode the whole track once, from end to end."""
        self.levels = self.levels or self.measure()
        stretches = _stretches(0.0, self.cuts.duration, backwards=False)
        self.loudest = max((_rms(self.levels.between(*each)) for each in stretches), default=self.loudest)
        self.floor = floor_of(self.loudest)
        return self.levels.bounds(0.0, self.cuts.duration, self.floor) or (0.0, self.cuts.duration)

    def _bounds(self, start: float, stop: float) -> tuple[float, float] | None:
        """Return the bounds of the sound from `start` to `stop`, None if there is none; decode if unknown."""
        if self.levels is not None:
            return self.levels.bounds(start, stop, self.floor)
        samples = self.cut([start], stop - start)[0]
        found = sound_bounds(samples, self.rate, self.floor)
        return (start + found[0], start + found[1]) if found else None

    def _first(self) -> float:
        """Return the first time with sound: in the first window, else between it and the first window with sound."""
        return self._search(range(len(self.cuts.starts)), 0)

    def _last(self) -> float:
        """Return the last time with sound."""
        return self._search(range(len(self.cuts.starts) - 1, -1, -1), 1)

    def _search(self, order: range, end: int) -> float:
        """Search windows from one end for the first with sound, then the stretches between it and that end."""
        searched = ((i, sound_bounds(self.cuts.windows[i], self.rate, self.floor)) for i in order)
        at, bounds = next(((i, bounds) for i, bounds in searched if bounds is not None), (None, None))
        if at is None or bounds is None:
            return (0.0, self.cuts.duration)[end]
        known = self.cuts.starts[at] + bounds[end]
        if at == order[0]:
            return known
        before = self.cuts.starts[at - 1 if end == 0 else at + 1] + (self.seconds if end == 0 else 0.0)
        for start, stop in _stretches(before, known, backwards=end == 1):
            nearer = self._bounds(start, stop)
            if nearer is not None:
                return min(nearer[end], stop)
        return known

    def _without_gaps(self, cuts: _Cuts) -> _Cuts:
        """Move each silent window towards the nearest one with sound, halving the distance until it has sound."""
        audible = audible_segments(levels(stack(cuts.windows, round(self.seconds * self.rate))))
        if audible.all():
            return cuts
        loud, starts = np.flatnonzero(audible), list(cuts.starts)
        for silent in np.flatnonzero(~audible):
            nearest = starts[loud[np.abs(loud - silent).argmin()]]
            ways = (nearest + (cuts.starts[silent] - nearest) / 2**halving for halving in range(1, HALVINGS + 1))
            starts[silent] = next((way for way in ways if self._level_of_window(way) >= self.floor), starts[silent])
        starts.sort()
        return replace(cuts, starts=starts, windows=self.cut(starts, self.seconds))

    def _level_of_window(self, start: float) -> float:
        if self.levels is not None:
            return _rms(self.levels.between(start, start + self.seconds))
        return _loudest(self.cut([start], self.seconds))


def _cut(samples: Samples, sample_rate: int, starts: list[float], seconds: float) -> list[Samples]:
    """Return the windows of samples (n,) in memory, unpadded."""
    return [samples[round(start * sample_rate) :][: round(seconds * sample_rate)] for start in starts]


def _rms(found: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.square(found).mean())) if len(found) else 0.0


def _loudest(windows: list[Samples]) -> float:
    return max((float(levels(window[None])[0]) for window in windows if len(window)), default=0.0)


def _stretches(start: float, stop: float, backwards: bool) -> list[tuple[float, float]]:
    """Split [start, stop] into stretches of at most STRETCH_SECONDS, in search order."""
    if stop < start:
        start, stop = stop, start
    edges = [*np.arange(start, stop, STRETCH_SECONDS).tolist(), stop]
    pairs = [pair for pair in itertools.pairwise(edges) if pair[1] - pair[0] > 0]
    return pairs[::-1] if backwards else pairs
