"""Writes a rendered piece as a tagged audio file, whole or not at all."""

import os
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np

from .mixer import Rendering
from .song import Song

CODECS = {"flac": "flac", "mp3": "libmp3lame", "opus": "libopus", "m4a": "aac"}  # by the file name's ending
CONTAINERS = {"flac": "flac", "mp3": "mp3", "opus": "ogg", "m4a": "ipod"}
LOSSY_BIT_RATE = 112_000
OPUS_RATE = 48_000  # Hz: Opus supports few rates, and not 32 kHz
BLOCK = 4096


def write(rendering: Rendering, song: Song, path: Path) -> None:
    """Encode a piece's mix under its song's tags; `path` ends in one of `CODECS`.

    The file is written under another name, flushed to disk and then renamed, so that a file of this name is complete.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    try:
        _encode(rendering, song, unfinished, path.suffix[1:])
        with unfinished.open("rb+") as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _encode(rendering: Rendering, song: Song, path: Path, ending: str) -> None:
    with av.open(str(path), "w", format=CONTAINERS[ending]) as container:
        tags = {
            "artist": song.artist,
            "title": song.title,
            "album": song.album,
            "genre": song.style,
            "date": str(song.year),
        }
        container.metadata.update(tags)
        rate = OPUS_RATE if ending == "opus" else rendering.sample_rate
        stream = cast(av.AudioStream, container.add_stream(CODECS[ending], rate=rate))
        stream.layout = "stereo"
        if ending == "flac":
            stream.format = "s16"
        else:
            stream.bit_rate = LOSSY_BIT_RATE
        resampler = av.AudioResampler(stream.format.name, "stereo", rate, frame_size=stream.frame_size or BLOCK)
        for frame in [*_frames(rendering), None]:
            for converted in resampler.resample(frame):
                container.mux(stream.encode(converted))
        container.mux(stream.encode(None))


def _frames(rendering: Rendering) -> list[av.AudioFrame]:
    frames, mix = [], np.ascontiguousarray(rendering.mix)
    for start in range(0, mix.shape[1], BLOCK):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(mix[:, start : start + BLOCK]), "fltp", "stereo")
        frame.sample_rate, frame.pts = rendering.sample_rate, start
        frame.time_base = Fraction(1, rendering.sample_rate)
        frames.append(frame)
    return frames
