"""Integrated loudness of a stream of frames: ITU-R BS.1770-4 as EBU R 128 gates it, by FFmpeg's `ebur128`.

All channels count as they are in the file, those behind the listener 1.5 dB more; a single one counts as played on two
speakers. Memory does not grow with the stream.
"""

from __future__ import annotations

import math
import os
import tempfile
from fractions import Fraction
from typing import TypeAlias

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.filter import Graph

from engine.indexer.audio.samples import LOUDEST, mono

ABSOLUTE_GATE = -70.0  # LUFS; what BS.1770 leaves out, and the filter's answer where nothing is left
VALUE = "lavfi.r128.I"
TAIL_BYTES = 200  # of what the filter prints: more than its last value takes

# Where a file does not say which channels it has, those that FFmpeg assumes. PyAV 15 needs to be told.
USUAL_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}

Kind: TypeAlias = tuple[str, str, int]


class LoudnessMeter:
    """Takes frames one after the other. `seconds` is how long they last together."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._filter: _Filter | None = None

    def push(self, frame: AudioFrame) -> None:
        """Take the next frame; of one that holds garbage only the time: the filter never recovers from a NaN."""
        self.seconds += frame.samples / frame.sample_rate
        if not frame.samples or (frame.format.name.startswith(("flt", "dbl")) and not _is_sound(frame)):
            return
        if self._filter is None:
            self._filter = _Filter(_kind(frame))
        self._filter.push(frame)

    def loudness(self) -> float | None:
        """LUFS of all that was taken; None for silence, and for less than the 0.4 s that the measure needs."""
        value = self._filter.close() if self._filter else ABSOLUTE_GATE
        return value if math.isfinite(value) and value > ABSOLUTE_GATE else None


class _Filter:
    """FFmpeg's filter for frames of one sample format, layout and rate; others are converted.

    Its value comes by way of an anonymous file: PyAV shows the metadata of frames from 18.1 on only.
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


def _is_sound(frame: AudioFrame) -> bool:
    return bool(np.abs(mono([frame])).max() <= LOUDEST)  # NaN is not
