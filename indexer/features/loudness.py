"""Integrated loudness of a stream of frames: ITU-R BS.1770-4 as EBU R 128 gates it, by FFmpeg's `ebur128`.

L = -0.691 + 10 log10 sum_c G_c z_c, with z_c the mean square of channel c after the K filter over the gated blocks of
0.4 s, and G_c = 1.41 for surround channels, else 1. A mono file counts as played on two speakers (+3 dB). Memory does
not grow with the stream.
"""

from __future__ import annotations

import math
import os
import tempfile
from fractions import Fraction
from typing import TypeAlias

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.filter import Graph

from engine.indexer.audio.samples import LOUDEST, peak

ABSOLUTE_GATE = -70.0  # LUFS; BS.1770 ignores quieter blocks, and the filter returns it if none remains
VALUE = "lavfi.r128.I"
TAIL_BYTES = 200  # of the filter's output: longer than its last line

# FFmpeg's defaults for files without a channel layout; PyAV 15 needs them by name.
USUAL_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}

Kind: TypeAlias = tuple[str, str, int]


class LoudnessMeter:
    """Measure a stream of frames; `seconds` is their total duration."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._filter: _Filter | None = None

    def push(self, frame: AudioFrame) -> None:
        """Process a frame; skip one with NaN or garbage but count its time: the filter never recovers from a NaN."""
        self.seconds += frame.samples / frame.sample_rate
        if not frame.samples or (frame.format.name.startswith(("flt", "dbl")) and not peak(frame) <= LOUDEST):
            return
        if self._filter is None:
            self._filter = _Filter(_kind(frame))
        self._filter.push(frame)

    def loudness(self) -> float | None:
        """Return the integrated loudness in LUFS; None for silence, or less than 0.4 s of sound."""
        value = self._filter.close() if self._filter else ABSOLUTE_GATE
        return value if math.isfinite(value) and value > ABSOLUTE_GATE else None


class _Filter:
    """FFmpeg's filter for frames of one sample format, layout and rate; others are converted.

    It prints its value to an anonymous file: PyAV before 18.1 does not expose the metadata of frames.
    """

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._converters: dict[Kind, AudioResampler] = {}
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the filter)
        self._graph = graph = Graph()
        if hasattr(graph, "threads"):  # not in every PyAV from 15 on
            graph.threads = 1
        name, layout, rate = kind
        self._source = graph.add_abuffer(sample_rate=rate, format=name, layout=layout, time_base=Fraction(1, rate))
        meter = graph.add("ebur128", metadata="1", dualmono="true")
        where = f"pipe:{self._printed.fileno()}"
        printer = graph.add("ametadata", mode="print", key=VALUE, file=where, direct="1")
        self._sink = graph.add("abuffersink")
        graph.link_nodes(self._source, meter, printer, self._sink).configure()

    def push(self, frame: AudioFrame) -> None:
        kind = _kind(frame)
        if kind == self._kind:
            alike = [frame]
        else:
            if kind not in self._converters:
                name, layout, rate = self._kind
                self._converters[kind] = AudioResampler(format=name, layout=layout, rate=rate)
            alike = self._converters[kind].resample(frame)
        for one in alike:
            one.pts = None
            self._source.push(one)
            self._drain()

    def close(self) -> float:
        self._source.push(None)
        self._drain()
        with self._printed as printed:
            printed.seek(max(0, printed.seek(0, os.SEEK_END) - TAIL_BYTES))
            lines = printed.read().decode("ascii", "replace").splitlines()
        values = [float(line.partition("=")[2]) for line in lines if line.startswith(f"{VALUE}=")]
        return values[-1] if values else ABSOLUTE_GATE

    def _drain(self) -> None:
        try:
            while True:
                self._sink.pull()
        except (av.BlockingIOError, av.EOFError):
            return


def _kind(frame: AudioFrame) -> Kind:
    layout, count = frame.layout.name, frame.layout.nb_channels
    if layout == f"{count} channels":
        layout = USUAL_LAYOUTS.get(count, layout)
    return frame.format.name, layout, frame.sample_rate
