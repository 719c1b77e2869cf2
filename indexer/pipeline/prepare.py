"""The stage of indexing in worker threads: hash, decode and, on a CPU, encode a file; nothing is written.

On a CPU each file is encoded in the thread that decoded it: one core works on each file, and no thread waits for
another. For a GPU the decoded windows are passed on, to be encoded together with those of other files.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.db import Database, Signature, Track, get_aspects, get_signature, tracks_by_hash
from engine.db.file_times import modified_ns
from engine.errors import AudioError, EngineError
from engine.indexer.aspects.descriptors import aspects_of
from engine.indexer.audio.faults import is_passing
from engine.indexer.audio.formats import has_media_extension
from engine.indexer.audio.identity import content_hash
from engine.indexer.audio.reading import TrackAudio
from engine.indexer.audio.scan import FoundFile
from engine.indexer.pipeline.decoder_process import DecodingError
from engine.indexer.pipeline.decoders import Decoders
from engine.indexer.pipeline.decoding import check_opens, holds_sound, read_metadata
from engine.indexer.pipeline.embedded import EmbeddedTrack
from engine.indexer.pipeline.on_demand import EncoderOnDemand
from engine.indexer.pipeline.pruning import is_gone


@dataclass(frozen=True)
class Target:
    """The kind of signatures to compute: the encoder's id and the coverage."""

    encoder_id: str
    coverage: str


@dataclass(frozen=True)
class FileContent:
    """A file and its bytes.

    Attributes:
        found: The file.
        content_hash: Of its bytes.
        twins: Tracks of the library with the same bytes, perhaps this file's own.
    """

    found: FoundFile
    content_hash: bytes
    twins: tuple[Track, ...]


@dataclass(frozen=True)
class Failed:
    """A file without a signature; if `passing`, the cause is outside the file and the next run tries again."""

    found: FoundFile
    reason: str
    passing: bool


@dataclass(frozen=True)
class NotSound:
    """A file without sound, not named directly and without an audio extension: passed over."""

    found: FoundFile


@dataclass(frozen=True, eq=False)
class Hashed:
    """A file whose bytes were read: the base class of the states below."""

    content: FileContent

    @property
    def found(self) -> FoundFile:
        """The file."""
        return self.content.found


@dataclass(frozen=True, eq=False)
class Known(Hashed):
    """A file with a stored signature for the same bytes: it was touched, moved or copied.

    Files are prepared ahead: before this one is stored, that twin may be overwritten or removed.

    Attributes:
        signature: Of one of the twins.
        aspects: Of the same twin, by kind.
        metadata: Its tags: they may have changed outside the hashed parts of a big file, or an earlier version read
            them; None if the file cannot be opened.
    """

    signature: Signature
    aspects: dict[str, NDArray[np.float32]]
    metadata: dict[str, str] | None


@dataclass(frozen=True, eq=False)
class Decoded(Hashed):
    """A file whose windows wait to be encoded, and its aspects by kind."""

    audio: TrackAudio
    aspects: dict[str, NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Unread(Hashed):
    """A file to be read in full while it is encoded, so that memory never holds all of it."""


@dataclass(frozen=True, eq=False)
class Embedded(Hashed):
    """A file with its embedding."""

    track: EmbeddedTrack


Storable: TypeAlias = "Failed | NotSound | Known | Embedded"
Prepared: TypeAlias = "Storable | Decoded | Unread"


@dataclass(frozen=True, eq=False)
class Preparation:
    """Prepares the files of one run, from any thread.

    Attributes:
        database: The library.
        target: The signatures to make.
        encoder: For the plan and, on a CPU, for encoding.
        decoders: Read the files.
    """

    database: Database
    target: Target
    encoder: EncoderOnDemand
    decoders: Decoders

    def prepare(self, found: FoundFile) -> Prepared:
        """Hash a file, look for twins, decode and perhaps encode it; a bad file gives Failed, never an exception."""
        before = _status(found.path)
        prepared = self._prepare(found)
        if _status(found.path) != before and not is_gone(found.path):  # it may still be being copied
            return Failed(found, "changed while it was being read", passing=True)
        return prepared

    def _prepare(self, found: FoundFile) -> Prepared:
        try:
            if found.named or has_media_extension(found.path) or self.decoders.call(holds_sound, found.path):
                return self._read(found)
            return NotSound(found)
        except AudioError as error:
            return failure(found, error)
        except EngineError:
            raise
        except Exception as error:  # a defect must not stop the run; the file and the reason are reported
            return failure(found, error)

    def _read(self, found: FoundFile) -> Prepared:
        digest = content_hash(found.path)
        twins, signature, aspects = self._look_up(digest)
        content = FileContent(found, digest, twins)
        if signature is not None:
            return Known(content, signature, aspects, self._metadata(found))
        encoder = self.encoder.loaded
        if encoder is None or not (encoder.on_cpu or self.target.coverage == "windows"):
            self.decoders.call(check_opens, found.path)  # a file that is not audio fails here, before any loading
        encoder = self.encoder.for_worker()
        if encoder.on_cpu:
            return Embedded(content, encoder.embed_file(found.path, self.target.coverage, self.decoders))
        if self.target.coverage == "full":
            return Unread(content)
        audio = encoder.read(found.path, self.decoders)
        return Decoded(content, audio, aspects_of(audio.windows))

    def _look_up(self, digest: bytes) -> tuple[tuple[Track, ...], Signature | None, dict[str, NDArray[np.float32]]]:
        """Return the tracks with these bytes, and the signature and the aspects of the first that has a signature."""
        with self.database.read() as connection:
            twins = tuple(tracks_by_hash(connection, digest))
            encoder, coverage = self.target.encoder_id, self.target.coverage
            stored = (get_signature(connection, twin.id, encoder, coverage) for twin in twins)
            signature = next((each for each in stored if each is not None), None)
            if signature is None:
                return twins, None, {}
            return twins, signature, get_aspects(connection, [signature.track_id]).get(signature.track_id, {})

    def _metadata(self, found: FoundFile) -> dict[str, str] | None:
        try:
            return self.decoders.call(read_metadata, found.path)
        except AudioError:
            return None


def failure(found: FoundFile, error: Exception) -> Failed:
    """Describe in one line why a file has no signature."""
    if isinstance(error, DecodingError):
        return Failed(found, str(error), error.passing)
    if isinstance(error, AudioError):
        return Failed(found, str(error), is_passing(error))
    words = " ".join(str(error).split())[:200]
    return Failed(found, f"could not be read: {type(error).__name__}: {words}", is_passing(error))


def _status(path: bytes) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 (bytes)
    except OSError:
        return None
    return status.st_size, modified_ns(status)
