"""From files to signatures: reads what the encoder asks for, encodes several tracks in one batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from threading import Event

import numpy as np
import torch
from numpy.typing import NDArray

from engine.db import Signature
from engine.errors import AudioError, DeviceError
from engine.indexer.audio.decode import AudioFile
from engine.indexer.audio.placement import levels, speaking
from engine.indexer.audio.reading import read_track
from engine.models.encoder import CHUNK_WINDOWS, SAMPLE_RATE, Encoder, WindowPlan

SHORTEST_TAIL = 0.5  # of a window: what is left at the end of a file read in full counts from this share on


@dataclass(frozen=True, eq=False)
class DecodedTrack:
    """What was read of a file: metadata, length in seconds, window starts in seconds, windows (W, L)."""

    metadata: dict[str, str]
    duration_seconds: float
    starts: list[float]
    windows: NDArray[np.float32]

    def without_sound(self) -> DecodedTrack:
        """The same without its windows: an encoded track needs them no more."""
        return replace(self, windows=self.windows[:0].copy())


@dataclass(frozen=True, eq=False)
class EncodedTrack:
    """What an encoder says of a track, ready to be stored; see `engine.db.Signature` for shapes."""

    vector: NDArray[np.float32]
    genres: NDArray[np.float32]
    moods: NDArray[np.float32]
    starts: NDArray[np.float32]
    attention: NDArray[np.float32]
    vectors: NDArray[np.float32]
    words: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))

    def of_track(self, track_id: int, encoder: str, coverage: str) -> Signature:
        """As a row of the library."""
        return Signature(track_id, encoder, coverage, **vars(self))


def pick_device(wanted: str) -> str:
    """`auto` is CUDA where torch sees a GPU, else the CPU; raises DeviceError for a CUDA that is not there."""
    if wanted == "cpu" or (wanted == "auto" and not torch.cuda.is_available()):
        return "cpu"
    if not torch.cuda.is_available():
        raise DeviceError("expected a CUDA device, found none; use --device cpu or --device auto")
    return "cuda"


@contextmanager
def one_core_a_file() -> Iterator[Callable[[], None]]:
    """Give what a thread calls so that torch does not share its work among more threads; undone at the end."""
    before = torch.get_num_threads()
    try:
        yield partial(torch.set_num_threads, 1)
    finally:
        torch.set_num_threads(before)


def decode_windows(path: bytes, plan: WindowPlan) -> DecodedTrack:
    """Read the encoder's windows of a file, by seeking; raises AudioError."""
    track = read_track(path, plan.seconds, plan.count, SAMPLE_RATE, plan.placement)
    return DecodedTrack(track.info.metadata, track.duration_seconds, track.starts, track.windows)


def encode_batch(encoder: Encoder, tracks: Sequence[DecodedTrack]) -> list[EncodedTrack]:
    """Encode several tracks at once; each track's result does not depend on the others.

    Raises:
        AudioError: The network answers with a number that is not finite.
    """
    vectors = _vectors(encoder, np.concatenate([track.windows for track in tracks]))
    sizes = [len(track.windows) * encoder.plan.segments for track in tracks]
    return [
        _summarise(encoder, part, track.starts, levels(track.windows, encoder.plan.segments))
        for part, track in zip(vectors.split(sizes), tracks, strict=True)
    ]


def encode_full(path: bytes, encoder: Encoder, stop: Event | None = None) -> tuple[DecodedTrack, EncodedTrack]:
    """Encode all of a file, in consecutive windows; memory holds a few windows and the vectors, whatever its length.

    Raises:
        AudioError: The file gives no signature, or `stop` was set before its end.
    """
    length, parts, count = encoder.plan.samples, [], 0
    found: list[NDArray[np.float32]] = []
    with AudioFile.open(path) as audio:
        metadata, total = audio.info.metadata, 0
        blocks = audio.blocks(encoder.plan.seconds, SAMPLE_RATE)
        while chunk := list(islice(blocks, CHUNK_WINDOWS)):
            if stop is not None and stop.is_set():
                raise AudioError("stopped before its end")
            total += sum(map(len, chunk))
            kept = [b for i, b in enumerate(chunk) if len(b) >= SHORTEST_TAIL * length or (count == 0 and i == 0)]
            if kept:
                windows = np.stack([np.pad(block, (0, length - len(block))) for block in kept])
                parts.append(_vectors(encoder, windows))
                found.append(levels(windows, encoder.plan.segments))
                count += len(kept)
    if not parts:
        raise AudioError("no sound could be decoded")
    starts = [i * encoder.plan.seconds for i in range(count)]
    decoded = DecodedTrack(metadata, total / SAMPLE_RATE, starts, np.zeros((0, length), np.float32))
    return decoded, _summarise(encoder, torch.cat(parts), starts, np.concatenate(found))


def encode_file(
    path: bytes, encoder: Encoder, coverage: str, stop: Event | None = None
) -> tuple[DecodedTrack, EncodedTrack]:
    """Read and encode one file with the given coverage; raises AudioError, also where `stop` was set meanwhile."""
    if coverage == "full":
        return encode_full(path, encoder, stop)
    decoded = decode_windows(path, encoder.plan)
    return decoded, encode_batch(encoder, [decoded])[0]


def _vectors(encoder: Encoder, windows: NDArray[np.float32]) -> torch.Tensor:
    """Windows (W, L) -> h (S, D). Where a GPU's memory is too small, in ever smaller parts, at last on the CPU."""
    while True:
        try:
            return encoder.vectors_of(torch.from_numpy(windows))
        except torch.OutOfMemoryError:
            if encoder.at_once > 1:
                encoder.at_once //= 2
            elif encoder.device.type != "cpu":
                encoder.at_once = CHUNK_WINDOWS
                encoder.to("cpu")
            else:
                raise
        except RuntimeError as error:  # torch.AcceleratorError among them
            if encoder.device.type == "cpu":
                raise
            reason = " ".join(str(error).split())[:120]
            raise DeviceError(
                f"the GPU failed ({reason}); what was done is stored: run again, or with --device cpu"
            ) from error


def _summarise(
    encoder: Encoder, vectors: torch.Tensor, window_starts: Sequence[float], found: NDArray[np.float32]
) -> EncodedTrack:
    """Pool segment vectors (S, D) whose levels are `found` (S,)."""
    speaks = torch.from_numpy(speaking(found)) if encoder.plan.placement == "sound" else None
    embedding = encoder.summarise(vectors, speaks)
    if not torch.isfinite(embedding.signature).all():
        raise AudioError("the encoder's answer is not finite; the file may hold garbage instead of sound")
    starts = np.array(list(_segment_starts(encoder.plan, window_starts)), np.float32)
    arrays = (embedding.signature, embedding.genres, embedding.moods, embedding.words)
    vector, genres, moods, words = (value.numpy().astype(np.float32) for value in arrays)
    return EncodedTrack(vector, genres, moods, starts, embedding.attention.numpy(), embedding.vectors.numpy(), words)


def _segment_starts(plan: WindowPlan, window_starts: Sequence[float]) -> Iterator[float]:
    for start in window_starts:
        yield from (start + j * plan.seconds / plan.segments for j in range(plan.segments))
