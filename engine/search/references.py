"""Questions: what the user named, its signature, its neighbours."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from engine.db import (
    Database,
    Signature,
    Track,
    get_signature,
    predictions,
    search,
    track_by_id,
    track_by_path,
    tracks_by_hash,
    tracks_by_ids,
)
from engine.db.text import displayable
from engine.errors import AudioError, QueryError, SignatureError
from engine.indexer.audio.identity import content_hash
from engine.models.labels import VALENCE, map_tag, valence
from engine.models.weights_files import EncoderFile
from engine.search.results import Classification, GenreProbability, Match, MoodProbability, Seed, ValenceProbability
from engine.search.word_tags import tags_of

if TYPE_CHECKING:
    from engine.indexer.vectors.store import Neighbour
    from engine.models.encoder import Encoder
    from engine.search.centroids import Centroid

PathName: TypeAlias = "str | bytes | os.PathLike[str] | os.PathLike[bytes]"
TrackName: TypeAlias = "int | PathName"

SEARCH = "search:"
ID_PATTERN = re.compile(r"(id:)?([0-9]{1,18})")


@dataclass(frozen=True, eq=False)
class ResolvedTrack:
    """A track that somebody asks about: in the library, in a file, or both.

    Attributes:
        path: Absolute, as given; None only where an id is not in the library.
        track: Its track in the library, or None.
        stale: The file is not what the library knows: it changed since.
    """

    path: bytes
    track: Track | None
    stale: bool


@dataclass(frozen=True, eq=False)
class Segments:
    """What an encoder heard in each of a track's S segments, in the order in which it read them.

    Attributes:
        duration_seconds: Of the whole track.
        starts: (S,), seconds.
        attention: (S,), sums to 1.
        vectors: h, (S, D), not normalised; rounded to float16 where they come from the library.
    """

    duration_seconds: float
    starts: NDArray[np.float32]
    attention: NDArray[np.float32]
    vectors: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Embedding:
    """A signature (D,), its predictions (`words` may be empty), and the tracks that are it or byte-identical to it."""

    signature: NDArray[np.float32]
    genres: NDArray[np.float32]
    moods: NDArray[np.float32]
    words: NDArray[np.float32]
    itself: frozenset[int]


@dataclass(frozen=True, eq=False)
class TrackEmbedding(Embedding):
    """What was heard in one track, and its segments."""

    segments: Segments


def absolute_path(name: PathName) -> bytes:
    """A name made absolute from the current folder, links kept; raises QueryError for an empty one."""
    path = os.fsencode(name)
    if not path:  # else it would mean the current folder
        raise QueryError("expected a file or folder, found an empty name")
    return os.path.abspath(path)  # noqa: PTH100 (links are kept)


def resolve(connection: Connection, name: TrackName) -> ResolvedTrack:
    """What a track's name means: an id, a search, or a file.

    An id is `id:12`, or bare unless a file of that name exists; `search:WORDS` is the first track that
    `engine search WORDS` lists, unless a file is called that.

    Raises:
        QueryError: There is no such id, file or track.
    """
    if isinstance(name, str) and name.startswith(SEARCH) and not Path(name).exists():
        return _first_found(connection, name[len(SEARCH) :])
    wanted = ID_PATTERN.fullmatch(str(name)) if isinstance(name, int | str) else None
    if wanted and (wanted[1] or isinstance(name, int) or not Path(str(name)).exists()):
        track = track_by_id(connection, int(wanted[2]))
        if track is None:
            raise QueryError(f"no track with id {wanted[2]}; `engine search WORDS` lists ids")
        return ResolvedTrack(track.path, track, _differs(track))
    if isinstance(name, int):
        raise QueryError(f"expected a track id of 1 or more, found {name}; `engine search WORDS` lists ids")
    try:
        path = absolute_path(name)
        track = track_by_path(connection, path) if b"\0" not in path else None
        exists = os.path.exists(path)  # noqa: PTH110 (bytes)
    except ValueError as error:
        raise QueryError(f"expected a file's name, found {name!r}") from error
    if track is None and not exists:
        raise QueryError(f"{displayable(path)}: no such file, and no track of the library")
    if os.path.isdir(path):  # noqa: PTH112 (bytes)
        raise QueryError(f"{displayable(path)}: expected a file, found a folder; name one track of it")
    if exists and not os.path.isfile(path):  # noqa: PTH113 (bytes); to open a FIFO could wait for ever
        raise QueryError(f"{displayable(path)}: expected a file of sound, found a device, pipe or socket")
    return ResolvedTrack(path, track, track is not None and _differs(track))


def recall(
    connection: Connection, question: ResolvedTrack, encoder_id: str, coverage: str, *, segments: bool = True
) -> TrackEmbedding | None:
    """What an encoder heard in a track of the library, as stored; None where that is not there, or of other bytes.

    Without `segments`, the track's are not read, and S is 0.
    """
    if question.track is None or question.stale:
        return None
    stored = get_signature(connection, question.track.id, encoder_id, coverage, windows=segments)
    if stored is None:
        return None
    itself = {twin.id for twin in tracks_by_hash(connection, question.track.content_hash)}
    return _stored(stored, itself | {question.track.id}, question.track)


def listen(
    database: Database, question: ResolvedTrack, load: Callable[[], Encoder], encoder_id: str, coverage: str
) -> TrackEmbedding:
    """What an encoder heard in a file: as stored of another with the same bytes, else from the file itself.

    A track whose file changed and cannot be read now is answered as it was heard before.

    Args:
        load: Gives the encoder; called only where a file must be heard.

    Raises:
        QueryError: The file gives no signature, and the library holds none of it.
    """
    own = {question.track.id} if question.track else set()
    try:
        digest = content_hash(question.path)
        with database.read() as connection:
            twins = tracks_by_hash(connection, digest)
            itself = own | {twin.id for twin in twins}
            for twin in (twin for twin in twins if twin.id not in own):  # the own signature is of other bytes
                stored = get_signature(connection, twin.id, encoder_id, coverage)
                if stored is not None:
                    return _stored(stored, itself, twin)
        from engine.indexer.pipeline.encoding import encode_file  # here: stored signatures need no torch

        decoded, encoded = encode_file(question.path, load(), coverage)
    except AudioError as error:
        with database.read() as connection:
            heard = recall(connection, replace(question, stale=False), encoder_id, coverage)
        if heard is not None:
            return heard
        raise QueryError(f"{displayable(question.path)}: {error}") from error
    segments = Segments(decoded.duration_seconds, encoded.starts, encoded.attention, encoded.vectors)
    return TrackEmbedding(encoded.vector, encoded.genres, encoded.moods, encoded.words, frozenset(itself), segments)


def describe(seed: Seed | None, heard: Embedding, centroids: list[Centroid], file: EncoderFile) -> Classification:
    """Genres, moods, words (in the encoder's own names) and distances, each best first; of a track, or None."""
    from engine.search.centroids import distances

    check_heads(seed.path if seed else "a track", heard.genres, heard.moods, file)
    genres = [GenreProbability(name, float(p)) for name, p in zip(file.genres, heard.genres, strict=True)]
    moods = [MoodProbability(name, float(p)) for name, p in zip(file.moods, heard.moods, strict=True)]
    return Classification(
        seed.path if seed else None,
        seed.track_id if seed else None,
        None,
        tuple(sorted(genres, key=lambda entry: -entry.probability)),
        tuple(sorted(moods, key=lambda entry: -entry.probability)),
        _valence(moods),
        distances(heard.signature, centroids),
        tags=tags_of(heard.words, file.words),
    )


def check_heads(name: str, genres: NDArray[np.float32], moods: NDArray[np.float32], file: EncoderFile) -> None:
    """Raise SignatureError unless a track's stored genres and moods are as many as the encoder has names for."""
    expected, found = (len(file.genres), len(file.moods)), (len(genres), len(moods))
    if expected != found:
        raise SignatureError(
            f"what the library holds of {displayable(name)} is damaged: expected {expected[0]} genres and "
            f"{expected[1]} moods of {file.id}, found {found[0]} and {found[1]}; remove that track and index it again"
        )


def _valence(moods: list[MoodProbability]) -> tuple[ValenceProbability, ...]:
    shares = {mood.mood: mood.probability for mood in moods}
    if not set(VALENCE.values()) <= set(shares):
        return ()
    degrees = [ValenceProbability(degree, share) for degree, share in valence(shares).items()]
    return tuple(sorted(degrees, key=lambda entry: -entry.probability))


def matches(connection: Connection, neighbours: list[Neighbour], file: EncoderFile, coverage: str) -> tuple[Match, ...]:
    """Neighbours with their tags, and their genres in the names of the encoder that found them."""
    tracks = tracks_by_ids(connection, [neighbour.track_id for neighbour in neighbours])
    tagged = {track_id: map_tag(track.genre, file.genres) for track_id, track in tracks.items()}
    untagged = [track_id for track_id, labels in tagged.items() if not labels]
    predicted = predictions(connection, file.id, coverage, untagged)
    for track_id, heard in predicted.items():
        check_heads(tracks[track_id].name, heard.genres, heard.moods, file)
    guesses = {track_id: file.genres[int(np.argmax(heard.genres))] for track_id, heard in predicted.items()}
    known = [neighbour for neighbour in neighbours if neighbour.track_id in tracks]
    return tuple(
        _match(rank, tracks[n.track_id], n.cosine, tagged[n.track_id], guesses.get(n.track_id))
        for rank, n in enumerate(known, start=1)
    )


def _match(rank: int, track: Track, cosine: float, tagged: Sequence[str], guess: str | None) -> Match:
    genre, source = (tagged[0], "tag") if tagged else (guess, "prediction" if guess else None)
    similarity = min(1.0, max(0.0, cosine))  # float32 rounding may pass 1
    return Match(rank, track.id, track.name, track.artist, track.title, track.album, genre, source, similarity)


def _first_found(connection: Connection, words: str) -> ResolvedTrack:
    found = search(connection, words.split(), 1) if words.split() else []
    if not found:
        raise QueryError(f"no track has all of the words {words.strip()!r}; `engine search WORDS` shows what there is")
    return ResolvedTrack(found[0].path, found[0], _differs(found[0]))


def _stored(signature: Signature, itself: set[int], track: Track) -> TrackEmbedding:
    segments = Segments(track.duration_seconds, signature.starts, signature.attention, signature.vectors)
    return TrackEmbedding(
        signature.vector, signature.genres, signature.moods, signature.words, frozenset(itself), segments
    )


def _differs(track: Track) -> bool:
    """Whether the file changed since it was indexed. One that is gone, or out of reach, has not."""
    try:
        status = os.stat(track.path)  # noqa: PTH116 (bytes)
    except OSError:
        return False
    return track.differs(status)
