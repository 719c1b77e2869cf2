"""The library: one SQLite file that is the truth about the user's music; every query of it is a function here.

`open_database` gives a `Database`. Inside `with database.read() as connection` or `with database.write() as connection`
pass the connection to any of the functions below. That block raises `engine.errors.LibraryError` when the file cannot
be read or written or is damaged. Values go in as bound parameters only.
"""

from engine.db.files import (
    FailedFile,
    FileState,
    add_root,
    count_failed,
    failed_files,
    forget_skipped,
    known_files,
    put_skipped,
    remove_roots,
    roots,
)
from engine.db.moving import relocate
from engine.db.schema import COVERAGES, SCHEMA_VERSION
from engine.db.session import Database, open_database
from engine.db.settings import get_setting, set_setting
from engine.db.signatures import (
    EncoderCount,
    Prediction,
    Signature,
    VectorIndex,
    encoders,
    get_signature,
    get_vector_index,
    missing_tracks,
    predictions,
    put_signature,
    put_vector_index,
)
from engine.db.tracks import (
    GenreCount,
    NewTrack,
    Track,
    count_tracks,
    genre_tags,
    move_track,
    remove_tracks,
    search,
    touch_track,
    track_by_id,
    track_by_path,
    tracks_by_hash,
    tracks_by_ids,
    upsert_track,
)
from engine.db.vectors import (
    SignatureIds,
    SignatureMatrix,
    live_ids,
    matrix,
    track_of_signatures,
    vectors_of_tracks,
)

__all__ = [
    "COVERAGES",
    "SCHEMA_VERSION",
    "Database",
    "EncoderCount",
    "FailedFile",
    "FileState",
    "GenreCount",
    "NewTrack",
    "Prediction",
    "Signature",
    "SignatureIds",
    "SignatureMatrix",
    "Track",
    "VectorIndex",
    "add_root",
    "count_failed",
    "count_tracks",
    "encoders",
    "failed_files",
    "forget_skipped",
    "genre_tags",
    "get_setting",
    "get_signature",
    "get_vector_index",
    "known_files",
    "live_ids",
    "matrix",
    "missing_tracks",
    "move_track",
    "open_database",
    "predictions",
    "put_signature",
    "put_skipped",
    "put_vector_index",
    "relocate",
    "remove_roots",
    "remove_tracks",
    "roots",
    "search",
    "set_setting",
    "touch_track",
    "track_by_id",
    "track_by_path",
    "track_of_signatures",
    "tracks_by_hash",
    "tracks_by_ids",
    "upsert_track",
    "vectors_of_tracks",
]
