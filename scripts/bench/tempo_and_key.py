"""Beats and chroma beside librosa's: `scripts/bench/tempo_and_key.py MUSIC [--files 200] [--out DIR]`.

Computes both for files of a folder with Engine and with librosa, in one process, one after the other. The result: of
how many files the beats are the same, how far the mean chroma differs at most, and how long librosa takes for one
second of Engine's time.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from time import perf_counter

import librosa
import numpy as np
from numpy.typing import NDArray
from reporting import report

from engine.errors import AudioError
from engine.indexer.audio.samples import Samples
from engine.indexer.audio.spectrum import power_spectrum
from engine.indexer.features import key, tempo
from engine.indexer.features.audio_features import SAMPLE_RATE, SHORTEST_SECONDS, read_measured_sound

FRAMES_A_MINUTE = 60 * SAMPLE_RATE / tempo.HOP


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("music", type=Path)
    parser.add_argument("--files", type=int, default=200, metavar="N", help="drawn at random")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    sounds = drawn(arguments.music, arguments.files)
    librosas(sounds[0])  # compiles
    same, farthest, taken = 0, 0.0, np.zeros(2)
    for samples in sounds:
        times = [perf_counter()]
        beats, chroma = engines(samples)
        times.append(perf_counter())
        expected_beats, expected_chroma = librosas(samples)
        times.append(perf_counter())
        taken += np.diff(times)
        same += np.array_equal(beats, expected_beats)
        farthest = max(farthest, float(np.abs(chroma - expected_chroma).max()))
    figures = {
        "files": len(sounds),
        "with the same beats": same,
        "largest difference of chroma": farthest,
        "librosa's time / Engine's": taken[1] / taken[0],
    }
    report("tempo_and_key", [figures], arguments.out)


def drawn(folder: Path, count: int) -> list[Samples]:
    """The middles of files that can be read and are long enough, mono at SAMPLE_RATE."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    random.Random(0).shuffle(files)
    sounds: list[Samples] = []
    for path in files:
        try:
            samples = read_measured_sound(path).samples
        except AudioError:
            continue
        if len(samples) >= SHORTEST_SECONDS * SAMPLE_RATE and samples.any():
            sounds.append(samples)
        if len(sounds) == count:
            break
    return sounds


def engines(samples: Samples) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Beats (frames) and mean chroma (12,) by Engine."""
    onsets = tempo.onset_strength(samples, SAMPLE_RATE)
    power = power_spectrum(samples, key.FRAME, key.HOP)
    chroma = key.mean_chroma(power, SAMPLE_RATE, key.tuning(power, SAMPLE_RATE))
    return tempo.beats(onsets, tempo.likely_period(onsets, FRAMES_A_MINUTE)), chroma


def librosas(samples: Samples) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Beats (frames) and mean chroma (12,) by librosa."""
    onsets = librosa.onset.onset_strength(y=samples, sr=SAMPLE_RATE, hop_length=tempo.HOP)
    _, beats = librosa.beat.beat_track(onset_envelope=onsets, sr=SAMPLE_RATE, hop_length=tempo.HOP, trim=False)
    chroma = librosa.feature.chroma_stft(y=samples, sr=SAMPLE_RATE, n_fft=key.FRAME, hop_length=key.HOP)
    return beats, chroma.mean(axis=1)


if __name__ == "__main__":
    main()
