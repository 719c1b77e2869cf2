"""A track's windows: planned over its sound, read, and planned anew where its length or its ends were a lie.

Lengths lie, too long (VBR mp3 without a header, truncated files, raw AAC) and too short (chained streams, headers of
another length): what was decoded is compared with what was planned, what follows the end is looked at, and the file is
measured in ever more costly ways until the two agree. Ends are silent: where a window at
either end holds little sound, the first or last sound is looked for and the windows are laid between the two.
"""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from engine.errors import AudioError
from engine.indexer.audio.decode import MINIMUM_SECONDS, SILENCE_PEAK, AudioFile, AudioInfo
from engine.indexer.audio.decoded_levels import DecodedLevels, decode_levels
from engine.indexer.audio.joined import is_joined
from engine.indexer.audio.placement import (
    BLOCK_SECONDS,
    LOWEST_FLOOR,
    block_levels,
    bounds_of,
    floor_of,
    levels,
    sound_bounds,
    speaking,
)
from engine.indexer.audio.samples import Samples, stack
from engine.indexer.audio.tape import HeldStretches

TOLERANCE_SECONDS = 0.1  # by which a container's duration may miss what decodes, without a second look
QUIET_SECONDS = (
    1.0  # a silent end that is shorter than this stays: to read the windows anew would cost more than it helps
)
STRETCH_SECONDS = 10.0  # read at once on the way to the first or last sound
HALVINGS = 4  # of the way from a silent window to the nearest one with sound


@dataclass(frozen=True)
class TrackAudio:
    """One track's windows: where they start in seconds, and (W, L) float32 mono samples in [-8, 8]."""

    info: AudioInfo
    duration_seconds: float
    starts: list[float]
    windows: Samples


def read_track(
    path: bytes | str | os.PathLike[str], seconds: float, count: int, sample_rate: int, placement: str = "whole"
) -> TrackAudio:
    """Read `count` windows of `seconds`, spread evenly over a file; one window, zero-padded, if the file is shorter.

    Args:
        path: A regular file of sound.
        seconds: Length of a window.
        count: How many.
        sample_rate: In Hz.
        placement: "whole" spreads them from 0 to the end, "sound" from the first to the last sound, and moves those
            that hold none towards the nearest one that does.

    Raises:
        AudioError: unreadable, not sound, shorter than 0.5 s, or silent throughout. The message does not name the path.
    """
    with AudioFile.open(path) as audio:
        cuts = _plan_and_cut(audio, seconds, count, sample_rate)
        sound = sum(len(window) for window in cuts.windows) / sample_rate
        if sound == 0:
            raise AudioError(f"no sound could be decoded: {audio.trouble or 'the file holds no frames'}")
        if sound < MINIMUM_SECONDS:
            raise AudioError(f"only {sound:.2g} s of sound", hint=f"at least {MINIMUM_SECONDS} s is needed")
        if placement == "sound":
            cuts = _Placing(audio, cuts, seconds, count, sample_rate).placed()
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


def plan_between(first: float, last: float, duration: float, seconds: float, count: int) -> list[float]:
    """Give the starts of `count` windows spread from `first` to `last`, the bounds of the sound in `duration`.

    Where less sound than a window is left, one window is laid around it.
    """
    if last - first > seconds:
        return [first + start for start in plan_starts(last - first, seconds, count)]
    return [min(max(0.0, (first + last - seconds) / 2), max(0.0, duration - seconds))]


def place_in(samples: Samples, seconds: float, count: int, sample_rate: int, placement: str) -> list[float]:
    """Give the starts that `read_track` would choose for samples (n,) that lie in memory."""
    duration = len(samples) / sample_rate
    starts = plan_starts(duration, seconds, count)
    if placement == "whole" or not len(samples):
        return starts
    length = round(seconds * sample_rate)
    cuts = [samples[round(start * sample_rate) :][:length] for start in starts]
    found = sound_bounds(samples, sample_rate, floor_of(_loudest(cuts)))
    if found is None or (found[0] <= QUIET_SECONDS and duration - found[1] <= QUIET_SECONDS):
        return starts
    return plan_between(*found, duration, seconds, count)


@dataclass(frozen=True)
class _Cuts:
    """A plan and what was read by it: a window is short where the file ends.

    `beyond` is what follows the promised end. `levels` are those of the whole file where it had to be decoded to its
    end: then no search decodes it again, as such a file cannot be sought in.
    """

    duration: float
    starts: list[float]
    windows: list[Samples]
    beyond: Samples | None = None
    levels: DecodedLevels | None = None
    held: HeldStretches = field(default_factory=HeldStretches)

    @property
    def seeking(self) -> bool:
        """Whether the file may be sought in."""
        return self.levels is None

    def as_planned(self, seconds: float, sample_rate: int) -> bool:
        """Say whether each window is as long as the duration promised, and nothing follows."""
        if self.beyond is not None and len(self.beyond) > TOLERANCE_SECONDS * sample_rate:
            return False
        expected = [min(seconds, self.duration - start) for start in self.starts]
        found = [len(window) / sample_rate for window in self.windows]
        return all(abs(f - e) <= TOLERANCE_SECONDS for f, e in zip(found, expected, strict=True))


def _plan_and_cut(audio: AudioFile, seconds: float, count: int, sample_rate: int) -> _Cuts:
    """Plan windows and read them, by ever better measures of the duration, until what was read is what was planned."""
    tried = -1.0
    for measure in () if is_joined(audio) else (audio.duration, audio.measured_duration):
        duration = measure()
        if duration == tried:
            continue
        tried, starts, held = duration, plan_starts(duration, seconds, count), HeldStretches()
        *windows, beyond = audio.cut([*starts, duration], seconds, sample_rate, True, held)
        cuts = _Cuts(duration, starts, windows, beyond, held=held)
        if cuts.as_planned(seconds, sample_rate):
            return cuts
    levels, held = decode_levels(audio, BLOCK_SECONDS), HeldStretches()
    starts = plan_starts(levels.duration, seconds, count)
    windows = audio.cut(starts, seconds, sample_rate, False, held)
    return _Cuts(levels.duration, starts, windows, levels=levels, held=held)


class _Placing:
    """Moves windows that were spread over a whole file to where its sound is."""

    def __init__(self, audio: AudioFile, cuts: _Cuts, seconds: float, count: int, sample_rate: int) -> None:
        self.audio, self.cuts = audio, cuts
        self.seconds, self.count, self.rate = seconds, count, sample_rate
        self.loudest = _loudest(cuts.windows)
        self.floor = floor_of(self.loudest)

    def placed(self) -> _Cuts:
        """Lay the windows between the first and last sound; then move those that are silent all the same."""
        cuts = self.cuts
        bounds = self._found_anywhere() if self.loudest < LOWEST_FLOOR else (self._first(), self._last())
        if bounds[0] > QUIET_SECONDS or cuts.duration - bounds[1] > QUIET_SECONDS:
            starts = plan_between(*bounds, cuts.duration, self.seconds, self.count)
            cuts = replace(cuts, starts=starts, windows=self._cut(starts))
        return self._without_gaps(cuts)

    def _found_anywhere(self) -> tuple[float, float]:
        """Bounds of the sound where no window met any: the levels of everything are read, a stretch at a time."""
        stretches = _stretches(0.0, self.cuts.duration, backwards=False)
        levels = [self._levels(*each) for each in stretches]
        self.loudest = max((_rms(each) for each in levels), default=self.loudest)
        self.floor = floor_of(self.loudest)
        bounds = bounds_of(np.concatenate(levels), self.floor) if levels else None
        return bounds or (0.0, self.cuts.duration)

    def _levels(self, start: float, stop: float) -> NDArray[np.float32]:
        """Levels of the blocks of BLOCK_SECONDS from `start` to `stop`, decoded where they are not known."""
        if self.cuts.levels is not None:
            return self.cuts.levels.between(start, stop)
        samples = self.audio.cut([start], stop - start, self.rate, True, self.cuts.held)[0]
        return block_levels(samples, self.rate)

    def _first(self) -> float:
        """Give the first moment with sound: in the first window, else in what lies between it and one with sound."""
        return self._search(range(len(self.cuts.starts)), 0)

    def _last(self) -> float:
        """Give the last moment with sound."""
        return self._search(range(len(self.cuts.starts) - 1, -1, -1), 1)

    def _search(self, order: range, end: int) -> float:
        """Walk from one end over the windows to the first with sound, then over the stretches before it."""
        searched = ((i, sound_bounds(self.cuts.windows[i], self.rate, self.floor)) for i in order)
        at, bounds = next(((i, bounds) for i, bounds in searched if bounds is not None), (None, None))
        if at is None or bounds is None:
            return (0.0, self.cuts.duration)[end]
        known = self.cuts.starts[at] + bounds[end]
        if at == order[0]:
            return known
        before = self.cuts.starts[at - 1 if end == 0 else at + 1] + (self.seconds if end == 0 else 0.0)
        for start, stop in _stretches(before, known, backwards=end == 1):
            nearer = bounds_of(self._levels(start, stop), self.floor)
            if nearer is not None:
                return min(start + nearer[end], stop)
        return known

    def _without_gaps(self, cuts: _Cuts) -> _Cuts:
        """Move silent windows by halves towards the nearest window with sound, as long as they are silent."""
        speaks = speaking(levels(stack(cuts.windows, round(self.seconds * self.rate))))
        if speaks.all():
            return cuts
        loud, starts = np.flatnonzero(speaks), list(cuts.starts)
        for silent in np.flatnonzero(~speaks):
            nearest = starts[loud[np.abs(loud - silent).argmin()]]
            ways = (nearest + (cuts.starts[silent] - nearest) / 2**halving for halving in range(1, HALVINGS + 1))
            starts[silent] = next((way for way in ways if self._level_of_window(way) >= self.floor), starts[silent])
        starts.sort()
        return replace(cuts, starts=starts, windows=self._cut(starts))

    def _level_of_window(self, start: float) -> float:
        if self.cuts.levels is not None:
            return _rms(self.cuts.levels.between(start, start + self.seconds))
        return _loudest(self._cut([start]))

    def _cut(self, starts: list[float]) -> list[Samples]:
        return self.audio.cut(starts, self.seconds, self.rate, self.cuts.seeking, self.cuts.held)


def _rms(found: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.square(found).mean())) if len(found) else 0.0


def _loudest(windows: list[Samples]) -> float:
    return max((float(levels(window[None])[0]) for window in windows if len(window)), default=0.0)


def _stretches(start: float, stop: float, backwards: bool) -> list[tuple[float, float]]:
    """Cut [start, stop] into stretches of at most STRETCH_SECONDS, in the order in which they are searched."""
    if stop < start:
        start, stop = stop, start
    edges = [*np.arange(start, stop, STRETCH_SECONDS).tolist(), stop]
    pairs = [pair for pair in itertools.pairwise(edges) if pair[1] - pair[0] > 0]
    return pairs[::-1] if backwards else pairs
