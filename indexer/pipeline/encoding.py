"""Encode a file's windows into its embedding: several tracks in one batch, or one track in full, part by part."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from engine.embedding import TrackEmbedding
from engine.errors import AudioError, DeviceError, brief
from engine.indexer.aspects.descriptors import AspectMeter, aspects_of
from engine.indexer.audio.placement import audible_segments, levels
from engine.indexer.audio.reading import TrackAudio
from engine.indexer.pipeline.decoders import Decoders
from engine.indexer.pipeline.decoding import Stretch, read_stretches, read_windows
from engine.indexer.pipeline.embedded import EmbeddedTrack
from engine.models.encoder import CHUNK_WINDOWS, SAMPLE_RATE, Encoder, WindowPlan

Result = TypeVar("Result")


def pick_device(wanted: str) -> str:
    """Resolve "auto" to CUDA where torch finds a GPU, else to the CPU; raises DeviceError for a missing CUDA."""
    if wanted == "cpu" or (wanted == "auto" and not torch.cuda.is_available()):
        return "cpu"
    if not torch.cuda.is_available():
        raise DeviceError("expected a CUDA device, found none", hint="use --device cpu or --device auto")
    return "cuda"


class TrackEncoder:
    """Runs one encoder over tracks; where a GPU's memory is too small, in smaller parts, finally on the CPU.

    The encoder is shared and never modified: the fallback runs on a copy.

    Args:
        encoder: Ready for inference.

    Attributes:
        at_once: Windows that go through the network together.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.at_once = CHUNK_WINDOWS
        self._network = encoder  # the encoder, or its copy on the CPU

    @property
    def plan(self) -> WindowPlan:
        """The windows that the encoder reads."""
        return self.encoder.plan

    @property
    def on_cpu(self) -> bool:
        """Whether the encoder runs on the CPU, where each thread encodes the file that it decoded."""
        return self.encoder.device.type == "cpu"

    def notes(self) -> list[str]:
        """Report the fallbacks that were taken, a line each."""
        if self._network is not self.encoder:
            return ["the GPU's memory is too small for this encoder: the CPU took over"]
        if self.at_once < CHUNK_WINDOWS:
            return [f"the GPU's memory is small: {self.at_once} windows were encoded at once"]
        return []

    def embed(self, starts: Sequence[float], windows: NDArray[np.float32]) -> TrackEmbedding:
        """Encode one track from its windows (W, L), which start at `starts` (seconds).

        Raises:
            AudioError: The network's output is not finite.
            DeviceError: The GPU failed.
        """
        return self._pool(self._segment_vectors(windows), starts, levels(windows, self.plan.segments))

    def embed_batch(self, tracks: Sequence[TrackAudio]) -> list[TrackEmbedding]:
        """Encode several tracks at once; each result is independent of the other tracks.

        Raises:
            AudioError: The network's output for one of them is not finite.
            DeviceError: The GPU failed.
        """
        vectors = self._segment_vectors(np.concatenate([track.windows for track in tracks]))
        sizes = [len(track.windows) * self.plan.segments for track in tracks]
        return [
            self._pool(part, track.starts, levels(track.windows, self.plan.segments))
            for part, track in zip(vectors.split(sizes), tracks, strict=True)
        ]

    def embed_stretches(self, stretches: Iterable[Stretch]) -> EmbeddedTrack:
        """Encode a file that is read in full; memory holds a few windows and the vectors, at any length.

        Raises:
            AudioError: The file gives no signature.
            DeviceError: The GPU failed.
        """
        metadata: dict[str, str] = {}
        seconds = 0.0
        vectors: list[torch.Tensor] = []
        segment_levels: list[NDArray[np.float32]] = []
        meter = AspectMeter()
        for stretch in stretches:
            self._check(stretch.windows, [stretch.seconds])
            metadata, seconds = stretch.metadata, seconds + stretch.seconds
            if len(stretch.windows):
                vectors.append(self._segment_vectors(stretch.windows))
                segment_levels.append(levels(stretch.windows, self.plan.segments))
                meter.push(stretch.windows)
        if not vectors:
            raise AudioError("no sound could be decoded")
        joined = torch.cat(vectors)
        starts = [i * self.plan.seconds for i in range(len(joined) // self.plan.segments)]
        embedding = self._pool(joined, starts, np.concatenate(segment_levels))
        return EmbeddedTrack(metadata, seconds, embedding, meter.vectors())

    def read(self, path: bytes, decoders: Decoders) -> TrackAudio:
        """Read the windows of a file that the plan selects, by seeking.

        Raises:
            AudioError: The file cannot be read.
            EngineError: No process to decode in can be started.
        """
        plan = self.plan
        track = decoders.call(read_windows, path, plan.seconds, plan.count, SAMPLE_RATE, plan.placement)
        self._check(track.windows, [*track.starts, track.duration_seconds], len(track.starts))
        return track

    def embed_full(self, path: bytes, decoders: Decoders) -> EmbeddedTrack:
        """Read all of a file in consecutive windows and encode it; raises as `embed_stretches` does."""
        stretches = decoders.stream(read_stretches, path, self.plan.seconds, SAMPLE_RATE, CHUNK_WINDOWS)
        with closing(stretches):  # type: ignore[type-var]  # a generator: its process is free at once after an error
            return self.embed_stretches(stretches)

    def embed_file(self, path: bytes, coverage: str, decoders: Decoders) -> EmbeddedTrack:
        """Read and encode one file with the given coverage; raises AudioError."""
        if coverage == "full":
            return self.embed_full(path, decoders)
        track = self.read(path, decoders)
        embedding = self.embed(track.starts, track.windows)
        return EmbeddedTrack(track.info.metadata, track.duration_seconds, embedding, aspects_of(track.windows))

    def _check(self, windows: NDArray[np.float32], seconds: Sequence[float], count: int | None = None) -> None:
        """Raise AudioError unless a decoder sent what it should: its process runs code that a file may have changed."""
        expected = (len(windows) if count is None else count, self.plan.samples)
        if windows.shape != expected or not all(math.isfinite(each) and each >= 0 for each in seconds):
            raise AudioError(f"expected windows of shape {expected} and their times, found {windows.shape}")

    def _segment_vectors(self, windows: NDArray[np.float32]) -> torch.Tensor:
        """Encode windows (W, L) into h (S, D); raises DeviceError."""
        return self._run(lambda network: network.vectors_of(torch.from_numpy(windows), self.at_once))

    def _run(self, compute: Callable[[Encoder], Result]) -> Result:
        """Compute something with the network; on a lack of memory in ever smaller parts, finally on the CPU.

        Raises:
            DeviceError: The GPU failed otherwise.
        """
        while True:
            try:
                return compute(self._network)
            except torch.OutOfMemoryError:
                if not self._fall_back():
                    raise
            except RuntimeError as error:  # torch.AcceleratorError among them
                if self._network.device.type == "cpu":
                    raise
                raise DeviceError(
                    f"the GPU failed ({brief(error)[:120]})",
                    hint="finished tracks are stored: run again, or with --device cpu",
                ) from error

    def _fall_back(self) -> bool:
        """Halve the number of windows at once; at one window, move to the CPU; False if nothing is left to try."""
        if self.at_once > 1:
            self.at_once //= 2
        elif self._network.device.type != "cpu":
            self.at_once = CHUNK_WINDOWS
            self._network = copy.deepcopy(self.encoder).to("cpu")
            self._network.reduced = False  # the GPU computes in bf16; the CPU was not tested
        else:
            return False
        return True

    def _pool(
        self, vectors: torch.Tensor, window_starts: Sequence[float], segment_levels: NDArray[np.float32]
    ) -> TrackEmbedding:
        """Pool segment vectors (S, D) with their RMS levels (S,), of windows that start at `window_starts`, in seconds.

        Raises:
            AudioError: The network's output is not finite.
            DeviceError: The GPU failed.
        """
        audible = torch.from_numpy(audible_segments(segment_levels)) if self.plan.placement == "sound" else None
        starts = _segment_starts(self.plan, window_starts)
        embedding = self._run(lambda network: network.summarise(vectors, audible, starts))
        if not np.isfinite(embedding.signature).all():
            raise AudioError("the encoder's output is not finite; the file may hold garbage instead of sound")
        return embedding


def _segment_starts(plan: WindowPlan, window_starts: Sequence[float]) -> NDArray[np.float32]:
    """Starts of windows (W,) -> starts of their segments (S,), in seconds."""
    steps = np.arange(plan.segments) * plan.seconds / plan.segments
    return (np.asarray(window_starts)[:, None] + steps).astype(np.float32).reshape(-1)
