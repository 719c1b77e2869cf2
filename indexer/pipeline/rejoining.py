"""Match files that were both retagged and renamed to their tracks: bytes and path differ, the recording is the same.

A new file is matched to a track with a missing file if both have the same MusicBrainz recording id and about the same
length, or if they sound the same: equal length, signature and segment vectors. The tolerances only cover rounding; two
encodings of one recording differ by more.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from engine.db import Track, TrackIdentity, get_signature, track_by_id, track_identities
from engine.embedding import RECORDING_SECONDS, SAME_SECONDS, SAME_SIGNATURE, TrackEmbedding
from engine.indexer.audio.tags import read_tags
from engine.indexer.pipeline.embedded import EmbeddedTrack
from engine.indexer.pipeline.prepare import Target
from engine.indexer.pipeline.pruning import is_gone

SAME_SEGMENT = 0.999  # cosine; segment vectors are stored as float16


@dataclass(frozen=True)
class Rejoined:
    """A track whose file was found again; `same_sound` if all of its stored analysis remains valid."""

    track: Track
    same_sound: bool


class GoneTracks:
    """The tracks of a library by recording id and length; missing files are detected only when needed."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._identities: list[TrackIdentity] | None = None
        self._lengths = np.zeros(0)

    def find(self, connection: Connection, embedded: EmbeddedTrack, taken: Collection[bytes]) -> Rejoined | None:
        """Return the track that a new file belongs to, or None; `taken` are paths that are already matched."""
        if self._identities is None:
            self._identities = track_identities(connection)
            self._lengths = np.array([each.duration_seconds for each in self._identities])
        length, recording = embedded.duration_seconds, read_tags(embedded.metadata).recording_id
        first, last = np.searchsorted(self._lengths, [length - RECORDING_SECONDS, length + RECORDING_SECONDS])
        near = [each for each in self._identities[first:last] if each.path not in taken]
        close = [each for each in near if abs(each.duration_seconds - length) <= SAME_SECONDS and is_gone(each.path)]
        for each in close:
            if (track := _current(connection, each)) and self._sounds_the_same(connection, track, embedded.embedding):
                return Rejoined(track, same_sound=True)
        for each in near:
            is_recording = recording is not None and each.recording_id == recording
            if is_recording and is_gone(each.path) and (track := _current(connection, each)):
                return Rejoined(track, same_sound=False)
        return None

    def _sounds_the_same(self, connection: Connection, track: Track, new: TrackEmbedding) -> bool:
        stored = get_signature(connection, track.id, self._target.encoder_id, self._target.coverage)
        if stored is None or float(stored.embedding.signature @ new.signature) < SAME_SIGNATURE:
            return False
        old, segments = stored.embedding.segment_vectors, new.segment_vectors
        if old.shape != segments.shape:
            return False
        lengths = np.linalg.norm(old, axis=1) * np.linalg.norm(segments, axis=1)
        return bool((np.einsum("sd,sd->s", old, segments) >= SAME_SEGMENT * lengths).all())


def _current(connection: Connection, identity: TrackIdentity) -> Track | None:
    """Return the track's current row; None if it has since been removed or moved."""
    track = track_by_id(connection, identity.track_id)
    return track if track is not None and track.path == identity.path else None
